"""Equations in running text: find them, and check them in exact rational arithmetic.

Read as arithmetic: integers, thousands commas, decimals, `$`, `%` (a hundredth), fractions, mixed numbers, parentheses, powers,
the operators `× x * · ÷ / + - − –`, `20% of 50`, unit words behind a number (`3 hours × 4 = 12 hours`), chains `a = b = c`,
remainders (`12 ÷ 5 = 2 remainder 2`) and their usual LaTeX. A side that holds anything else is no arithmetic and has no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Literal, NamedTuple

Number = int | Fraction

_GROUPED = r"(?>\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_NUMBER = rf"(?>{_GROUPED}(?:\.\d+)?|\.\d+)"


class Equation(NamedTuple):
    """Two neighbouring sides of an equation or chain, `text[start:end]`, as they stand in the text."""

    start: int
    end: int
    left: str
    sign: str
    right: str
    verdict: bool | None
    """Whether it is true where it stands; None where it is no arithmetic, or may be a label, a range or a conversion of units."""


# ---------------------------------------------------------------------------------------------------------- numbers


@lru_cache(maxsize=65_536)
def number(text: str) -> Number:
    """The value of one written number: `1,234`, `$2.50`, `.5`, `15%`. An int where it is whole. ValueError if it is none."""
    plain = text.replace(",", "").replace("$", "").replace("€", "").replace("£", "").strip()
    hundredth = plain.endswith("%")
    if hundredth:
        plain = plain[:-1].rstrip("\\ ")
    if plain.isdigit() and not hundredth:
        return int(plain)
    value = Fraction(plain) / 100 if hundredth else Fraction(plain)
    return value.numerator if value.denominator == 1 else value


def format_number(value: float | Fraction, places: int = 2) -> tuple[str, bool]:
    """A number as a person would print it, and whether that is exactly its value (for a float: up to binary noise).

    Up to four decimals are shown where they are exact; otherwise it is rounded to `places` decimals, or to
    `places + 1` significant digits below 0.1.
    """
    if isinstance(value, int):
        return str(value), True
    exact = value if isinstance(value, Fraction) else _denoised(value)
    if exact.denominator == 1:
        return str(exact.numerator), True
    shown = 4
    while shown < 12 and abs(exact) * 10 ** (shown - 2) < 1:
        shown += 1
    if (exact * 10**shown).denominator == 1:
        return _decimal(exact, shown), True
    if abs(exact) * 10 < 1:
        significant = places
        while places < 15 and abs(exact) * 10**places < 10**significant:
            places += 1
    return _decimal(exact, places), False


def _denoised(value: float) -> Fraction:
    """The decimal that a float stands for: 0.1 + 0.2 is 0.3. ValueError or OverflowError for nan and inf."""
    exact = Fraction(value)
    near = Fraction(f"{value:.12g}")
    return near if abs(near - exact) * 10**14 <= abs(exact) else Fraction(repr(value))


def _decimal(value: Fraction, places: int) -> str:
    scaled = round(value * 10**places)
    digits = str(abs(scaled)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    text = text.rstrip("0").rstrip(".") if places else text
    return f"-{text}" if scaled < 0 else text


# ---------------------------------------------------------------------------------------------------------- tokens

Kind = Literal["number", "operator", "relation", "open", "close", "word", "opaque", "end"]


@dataclass(slots=True)
class _Token:
    kind: Kind
    text: str
    start: int
    end: int
    tight: bool  # no white space before it
    rounded: bool = False  # "3.33..."


_LEXER = re.compile(
    rf"""
      (?P<skip>[^\S\n]+ | \n(?=\s*[=≈×÷*+]) | (?<=[=≈×÷+])[^\S\n]*\n\s*)
    | (?P<opaque><[A-Z][A-Z0-9]*_[\w.\-]*> | \d+(?::\d+)+ | \d+(?:,\d+)*[kKMBn](?![\w]) | √ | ∛ | %)
    | (?P<number>[$€£]?[ ]?{_NUMBER}(?:\ ?%|\\%)?)(?P<dots>\.\.\.|…)?
    | (?P<arrow>=>|<=|>=|!=|->|→|⇒|==+|=(?=[=>]))
    | (?P<relation>[=≈])
    | (?P<power>\*\*|\^|[²³])
    | (?P<operator>[×*·⋅∙∗÷/⁄∕+\-−–]|(?<![^\W\d_])[xX](?=\s*[$€£(\[\d.])|(?<=\s)[xX](?=\s+[-−–][$\d(]))
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<currency>[$€£])
    | (?P<word>[^\W\d_][\w'’]*(?:-[^\W\d][\w'’]*)*|_\w+|[¢°]\w*)
    | (?P<end>.|\n)
    """,
    re.VERBOSE | re.DOTALL,
)
_LATEX = re.compile(r"\\(?:times|cdot|div|approx|left|right|text|,|;|!|\(|\)|\[|\]|\$|quad|d?frac\{([^{}]*)\}\{([^{}]*)\})")
_LATEX_SIGN = {"\\times": "×", "\\cdot": "·", "\\div": "÷", "\\approx": "≈", "\\$": "$"}
_BOLD = re.compile(r"(?<![\d)])(?<![\d)][ ])\*\*|\*\*(?![ ]?[\d(])")
_REMAINDER = re.compile(r"[rR](\d{1,9})")
_MULTIPLY = frozenset("×*·⋅∙∗xX")
_DIVIDE = frozenset("÷/⁄∕")
_MINUS = frozenset("-−–")
_SYMBOLS = frozenset("aghlLmsI¢°")
"""Single letters that are words or units; any other is a variable."""
_SPOKEN = {"times": "×", "plus": "+", "minus": "−", "over": "÷"}
_STOP = frozenset(
    [
        "and",
        "or",
        "then",
        "so",
        "is",
        "are",
        "was",
        "were",
        "be",
        "gives",
        "give",
        "if",
        "which",
        "that",
        "because",
        "since",
        "but",
        "to",
        "now",
        "there",
        "we",
        "she",
        "he",
        "they",
        "it",
        "you",
        "i",
        "has",
        "have",
        "had",
        "with",
        "when",
        "after",
        "before",
        "from",
        "thus",
        "therefore",
        "hence",
        "at",
        "for",
        "in",
        "on",
        "by",
        "per",
        "leaves",
        "left",
        "means",
    ]
)
_LEAD = frozenset(
    [
        "so",
        "thus",
        "therefore",
        "hence",
        "since",
        "because",
        "then",
        "is",
        "gives",
        "get",
        "gets",
        "that",
        "and",
        "as",
        "have",
        "equals",
        "equal",
        "get",
        "know",
    ]
)
_MEASURES = {
    name: kind
    for kind, names in {
        "time": "second seconds sec minute minutes min mins hour hours hr hrs h day days week weeks month months year years "
        "decade decades century centuries",
        "length": "inch inches in foot feet ft yard yards mile miles cm mm m km meter meters metre metres kilometers centimeters",
        "weight": "ounce ounces oz pound pounds lb lbs gram grams g kg kilogram kilograms ton tons mg",
        "volume": "cup cups pint pints quart quarts gallon gallons liter liters litre litres l ml tablespoon tablespoons teaspoon",
        "money": "cent cents dollar dollars quarter quarters dime dimes nickel nickels penny pennies ¢",
        "count": "dozen dozens pair pairs score",
    }.items()
    for name in names.split()
}


def _blank(match: re.Match[str]) -> str:
    if match[1] is not None:
        return f"({match[1]})/({match[2]})".ljust(len(match[0]))
    return _LATEX_SIGN.get(match[0], "").ljust(len(match[0]))


def _tokens(text: str) -> list[_Token]:
    if "\\" in text:
        text = _LATEX.sub(_blank, text)
    if "**" in text:
        text = _BOLD.sub("  ", text)
    tokens: list[_Token] = []
    last = 0
    for match in _LEXER.finditer(text):
        kind = match.lastgroup or "end"
        if kind == "skip":
            continue
        start, end = match.span()
        if kind == "dots":
            tokens.append(_Token("number", match["number"], start, end, start == last, True))
        else:
            word = match[0]
            if kind == "power":
                kind = "operator"
            elif kind in ("arrow", "currency"):
                kind = "end"
            elif kind == "word" and len(word) == 1 and word not in _SYMBOLS:
                kind = "opaque"
            elif kind == "word" and word.lower() in _SPOKEN:
                kind, word = "operator", _SPOKEN[word.lower()]
            tokens.append(_Token(kind, word, start, end, start == last))  # type: ignore[arg-type]
        last = end
    return tokens


# ---------------------------------------------------------------------------------------------------------- parser


class _NotArithmetic(Exception):
    """The side cannot be read as arithmetic."""


@dataclass(slots=True)
class _Side:
    """One side of an equation. `value` None: no arithmetic."""

    start: int
    end: int
    value: Number | None
    operators: int = 0
    unit: str = ""  # last place shown, where it is a single number
    words: list[str] = field(default_factory=list)
    dashes: list[int] = field(default_factory=list)  # token indices of dashes that stand behind words
    doubtful: bool = False  # may be a label, a range or a unit conversion: never called false
    rounded: bool = False
    quotient: tuple[int, int] | None = None
    remainder: int | None = None


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.side = _Side(0, 0, None)

    def kind(self, ahead: int = 0) -> Kind:
        index = self.at + ahead
        return self.tokens[index].kind if index < len(self.tokens) else "end"

    def parse(self, at: int) -> _Side | None:
        """The side that begins at token `at`, or None; `self.at` stands behind it."""
        self.at = at
        self.side = side = _Side(self.tokens[at].start, 0, None)
        try:
            side.value = self.sum()
        except (_NotArithmetic, ZeroDivisionError):
            side.value = None
            if self.at <= at or self.tokens[at].kind == "open":
                return None
        if side.operators:
            side.unit = ""
        side.end = self.tokens[self.at - 1].end
        return side

    def sum(self) -> Number:
        value = self.product()
        while self.kind() == "operator" and self.tokens[self.at].text in "+-−–":
            sign = self.tokens[self.at]
            if sign.text != "+" and self.tokens[self.at - 1].kind == "word":
                self.side.dashes.append(self.at)
            self.range_check(sign)
            self.at += 1
            self.side.operators += 1
            self.side.quotient = None
            right = self.product()
            value = value + right if sign.text == "+" else value - right
        return value

    def range_check(self, sign: _Token) -> None:
        """`10-15` with no spaces may be a range."""
        after = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        if sign.text in "-–" and sign.tight and after is not None and after.tight and after.kind == "number":
            before = self.tokens[self.at - 1]
            if before.kind == "number" and number(_clean(before.text)) <= number(_clean(after.text)):
                self.side.doubtful = True

    def product(self) -> Number:
        value = self.signed()
        while True:
            token = self.tokens[self.at] if self.at < len(self.tokens) else None
            if token is None:
                return value
            if token.kind == "operator" and token.text in _MULTIPLY:
                self.step()
                value = value * self.signed()
                self.side.quotient = None
            elif token.kind == "operator" and token.text in _DIVIDE:
                self.step()
                below = self.signed()
                whole = isinstance(value, int) and isinstance(below, int) and self.side.operators == 1
                self.side.quotient = (value, below) if whole else None  # type: ignore[assignment]
                value = Fraction(value) / below
            elif token.kind == "open" and token.tight and self.tokens[self.at - 1].kind in ("number", "close"):
                self.side.operators += 1
                value = value * self.power()
            elif token.kind == "word" and self.spoken_operator(token):
                value = self.apply_spoken(value)
            else:
                return value

    def step(self) -> None:
        self.at += 1
        self.side.operators += 1

    def spoken_operator(self, token: _Token) -> bool:
        """`20% of 50`, `1/4 of 20`, `12 divided by 3`, `3 multiplied by 4`."""
        following = self.tokens[self.at + 1].text.lower() if self.at + 1 < len(self.tokens) else ""
        if token.text.lower() == "of":
            before = self.tokens[self.at - 1]
            share = before.text.endswith("%") or (self.at >= 2 and self.tokens[self.at - 2].text in _DIVIDE)
            return share and self.kind(1) in ("number", "open")
        return token.text.lower() in ("divided", "multiplied") and following == "by"

    def apply_spoken(self, value: Number) -> Number:
        word = self.tokens[self.at].text.lower()
        self.at += 1 if word == "of" else 2
        self.side.operators += 1
        right = self.signed()
        return Fraction(value) / right if word == "divided" else value * right

    def signed(self) -> Number:
        if self.kind() == "operator" and self.tokens[self.at].text in _MINUS:
            self.at += 1
            return -self.signed()
        return self.power()

    def power(self) -> Number:
        value = self.operand()
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        if token is None or token.kind != "operator" or token.text not in ("^", "**", "²", "³"):
            return value
        self.step()
        exponent = {"²": 2, "³": 3}.get(token.text)
        if exponent is None:
            above = self.signed()
            if not isinstance(above, int) or abs(above) > 64:
                raise _NotArithmetic
            exponent = above
        result = Fraction(value) ** exponent
        return self.units(result.numerator if result.denominator == 1 else result)

    def operand(self) -> Number:
        kind = self.kind()
        if kind == "open":
            return self.group()
        if kind == "end" and self.at < len(self.tokens) and self.tokens[self.at].text in "$€£":
            self.at += 1
            kind = self.kind()
        if kind != "number":
            raise _NotArithmetic
        token = self.tokens[self.at]
        self.at += 1
        value = number(_clean(token.text))
        self.side.rounded |= token.rounded
        self.side.unit = token.text
        return self.units(self.mixed(value))

    def group(self) -> Number:
        closing = ")" if self.tokens[self.at].text == "(" else "]"
        self.at += 1
        value = self.sum()
        if self.kind() != "close" or self.tokens[self.at].text != closing:
            raise _NotArithmetic
        self.at += 1
        return self.units(value)

    def mixed(self, value: Number) -> Number:
        """`7 1/2` is seven and a half."""
        t = self.tokens[self.at : self.at + 3]
        if len(t) == 3 and isinstance(value, int) and t[0].kind == t[2].kind == "number" and t[1].text in "/⁄∕":
            above, below = number(_clean(t[0].text)), number(_clean(t[2].text))
            if t[1].tight and t[2].tight and isinstance(above, int) and isinstance(below, int) and 0 < above < below:
                self.at += 3
                self.side.operators += 1
                return value + Fraction(above, below)
        return value

    def units(self, value: Number) -> Number:
        """Pass over up to four unit words where arithmetic goes on behind them; at the end of a side, note them."""
        start = self.at
        words: list[str] = []
        while len(words) < 4 and self.kind() == "word":
            token = self.tokens[self.at]
            if token.text.lower() in _STOP or (not words and self.spoken_operator(token)):
                break
            if token.tight and len(token.text) == 1 and not words:
                self.side.doubtful = True
            words.append(token.text.lower())
            self.at += 1
        if not words:
            return value
        goes_on = self.kind() == "relation" or (
            self.kind() == "operator" and self.kind(1) in ("number", "open", "end", "operator")
        )
        if not goes_on and not self.tokens[start].tight and words[0] not in _MEASURES:
            self.at = start
            return value
        self.side.words += words
        return value

    def read_remainder(self) -> None:
        """`2 remainder 2`, `2 R 2`, `2 with a remainder of 2` behind a side."""
        at = self.at
        while at < len(self.tokens) and self.tokens[at].text.lower() in ("with", "a"):
            at += 1
        short = _REMAINDER.fullmatch(self.tokens[at].text) if at < len(self.tokens) else None
        if short is not None:
            self.side.remainder, self.side.end, self.at = int(short[1]), self.tokens[at].end, at + 1
        elif at < len(self.tokens) and self.tokens[at].text.lower() in ("remainder", "r", "rem"):
            at += 1
            while at < len(self.tokens) and self.tokens[at].text.lower() in ("of", "is", ":"):
                at += 1
            if at < len(self.tokens) and self.tokens[at].kind == "number":
                left = number(_clean(self.tokens[at].text))
                self.side.remainder = left if isinstance(left, int) else -1
                self.at = at + 1
                self.side.end = self.tokens[at].end


def _clean(text: str) -> str:
    return text.replace("\\", "")


# ---------------------------------------------------------------------------------------------------------- chains


class _Link(NamedTuple):
    left: _Side
    sign: str
    right: _Side


def _chains(tokens: list[_Token]) -> Iterator[list[_Link]]:
    """Every maximal chain `a = b ≈ c` of the text as its links. Chains without a single operator are no arithmetic."""
    parser = _Parser(tokens)
    at, size = 0, len(tokens)
    while at < size:
        if not _may_begin(tokens, at):
            at += 1
            continue
        side = parser.parse(at)
        if side is None:
            at += 1
            continue
        _judge_context(tokens, at, parser.at, side, first=True)
        at = parser.at
        links: list[_Link] = []
        while at < size and tokens[at].kind == "relation" and at + 1 < size:
            sign = tokens[at].text
            right = parser.parse(at + 1) if _may_begin(tokens, at + 1) else None
            if right is None:
                break
            parser.read_remainder()
            _judge_context(tokens, at + 1, parser.at, right, first=False)
            links.append(_Link(side, sign, right))
            side, at = right, parser.at
        if links and any(link.left.operators or link.right.operators for link in links):
            yield links


def _may_begin(tokens: list[_Token], at: int) -> bool:
    token = tokens[at]
    if token.kind in ("number", "open"):
        return True
    if token.kind == "end" and token.text in "$€£":
        return at + 1 < len(tokens) and tokens[at + 1].kind == "operator" and tokens[at + 1].text in _MINUS
    if token.kind != "operator" or token.text not in _MINUS:
        return False
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    return (
        following is not None
        and following.kind in ("number", "open", "end")
        and following.tight
        and not _operand_before(tokens, at)
    )


def _operand_before(tokens: list[_Token], at: int) -> bool:
    return at > 0 and tokens[at - 1].kind in ("number", "close", "opaque", "word")


def _judge_context(tokens: list[_Token], start: int, end: int, side: _Side, *, first: bool) -> None:
    """A side that is a piece of something larger has no value; one that may be a label is doubtful."""
    before = tokens[start - 1] if start else None
    if first and before is not None:
        bullet = before.kind == "operator" and _is_bullet(tokens, start - 1)
        if before.kind == "operator" and not bullet:
            dash = before.text in "-–" and not before.tight and not tokens[start].tight and start >= 2
            if dash and tokens[start - 2].kind in ("word", "close", "end"):
                side.doubtful = True
            else:
                side.value = None
        elif (
            (before.text == "," and before.tight and tokens[start].tight and tokens[start - 2].kind == "number")
            or before.kind == "opaque"
            or (before.kind in ("close", "number") and tokens[start].tight)
        ):
            side.value = None
        elif before.kind == "word" and (before.text.lower() == "of" or not side.operators) and before.text.lower() not in _LEAD:
            side.doubtful = True
    if first and side.words and not side.operators:
        side.doubtful = True
    after = tokens[end] if end < len(tokens) else None
    if after is not None and after.kind in ("operator", "opaque") and not (after.text in "-–" and not after.tight):
        side.value = None
    if after is not None and after.kind in ("word", "open") and after.tight:
        side.doubtful = True
    if after is not None and after.text == "," and after.tight and end + 1 < len(tokens):
        side.doubtful |= tokens[end + 1].tight and tokens[end + 1].kind == "number"


def _is_bullet(tokens: list[_Token], at: int) -> bool:
    return (at == 0 or tokens[at - 1].text == "\n") and tokens[at].text in "-–*+·"


# ---------------------------------------------------------------------------------------------------------- verdicts


def _half_unit(text: str) -> Fraction:
    """Half a unit of the last place that a written number shows."""
    plain = _clean(text).strip()
    hundredth = plain.endswith("%")
    plain = plain.rstrip("% ")
    places = len(plain) - plain.index(".") - 1 if "." in plain else 0
    return Fraction(1, 2 * 10 ** (places + (2 if hundredth else 0)))


def _verdict(link: _Link) -> bool | None:
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
    distance = abs(left.value - right.value)
    shown = right.unit or left.unit
    if sign == "≈" and shown and distance <= _half_unit(shown):
        return True
    if right.rounded and right.unit and distance < 2 * _half_unit(right.unit):
        return True
    if left.doubtful or right.doubtful or _converts(left, right):
        return None
    return False


def _converts(left: _Side, right: _Side) -> bool:
    """Whether two measures of one kind meet, as in `2 × 30 minutes = 1 hour`: a conversion, not arithmetic."""
    measures = [word for word in left.words + right.words if word in _MEASURES]
    money = right.unit.lstrip().startswith("$") and any(_MEASURES[word] == "money" for word in measures)
    return money or len({word.rstrip("s") for word in measures}) > 1


def _check(text: str) -> Iterator[tuple[_Link, bool | None]]:
    tokens = _tokens(text)
    for chain in _chains(tokens):
        for link in chain:
            verdict = _verdict(link)
            if verdict is False and (link.left.dashes or link.right.dashes):
                verdict = _second_reading(text, tokens, link)
            yield link, verdict


def _second_reading(text: str, tokens: list[_Token], link: _Link) -> bool:
    """`5 boxes - 3 × 4 = 12`: a dash behind words may be punctuation. False only if that reading is no better."""
    apart = list(tokens)
    for index in link.left.dashes + link.right.dashes:
        dash = tokens[index]
        apart[index] = _Token("end", ";", dash.start, dash.end, dash.tight)
    verdicts = [
        _verdict(other)
        for chain in _chains(apart)
        for other in chain
        if other.left.end <= link.right.end and other.right.end >= link.left.start and other.left.start >= link.left.start
    ]
    return bool(verdicts) and False not in verdicts and True in verdicts


def find(text: str) -> Iterator[Equation]:
    """Every equation of the text in order; a chain `a = b = c` gives `a = b` and `b = c`."""
    if "=" not in text and "≈" not in text:
        return
    for (left, sign, right), verdict in _check(text):
        yield Equation(left.start, right.end, text[left.start : left.end], sign, text[right.start : right.end], verdict)


def holds(equation: Equation) -> bool | None:
    """Whether an equation is true where it stands; None where it is no arithmetic. `≈` allows half a unit of the last place."""
    return equation.verdict


def first_false(text: str) -> Equation | None:
    """The first false equation of the text, or None where all that can be decided are true."""
    return next((equation for equation in find(text) if equation.verdict is False), None)
