"""Fact tokens in a response: what they say, which of them are right, and which were missed."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from tinygsm_kit import plugins
from tinygsm_kit.interfaces import Injector
from tinygsm_kit.maths import equations

_LOOKALIKE = re.compile(r"<[A-Z]{2,}(?:_\d+)+>")
"""A fact that the model spelled out letter by letter: not in its vocabulary, so no injector stands behind it."""

_INTEGER = re.compile(r"\d+")

_SPOKEN = {
    2: r"two|twice|twins?|doubled?|doubles|pairs?|couple|both|half|halves|halved|second|biweekly|every other",
    3: r"three|thrice|tripled?|triples|triplets|thirds?|trio",
    4: r"four|quadrupled?|quarters?|fourths?|seasons?|square",
    5: r"five|fifths?|weekdays?|nickels?|quintupled?|work ?days?|school",
    6: r"six|sixths?",
    7: r"seven|sevenths?|weeks?|weekly|daily|days?|every day",
    8: r"eight|eighths?",
    9: r"nine|ninths?",
}
_SPOKEN_PATTERNS = {
    value: re.compile(rf"\b(?:{words}|{value}(?:th|fold))\b", re.IGNORECASE) for value, words in _SPOKEN.items()
}


@dataclass(frozen=True)
class Use:
    """What a response did with fact tokens. `used == right + wrong`, but for spelled-out lookalikes, which are wrong only."""

    used: int
    right: int
    wrong: int
    missed: int


class FactTokens:
    """The fact tokens that a model may write, and what they stand for."""

    def __init__(self, injectors: Sequence[Injector], own: Sequence[Injector] | None = None) -> None:
        """`own` are those whose tokens the model was trained to write: only theirs can be missed. By default all."""
        self.injectors = tuple(injectors)
        self.own = self.injectors if own is None else tuple(own)
        tokens = sorted({token for injector in self.injectors for token in injector.tokens()}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, tokens))) if tokens else None

    def count(self, text: str) -> int:
        """Fact tokens of any injector."""
        return 0 if self._known is None else len(self._known.findall(text))

    def eject(self, text: str) -> str:
        """The text with each fact token written out, as the model without them would write it."""
        for injector in self.injectors:
            text = injector.eject(text)
        return text

    def use(self, response: str, question: str, operands: Sequence[int] = ()) -> Use:
        """Judge each token of a response.

        A token is wrong where the equation that it becomes part of is false (`9 × 6 = <MUL_7_8_56>`), or where one of its
        operands comes from nowhere: it is no number, digit or number word of the question (for a probe: of its operands),
        nor of what the response said before.
        """
        lookalikes = len(_LOOKALIKE.findall(response if self._known is None else self._known.sub("", response)))
        missed = sum(injector.count(injector.inject(response)) - injector.count(response) for injector in self.own)
        pieces = list(self._spans(response))
        if not pieces:
            return Use(0, 0, lookalikes, max(0, missed))
        plain = "".join(text for text, _ in pieces)
        all_true = equations.first_false(plain) is None
        false = [] if all_true else [equation for equation in equations.find(plain) if equation.verdict is False]
        given = _numbers(question) | _spoken(question) if not operands else _numbers(" ".join(map(str, operands)))
        wrong = at = 0
        for text, is_token in pieces:
            if is_token:
                end = at + len(text)
                contradicted = any(equation.start < end and at < equation.end for equation in false)
                wrong += contradicted or not self._founded(text, given)
            given |= _numbers(text)
            at += len(text)
        used = sum(is_token for _, is_token in pieces)
        return Use(used, used - wrong, wrong + lookalikes, max(0, missed))

    def _spans(self, response: str) -> Iterable[tuple[str, bool]]:
        """The response cut at its tokens, each written out: (text, whether it was a token)."""
        if self._known is None or self._known.search(response) is None:
            return
        last = 0
        for match in self._known.finditer(response):
            yield response[last : match.start()], False
            yield self.eject(match[0]), True
            last = match.end()
        yield response[last:], False

    @staticmethod
    def _founded(fact: str, given: set[int]) -> bool:
        return all(int(operand) in given for operand in _INTEGER.findall(fact.partition("=")[0]))


def _numbers(text: str) -> set[int]:
    """Whole numbers of the text, and each of their digits: long multiplication works on those."""
    written = [found for found in _INTEGER.findall(text) if len(found) < 19]
    return {int(found) for found in written} | {int(digit) for digit in set("".join(written))}


def _spoken(text: str) -> set[int]:
    """Digits that a question says in words: `twice`, `a week`, `triplets`; and the two of a `dozen`."""
    found = {value for value, pattern in _SPOKEN_PATTERNS.items() if pattern.search(text)}
    return found | ({1, 2, 12} if re.search(r"\bdozens?\b|\byears?\b|\bmonth", text, re.IGNORECASE) else set())


def for_model(settings: Mapping[str, Any]) -> FactTokens:
    """What a model's `tinygsm_kit.json` names under `injectors`, and every other registered injector with its defaults.

    Raises PluginError where a named injector is not installed: its tokens could not be read.
    """
    named = settings.get("injectors")
    own = None if named is None else tuple(_named(entry) for entry in named)
    others = [name for name in plugins.host().names("injector") if name not in {name for name, _ in own or ()}]
    built = [plugins.get("injector", name, **dict(options)) for name, options in own or ()]
    rest = [injector for name in others if (injector := _default(name)) is not None]
    return FactTokens([*built, *rest], None if own is None else built)


def _named(entry: str | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if isinstance(entry, str):
        return entry, {}
    options = dict(entry)
    return str(options.pop("use")), options


@functools.cache
def _default(name: str) -> Injector | None:
    """A registered injector with its default options; None for one that has no defaults."""
    try:
        injector: Injector = plugins.get("injector", name)
    except ValidationError:
        return None
    return injector
