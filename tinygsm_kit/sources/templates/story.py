"""What a template is, and what it draws from."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Story(NamedTuple):
    """A question, and the lines of the function body that answers it."""

    question: str
    lines: Sequence[str]

    @property
    def program(self) -> str:
        """The body within `def solution():`."""
        return "def solution():\n" + "\n".join(f"    {line}" for line in self.lines)


class Person(NamedTuple):
    """A name with its pronouns."""

    name: str
    they: str
    their: str


class Item(NamedTuple):
    """Something that is counted; `variable` is how a program calls it."""

    one: str
    many: str

    @property
    def variable(self) -> str:
        return self.many.replace(" ", "_")


_SHE = (
    "Amina", "Beth", "Carla", "Dana", "Elena", "Fatima", "Grace", "Hana", "Ines", "Julia", "Keiko", "Lena", "Maria", "Nora",
    "Olivia", "Priya", "Rosa", "Sofia", "Tessa", "Yara",
)  # fmt: skip
_HE = (
    "Ahmed", "Ben", "Carlos", "David", "Emil", "Felix", "George", "Hugo", "Ivan", "James", "Kofi", "Leo", "Marco", "Noah",
    "Omar", "Pedro", "Ravi", "Sam", "Tom", "Victor",
)  # fmt: skip
PEOPLE = tuple(Person(name, "she", "her") for name in _SHE) + tuple(Person(name, "he", "his") for name in _HE)


def _items(*words: str) -> tuple[Item, ...]:
    """`apple`, or `box/boxes` where the plural is no mere s."""
    return tuple(Item(one, many or f"{one}s") for one, _, many in (word.partition("/") for word in words))


FOODS = _items(
    "apple", "orange", "muffin", "cookie", "sandwich/sandwiches", "pancake", "banana", "pear", "cupcake", "bagel",
    "peach/peaches", "plum", "pretzel", "lemon", "donut",
)  # fmt: skip
THINGS = _items(
    "marble", "sticker", "pencil", "book", "toy car", "stamp", "notebook", "balloon", "crayon", "postcard", "bead", "button",
    "seashell", "puzzle", "card", "ribbon", "candle",
)  # fmt: skip
GOODS = _items(
    "shirt", "lamp", "backpack", "scarf/scarves", "game", "chair", "clock", "blanket", "helmet", "kettle", "ball", "mug"
)
"""Things with a price that is worth a discount."""
PLANTS = _items("rose", "tulip", "tree", "shrub", "tomato plant", "sunflower", "daisy/daisies")
HOLDERS = _items("box/boxes", "bag", "basket", "crate", "tray", "jar", "carton")


class Draw:
    """One problem's own random numbers."""

    def __init__(self, seed: int, index: int) -> None:
        self.random = random.Random(f"{seed}/{index}")

    def whole(self, least: int, most: int, step: int = 1) -> int:
        """A whole number from `least` to `most`, both included."""
        return self.random.randrange(least, most + 1, step)

    def pick(self, choices: Sequence[T]) -> T:
        """One of them."""
        return self.random.choice(choices)

    def some(self, choices: Sequence[T], count: int) -> list[T]:
        """So many different ones."""
        return self.random.sample(choices, count)

    def say(self, *wordings: str) -> str:
        """One of several wordings."""
        return self.random.choice(wordings)

    def person(self) -> Person:
        return self.pick(PEOPLE)

    def people(self, count: int) -> list[Person]:
        return self.some(PEOPLE, count)


@dataclass(frozen=True)
class Template:
    """A kind of problem. `steps` is the number of arithmetic operations in its programs."""

    name: str
    steps: int
    write: Callable[[Draw], Story]


TEMPLATES: dict[str, Template] = {}


def template(steps: int) -> Callable[[Callable[[Draw], Story]], Callable[[Draw], Story]]:
    """Register a function under its own name."""

    def register(write: Callable[[Draw], Story]) -> Callable[[Draw], Story]:
        assert write.__name__ not in TEMPLATES, write.__name__
        TEMPLATES[write.__name__] = Template(write.__name__, steps, write)
        return write

    return register
