"""What fact injectors share: an equation that stands alone becomes one token, and the token becomes the equation again.

An injector says which equations its facts are written as and how a fact is written canonically; whether one stands alone in
its sentence is decided here, for all of them. See `mul_tokens` for an example of a complete injector.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from tinygsm_kit import interfaces

Fact = tuple[int, ...]
"""The numbers of a fact as its token shows them: (7, 8, 56)."""

_BEFORE = re.compile(
    r"""(?: (?<![^\n]) | (?<=^[-*•][ ])                                       # begins a line, or the item of a list
          | (?<=[^\W\d_][^\W\d_][ ]) (?<!\btimes[ ]) (?<!\bplus[ ]) (?<!\bminus[ ]) (?<!\bby[ ])
          | (?<=[.,:;!?)\]"'”’—][ ]) | (?<=[^\W\d_]:)
          | (?:(?<=[ \n]["'“‘(\[]) | (?<=^["'“‘(\[])) (?<![+\-−–×*·÷/^=≈][ ][(\[]) (?<!\d[ ]x[ ][(\[]) )""",
    re.VERBOSE | re.MULTILINE,
)
_SPOKEN_ON = (
    "times|plus|minus|divided|multiplied|over|modulo|remainder|rem|squared|cubed|hundred|thousand|million|billion|[rRxX]"
)
_AFTER = re.compile(
    rf"""(?!\.\.)
    (?: \Z | [ ]*\n(?!\s*[=≈×÷+·/])
      | [.,;:!?]+ ["'”’)\]]* (?=\s|\Z)
      | ["'”’)\]]+ (?: [.,;:!?]+ (?=\s|\Z) | (?=\s|\Z) (?![ ]*[=≈×÷+·*/^−–\-]) (?!\s*[=≈×÷+·/]) )
      | [ ]+ (?=[^\W\d_]|["'“‘(—]|\Z)
             (?!(?:{_SPOKEN_ON})\b) (?!and[ ]\(?\d+/\d)                       # "= 12 times 2", "= 12 and 1/2"
             (?!(?:[^\W\d_][\w'’]*[ ]+){{1,4}}(?:[=≈×÷+·*/^−]|[-–][ ]?[\d(]|x[ ]?\d)) )""",
    re.VERBOSE,
)


class FactInjector(ABC):
    """Base of injectors of fact tokens `<PREFIX_…>`. A subclass names `prefix` and `equation` and says what its facts are.

    Contract: `eject(inject(text))` is `text` up to the spelling of the equations injected, which becomes canonical;
    injecting twice is injecting once; and only true equations that stand alone are touched.
    """

    Options: ClassVar[type[interfaces.Options]]
    version: ClassVar[str]

    prefix: ClassVar[str]
    """What the token begins with: `MUL` for `<MUL_7_8_56>`."""
    equation: ClassVar[re.Pattern[str]]
    """How its equations are written, in whatever spelling; its groups are looked up in `spellings`. Its ends need no guards."""

    def __init__(self, options: interfaces.Options) -> None:
        self.options = options
        self._facts = list(self.facts())
        self._table = {groups: self.token(fact) for fact in self._facts for groups in self.spellings(fact)}
        self._written = re.compile(rf"<{self.prefix}((?:_\d+)+)>")
        self._mark = f"<{self.prefix}_"

    @abstractmethod
    def facts(self) -> Iterable[Fact]:
        """All facts that have a token, in a stable order."""

    @abstractmethod
    def spellings(self, fact: Fact) -> Iterable[tuple[str, ...]]:
        """The groups of `equation` that state this fact: `("7", "8", "56")` and `("8", "7", "56")`."""

    @abstractmethod
    def write(self, numbers: Fact) -> str:
        """The equation in canonical spelling. Must take any numbers, right or wrong, for models write what they like."""

    def token(self, fact: Fact) -> str:
        """The token of a fact."""
        return f"<{self.prefix}_{'_'.join(map(str, fact))}>"

    def tokens(self) -> list[str]:
        """Every token, in a stable order: what a vocabulary needs."""
        return [self.token(fact) for fact in self._facts]

    def inject(self, text: str) -> str:
        """The text with each standalone, true equation of a fact as its token."""
        return self.equation.sub(self._inject, text) if "=" in text else text

    def eject(self, text: str) -> str:
        """The text with every token of this prefix written out, wrong ones and those out of range too."""
        return self._written.sub(self._eject, text) if self._mark in text else text

    def count(self, text: str) -> int:
        """Tokens of this prefix in the text."""
        return len(self._written.findall(text)) if self._mark in text else 0

    def _inject(self, match: re.Match[str]) -> str:
        token = self._table.get(match.groups())
        if token is None or not stands_alone(match.string, match.start(), match.end()):
            return match[0]
        return token

    def _eject(self, match: re.Match[str]) -> str:
        try:
            return self.write(tuple(map(int, match[1].split("_")[1:])))
        except (ValueError, IndexError, TypeError):  # another number of numbers than a fact has, or of digits than Python reads
            return match[0]


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether an equation at `text[start:end]` is a whole one: no piece of a decimal, a larger number, a longer calculation."""
    return _BEFORE.match(text, start) is not None and _AFTER.match(text, end) is not None
