"""From programs to natural language: converters, the verification that every one of them must pass, and who runs them."""

from tinygsm_kit.hookspecs import Register, hookimpl


@hookimpl
def register_converters(register: Register) -> None:
    """The built-in converters."""
    register("trace", "tinygsm_kit.convert.trace:Trace")
