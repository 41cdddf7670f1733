"""One side of an equation read as arithmetic, in exact rational numbers.

The grammar is the usual one (powers, then products left to right, then sums), with what word problems add to it: units
behind a number, `20% of 50`, mixed numbers, numbers written out in thousands and millions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from tinygsm_kit.maths.lexer import DASHES, DIVIDE, MINUS, MULTIPLY, POWERS, Kind, Token
from tinygsm_kit.maths.measures import SCALES, is_unit
from tinygsm_kit.maths.numerals import Number, number

DEEPEST = 30
"""Parentheses and signs inside one another; text that nests deeper is no arithmetic."""
LARGEST = 4_096
"""Bits of a power's value."""

STOP_WORDS = frozenset({
    "and", "or", "then", "so", "is", "are", "was", "were", "be", "gives", "give", "if", "which", "that", "because",
    "since", "but", "to", "now", "there", "we", "she", "he", "they", "it", "you", "i", "has", "have", "had", "with",
    "when", "after", "before", "from", "thus", "therefore", "hence", "at", "for", "in", "on", "by", "leaves", "left",
    "means",
})  # fmt: skip
"""Words that no unit contains: arithmetic does not go on behind them."""


class NotArithmeticError(Exception):
    """The side cannot be read as arithmetic."""


@dataclass(slots=True)
class Side:
    """One side of an equation, `text[start:end]`. `value` is None where it is no arithmetic."""

    start: int
    end: int
    value: Number | None = None
    operators: int = 0
    adds: bool = False
    shown: str = ""
    """The number as written where the side is a single one: it shows to what place it was rounded."""
    dots: bool = False
    words: list[str] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    """Tokens read as arithmetic that may be punctuation: a dash behind a word, the "and" of `6 and 1/4`."""
    scales: list[int] = field(default_factory=list)
    """Tokens such as `million`, which may also be meant as a unit."""
    ranges: bool = False
    """It holds a pair like `10-15`; alone that may be a range."""
    doubtful: bool = False
    """It may be a label, a range or an abbreviation: never called false."""
    quotient: tuple[int, int] | None = None
    remainder: int | None = None


