"""Square facts as single tokens, and the probe suite that tests them: a plugin for tinygsm-kit."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import Field

from tinygsm_kit import Probe, hookimpl
from tinygsm_kit.hookspecs import Register
from tinygsm_kit.inject.facts import Fact, FactInjector
from tinygsm_kit.interfaces import Options


class SquareTokensOptions(Options):
    """Options of `square_tokens`."""

    low: int = Field(2, ge=0, le=99, description="Smallest number whose square gets a token.")
    high: int = Field(25, ge=0, le=99, description="Largest number whose square gets a token.")


class SquareTokens(FactInjector):
    """`12 × 12 = 144` and `12² = 144` as `<SQR_12_144>`."""

    Options = SquareTokensOptions
    version = "1"
    prefix = "SQR"
    equation = re.compile(r"([0-9]{1,2})(?: ?[×*x·] ?\1|²|\^2) ?= ?([0-9]{1,4})(?![0-9])")

    def __init__(self, options: SquareTokensOptions) -> None:
        self.range = range(options.low, options.high + 1)
        super().__init__(options)

    def facts(self) -> Iterable[Fact]:
        """From `low` to `high`, ascending."""
        return ((root, root * root) for root in self.range)

    def spellings(self, fact: Fact) -> Iterable[tuple[str, ...]]:
        """The root once, for the pattern repeats it, and the square."""
        root, square = map(str, fact)
        return [(root, square)]

    def write(self, numbers: Fact) -> str:
        """`12 × 12 = 144`."""
        root, square = numbers
        return f"{root} × {root} = {square}"


class SquaresOptions(Options):
    """Options of the probe suite `squares`."""

    high: int = Field(25, ge=1, le=99, description="Largest number whose square is asked for; the first one is 1.")


class Squares:
    """`What is 12 × 12?` for every number from 1."""

    Options = SquaresOptions
    version = "1"

    def __init__(self, options: SquaresOptions) -> None:
        self.options = options

    def probes(self) -> Iterable[Probe]:
        """One probe a number."""
        for root in range(1, self.options.high + 1):
            yield Probe(f"squares_{root}", "squares", f"What is {root} × {root}?", str(root * root), operands=(root, root))


@hookimpl
def register_injectors(register: Register) -> None:
    """Offer `square_tokens`."""
    register("square_tokens", SquareTokens)


@hookimpl
def register_probe_suites(register: Register) -> None:
    """Offer `squares`."""
    register("squares", Squares)
