"""Answers as text: normalise what a program returned, parse, compare, and extract from a model's response.

A response's numbers are read outside fact tokens only: 54 is no answer in `<MUL_6_9_54>`.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

NOISE = 1e-12
"""A float nearer to zero than this is what binary rounding left of a zero."""

LONGEST = 4_000
"""Digits of an answer; Python itself reads no more than 4,300."""

FACT_TOKEN = re.compile(r"<[A-Z][A-Z0-9]*_[\w.\-]*>?")
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_SIGNED = rf"(?P<sign>[-−]?)[ ]?[$€£]?[ ]?(?P<minus>[-−]?)(?P<number>{_NUMBER})(?:/(?P<below>[1-9]\d*)(?![\d/.,]\d|\d))?"
_WHOLE = re.compile(rf"\s*(?:\*\*|__)?\s*(?:\\boxed\{{)?\s*\\?{_SIGNED}\s*\\?%?\s*\}}?\s*(?:\*\*|__)?\s*\.?\s*(?:\*\*|__)?\s*")
_AFTER_MARK = re.compile(rf"####[ \t]*(?:[*_:=≈~({{\[\\ \t]|boxed)*{_SIGNED}")
_ANYWHERE = re.compile(
    rf"(?<![\w.])(?<!\d,)(?P<sign>(?<![\w)%\]}}])[-−])?(?:[$€£][ ]?)?(?P<minus>(?<=[$€£])[-−])?(?P<number>{_NUMBER})"
    r"(?:/(?P<below>[1-9]\d*)(?![\d/.,]\d|\d))?"
)


class AnswerError(ValueError):
    """A returned value that is no finite number. `reason` is a stable slug such as `answer_none`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def normalise(value: object) -> str:
    """The canonical text of a returned number: no commas, no exponent, no trailing zeros.

    Floats are rounded to 6 decimals, or to 6 significant digits below 0.1. Raises AnswerError for whatever is no finite number.
    """
    if type(value) is int:
        return _integer(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Fraction):
        return _fraction(value)
    if isinstance(value, Decimal) and value.is_finite():
        return _fraction(Fraction(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return _integer(int(value))
    reason = _REASONS.get(type(value), "answer_type")
    raise AnswerError(reason, f"expected a finite number, found {type(value).__name__} {_short(value)}")


_REASONS: dict[type, str] = {
    bool: "answer_bool",
    type(None): "answer_none",
    str: "answer_text",
    bytes: "answer_text",
    tuple: "answer_tuple",
    list: "answer_list",
    dict: "answer_dict",
    set: "answer_set",
}


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        return "(which cannot be printed)"
    return text if len(text) <= 80 else text[:77] + "..."


def _integer(value: int) -> str:
    try:
        return str(value)
    except ValueError as error:  # Python refuses to print integers of more than 4,300 digits
        raise AnswerError(
            "answer_huge", f"expected a number of at most 4,300 digits, found {value.bit_length()} bits"
        ) from error


def _float(value: float) -> str:
    if value != value or value in (math.inf, -math.inf):
        reason = "answer_nan" if value != value else "answer_inf"
        raise AnswerError(reason, f"expected a finite number, found {value}")
    if value == int(value):
        return str(int(value))
    if abs(value) >= 0.1:
        text = f"{value:.6f}"
    elif abs(value) > NOISE:
        text = f"{value:.{5 - math.floor(math.log10(abs(value)))}f}"
    else:
        return "0"
    return text.rstrip("0").rstrip(".")


def _fraction(value: Fraction) -> str:
    if value.denominator == 1:
        return _integer(value.numerator)
    places = 6
    while value and abs(value) * 10 ** (places - 5) < 1:
        places += 1
    scaled = round(value * 10**places)
    sign, digits = "-" if scaled < 0 else "", str(abs(scaled)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")


def _value(match: re.Match[str]) -> Fraction | None:
    number, below = match["number"].replace(",", ""), match["below"]
    if len(number) > LONGEST or len(below or "") > LONGEST:
        return None
    value = Fraction(number)
    if below:
        value /= int(below)
    return -value if match["sign"] or match["minus"] else value


@lru_cache(maxsize=65_536)
def parse(text: str) -> Fraction | None:
    """The number that the whole text is, or None: `$1,234.50`, `18.`, `-5`, `3/4`, `**18**`, `\\boxed{18}`.

    A per cent sign is a unit here, as in GSM8K's answers: `50%` is 50.
    """
    match = _WHOLE.fullmatch(text)
    return None if match is None else _value(match)


def same(a: str, b: str) -> bool:
    """Whether two answer texts are the same number: to one millionth, or to six digits below 0.2, as `normalise` rounds."""
    if a == b:
        return parse(a) is not None
    left, right = parse(a), parse(b)
    if left is None or right is None:
        return False
    size = min(Fraction(1), 5 * max(abs(left), abs(right)))
    return abs(left - right) * 1_000_000 <= size


def _canonical(match: re.Match[str]) -> str | None:
    value = _value(match)
    return None if value is None else _fraction(value)


def extract_strict(text: str) -> str | None:
    """The number after the first `####` that one follows, in canonical text; None where there is none."""
    if "<" in text:
        text = FACT_TOKEN.sub(" ; ", text)
    match = _AFTER_MARK.search(text)
    return None if match is None else _canonical(match)


def extract_flexible(text: str) -> str | None:
    """The last number of the text in canonical form; None where there is none. Fact tokens are passed over."""
    if "<" in text:
        text = FACT_TOKEN.sub(" ; ", text)
    matches = list(_ANYWHERE.finditer(text))
    return _canonical(matches[-1]) if matches else None
