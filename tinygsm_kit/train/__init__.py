"""Training: one model per condition, under identical conditions."""

from tinygsm_kit.hookspecs import Register, hookimpl


@hookimpl
def register_trainers(register: Register) -> None:
    """The built-in trainers."""
    register("sft", "tinygsm_kit.train.sft:SFT")
