"""Words for the narration: what a variable's name says, and what the question says about its numbers."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+(?:st|nd|rd|th)?|[^\W\d_]+")
_SPELLED_OUT = {
    "num": "number of", "nums": "numbers of", "nr": "number of", "qty": "quantity", "amt": "amount", "avg": "average",
    "pct": "percent", "perc": "percent", "hrs": "hours", "hr": "hour", "mins": "minutes", "secs": "seconds", "lbs": "pounds",
    "lb": "pound", "oz": "ounces", "init": "initial", "orig": "original", "diff": "difference", "tot": "total",
    "rem": "remaining", "vol": "volume", "dist": "distance", "max": "maximum", "prev": "previous", "curr": "current",
    "cur": "current", "prob": "probability", "temp": "temperature", "yr": "year", "yrs": "years", "wk": "week",
    "wks": "weeks", "addl": "additional", "pts": "points", "pkg": "package", "pkgs": "packages", "doz": "dozen",
    "tbsp": "tablespoons", "tsp": "teaspoons", "equiv": "equivalent", "calc": "", "val": "value", "sqft": "square feet",
    "sqm": "square meters", "sq": "square", "st": "street", "div": "division", "denom": "denominator", "numer": "numerator",
    "dims": "dimensions", "freq": "frequency", "req": "required", "std": "standard", "ratio": "ratio", "i": "I",
}  # fmt: skip
_UNITS = {
    "hours": "hours", "hour": "hours", "minutes": "minutes", "seconds": "seconds", "days": "days", "weeks": "weeks",
    "months": "months", "years": "years", "miles": "miles", "mile": "miles", "km": "km", "kilometers": "kilometers",
    "kilometres": "kilometres", "meters": "meters", "metres": "metres", "m": "m", "cm": "cm", "centimeters": "centimeters",
    "mm": "mm", "inches": "inches", "inch": "inches", "feet": "feet", "ft": "feet", "yards": "yards", "kg": "kg",
    "kilograms": "kilograms", "kgs": "kg", "g": "g", "grams": "grams", "mg": "mg", "pounds": "pounds", "ounces": "ounces",
    "tons": "tons", "liters": "liters", "litres": "litres", "l": "liters", "ml": "ml", "milliliters": "milliliters",
    "gallons": "gallons", "quarts": "quarts", "pints": "pints", "cups": "cups", "mph": "mph", "kmh": "km/h", "kph": "km/h",
    "degrees": "degrees", "cents": "cents", "tablespoons": "tablespoons", "teaspoons": "teaspoons", "calories": "calories",
    "acres": "acres",
}  # fmt: skip
_ALWAYS_A_UNIT = frozenset(["km", "m", "cm", "mm", "ft", "kg", "kgs", "g", "mg", "l", "ml", "mph", "kmh", "kph"])
"""Abbreviations that are never a noun of their own at the end of a name."""
_MEASURED = frozenset(
    ["time", "duration", "distance", "length", "width", "height", "depth", "weight", "speed", "age", "perimeter", "radius", "diameter", "thickness", "volume", "mass", "capacity", "long", "tall", "trip", "drive", "travel", "in", "journey", "area", "circumference", "side", "base", "hypotenuse", "rainfall", "elevation", "altitude"]
)
"""What has a unit behind it: `trip_distance_miles` is a distance, in miles."""
_MONEY = frozenset(
    ["price", "prices", "cost", "costs", "money", "dollars", "dollar", "earnings", "earning", "earned", "revenue", "profit", "profits", "salary", "salaries", "wage", "wages", "paid", "payment", "payments", "spent", "spending", "savings", "budget", "bill", "bills", "tip", "tips", "income", "expense", "expenses", "expenditure", "allowance", "fee", "fees", "cash", "usd", "bonus", "rent", "loan", "debt", "donation", "donations", "deposit", "interest", "sale", "sales", "change", "discount", "tax", "refund", "commission", "value", "worth", "balance", "subtotal", "fund", "funds", "pay", "charge", "fare", "subscription", "investment"]
)
_NOT_MONEY = frozenset(
    ["rate", "percent", "percentage", "percentages", "ratio", "fraction", "factor", "multiplier", "proportion", "share", "number", "count", "people", "hours", "hour", "minutes", "days", "weeks", "months", "years", "items", "units", "times", "probability", "decimal", "portion"]
)
_GENERIC = frozenset(
    ["result", "results", "answer", "answers", "res", "ans", "output", "out", "final", "value", "solution", "ret", "returned", "retval", "x", "y", "z", "n", "a", "b", "c", "d", "k", "p", "q", "r", "s", "t", "w"]
)


class Name(NamedTuple):
    """What a variable's name says. `label` is lower-case; `generic` names say nothing (`result`, `x`)."""

    label: str
    unit: str
    money: bool
    share: bool
    generic: bool
    tokens: tuple[str, ...]


