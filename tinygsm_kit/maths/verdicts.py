"""Whether the links of a chain are true, and what else a chain that is false as read may mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from tinygsm_kit.maths.chains import Link, chains
from tinygsm_kit.maths.expressions import Side
from tinygsm_kit.maths.lexer import DIVIDE, Token
from tinygsm_kit.maths.measures import conversion
from tinygsm_kit.maths.numerals import Number, half_unit


def verdict(link: Link) -> bool | None:
    """Whether a link is true; None where it is no arithmetic, or may be a label, a range or an amount."""
    left, sign, right = link
    if left.value is None or right.value is None:
        return None
    if right.remainder is not None:
        if left.quotient is None or not isinstance(right.value, int):
            return None
        above, below = left.quotient
        return above == below * right.value + right.remainder and 0 <= right.remainder < abs(below)
    if left.value == right.value:
        return True
    if _within(left.value, sign, right, left.shown):
        return True
    if left.doubtful or right.doubtful:
        return None
    factor = conversion(left.words, right.words, adds=left.adds)
    if factor is None:
        return None
    return left.value * factor == right.value or _within(left.value * factor, sign, right, "")


def _within(value: Number, sign: str, right: Side, shown: str) -> bool:
    """Whether a value is what the right side shows, where that is rounded (`≈ 3.33`) or broken off (`= 3.33...`)."""
    assert right.value is not None
    distance = abs(Fraction(value) - right.value)
    if right.dots and right.shown:
        return distance < 2 * half_unit(right.shown)
    shown = right.shown or shown
    return sign == "≈" and bool(shown) and distance <= half_unit(shown)


def other_readings(cut: list[Token], chain: list[Link]) -> Iterator[list[Token]]:
    """What else an equation that is false as read may mean, by the marks that are ambiguous in it."""
    sides = [chain[0].left, *(link.right for link in chain)]
    breaks = {index for side in sides for index in side.breaks}
    if breaks:  # "For 5 boxes - 3 × 4 = 12": punctuation
        yield [replace(token, kind="end") if index in breaks else token for index, token in enumerate(cut)]
    scales = {index for side in sides for index in side.scales}
    if scales:  # "3 × 2 = 6 million": a unit
        yield [replace(token, text="units") if index in scales else token for index, token in enumerate(cut)]
    start, end = chain[0].left.start, chain[-1].right.end
    bound = _bound_fractions([token for token in cut if start <= token.start < end])
    if bound:  # "3 / 1/4 = 12": the fraction first
        yield bound


def _bound_fractions(cut: list[Token]) -> list[Token]:
    """The tokens with parentheses around each `1/4` written without blanks; empty where there is none."""
    bound: list[Token] = []
    index = found = 0
    while index < len(cut):
        piece = cut[index : index + 3]
        alone = index + 3 >= len(cut) or cut[index + 3].text not in DIVIDE or not cut[index + 3].tight
        fraction = len(piece) == 3 and piece[0].kind == piece[2].kind == "number" and piece[1].text == "/" and alone
        if fraction and piece[1].tight and piece[2].tight and not piece[0].tight:
            at, end = piece[0].start, piece[2].end
            bound += [Token("open", "(", at, at, False), *piece, Token("close", ")", end, end, True)]
            index, found = index + 3, found + 1
            continue
        bound.append(cut[index])
        index += 1
    return bound if found else []


def all_hold(cut: list[Token], chain: list[Link]) -> bool:
    """Whether all that these tokens say where the chain stands is true."""
    start, end = chain[0].left.start, chain[-1].right.end
    links = [link for other in chains(cut, every=True) for link in other if start <= link.left.start and link.right.end <= end]
    return bool(links) and all(verdict(link) for link in links)
