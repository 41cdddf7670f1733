"""Text variants: facts as single tokens."""

from tinygsm_kit.hookspecs import Register, hookimpl


@hookimpl
def register_injectors(register: Register) -> None:
    """The built-in injectors."""
    register("mul_tokens", "tinygsm_kit.inject.mul_tokens:MulTokens")
