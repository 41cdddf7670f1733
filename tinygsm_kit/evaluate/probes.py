"""The built-in probe suites: questions that test one arithmetic skill each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tinygsm_kit.interfaces import Options
from tinygsm_kit.maths.facts import Fact, probe_facts
from tinygsm_kit.records import Probe


class NoOptions(Options):
    """The built-in suites have none: their questions are fixed, so that runs can be compared."""


def probe(suite: str, fact: Fact, kind: str = "", question: str | None = None) -> Probe:
    """A fact as a probe; its id is unique within the suite."""
    identifier = f"{fact.left}{fact.sign}{fact.right}" + (f":{kind}" if kind else "")
    return Probe(identifier, suite, question or fact.question, fact.answer, (fact.left, fact.right), kind)


class _Drawn:
    """A suite whose questions are the fixed draw of `tinygsm_kit.maths.facts.probe_facts`."""

    Options: ClassVar[type[NoOptions]] = NoOptions
    version: ClassVar[str] = "1"
    suite: ClassVar[str]

    def __init__(self, options: NoOptions) -> None:
        self.options = options

    def probes(self) -> Iterator[Probe]:
        """The suite's questions, always the same ones in the same order."""
        return (probe(self.suite, fact) for fact in probe_facts(self.suite))


class MulTable(_Drawn):
    """1–9 × 1–9: all 81."""

    suite = "mul_table"


class MulMultidigit(_Drawn):
    """100 questions of 10–99 × 2–9."""

    suite = "mul_multidigit"


class Addition(_Drawn):
    """100 questions of 1–100 + 1–100."""

    suite = "addition"


class Subtraction(_Drawn):
    """100 questions of 2–100 minus something smaller."""

    suite = "subtraction"


class Division(_Drawn):
    """100 divisions by 2–9 without remainder."""

    suite = "division"


class MulCommuted:
    """Each product of two different digits in both orders: does a × b go as well as b × a?"""

    Options: ClassVar[type[NoOptions]] = NoOptions
    version: ClassVar[str] = "1"

    def __init__(self, options: NoOptions) -> None:
        self.options = options

    def probes(self) -> Iterator[Probe]:
        """28 products of 2–9, each ascending and then descending."""
        for left in range(2, 10):
            for right in range(left + 1, 10):
                fact = Fact(left, "×", right)
                yield probe("mul_commuted", fact, "ascending")
                yield probe("mul_commuted", fact.commuted, "descending")


NUMERALS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


class Forgetting:
    """The facts 2–9 × 2–9 in three forms: what a model still knows in a form that it was not drilled in last."""

    Options: ClassVar[type[NoOptions]] = NoOptions
    version: ClassVar[str] = "1"
    FORMS: ClassVar[dict[str, str]] = {
        "plain": "What is {left} times {right}?",
        "symbolic": "{left} × {right} =",
        "words": "What is {left_word} times {right_word}?",
    }

    def __init__(self, options: NoOptions) -> None:
        self.options = options

    def probes(self) -> Iterator[Probe]:
        """36 facts in ascending order, each plain, symbolic and in words."""
        for left in range(2, 10):
            for right in range(left, 10):
                for kind, form in self.FORMS.items():
                    question = form.format(left=left, right=right, left_word=NUMERALS[left], right_word=NUMERALS[right])
                    yield probe("forgetting", Fact(left, "×", right), kind, question)
