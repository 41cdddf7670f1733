"""Words for the narration: what a variable's name says, and what the question says about its numbers."""

from __future__ import annotations

import re
from functools import lru_cache

from tinygsm_kit.convert.trace import vocabulary

_PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+(?:st|nd|rd|th)?|[^\W\d_]+")


class Name:
    """What a variable's name says.

    `label` is in lower case; `unit` stands behind the number; `money`, `share` (below 1 in per cent) and `generic` (the name
    says nothing: `result`, `x`) as the words tell.
    """

    __slots__ = ("generic", "label", "money", "share", "unit", "words")

    def __init__(self, label: str, words: list[str], unit: str, money: bool, share: bool, generic: bool) -> None:
        self.label = label
        self.words = words
        self.unit = unit
        self.money = money
        self.share = share
        self.generic = generic


@lru_cache(maxsize=131_072)
def name_of(variable: str) -> Name:
    """A variable's name in words: `screwsPerBoard` is "screws per board", `trip_distance_miles` a distance in miles."""
    plain = variable.replace("_", "").isalpha() and variable.islower()
    tokens = variable.split("_") if plain else [piece.lower() for piece in _PIECES.findall(variable)]
    if "" in tokens:
        tokens = [token for token in tokens if token]
    words, unit = _without_unit(tokens)
    if not vocabulary.SPELLED_OUT.keys().isdisjoint(words):
        words = " ".join(vocabulary.SPELLED_OUT.get(word, word) for word in words).split()
    if words and words[0] in ("min", "calculate", "compute"):
        words = ["minimum", *words[1:]] if words[0] == "min" else words[1:]
    if words and words[-1] == "of":
        words = words[:-1]
    label = " ".join(words)
    share = not vocabulary.AS_PERCENT.isdisjoint(tokens) and _is_share(tokens)
    if share and not unit and "rate" not in tokens and "per" not in tokens:
        unit = "percent"
    if len(words) > 1 and words[-1] == words[-2]:
        words = words[:-1]
        label = " ".join(words)
    generic = vocabulary.GENERIC.issuperset(tokens) or not words
    if len(variable) == 1:
        label = variable
    return Name(label, words, unit, _is_money(tokens), share, generic)


def _without_unit(tokens: list[str]) -> tuple[list[str], str]:
    """The words of a name without the unit of measure at its end, and that unit as it is written behind a number."""
    last = tokens[-1] if tokens else ""
    if last in ("dollars", "usd", "dollar") and len(tokens) > 1:
        return tokens[: -2 if tokens[-2] == "in" and len(tokens) > 2 else -1], ""
    if last not in vocabulary.UNITS or len(tokens) < 2:
        return (tokens[:-1] if last == "in" and len(tokens) > 1 else tokens), ""
    before = tokens[-2]
    if before == "per":
        if len(tokens) > 3 and tokens[-3] in vocabulary.UNITS and tokens[-4] in vocabulary.MEASURED:
            return tokens[:-3], f"{vocabulary.UNITS[tokens[-3]]} per {last}"  # speed_miles_per_hour
        return tokens, ""
    if before in vocabulary.AREAS and len(tokens) > 2:
        words = tokens[: -3 if tokens[-3] == "in" and len(tokens) > 3 else -2]
        return words, f"{'square' if before == 'sq' else before} {vocabulary.UNITS[last]}"
    if last == "in" and before not in vocabulary.LENGTHS:
        return tokens[:-1], ""
    measured = before in vocabulary.MEASURED or (last in vocabulary.ALWAYS_UNITS and not before.isdigit())
    if not measured or "per" in tokens:
        return tokens, ""
    words = tokens[: -2 if before == "in" and len(tokens) > 2 else -1]
    return words, vocabulary.UNITS[last]


def _is_share(tokens: list[str]) -> bool:
    """Whether the number itself is a rate or in per cent, not what comes of it (`price_after_percent_discount`)."""
    if tokens[-1] in vocabulary.AS_PERCENT:
        return len(tokens) < 2 or not tokens[-2].isdigit()
    return tokens[0] in vocabulary.AS_PERCENT and tokens[-1] not in vocabulary.MONEY and tokens[-1] not in vocabulary.AMOUNTS


def _is_money(tokens: list[str]) -> bool:
    if vocabulary.MONEY.isdisjoint(tokens) or not vocabulary.NOT_MONEY.isdisjoint(tokens):
        return False
    if "per" in tokens:
        return not vocabulary.MONEY.isdisjoint(tokens[: tokens.index("per")])
    return True


