"""From programs to natural language: converters, the verification that every one of them must pass, and who runs them."""

from tinygsm_kit.hookspecs import Register, hookimpl


@hookimpl
def register_converters(register: Register) -> None:
    """The built-in converters."""
    register("trace", "tinygsm_kit.convert.trace:Trace")
    register("openai", "tinygsm_kit.convert.openai:OpenAI")
    register("router", "tinygsm_kit.convert.router:Router")
    register("mock", "tinygsm_kit.convert.mock:Mock")