class Parser:
    """A recursive-descent parser over one list of tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.side = Side(0, 0)

    def parse(self, at: int) -> Side | None:
        """The side that begins at token `at`; `self.at` stands behind it. None where nothing can be read there."""
        self.at, self.depth = at, 0
        self.side = side = Side(self.tokens[at].start, 0)
        try:
            side.value = self._sum()
        except (NotArithmeticError, ZeroDivisionError, ValueError):
            if self.at <= at or self.tokens[at].kind == "open":
                return None
        if side.operators:
            side.shown = ""
            side.doubtful |= side.ranges and side.operators == 1
        side.end = self.tokens[self.at - 1].end
        return side

    def kind(self, ahead: int = 0) -> Kind:
        """The kind of the token so far ahead; `end` behind the last one."""
        index = self.at + ahead
        return self.tokens[index].kind if index < len(self.tokens) else "end"

    def text(self, ahead: int = 0) -> str:
        """The text of the token so far ahead, in small letters; empty behind the last one."""
        index = self.at + ahead
        return self.tokens[index].text.lower() if index < len(self.tokens) else ""

    def _operator(self, signs: frozenset[str]) -> bool:
        return self.kind() == "operator" and self.tokens[self.at].text in signs

    def _step(self) -> None:
        self.at += 1
        self.side.operators += 1
        self.side.quotient = None

    def _sum(self) -> Number:
        value = self._product()
        while self.kind() == "operator" and (self.text() == "+" or self.text() in MINUS):
            if self.text() in DASHES and not self.tokens[self.at].tight and self.kind(1) in ("word", "end"):
                break  # "= 12 - which is enough"
            adds = self.text() == "+"
            self._note_dash()
            self._step()
            self.side.adds = True
            right = self._product()
            value = value + right if adds else value - right
        return value

    def _note_dash(self) -> None:
        """Remember a dash that may be punctuation, and one between `10-15`, which may be a range."""
        sign, before = self.tokens[self.at], self.tokens[self.at - 1]
        if sign.text not in DASHES:
            return
        if before.kind == "word":
            self.side.breaks.append(self.at)
        if sign.tight and before.kind == "number" and self.kind(1) == "number" and self.tokens[self.at + 1].tight:
            self.side.ranges |= number(before.text) < number(self.tokens[self.at + 1].text)

    def _product(self) -> Number:
        value = self._signed()
        while True:
            if self._operator(MULTIPLY):
                self._step()
                value = value * self._signed()
            elif self._operator(DIVIDE):
                value = self._divide(value)
            elif self.kind() == "open" and self.tokens[self.at].tight and self.tokens[self.at - 1].kind in ("number", "close"):
                self.side.operators += 1
                value = value * self._power()
            elif self._spoken():
                word = self.text()
                self.at += 0 if word == "of" else 1
                if word == "divided":
                    value = self._divide(value)
                else:
                    self._step()
                    value = value * self._signed()
            else:
                return value

    def _divide(self, value: Number) -> Number:
        alone = not self.side.operators
        self._step()
        below = self._signed()
        if alone and isinstance(value, int) and isinstance(below, int):
            self.side.quotient = (value, below)
        return Fraction(value) / below

    def _spoken(self, after_words: bool = False) -> bool:
        """`20% of 50`, `1/4 of 20`, `12 divided by 3`, `3 multiplied by 4`."""
        if self.kind() != "word":
            return False
        if self.text() == "of" and not after_words:
            return self._is_share(self.at) and self.kind(1) in ("number", "open")
        return self.text() in ("divided", "multiplied") and self.text(1) == "by"

    def _signed(self) -> Number:
        if not self._operator(MINUS):
            return self._power()
        with _Deeper(self):
            self.at += 1
            return -self._signed()

    def _power(self) -> Number:
        base = self._operand()
        text = self.text()
        if self.kind() != "operator" or not (text in ("^", "**") or text[0] in POWERS):
            return base
        self._step()
        if text[0] in POWERS:
            exponent: Number = int("".join(POWERS[digit] for digit in text))
        else:
            exponent = self._signed()
        bits = Fraction(base).numerator.bit_length() + Fraction(base).denominator.bit_length()
        if not isinstance(exponent, int) or abs(exponent) * bits > LARGEST:
            raise NotArithmeticError
        return self._unit_words(_whole(Fraction(base) ** exponent))

    def _operand(self) -> Number:
        if self.kind() == "open":
            return self._group()
        if self.kind() == "end" and self.text() in ("$", "€", "£") and self.kind(1) == "operator" and self.text(1) in MINUS:
            self.at += 1  # "$-5"
            return self._signed()
        if self.kind() != "number":
            raise NotArithmeticError
        token = self.tokens[self.at]
        self.at += 1
        value = number(token.text)
        if token.text[0] == "$":
            self.side.words.append("$")
        self.side.dots |= token.dots
        self.side.shown = token.text
        return self._unit_words(self._scaled(self._mixed(value)))

    def _group(self) -> Number:
        closing = ")" if self.text() == "(" else "]"
        with _Deeper(self):
            self.at += 1
            value = self._sum()
        if self.text() != closing:
            raise NotArithmeticError
        self.at += 1
        return self._unit_words(value)

    def _mixed(self, value: Number) -> Number:
        """`7 1/2`, `7 and 1/2` and `7 and (1/2)` are seven and a half."""
        spoken = self.kind() == "word" and self.text() == "and"
        bracket = spoken and self.kind(1) == "open"
        first = spoken + bracket
        if not (
            isinstance(value, int) and self.kind(first) == self.kind(first + 2) == "number" and self.text(first + 1) in DIVIDE
        ):
            return value
        above, below = number(self.text(first)), number(self.text(first + 2))
        tight = self.tokens[self.at + first + 1].tight and self.tokens[self.at + first + 2].tight
        if not (tight and isinstance(above, int) and isinstance(below, int) and 0 < above < below):
            return value
        if bracket and self.kind(first + 3) != "close":
            return value
        if spoken:
            self.side.breaks.append(self.at)
        self.at += first + bracket + 3
        self.side.operators += 1
        return value + Fraction(above, below)

    def _scaled(self, value: Number) -> Number:
        """`2.5 million`."""
        scale = SCALES.get(self.text()) if self.kind() == "word" else None
        if scale is None:
            return value
        self.side.scales.append(self.at)
        self.at += 1
        self.side.operators += 1
        return _whole(Fraction(value * scale))

    def _unit_words(self, value: Number) -> Number:
        """Pass over the words behind an operand where arithmetic goes on behind them, and note the units of measure."""
        start = self.at
        first = self.tokens[start] if start < len(self.tokens) else None
        if first is None or first.kind not in ("word", "open", "operator"):
            return value
        if first.kind == "word" and first.tight and len(first.text) == 1:
            self.side.doubtful = True
        if first.kind == "open" and not first.tight:
            self._pass_remark()
        self._pass_per()
        words: list[str] = []
        while len(words) < 5 and self._is_unit_word() and not self._spoken(after_words=bool(words)):
            words.append(self.text())
            self.at += 1
            self._pass_per()
        if words and words[0] == "of" and self._is_share(start):
            self.side.doubtful = True  # "1/3 of Solomon's"
        if self._goes_on():
            self.side.words += words
            self._doubt_amount()
            return value
        self.at = start
        if words and self.kind() == "word" and (is_unit(words[0]) or self._per(1)):
            self.at += 1
            self.side.words.append(words[0])
        self._pass_per()
        return value

    def _doubt_amount(self) -> None:
        """`1/2 a cup` is an amount, not a division."""
        if self.side.quotient is not None and self.side.operators == 1:
            above, below = self.side.quotient
            self.side.doubtful |= 0 < above < below

    def _is_unit_word(self) -> bool:
        text = self.text()
        return self.kind() == "word" and text not in STOP_WORDS and not text[-1].isdecimal()

    def _per(self, ahead: int = 0) -> bool:
        """`/hour` behind a unit or an amount."""
        return self.text(ahead) == "/" and self.kind(ahead + 1) == "word"

    def _pass_per(self) -> None:
        while self._per():
            self.at += 2

    def _is_share(self, behind: int) -> bool:
        """Whether a per cent or a fraction stands in front of that token."""
        before = self.tokens[behind - 1].text
        return before.endswith("%") or before == "percent" or (behind >= 2 and self.tokens[behind - 2].text in DIVIDE)

    def _goes_on(self) -> bool:
        if self.kind() in ("relation", "close") or self._spoken(after_words=True):
            return True
        return self.kind() == "operator" and self.kind(1) in ("number", "open", "operator", "end")

    def _pass_remark(self) -> None:
        """Step over `(apples)`, words in parentheses, where arithmetic goes on behind it."""
        start = self.at
        self.at += 1
        while self.kind() == "word":
            self.at += 1
        closed = self.kind() == "close" and self.at > start + 1
        self.at += 1
        if not (closed and self._goes_on()):
            self.at = start


class _Deeper:
    def __init__(self, parser: Parser) -> None:
        self.parser = parser

    def __enter__(self) -> None:
        self.parser.depth += 1
        if self.parser.depth > DEEPEST:
            raise NotArithmeticError

    def __exit__(self, *error: object) -> None:
        self.parser.depth -= 1


def _whole(value: Fraction) -> Number:
    return value.numerator if value.denominator == 1 else value
