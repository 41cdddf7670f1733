"""Chains `a = b ≈ c` in running text: where they begin and end, and which of their sides can be trusted as arithmetic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tinygsm_kit.maths.expressions import STOP_WORDS, Parser, Side
from tinygsm_kit.maths.lexer import DASHES, MINUS, Token
from tinygsm_kit.maths.numerals import number


class Link(NamedTuple):
    """Two neighbouring sides of a chain and the sign between them."""

    left: Side
    sign: str
    right: Side

    @property
    def arithmetic(self) -> bool:
        """Whether anything is calculated in it."""
        return bool(self.left.operators or self.right.operators)


_SHARES = frozenset({
    "half", "third", "thirds", "quarter", "quarters", "fourth", "fifth", "fifths", "sixth", "eighth", "tenth", "tenths",
    "twice", "percentage",
})  # fmt: skip
_LEADS = frozenset({
    "so", "thus", "therefore", "hence", "since", "because", "then", "is", "gives", "get", "gets", "that", "and", "as",
    "have", "equals", "equal", "know",
})  # fmt: skip


def chains(cut: list[Token], every: bool = False) -> Iterator[list[Link]]:
    """Each maximal chain `a = b ≈ c` as its links; those without a single operator are no arithmetic and left out."""
    parser = Parser(cut)
    at = 0
    while at < len(cut):
        side = parser.parse(at) if _may_begin(cut, at) else None
        if side is None:
            at += 1
            continue
        _judge_beginning(cut, at, side)
        _judge_end(cut, parser.at, side)
        at = parser.at
        links: list[Link] = []
        while at + 1 < len(cut) and cut[at].kind == "relation":
            sign = cut[at].text
            right = parser.parse(at + 1) if _may_begin(cut, at + 1) else None
            if right is None:
                break
            _read_remainder(parser, right)
            _judge_end(cut, parser.at, right)
            links.append(Link(side, sign, right))
            side, at = right, parser.at
        if links and (every or any(link.arithmetic for link in links)):
            yield links


def _may_begin(cut: list[Token], at: int) -> bool:
    token = cut[at]
    following = cut[at + 1] if at + 1 < len(cut) else None
    if token.kind in ("number", "open"):
        return True
    if following is None or not following.tight:
        return False
    if token.text in ("$", "€", "£"):
        return following.text in MINUS
    minus = token.kind == "operator" and token.text in MINUS and following.kind in ("number", "open", "end")
    return minus and (at == 0 or cut[at - 1].kind not in ("number", "close", "opaque", "word") or not token.tight)


def _judge_beginning(cut: list[Token], at: int, side: Side) -> None:
    """A chain's first side has no value where it is a piece of something larger; it is doubtful where it may be a label."""
    if side.words and not side.operators and side.words != ["$"]:
        side.doubtful = True  # "3 dozen = 3 × 12"
    before = cut[at - 1] if at else None
    if before is None or before.kind == "relation":
        return
    tight = cut[at].tight
    if before.kind == "number" and not tight and _three_digits(cut[at]):
        side.doubtful = True  # "10 000"
    elif before.kind == "operator":
        if at >= 2 and cut[at - 2].text != "\n" and not _is_dash(cut, at):
            side.value = None
        elif at >= 2 and cut[at - 2].text != "\n":
            side.doubtful = True
    elif before.kind == "word":
        if tight and cut[at].kind == "open":
            side.value = None  # "max(3, 4)"
        elif _follows_operator(cut, at - 1):
            side.value = None  # "7 adults + Shonda (1)"
        elif (before.text.lower() == "of" and cut[at - 2].text.lower() in _SHARES) or (
            not side.operators and before.text.lower() not in _LEADS
        ):
            side.doubtful = True
    elif before.kind == "opaque" or (tight and before.kind in ("close", "number")):
        side.value = None
    elif before.text == "," and tight and before.tight and at >= 2 and cut[at - 2].kind == "number":
        side.value = None  # "1,00,000"


def _three_digits(token: Token) -> bool:
    return token.kind == "number" and len(token.text) == 3 and token.text.isdecimal()


def _follows_operator(cut: list[Token], at: int) -> bool:
    """Whether the words that end at token `at` stand behind an operator, so that they are an operand in words."""
    while at >= 0 and cut[at].kind == "word" and cut[at].text.lower() not in STOP_WORDS:
        at -= 1
    return at >= 1 and cut[at].kind == "operator" and cut[at].text not in DASHES and cut[at - 1].text != "\n"


def _is_dash(cut: list[Token], at: int) -> bool:
    """Whether a dash with blanks around it stands between words and the side that begins at `at`."""
    sign = cut[at - 1]
    return sign.text in DASHES and not sign.tight and not cut[at].tight and cut[at - 2].kind in ("word", "close", "end")


def _judge_end(cut: list[Token], end: int, side: Side) -> None:
    """A side has no value where arithmetic goes on behind it."""
    after = cut[end] if end < len(cut) else None
    if after is None:
        return
    if after.kind == "operator":
        if after.text not in DASHES or after.tight:
            side.value = None
    elif after.kind == "opaque":
        side.value = None
    elif (after.kind in ("word", "open") and after.tight) or _three_digits(after):
        side.doubtful = True
    elif after.text == "," and after.tight and end + 1 < len(cut) and cut[end + 1].kind == "number":
        side.doubtful |= cut[end + 1].tight


_SHORT_REMAINDER = re.compile(r"[rR](\d{1,9})")


def _read_remainder(parser: Parser, side: Side) -> None:
    """`2 remainder 2`, `2 R2`, `2 with a remainder of 2`: the number behind the quotient."""
    start = parser.at
    short = _SHORT_REMAINDER.fullmatch(parser.text())
    if short is not None:
        side.remainder, parser.at = int(short[1]), start + 1
        return
    for _ in range(4):  # "2 full cycles with a remainder of 1"
        if parser.kind() == "word" and parser.text() not in ("with", "remainder", "r", "rem", "and"):
            parser.at += 1
    while parser.text() in ("with", "a", "and"):
        parser.at += 1
    if parser.text() in ("remainder", "r", "rem"):
        parser.at += 1
        while parser.text() in ("of", "is", ":"):
            parser.at += 1
        if parser.kind() == "number" and (rest := number(parser.text())) == int(rest):
            side.remainder, side.end = int(rest), parser.tokens[parser.at].end
            parser.at += 1
            return
    parser.at = start
