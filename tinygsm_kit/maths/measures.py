"""Units of measure, as far as equations in word problems convert them (`4 × 30 minutes = 2 hours`)."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

_TABLE: dict[str, tuple[tuple[str, str], ...]] = {
    "time": (
        ("1", "second seconds sec secs s"),
        ("60", "minute minutes min mins"),
        ("3600", "hour hours hr hrs h"),
        ("86400", "day days"),
        ("604800", "week weeks"),
        ("0", "month months year years decade decades century centuries"),
    ),
    "length": (
        ("1", "inch inches"),
        ("12", "foot feet ft"),
        ("36", "yard yards yd"),
        ("63360", "mile miles"),
    ),
    "metric length": (
        ("1", "millimeter millimeters mm"),
        ("10", "centimeter centimeters centimetre centimetres cm"),
        ("1000", "meter meters metre metres m"),
        ("1000000", "kilometer kilometers kilometre kilometres km"),
    ),
    "weight": (
        ("1", "ounce ounces oz"),
        ("16", "pound pounds lb lbs"),
        ("32000", "ton tons"),
    ),
    "mass": (
        ("1", "milligram milligrams mg"),
        ("1000", "gram grams g"),
        ("1000000", "kilogram kilograms kg kgs"),
    ),
    "volume": (
        ("1", "teaspoon teaspoons"),
        ("3", "tablespoon tablespoons"),
        ("48", "cup cups"),
        ("96", "pint pints"),
        ("192", "quart quarts"),
        ("768", "gallon gallons"),
    ),
    "metric volume": (
        ("1", "milliliter milliliters millilitre ml mL"),
        ("1000", "liter liters litre litres l L"),
    ),
    "money": (
        ("1", "cent cents ¢ penny pennies"),
        ("5", "nickel nickels"),
        ("10", "dime dimes"),
        ("25", "quarter quarters"),
        ("100", "dollar dollars $"),
    ),
    "count": (("12", "dozen dozens"), ("2", "pair pairs")),
}
_UNITS = {
    name: (dimension, int(size), f"{dimension} {size}" if size != "0" else name.rstrip("s"))
    for dimension, rows in _TABLE.items()
    for size, names in rows
    for name in names.split()
}
SCALES: dict[str, int | Fraction] = {
    "percent": Fraction(1, 100), "hundred": 100, "hundreds": 100, "thousand": 1_000, "thousands": 1_000,
    "million": 1_000_000, "millions": 1_000_000, "billion": 1_000_000_000, "billions": 1_000_000_000,
}  # fmt: skip


def is_unit(word: str) -> bool:
    """Whether a word is a unit of measure that this module knows."""
    return word in _UNITS


def conversion(left: Iterable[str], right: Iterable[str], *, adds: bool) -> Fraction | bool | None:
    """By what the left side's value is multiplied to be in the right side's unit, judging by their unit words.

    1 where no unit changes, None where one does and it cannot be told by what (`2 hours + 30 minutes = …`).
    `adds`: the left side is a sum, which needs one unit throughout.
    """
    here, there = _by_dimension(left), _by_dimension(right)
    for dimension, units in here.items():
        others = there.get(dimension, {})
        if len(units) > 1 and (adds or not units.keys() & others.keys()):
            return None
        if len(units) == 1 and len(others) == 1 and units.keys() != others.keys():
            size, other = *units.values(), *others.values()
            return Fraction(size, other) if size and other else None
    return Fraction(1)


def _by_dimension(words: Iterable[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for word in words:
        if word in _UNITS:
            dimension, size, unit = _UNITS[word]
            found.setdefault(dimension, {})[unit] = size
    return found
