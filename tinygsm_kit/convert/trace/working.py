"""Workings as a teacher writes them: products in single-digit facts, divisions by their fact, sums digit by digit.

Every function takes the texts of non-negative numbers and gives `(head, body)`: `body` ends in the equation that gives
the result, `head` is what it is about ("365 × 6") where the body alone would leave that open, else "".
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from tinygsm_kit.convert.trace.quantities import Exact, decimal

MAX_PARTIALS = 8
"""Single-digit products that one working may have (37 × 1825); beyond it nobody would read them."""
MAX_QUOTIENT_DIGITS = 5
MAX_DECIMALS = 4
"""Decimals of both factors together; beyond it the places of the partial products cannot be seen at a glance."""


def digits_of(text: str) -> list[tuple[int, int]]:
    """The digits of a decimal number that are not 0, each with its power of ten: `10.5` is 1 ten and 5 tenths."""
    whole, _, below = text.partition(".")
    top = len(whole) - 1
    return [(ord(digit) - 48, top - place) for place, digit in enumerate(whole + below) if digit != "0"]


def _decimals(*numbers: Sequence[tuple[int, int]]) -> int:
    return sum(max(0, -number[-1][1]) for number in numbers)


def _placed(digit: int, power: int) -> str:
    """A digit at its place: 6 hundreds are `600`, 6 tenths `0.6`."""
    if power >= 0:
        return str(digit * 10**power)
    return decimal(Fraction(digit, 10**-power)) or str(digit)


@lru_cache(maxsize=65_536)
def partial_products(left: str, right: str) -> tuple[str, str, str] | None:
    """`(head, facts, sum)` of a product of two decimals broken into single digits; None where there is nothing to break.

    `sum` is empty where the numbers have one digit each beside zeros: the one fact says it all.
    """
    above, below = digits_of(left), digits_of(right)
    if not 1 <= len(above) * len(below) <= MAX_PARTIALS or _decimals(above, below) > MAX_DECIMALS:
        return None
    if len(above) == 1 and len(below) == 1:
        one, other = above[0][0], below[0][0]
        return None if one == 1 or other == 1 else ("", f"{one} × {other} = {one * other}", "")
    if above == [(1, above[0][1])] or below == [(1, below[0][1])]:
        return None  # Times a power of ten.
    if len(above) == 1:
        above, below = below, above
    if _decimals(above, below) and all(one == 1 or other == 1 for one, _ in above for other, _ in below):
        return None  # 11 × 0.15: nothing to know by heart.
    if above[-1][1] < 0 and below[-1][1] < 0 and len(above) * len(below) > 2:
        return None  # 0.75 × 1.5: too many places to keep in mind.
    facts: list[str] = []
    addends: list[str] = []
    for one, here in above:
        for other, there in below:
            product = _placed(one * other, here + there)
            addends.append(product)
            if one == 1 or other == 1:
                fact = f"{_placed(one, here)} × {_placed(other, there)} = {product}"
            else:
                fact = f"{one} × {other} = {one * other}"
            if fact not in facts:
                facts.append(fact)
    return f"{left} × {right}", ", ".join(facts), " + ".join(addends)


@lru_cache(maxsize=65_536)
def division_steps(above: int, below: int) -> tuple[str, str] | None:
    """`(head, steps)` of a whole number divided by another one, told through facts; None where no fact helps.

    `steps` leads up to the equation: "7 into 8 goes 1 time, 1 left over; 7 into 14 goes 2 times since 2 × 7 = 14".
    """
    if below < 2 or above < below or len(str(above)) > MAX_QUOTIENT_DIGITS:
        return None
    reduced = _reduce(above, below)
    if reduced != (above, below):
        inner = division_steps(*reduced)
        if inner is None or reduced[1] == 1:
            return None
        same = f"{reduced[0]} ÷ {reduced[1]}"
        if inner[0]:
            return f"{above} ÷ {below}", f"that is {same}: {inner[1]}"
        equation = f"{same} = {decimal(Fraction(*reduced))}"
        return "", f"{equation} {inner[1]}" if inner[1].startswith("since ") else f"{inner[1]}, so {equation}"
    if below > 9:
        return None
    quotient_digits, rest = divmod(above, below)
    zeros = len(str(above)) - len(str(above).rstrip("0"))
    if rest == 0 and (quotient_digits <= 9 or quotient_digits == 10 ** (len(str(quotient_digits)) - 1)):
        return "", f"since {quotient_digits} × {below} = {above}"
    if quotient_digits <= 9:
        return f"{above} ÷ {below}", _goes(below, above) + _remainder(rest, below)
    while zeros and (above // 10**zeros) % below:
        zeros -= 1
    short = above // 10**zeros
    if zeros and rest == 0 and short // below <= 9:
        return "", f"{short} ÷ {below} = {short // below} since {short // below} × {below} = {short}"
    steps: list[str] = []
    carried = 0
    for digit in str(above):
        carried = carried * 10 + int(digit)
        if carried >= below:
            step = _goes(below, carried)
            steps.append(step if step not in steps else f"again {step.replace(_since(below, carried), '')}")
            carried %= below
    return f"{above} ÷ {below}", "; ".join(steps) + _remainder(rest, below)


def _reduce(above: int, below: int) -> tuple[int, int]:
    while above % 10 == 0 and below % 10 == 0:
        above, below = above // 10, below // 10
    return above, below


def _goes(below: int, into: int) -> str:
    """`7 into 50 goes 7 times since 7 × 7 = 49, 1 left over`."""
    times, rest = divmod(into, below)
    text = f"{below} into {into} goes {times} time{'s' if times > 1 else ''}"
    if times > 1:
        text += _since(below, into)
    return f"{text}, {rest} left over" if rest else text


def _since(below: int, into: int) -> str:
    times = into // below
    return f" since {times} × {below} = {times * below}"


def _remainder(rest: int, below: int) -> str:
    """What becomes of the remainder of a division that goes on behind the point: `and 1 ÷ 2 = 0.5`."""
    text = decimal(Fraction(rest, below)) if rest else None
    return f", and {rest} ÷ {below} = {text}" if text is not None else ""


@lru_cache(maxsize=65_536)
def sum_by_places(left: str, right: str) -> tuple[str, str] | None:
    """`(head, steps)` of a sum of two whole numbers, one of which is added digit by digit: "47 + 30 = 77, so 77 + 8".

    The one with fewer digits beside zeros is added to the other. None for what is read off at a glance: numbers of one
    digit (7 + 8, 20 + 30), places that do not meet (100 + 27), and one digit added to more (38 + 9).
    """
    if not (left.isdecimal() and right.isdecimal()) or max(len(left), len(right)) > 4:
        return None
    above, below = digits_of(left), digits_of(right)
    if max(len(above), len(below)) < 2 or not {power for _, power in above} & {power for _, power in below}:
        return None
    turned = len(above) < len(below)
    if len(below) == 1 and not turned:
        return None
    steps, last = added_by_places((right, left) if turned else (left, right))
    return f"{left} + {right}", f"{steps}, so {last}" if steps else last


@lru_cache(maxsize=65_536)
def added_by_places(addends: tuple[str, ...]) -> tuple[str, str]:
    """`(steps, last)` of a sum of whole numbers above 0, all after the first added digit by digit from the left.

    350 and 42 give `("350 + 40 = 390", "390 + 2")`: every step is one digit more, whatever it carries.
    """
    total = int(addends[0])
    digits = [_placed(*digit) for addend in addends[1:] for digit in digits_of(addend)]
    steps: list[str] = []
    for digit in digits[:-1]:
        steps.append(f"{total} + {digit} = {total + int(digit)}")
        total += int(digit)
    return ", ".join(steps), f"{total} + {digits[-1]}"


def chain(texts: Sequence[str], values: Sequence[Exact], minus: Sequence[bool]) -> str:
    """A sum as written: `20 + 5 - 3`; adding a negative number is subtracting it."""
    pieces = [f"-{texts[0]}" if minus[0] else texts[0]]
    for text, value, subtract in zip(texts[1:], values[1:], minus[1:], strict=True):
        if value < 0:
            text, subtract = text[1:], not subtract
        pieces.append(f"{'-' if subtract else '+'} {text}")
    return " ".join(pieces)
