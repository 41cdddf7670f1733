"""Equations in running text: find them, and check them in exact rational arithmetic.

Read as arithmetic: integers, thousands commas, decimals, `$`, `%` (a hundredth), fractions, mixed numbers, parentheses,
powers, the operators `× x * · ÷ / + - − –`, `20% of 50`, unit words behind a number (`3 hours × 4 = 12 hours`), chains
`a = b = c`, remainders (`12 ÷ 5 = 2 remainder 2`) and their usual LaTeX. A side that holds anything else has no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tinygsm_kit.maths.chains import chains
from tinygsm_kit.maths.lexer import tokens
from tinygsm_kit.maths.numerals import Number, format_number
from tinygsm_kit.maths.plain import signs_of_true_chains
from tinygsm_kit.maths.verdicts import all_hold, other_readings, verdict

__all__ = ["Equation", "Number", "find", "first_false", "format_number", "holds"]

_JOINS = frozenset("=≈×÷+ ")
"""What a line begins or ends with where an equation may run over its end."""


class Equation(NamedTuple):
    """Two neighbouring sides of an equation or chain, `text[start:end]`, as they stand in the text."""

    start: int
    end: int
    left: str
    sign: str
    right: str
    verdict: bool | None
    """Whether it is true where it stands; None where it is no arithmetic, or may be a label or a range."""


def find(text: str) -> Iterator[Equation]:
    """Every equation of the text in order; a chain `a = b = c` gives `a = b` and `b = c`."""
    if "=" not in text and "≈" not in text:
        return
    cut = tokens(text)
    for chain in chains(cut):
        for link in chain:
            left, sign, right = link
            true = verdict(link)
            if true is False and any(all_hold(other, chain) for other in other_readings(cut, chain)):
                true = True
            yield Equation(left.start, right.end, text[left.start : left.end], sign, text[right.start : right.end], true)


def holds(equation: Equation) -> bool | None:
    """Whether an equation is true where it stands; None where it is no arithmetic. `≈` allows half a unit of the last place."""
    return equation.verdict


def first_false(text: str) -> Equation | None:
    """The first false equation of the text, or None where all that can be decided are true.

    Plain chains (`3 × 50 + 2 = 152`) are decided by one regular expression; only lines that hold more are parsed.
    """
    if "=" not in text and "≈" not in text:
        return None
    offset = 0
    for line in text.split("\n"):
        if line and (line[0] in _JOINS or line[-1] in _JOINS):
            return next((equation for equation in find(text) if equation.verdict is False), None)
        signs = line.count("=") + line.count("≈")
        if signs and signs != signs_of_true_chains(line):
            for equation in find(line):
                if equation.verdict is False:
                    return equation._replace(start=equation.start + offset, end=equation.end + offset)
        offset += len(line) + 1
    return None
