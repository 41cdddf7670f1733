"""Running text cut into the tokens that arithmetic is made of. What is no arithmetic becomes `word`, `opaque` or `end`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "operator", "relation", "open", "close", "word", "opaque", "end"]
"""`opaque` stands where an operand could stand, but has no value (a variable, a clock time); `end` is punctuation."""

MULTIPLY = frozenset("×*·⋅∙∗xX")
DIVIDE = frozenset("÷/⁄∕")
MINUS = frozenset("-−–")
DASHES = frozenset("-–")
POWERS = {"⁰": "0", "¹": "1", "²": "2", "³": "3", "⁴": "4", "⁵": "5", "⁶": "6", "⁷": "7", "⁸": "8", "⁹": "9"}
SPOKEN = {"times": "×", "plus": "+", "minus": "−"}
SYMBOLS = frozenset("aghlLmsI¢°")
"""Single letters that are words or units. Any other is a variable."""


@dataclass(slots=True)
class Token:
    """A piece of text; `tight` where no white space stands before it, `dots` where an ellipsis follows (`3.33...`)."""

    kind: Kind
    text: str
    start: int
    end: int
    tight: bool
    dots: bool = False


_LEXER = re.compile(
    r"""
      (?P<skip>[^\S\n]+ | \n(?=\s*[=≈×÷]) | (?<=[=≈×÷+])[^\S\n]*\n\s*)
    | (?P<opaque><[A-Z][A-Z0-9]*_[\w.\-]*> | \d+(?::\d+)+ | \d[\d,.]*(?:[kKMBn]|[eE][+-]?\d+)(?!\w) | [√∛%½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])
    | (?P<number>[$€£]?[ ]?(?>(?>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?:%|\\%|[ ]%(?!\s*[\d(]))?)
      (?P<dots>(?:\.\.\.|…)%?)?
    | (?P<arrow>=>|<=|>=|!=|->|=(?=[=>])|(?<==)=)
    | (?P<relation>[=≈])
    | (?P<power>\*\*|\^|[⁰¹²³⁴⁵⁶⁷⁸⁹]+)
    | (?P<operator>[×*·⋅∙∗÷/⁄∕+\-−–]|(?<![^\W\d_])[xX](?=\s*[$€£(\[\d.])|(?<=\s)[xX](?=\s+[-−–][\d$(]))
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<spoken>(?:[tT]imes|[pP]lus|[mM]inus)\b(?=\s+[$€£]?[(\d.]))
    | (?P<word>[^\W\d_][\w'’]*(?:-[^\W\d][\w'’]*)*|_\w+|[¢°]\w*)
    | (?P<end>.|\n)
    """,
    re.VERBOSE | re.DOTALL,
)
_LATEX = re.compile(r"\\(?:times|cdot|div|approx|left|right|text|,|;|!|\(|\)|\[|\]|\$|quad|d?frac\{([^{}]*)\}\{([^{}]*)\})")
_LATEX_SIGNS = {"\\times": "×", "\\cdot": "·", "\\div": "÷", "\\approx": "≈", "\\$": "$"}
_BOLD = re.compile(r"(?<![\d)])(?<![\d)] )\*\*|\*\*(?! ?[\d(])")
_RENAMED: dict[str, Kind] = {"power": "operator", "arrow": "end"}


def tokens(text: str) -> list[Token]:
    """The tokens of a text, with offsets into it. The usual LaTeX signs are read as what they print, bold marks passed over."""
    if "\\" in text:
        text = _LATEX.sub(_printed, text)
    if "**" in text:
        text = _BOLD.sub("  ", text)
    found: list[Token] = []
    last = 0
    for match in _LEXER.finditer(text):
        kind: str = match.lastgroup or "end"
        if kind == "skip":
            continue
        start, end = match.span()
        if kind == "dots":
            found.append(Token("number", match["number"] + "%" * match["dots"].endswith("%"), start, end, start == last, True))
        else:
            found.append(_token(kind, match[0], start, end, start == last))
        last = end
    return found


def _token(kind: str, text: str, start: int, end: int, tight: bool) -> Token:
    if kind == "word" and len(text) == 1 and text not in SYMBOLS:
        kind = "opaque"
    elif kind == "spoken":
        kind, text = "operator", SPOKEN[text.lower()]
    return Token(_RENAMED.get(kind, kind), text, start, end, tight)  # type: ignore[arg-type]


def _printed(match: re.Match[str]) -> str:
    """What a LaTeX command prints, padded to its length so that offsets stay."""
    if match[1] is not None:
        return f"({match[1]})/({match[2]})".ljust(len(match[0]))
    return _LATEX_SIGNS.get(match[0], "").ljust(len(match[0]))