@lru_cache(maxsize=65_536)
def name_of(variable: str) -> Name:
    """A variable's name in words: `screwsPerBoard` is "screws per board", `trip_distance_miles` a distance in miles."""
    tokens = [piece.lower() for piece in _PIECES.findall(variable)]
    unit = ""
    words = list(tokens)
    if words and words[-1] in _UNITS and len(words) > 1 and "per" not in words:
        before = words[-2]
        if before in _MEASURED or (words[-1] in _ALWAYS_A_UNIT and not before.isdigit()):
            unit = _UNITS[words.pop()]
            if words[-1] == "in" and len(words) > 1:
                words.pop()
    if len(words) > 1 and words[-1] in ("dollars", "usd", "dollar"):
        words.pop()
        if words[-1] == "in" and len(words) > 1:
            words.pop()
    if words and words[0] in ("calculate", "calculated", "compute") and len(words) > 1:
        del words[0]
    spelled = [_SPELLED_OUT.get(word, word) for word in words]
    if spelled and spelled[0] == "min":
        spelled[0] = "minimum"
    if len(words) == 1 and len(words[0]) == 1:
        spelled = [variable]
    label = " ".join(word for word in spelled if word)
    if label.endswith(" of"):
        label = label[:-3]
    generic = not label or all(token in _GENERIC or token.isdigit() for token in tokens)
    share = any(token in ("percent", "percentage", "pct", "perc", "rate") for token in tokens)
    money = not _NOT_MONEY.intersection(tokens) and bool(_MONEY.intersection(tokens))
    if money and "per" in tokens and not _MONEY.intersection(tokens[: tokens.index("per")]):
        money = False
    if tokens and tokens[0] in ("num", "number", "count", "no", "qty", "quantity"):
        money = False
    return Name(label, unit, money, share, generic, tuple(tokens))


_AMOUNTS = re.compile(r"\$\s?(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)(\s?%|\spercent|\sdollars?|\sbucks)?")
_ASKED = re.compile(
    r"\b[Hh]ow (?:many|much) ((?:more |fewer |less |total |additional |extra |of the )?[a-z]+(?: [a-z]+){0,3}?) "
    r"(?:do|does|did|will|would|can|could|should|are|is|were|was|has|have|had|must|need|needs|in|per|left|remain|to|be|he|she|"
    r"they|it|each|on|at|for|if|after)\b"
)


class Cues:
    """What the question says: which of its numbers are dollars or per cent, and what it asks for."""

    __slots__ = ("dollars", "money", "percents", "plain", "question")

    def __init__(self, question: str) -> None:
        self.question = question
        self.money = "$" in question or "dollar" in question
        self.dollars: set[float] = set()
        self.percents: set[float] = set()
        self.plain: set[float] = set()
        for dollars, number, mark in (
            _AMOUNTS.findall(question) if self.money or "%" in question or "percent" in question else ()
        ):
            value = float((dollars or number).replace(",", ""))
            if dollars or mark.startswith((" d", " b")):
                self.dollars.add(value)
            elif mark:
                self.percents.add(value)
            else:
                self.plain.add(value)
        self.dollars -= self.plain

    def asked(self) -> str:
        """What the question asks for ("apples left"), or an empty string."""
        found = _ASKED.findall(self.question)
        if not found:
            return ""
        noun: str = found[-1]
        return "" if noun.split()[0] in ("is", "are", "does", "do", "did", "will", "would", "of") else noun