_NUMBERS = re.compile(r"\d[\d,]*(?:\.\d+)?(\s?%|\spercent|\sdollar|\sbucks)?")
_CAPITALISED = re.compile(r"\b[A-Z][a-z]+")
_ASKED = re.compile(
    r"\b[Hh]ow (?:many|much) ((?:more |fewer |less |total |additional |extra |of the )?[a-z]+(?: [a-z]+){0,3}?) "
    r"(?:do|does|did|will|would|can|could|should|are|is|were|was|has|have|had|must|need|needs|in|per|left|remain|to|be|he|she|"
    r"they|it|each|on|at|for|if|after)\b"
)
_NOT_ASKED = frozenset(("is", "are", "does", "do", "did", "will", "would", "of", "was", "were", "has", "have", "can", "should"))


class Cues:
    """What the question says: which of its numbers are dollars or per cent, who is in it, and what it asks for."""

    __slots__ = ("_people", "dollars", "money", "percents", "question", "silent")

    def __init__(self, question: str) -> None:
        self.question = question
        self.money = "$" in question or "dollar" in question
        self.dollars: set[float] = set()
        self.percents: set[float] = set()
        self._people: set[str] | None = None
        if self.money or "%" in question or "percent" in question:
            self._read_amounts(question)
        self.silent = not self.money and not self.percents

    def _read_amounts(self, question: str) -> None:
        plain: set[float] = set()
        for match in _NUMBERS.finditer(question):
            start, mark = match.start(), match[1]
            number = match[0] if mark is None else match[0][: -len(mark)]
            value = float(number.replace(",", ""))
            if question[start - 1 : start] == "$" or (mark is not None and mark[-1] in "rs"):
                self.dollars.add(value)
            elif mark is not None:
                self.percents.add(value)
            else:
                plain.add(value)
        self.dollars -= plain

    @property
    def people(self) -> set[str]:
        """Names in the question, in lower case."""
        if self._people is None:
            self._people = {word.lower() for word in _CAPITALISED.findall(self.question)} - vocabulary.OPENINGS
        return self._people

    def label(self, name: Name) -> str:
        """A name as a label, the question's people with their capitals: "Beth's money", also for `beths_money`."""
        owner, *owned = name.words
        if owned and owner[-1:] == "s" and owner not in self.people and owner[:-1] in self.people:
            return " ".join((f"{owner[:-1].capitalize()}'s", *owned))
        if self.people.isdisjoint(name.words):
            return name.label
        words = list(name.words)
        for index, word in enumerate(words):
            if word in self.people and f" {word}" not in self.question:
                words[index] = word.capitalize()
        if words[0] != name.words[0] and len(words) > 1 and not _is_verb(words[1]):
            words[0] += "'s"
        return " ".join(words)

    def gives(self, value: float, text: str) -> bool:
        """Whether the question gives a number: in digits, as a word, or as a share; small ones need no explanation."""
        question = self.question
        if value < 3 or text in question or value == 100:
            return True
        words = vocabulary.NUMBER_WORDS.get(value)
        if words is not None:
            lower = question.lower()
            return any(word in lower for word in words)
        if value >= 1000 and value == int(value):
            return f"{int(value):,}" in question
        return value != int(value)

    def asked(self) -> str:
        """What the question asks for ("apples left"), or an empty string."""
        found = _ASKED.findall(self.question)
        if not found:
            return ""
        noun: str = found[-1].removeprefix("of the ")
        return "" if noun.split()[0] in _NOT_ASKED else noun


def _is_verb(word: str) -> bool:
    return word in vocabulary.NOT_POSSESSED or (word.endswith("ed") and len(word) > 3 and not word.endswith("eed"))


_VERBS = re.compile(r"(?:calculate|compute|find|determine|get|work out|figure out)\s+(?:the\s+)?", re.I)
_SPEECH = re.compile(r"[a-z][a-z' ,-]+", re.I)
_NOT_A_NAME = re.compile(
    r"\b(?:we|i|let|let's|assume|assuming|since|because|but|so|if|this|that|note|result|return|convert|however|is|are|then|now|"
    r"for|in|it|answer|step|round|rounded|final|already|need|needs|therefore|use|using|subtract|add|multiply|divide|as|"
    r"dollars|hours|minutes|variable|variables|he|she|they|where|which|when|initialize|check|first|next)\b",
    re.I,
)


def from_comment(comment: str) -> str:
    """What an author's comment calls a number ("Calculate the total cost" is "total cost"), or an empty string."""
    words = comment.strip(" .:#\t")
    verb = _VERBS.match(words)
    words = words[verb.end() :] if verb else words
    words = words.removeprefix("The ").removeprefix("the ")
    if not 2 <= words.count(" ") + 1 <= 8 or not _SPEECH.fullmatch(words) or _NOT_A_NAME.search(words):
        return ""
    return words[0].lower() + words[1:] if words[1:2].islower() else words
