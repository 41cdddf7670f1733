"""Plain chains, numbers and signs alone (`3 × 50 + 2 = 152`), recognised by one regular expression and decided in integers.

Most equations that the kit reads are plain, and at millions of rows their cost is the cost of verification. What is not
plain and true goes to `chains`, which parses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinygsm_kit.maths.numerals import scaled

_DIGITS = r"(?>\d{1,3}(?:,\d{3})+|\d+)"
_PLAIN_NUMBER = rf"\$?{_DIGITS}(?:\.\d+)?+%?"
_MORE = rf"(?:[ ]?[×÷+\-*/][ ]?{_PLAIN_NUMBER})*+"
_SPOKEN_ON = "times|plus|minus|divided|multiplied|of|with|remainder|rem"
_PLAIN = re.compile(  # the first character stands in front of what must precede it: so the search skips from digit to digit
    rf"""([\d$](?: (?<=^.) | (?<=\(.) | (?<=[^.][:;.,][ ].)
              | (?<=[a-zA-Z][a-zA-Z][ ].)(?<!\bof[ ].)(?<!\bby[ ].)(?<!\bplus[ ].)(?<!\bminus[ ].)(?<!\btimes[ ].) )
         (?: (?<=\$){_DIGITS} | (?<=\d)(?>\d{{0,2}}(?:,\d{{3}})+|\d*) )(?:\.\d+)?+%?{_MORE}
         (?:[ ]?[=≈][ ]?-?{_PLAIN_NUMBER}{_MORE})++)
        (?= [.,;:!?)]*+(?:\Z|(?<=[.,;:!?)])[ ])
          | [ ](?:(?!(?:{_SPOKEN_ON})\b)[a-zA-Z]{{2,}}[ ]){{0,3}}
            (?:so|since|which|for|left|because|then|is|but|and(?![ ][(\d]))\b
          | (?:[ ](?!(?:{_SPOKEN_ON})\b)[a-zA-Z]{{2,}}){{1,4}}+(?:[.,;:!?)]|\Z)(?!\S) )""",
    re.VERBOSE,
)
_SIGNS = re.compile(r" ?([×÷+*/=≈]|(?<![=≈])(?<![=≈] )-) ?")


def signs_of_true_chains(line: str) -> int:
    """How many of a line's relation signs stand in plain chains that are true from end to end."""
    signs = 0
    try:
        for match in _PLAIN.finditer(line):
            parts = match[1].split(" ")
            if len(parts) == 5 and parts[3] == "=" and (true := _plain_integers(*parts)) is not None:
                signs += true
            else:
                signs += _plain_chain(_SIGNS.split(match[1]))
    except (ValueError, ZeroDivisionError):  # more digits than Python reads, or nothing to divide by
        return 0
    return signs


def _plain_integers(left: str, operator: str, right: str, _sign: str, result: str) -> bool | None:
    """The commonest chain of all, two integers and their result, spelled out for speed; None where a number is none."""
    (a, places), (b, more), (c, most) = scaled(left), scaled(right), scaled(result)
    if places or more or most:
        return None
    if operator in "×*":
        return a * b == c
    if operator == "+":
        return a + b == c
    if operator == "-":
        return a - b == c
    return b != 0 and a == b * c


def _plain_chain(parts: Sequence[str]) -> int:
    """The number of relation signs of a plain chain if all of them hold, otherwise 0."""
    signs = [index for index in range(1, len(parts), 2) if parts[index] in "=≈"]
    above, below = _plain_side(parts, 0, signs[0])
    for sign, end in zip(signs, [*signs[1:], len(parts)], strict=True):
        other, under = _plain_side(parts, sign + 1, end)
        apart = abs(above * under - other * below)
        if apart and not (parts[sign] == "≈" and end == sign + 2 and 2 * apart <= below):
            return 0
        above, below = other, under
    return len(signs) if len(parts) > 2 * len(signs) + 1 else 0


def _plain_side(parts: Sequence[str], start: int, end: int) -> tuple[int, int]:
    """Numerator and denominator, not reduced: for a single number the denominator is its last place."""
    total, over = 0, 1
    above, places = scaled(parts[start])
    below = 10**places
    for index in range(start + 1, end, 2):
        operator = parts[index]
        value, places = scaled(parts[index + 1])
        if operator in "×*":
            above, below = above * value, below * 10**places
        elif operator in "÷/":
            above, below = above * 10**places, below * value
            if not value:
                raise ZeroDivisionError
        else:
            total, over = total * below + above * over, over * below
            above, below = (value if operator == "+" else -value), 10**places
    return total * below + above * over, over * below
