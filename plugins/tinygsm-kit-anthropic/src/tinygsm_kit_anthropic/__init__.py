"""Claude as a converter: registers `anthropic` with tinygsm-kit."""

from tinygsm_kit import hookimpl


@hookimpl
def register_converters(register):
    """One converter, imported when it is first used."""
    register("anthropic", "tinygsm_kit_anthropic.converter:Anthropic")
