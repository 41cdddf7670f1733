"""Training: one model per condition, under identical conditions; and rewards for those who train by reinforcement."""

from tinygsm_kit.hookspecs import Register, hookimpl


@hookimpl
def register_trainers(register: Register) -> None:
    """The built-in trainers."""
    register("sft", "tinygsm_kit.train.sft:SFT")


@hookimpl
def register_rewards(register: Register) -> None:
    """The built-in rewards."""
    register("exact_answer", "tinygsm_kit.train.rewards:ExactAnswer")
