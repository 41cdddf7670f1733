"""The order in which converters are tried on a row: a converter, those a router picks, then the fallback."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from tinygsm_kit.convert.verify import verify
from tinygsm_kit.plugins import host as plugin_host
from tinygsm_kit.records import Problem, Rejection, Solution
from tinygsm_kit.references import Reference

STAGE = "convert"


@dataclass(frozen=True)
class Link:
    """One converter of a chain: its name, its class and its checked options. Pickles to worker processes."""

    name: str
    implementation: type[Any]
    options: BaseModel

    @property
    def remote(self) -> bool:
        """Whether it asks a service."""
        return hasattr(self.implementation, "send")

    def identity(self) -> dict[str, Any]:
        """What its output depends on."""
        return {
            "use": self.name,
            "version": self.implementation.version,
            "options": self.options.model_dump(mode="json", exclude=getattr(self.implementation, "not_in_output", None)),
        }


@dataclass(frozen=True)
class Chain:
    """The links, and which of them a row tries in which order. With `shares` each row starts at the link it is dealt."""

    links: tuple[Link, ...]
    shares: tuple[float, ...] = ()
    fallback: bool = False
    """Whether the last link is the fallback, tried after any other."""
    seed: int = 0

    @property
    def remote(self) -> bool:
        """Whether any row may need a service."""
        return any(link.remote for link in self.links)

    def order(self, problem_id: str) -> Sequence[int]:
        """Indices of the links to try for one row; the same for the same seed whatever else is in the sample."""
        if not self.shares:
            return range(len(self.links))
        first = _deal(self.shares, f"{self.seed}:{problem_id}")
        last = len(self.links) - 1
        return (first, last) if self.fallback else (first,)

    def identity(self) -> dict[str, Any]:
        """What the stage's output depends on, for its fingerprint."""
        return {
            "links": [link.identity() for link in self.links],
            "shares": list(self.shares),
            "fallback": self.fallback,
            "seed": self.seed if self.shares else None,
        }

    @functools.cached_property
    def key(self) -> str:
        """A short name for `identity`, by which worker processes keep the converters they built."""
        text = json.dumps(self.identity(), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def converters(self) -> tuple[Any, ...]:
        """An instance of each link, built once a process."""
        if self.key not in _BUILT:
            _BUILT[self.key] = tuple(link.implementation(link.options) for link in self.links)
        return _BUILT[self.key]


_BUILT: dict[str, tuple[Any, ...]] = {}


def _deal(shares: Sequence[float], text: str) -> int:
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64 * sum(shares)
    for index, share in enumerate(shares):
        number -= share
        if number < 0:
            return index
    return len(shares) - 1


def link(reference: Reference) -> Link:
    """The link for a converter that a recipe names."""
    return Link(reference.name, plugin_host().find("converter", reference.name).load(), reference.options)


def build(name: str, options: Mapping[str, Any], fallback: Reference | None, seed: int) -> Chain:
    """The chain of a recipe's `convert` section. Raises PluginError or pydantic's ValidationError."""
    implementation = plugin_host().find("converter", name).load()
    first = Link(name, implementation, implementation.Options.model_validate(dict(options)))
    routes = getattr(implementation, "routes", None)
    if routes is None:
        chain = Chain((first,), seed=seed)
    else:
        references, shares = routes(first.options)
        chain = Chain(tuple(link(reference) for reference in references), tuple(shares), seed=seed)
    return chain if fallback is None else replace(chain, links=(*chain.links, link(fallback)), fallback=True)


def with_answer(problem: Problem) -> Problem | Rejection:
    """The problem with its program's answer, which samples have already; run here where it is missing."""
    if problem.answer is not None:
        return problem
    from tinygsm_kit.maths.programs import ProgramError, run

    try:
        return replace(problem, answer=run(problem.program))
    except ProgramError as error:
        return Rejection(problem.id, STAGE, error.reason, error.detail)


def convert_here(converter: Any, problem: Problem) -> Solution | Rejection:
    """What a local converter makes of a row, verified. A converter that raises rejects the row, not the run."""
    try:
        outcome = converter.convert(problem)
    except Exception as error:
        return Rejection(problem.id, STAGE, "converter_error", f"{type(error).__name__}: {error}"[:500])
    return verify(problem, outcome) if isinstance(outcome, Solution) else outcome


def summed_up(rejections: Iterable[tuple[str, Rejection]]) -> Rejection:
    """One rejection for a row that every converter refused: the last one's reason, and in the detail who said what before."""
    *earlier, (_, last) = rejections
    if not earlier:
        return last
    said = "; ".join(f"{name}: {rejection.reason}" for name, rejection in earlier)
    return replace(last, detail=f"{last.detail} (before that: {said})".strip())
