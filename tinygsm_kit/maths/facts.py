"""Arithmetic facts: how they are asked, and which of them are probe questions.

Drills and probe suites ask in the same words, and drills keep out what the probes ask: both take it from here.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import product
from typing import NamedTuple

PROBES_A_SUITE = 100
"""Questions of each suite that is drawn; `mul_table` asks all of its 81."""


class Fact(NamedTuple):
    """Two operands and a sign (`×`, `+`, `-` or `÷`)."""

    left: int
    sign: str
    right: int

    @property
    def value(self) -> Fraction:
        """What it comes to, exactly."""
        return _OPERATIONS[self.sign](Fraction(self.left), Fraction(self.right))

    @property
    def answer(self) -> str:
        """The value as answer text. Raises ValueError for a division that leaves a remainder."""
        if self.value.denominator != 1:
            raise ValueError(f"expected a division without remainder, found {self.left} ÷ {self.right}")
        return str(self.value.numerator)

    @property
    def question(self) -> str:
        """The one wording: `What is 7 × 8?`."""
        return f"What is {self.left} {self.sign} {self.right}?"

    @property
    def commuted(self) -> Fact:
        """The operands in the other order; the same fact for × and +, another one for - and ÷."""
        return Fact(self.right, self.sign, self.left)


_OPERATIONS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "×": lambda left, right: left * right,
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "÷": lambda left, right: left / right,
}


def table() -> Iterator[Fact]:
    """1–9 × 1–9 in reading order."""
    return (Fact(left, "×", right) for left, right in product(range(1, 10), repeat=2))


def multidigit_products() -> Iterator[Fact]:
    """10–99 × 2–9."""
    return (Fact(left, "×", right) for left, right in product(range(10, 100), range(2, 10)))


def sums() -> Iterator[Fact]:
    """1–100 + 1–100."""
    return (Fact(left, "+", right) for left, right in product(range(1, 101), repeat=2))


def differences() -> Iterator[Fact]:
    """2–100 minus something smaller."""
    return (Fact(left, "-", right) for left in range(2, 101) for right in range(1, left))


def quotients() -> Iterator[Fact]:
    """Divisions by 2–9 that come out as 2–99."""
    return (Fact(quotient * divisor, "÷", divisor) for quotient, divisor in product(range(2, 100), range(2, 10)))


PROBE_SUITES: dict[str, Callable[[], Iterator[Fact]]] = {
    "mul_table": table,
    "mul_multidigit": multidigit_products,
    "addition": sums,
    "subtraction": differences,
    "division": quotients,
}
"""What each suite draws its questions from."""


@functools.cache
def probe_facts(suite: str) -> tuple[Fact, ...]:
    """The questions of a suite: the same 100 (`mul_table`: all 81) whatever the run's seed.

    Drawn by the order of SHA-256 digests, which no version of Python can change; no two are each other commuted.
    Raises KeyError for a name that is not in PROBE_SUITES.
    """
    if suite == "mul_table":
        return tuple(table())
    chosen: dict[Fact, None] = {}
    for fact in sorted(PROBE_SUITES[suite](), key=lambda fact: _digest(suite, fact)):
        if not (fact.sign in "×+" and fact.commuted in chosen):
            chosen[fact] = None
        if len(chosen) == PROBES_A_SUITE:
            break
    return tuple(chosen)


def _digest(suite: str, fact: Fact) -> bytes:
    return hashlib.sha256(f"{suite}: {fact.question}".encode()).digest()


def held_out(suites: Iterable[str]) -> frozenset[Fact]:
    """What drills must not ask, so that these suites test a skill and not memory: their facts in both operand orders."""
    facts = {fact for suite in suites for fact in probe_facts(suite)}
    return frozenset(facts | {fact.commuted for fact in facts if fact.sign in "×+"})
