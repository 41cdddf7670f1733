"""Multiplication facts of one digit as single tokens: `7 × 8 = 56` becomes `<MUL_7_8_56>`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from tinygsm_kit import interfaces
from tinygsm_kit.inject.facts import Fact, FactInjector


class MulTokensOptions(interfaces.Options):
    """Options of `mul_tokens`."""

    low: int = Field(
        2, ge=0, le=9, description="Smallest operand that gets tokens. 0 and 1 are left out because they are trivial."
    )


class MulTokens(FactInjector):
    """`a × b = c`, one digit each, as `<MUL_a_b_c>` with the smaller operand first. Operators read: `×`, `*`, `x`, `·`."""

    Options: ClassVar[type[interfaces.Options]] = MulTokensOptions
    version: ClassVar[str] = "1"
    prefix = "MUL"
    equation = re.compile(r"([0-9]) ?[×*x·] ?([0-9]) ?= ?([0-9]{1,2})(?![0-9])")

    def __init__(self, options: MulTokensOptions) -> None:
        self.low = options.low
        super().__init__(options)

    def facts(self) -> Iterable[Fact]:
        """From `low` to 9, ascending."""
        return ((a, b, a * b) for a in range(self.low, 10) for b in range(a, 10))

    def spellings(self, fact: Fact) -> Iterable[tuple[str, ...]]:
        """Either order of the operands."""
        a, b, product = map(str, fact)
        return ((a, b, product), (b, a, product))

    def write(self, numbers: Fact) -> str:
        """`7 × 8 = 56`."""
        a, b, product = numbers
        return f"{a} × {b} = {product}"
