"""Arithmetic facts as problems: small models forget 7 × 8 unless it stays in their data."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import ClassVar, Literal, get_args

from pydantic import Field, PositiveInt, field_validator, model_validator

from tinygsm_kit.interfaces import Options
from tinygsm_kit.maths.facts import PROBE_SUITES, Fact, held_out
from tinygsm_kit.records import Problem, problem_id
from tinygsm_kit.sources.interleaving import turns

Kind = Literal["mul_table", "mul_multidigit", "addition", "subtraction", "division"]
Range = tuple[int, int] | tuple[int, int, PositiveInt]
KINDS: tuple[Kind, ...] = get_args(Kind)
SIGNS: dict[Kind, str] = {"mul_table": "×", "mul_multidigit": "×", "addition": "+", "subtraction": "-", "division": "÷"}
RANGES: dict[Kind, tuple[Range, Range]] = {
    "mul_table": ((1, 9), (1, 9)),
    "mul_multidigit": ((10, 99), (2, 9)),
    "addition": ((1, 100), (1, 100)),
    "subtraction": ((2, 100), (1, 99)),
    "division": ((2, 99), (2, 9)),
}
"""From and to, both included, of the left and the right operand; of quotient and divisor for a division. A third number
is the step from one operand to the next."""


class DrillsOptions(Options):
    """What is drilled, and how often."""

    kinds: dict[Kind, float] = Field(
        default=dict.fromkeys(KINDS, 1.0),
        description="Kinds of facts with their weights, or a list of kinds that share evenly. Weights are of rows, so the 81 "
        "facts of the table come round far oftener than the 10,000 sums.",
    )
    ranges: dict[Kind, tuple[Range, Range]] = Field(
        default={},
        description="Operands other than the usual ones: `mul_table: [[2, 12], [2, 12]]` is left from 2 to 12, right from 2 to "
        "12; for a division it is quotient and divisor. A third number is a step: [10, 90, 10] are the tens.",
    )
    size: int | None = Field(
        default=None,
        ge=1,
        description="Rows in all: facts are repeated as often as it takes. Without it, every fact `repeat` times.",
    )
    repeat: int = Field(default=1, ge=1, description="How often every fact is asked where no size is given.")
    hold_out: tuple[str, ...] = Field(
        default=("mul_multidigit", "addition", "subtraction", "division"),
        description="Probe suites whose questions are not drilled, in either operand order.",
    )
    working: bool = Field(
        default=True,
        description="Programs of sums add tens and ones apart, those of differences take away tens, then ones, so that the "
        "working is written out; without it they are one operation, as suits a converter that breaks sums itself.",
    )
    seed: int = Field(default=0, description="Seed of the order, and a mark on the ids of repeated rows.")

    @field_validator("kinds", mode="before")
    @classmethod
    def _list_shares_evenly(cls, kinds: object) -> object:
        return dict.fromkeys(kinds, 1.0) if isinstance(kinds, (list, tuple)) else kinds

    @field_validator("kinds")
    @classmethod
    def _weights_are_positive(cls, kinds: dict[Kind, float]) -> dict[Kind, float]:
        if not kinds or min(kinds.values()) <= 0:
            raise ValueError(f"expected at least one kind, each with a weight above 0, found {kinds}")
        return kinds

    @field_validator("hold_out")
    @classmethod
    def _suites_are_known(cls, suites: tuple[str, ...]) -> tuple[str, ...]:
        for suite in suites:
            if suite not in PROBE_SUITES:
                raise ValueError(f"expected names of {', '.join(PROBE_SUITES)}, found {suite!r}")
        return suites

    @model_validator(mode="after")
    def _something_is_left(self) -> DrillsOptions:
        for kind in self.kinds:
            if not _facts(kind, self):
                raise ValueError(f"nothing is left to drill of {kind}: widen its range or take its suite out of `hold_out`")
        return self


def _facts(kind: Kind, options: DrillsOptions) -> list[Fact]:
    """All facts of a kind that may be drilled; differences stay above 0."""
    left, right = options.ranges.get(kind, RANGES[kind])
    pairs = product(_numbers(*left), _numbers(*right))
    if kind == "division":
        pairs = ((quotient * divisor, divisor) for quotient, divisor in pairs if divisor)  # type: ignore[assignment]
    kept_out = held_out(options.hold_out)
    facts = [Fact(left, SIGNS[kind], right) for left, right in pairs]
    return [fact for fact in facts if fact not in kept_out and (kind != "subtraction" or fact.value > 0)]


def _numbers(first: int, last: int, step: int = 1) -> range:
    return range(first, last + 1, step)


class Drills:
    """Facts in a seeded order, kinds by weight; each kind goes through all of its facts before it repeats one.

    A repeated fact has the id of the first with `#2`, `#3` … behind it. Sampling removes duplicates by id, and these are
    meant to be there. With a seed of its own the repeats of one source (`#1.2` under seed 1) are not those of another, so
    that a mixture can drill some facts more.
    """

    Options: ClassVar[type[Options]] = DrillsOptions
    version: ClassVar[str] = "2"

    def __init__(self, options: DrillsOptions) -> None:
        self.options = options

    def problems(self) -> Iterator[Problem]:
        """`size` rows, or every fact `repeat` times. Row i is the same whatever the size."""
        options = self.options
        rounds = None if options.size is not None else options.repeat
        streams = {kind: self._kind(kind, rounds) for kind in options.kinds}
        order = turns(list(options.kinds.values()), options.seed)
        kinds = list(options.kinds)
        rows = 0
        while streams and rows != options.size:
            kind = kinds[next(order)]
            problem = next(streams[kind], None) if kind in streams else None
            if problem is None:
                streams.pop(kind, None)
                continue
            rows += 1
            yield problem

    def _kind(self, kind: Kind, rounds: int | None) -> Iterator[Problem]:
        facts = _facts(kind, self.options)
        done = 0
        while rounds is None or done < rounds:
            done += 1
            random.Random(f"{self.options.seed}/{kind}/{done}").shuffle(facts)
            for fact in facts:
                yield self._problem(kind, fact, done)

    def _problem(self, kind: Kind, fact: Fact, time: int) -> Problem:
        program, difficulty = _program(fact, self.options.working)
        identifier = problem_id(fact.question, program)
        if time > 1:
            seed = self.options.seed
            identifier += f"#{seed}.{time}" if seed else f"#{time}"
        return Problem(identifier, fact.question, program, difficulty=difficulty, source=f"drills/{kind}")


def _program(fact: Fact, working: bool) -> tuple[str, int]:
    """The program of a fact and its number of operations."""
    lines = _worked(fact) if working else None
    if lines is None:
        sign = {"×": "*", "÷": "/"}.get(fact.sign, fact.sign)
        lines = [f"return {fact.left} {sign} {fact.right}"]
    return "def solution():\n" + "".join(f"    {line}\n" for line in lines), len(lines)


def _worked(fact: Fact) -> list[str] | None:
    """Tens and ones apart, as it is done in the head; None where there is nothing to take apart.

    Products are taken apart by the converter instead, for they also occur within word problems.
    """
    (left_tens, left_ones), (right_tens, right_ones) = (divmod(number, 10) for number in (fact.left, fact.right))
    if fact.sign == "+" and left_ones and right_ones and (left_tens or right_tens):
        ones = f"ones = {left_ones} + {right_ones}"
        if left_tens and right_tens:
            return [f"tens = {left_tens * 10} + {right_tens * 10}", ones, "return tens + ones"]
        return [ones, f"return {(left_tens or right_tens) * 10} + ones"]
    if fact.sign == "-" and right_tens and right_ones:
        return [f"rest = {fact.left} - {right_tens * 10}", f"return rest - {right_ones}"]
    return None
