"""Numbers as the narration knows them: the program's value, the exact value that the text stands for, and the text."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

Exact = int | Fraction
EXACT_PLACES = 6
"""Decimals that are written out where they are exact; answers are rounded there, too."""
LARGEST = 10**30
"""No number in a word problem is larger; beyond it a program has gone astray."""

MOST_BITS = 400
"""Bits of a numerator at most: exact arithmetic stays quick."""


class UntellableError(Exception):
    """A program that cannot be narrated faithfully. `reason` is a short stable slug, `detail` says what was found."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


class PrecisionError(Exception):
    """Numbers that were rounded when first written do not carry a later equation: write them with more decimals."""


class Quantity:
    """A number of the program and how the text shows it.

    `value` is what Python has (int or float); `exact` what the arithmetic of the word problem has, free of binary noise;
    `shown` what `text` says (differs from `exact` where `rounded`). `unit` is "$" or "". `step` is the index of the line
    that found it, -1 for what is given. `kind` is "fraction" or "percent" for shares that read better as such.
    """

    __slots__ = ("exact", "kind", "rounded", "shown", "step", "text", "unit", "value")

    def __init__(
        self,
        value: float,
        exact: Exact,
        text: str,
        shown: Exact,
        rounded: bool = False,
        unit: str = "",
        step: int = -1,
        kind: str = "",
    ) -> None:
        self.value = value
        self.exact = exact
        self.text = text
        self.shown = shown
        self.rounded = rounded
        self.unit = unit
        self.step = step
        self.kind = kind

    def but(self, *, value: float | None = None, unit: str | None = None, step: int | None = None) -> Quantity:
        """The same quantity with another Python value (`float(x)`), unit or step."""
        return Quantity(
            self.value if value is None else value,
            self.exact,
            self.text,
            self.shown,
            self.rounded,
            self.unit if unit is None else unit,
            self.step if step is None else step,
            self.kind,
        )


@lru_cache(maxsize=65_536)
def literal(value: float) -> tuple[Exact, str]:
    """The exact value and the text of a number written in a program: 0.1 is one tenth, 25.0 is `25`."""
    if type(value) is int:
        return value, str(value)
    if value != value or value in (float("inf"), float("-inf")):
        raise UntellableError("not_finite", f"{value}")
    exact = Fraction(repr(value))
    if exact.denominator == 1:
        return exact.numerator, str(exact.numerator)
    text = decimal(exact)
    return exact, text if text is not None else repr(value) if "e" not in repr(value) else rounded(exact, EXACT_PLACES)[0]


def decimal(exact: Exact) -> str | None:
    """The decimal text of an exact value, or None where it has more than `EXACT_PLACES` decimals."""
    if type(exact) is int:
        return str(exact)
    below = exact.denominator
    if below == 1:
        return str(exact.numerator)
    for places in (1, 2, 3, 4, 5, 6):
        scale = 10**places
        if scale % below == 0:
            scaled = exact.numerator * (scale // below)
            digits = str(abs(scaled)).rjust(places + 1, "0")
            return f"{'-' if scaled < 0 else ''}{digits[:-places]}.{digits[-places:]}"
    return None


def rounded(exact: Exact, places: int) -> tuple[str, Fraction]:
    """A value rounded to so many decimals (to as many significant digits below 0.1), as text and as the number it shows."""
    above, below = exact.numerator, exact.denominator
    least = max(1, min(places, EXACT_PLACES) - 1)
    while places < 15 and 0 < 10 * abs(above) < below and abs(above) * 10**places < 10**least * below:
        places += 1
    scale = 10**places
    scaled, rest = divmod(above * scale, below)
    scaled += 2 * rest > below or (2 * rest == below and scaled & 1)
    digits = str(abs(scaled)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".") if places else digits
    return f"-{text}" if scaled < 0 else text, Fraction(scaled, scale)


def of_float(value: float, exact: Exact | None = None) -> Exact:
    """The exact value behind a result that arithmetic on decimals cannot give, such as a square root."""
    if exact is not None:
        return exact
    if value != value or value in (float("inf"), float("-inf")):
        raise UntellableError("not_finite", f"{value}")
    if value == int(value) and abs(value) < 1e15:
        return int(value)
    near = Fraction(f"{value:.12g}")
    return near if decimal(near) is not None else Fraction(value)


def simplified(exact: Exact) -> Exact:
    """An int where the value is whole, 15 digits where a fraction has grown out of hand (compound interest over many years).

    Raises UntellableError beyond `LARGEST`.
    """
    if exact.__class__ is int or exact.denominator == 1:
        if -LARGEST <= exact <= LARGEST:
            return exact.numerator
    elif exact.numerator.bit_length() < MOST_BITS:
        return exact
    elif -LARGEST <= exact.numerator // exact.denominator <= LARGEST:
        return Fraction(repr(float(exact)))
    raise UntellableError("too_large", f"a number of more than {len(str(LARGEST)) - 1} digits")
