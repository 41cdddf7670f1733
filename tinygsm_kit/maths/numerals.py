"""Written numbers: their exact value, the precision they show, and how a person would write one."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

Number = int | Fraction

SHOWN_EXACTLY = 4
"""Decimals that a person still writes out where they are exact (0.0625)."""

_NO_SIGNS = str.maketrans("", "", ",$€£\\ ")


@lru_cache(maxsize=65_536)
def number(text: str) -> Number:
    """The value of one written number: `1,234`, `$2.50`, `.5`, `15%` (a hundredth each). Raises ValueError where it is none."""
    plain = text.translate(_NO_SIGNS)
    if plain.isdecimal():
        return int(plain)
    value = Fraction(plain[:-1]) / 100 if plain.endswith("%") else Fraction(plain)
    return value.numerator if value.denominator == 1 else value


@lru_cache(maxsize=65_536)
def scaled(text: str) -> tuple[int, int]:
    """A written number without its point, and how many places it shows: `3.50` is (350, 2), `15%` is (15, 2)."""
    plain = text.translate(_NO_SIGNS)
    if plain.isdecimal():
        return int(plain), 0
    places = 0
    if plain.endswith("%"):
        plain, places = plain[:-1], 2
    whole, _, decimals = plain.partition(".")
    return int(whole + decimals), places + len(decimals)


@lru_cache(maxsize=4_096)
def half_unit(text: str) -> Fraction:
    """Half a unit of the last place that a written number shows: 0.005 for `3.33`, 0.005 for `12%`."""
    return Fraction(1, 2 * 10 ** scaled(text)[1])


def format_number(value: float | Fraction, places: int = 2) -> tuple[str, bool]:
    """A number as a person would print it, and whether that is exactly its value (for a float: up to binary noise).

    Four decimals are shown where they are exact; otherwise it is rounded to `places` decimals, or below 0.1 to
    `places + 1` significant digits. Raises ValueError or OverflowError for nan and inf.
    """
    if isinstance(value, int):
        return str(int(value)), True
    exact = value if isinstance(value, Fraction) else _denoised(value)
    if exact.denominator == 1:
        return str(exact.numerator), True
    shown = _places(exact, SHOWN_EXACTLY, significant=3)
    if 10**shown % exact.denominator == 0:
        return decimal_text(exact, shown), True
    return decimal_text(exact, _places(exact, places, significant=places + 1)), False


def _places(value: Fraction, least: int, significant: int) -> int:
    """Decimals that show `least` of them and, below 0.1, at least so many significant digits."""
    places = least
    while places < 15 and abs(value) * 10 < 1 and abs(value) * 10**places < 10 ** (significant - 1):
        places += 1
    return places


def _denoised(value: float) -> Fraction:
    """The decimal that a float stands for: 0.1 + 0.2 is 0.3."""
    exact = Fraction(value)
    near = Fraction(f"{value:.12g}")
    return near if abs(near - exact) * 10**14 <= abs(exact) else Fraction(repr(value))


def decimal_text(value: Fraction, places: int) -> str:
    """The value rounded (half to even) to so many decimals, trailing zeros left off."""
    scaled = round(value * 10**places)
    sign, digits = "-" if scaled < 0 else "", str(abs(scaled)).rjust(places + 1, "0")
    if not places:
        return sign + digits
    return f"{sign}{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")
