"""Rewards for reinforcement learning from verifiable answers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from tinygsm_kit import interfaces
from tinygsm_kit.maths.answers import extract_flexible, extract_strict, same
from tinygsm_kit.records import Problem


class ExactAnswer:
    """1 where the completion's final answer is the program's, 0 elsewhere (the outcome reward of Cobbe et al., 2021)."""

    version: ClassVar[str] = "1"

    class Options(interfaces.Options):
        """How the answer is read."""

        flexible: bool = Field(False, description="Take the last number where no `####` stands.")

    def __init__(self, options: Options) -> None:
        self.options = options

    def reward(self, problem: Problem, completion: str) -> float:
        """The reward of one completion. Raises ValueError for a problem whose answer is not known."""
        if problem.answer is None:
            raise ValueError(f"problem {problem.id}: expected an answer to compare with, found none: sample it first")
        found = extract_strict(completion)
        if found is None and self.options.flexible:
            found = extract_flexible(completion)
        return float(found is not None and same(found, problem.answer))
