"""Training questions that overlap with evaluation questions: word n-grams, as GPT-3 (13) and later reports (8) counted them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

LONG = 13
"""An overlap of so many words is contamination (Brown et al., 2020, arXiv:2005.14165, appendix C)."""
SHORT = 8
"""An overlap of so many words is worth knowing."""

# Signs count as words where they stand alone: "7 × 8" and "7 + 8" are different questions.
_WORD = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|(?<=\s)[-+−×÷*/=](?=\s)")


class Overlap(NamedTuple):
    """What a question shares: with which set, in how many words at least (13 or 8), and the words."""

    set: str
    words: int
    ngram: str


def words(text: str) -> list[str]:
    """Lower-case words, numbers and signs; other punctuation is gone, thousands separators too."""
    return _WORD.findall(text.lower().replace(",", "").replace("'", "").replace("’", ""))


class OverlapIndex:
    """The n-grams of evaluation questions, by set. Questions shorter than n words count whole.

    Of two sets with the same n-gram the first is named. Takes about 150 bytes a word of evaluation text.
    """

    def __init__(self, sets: Mapping[str, Iterable[str]]) -> None:
        self.names = tuple(sets)
        self.grams: dict[int, dict[str, int]] = {SHORT: {}, LONG: {}}
        self.whole: dict[str, int] = {}
        for number, questions in enumerate(sets.values()):
            for question in questions:
                self._add(number, words(question))

    def _add(self, number: int, found: list[str]) -> None:
        for size, grams in self.grams.items():
            for gram in _grams(found, size):
                grams.setdefault(gram, number)
        if found and len(found) < LONG:
            self.whole.setdefault(" ".join(found), number)

    def overlap(self, question: str) -> Overlap | None:
        """The longest overlap that there is, or None: 13 words before 8. A short question that is equal counts as 13."""
        found = words(question)
        if len(found) < LONG:
            text = " ".join(found)
            number = self.whole.get(text)
            if number is not None:
                return Overlap(self.names[number], LONG, text)
        short = self._first(found, SHORT)
        if short is None:  # whatever shares 13 words shares 8
            return None
        return self._first(found, LONG) or short

    def _first(self, found: list[str], size: int) -> Overlap | None:
        grams = self.grams[size]
        for gram in _grams(found, size):
            number = grams.get(gram)
            if number is not None:
                return Overlap(self.names[number], size, gram)
        return None


def _grams(found: list[str], size: int) -> list[str]:
    return [" ".join(found[start : start + size]) for start in range(len(found) - size + 1)]
