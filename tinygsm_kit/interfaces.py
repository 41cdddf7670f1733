"""What an implementation of each hook owes. Plugin authors read this file and `hookspecs.py`; nothing else is needed.

Every implementation is a class with an `Options` model, constructed as `Implementation(Options(...))`. `version` enters
the fingerprint of the stage that uses it: raise it when the output for the same input changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from tinygsm_kit.records import PROMPT, Probe, Problem, Rejection, Reply, Solution


class Options(BaseModel):
    """Base of every plugin's options: unknown keys are errors, and a validated model does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Plugin(Protocol):
    """What all kinds share."""

    Options: ClassVar[type[Options]]
    version: ClassVar[str]


class Source(Plugin, Protocol):
    """Where problems come from. A row that cannot become a Problem is yielded as a Rejection, never dropped."""

    def problems(self) -> Iterator[Problem | Rejection]: ...


class LocalConverter(Plugin, Protocol):
    """Program to chain of thought, computed here. Must be deterministic; runs in worker processes."""

    def convert(self, problem: Problem) -> Solution | Rejection: ...


class RemoteConverter(Plugin, Protocol):
    """Program to chain of thought by a service, in three parts so that the host owns what is hard.

    The host keys the ledger on `request`, counts money from the reply's usage, and does retries, concurrency, batch jobs,
    verification and repair. `request` and `read` must be pure; `send` does one request and no retries.
    """

    def request(self, problem: Problem) -> dict[str, Any]: ...

    async def send(self, request: Mapping[str, Any]) -> Reply: ...

    def read(self, problem: Problem, reply: Reply) -> Solution | Rejection: ...


@runtime_checkable
class Injector(Plugin, Protocol):
    """A text variant. `eject(inject(text))` is `text` up to operand order and operator spelling."""

    def tokens(self) -> list[str]: ...

    def inject(self, text: str) -> str: ...

    def eject(self, text: str) -> str: ...

    def count(self, text: str) -> int: ...


class ProbeSuite(Plugin, Protocol):
    """Generated questions with known answers. May define `score(probe, response) -> bool` in place of exact match."""

    def probes(self) -> Iterable[Probe]: ...


@dataclass(frozen=True)
class TrainContext:
    """All that a trainer gets: one condition of a run, at one stage of its training."""

    condition: str
    data: Path
    """Folder of `part-*.parquet` with columns `problem_id`, `question`, `text` (the completion, fact tokens injected)."""
    model: str | Mapping[str, Any]
    """A model directory or hub id; or `{config: {...}, tokenizer: {...}}` for a model from scratch."""
    output: Path
    """Where the trained model goes, whole or not at all. `output.parent / (output.name + ".work")` is free for checkpoints."""
    seed: int
    tokens: tuple[str, ...] = ()
    """Fact tokens of *all* conditions, in a stable order: every condition gets the same vocabulary."""
    prompt: str = PROMPT
    vocabulary_text: tuple[Path, ...] = ()
    """Data folders of all conditions, on which a tokenizer from scratch is trained: the same one for every condition."""
    extra: Mapping[str, Any] = field(default_factory=dict)


class Trainer(Plugin, Protocol):
    """A way to train. Returns the model directory, loadable by transformers, vLLM and lm-eval as it is."""

    def train(self, context: TrainContext) -> Path: ...


class Reward(Plugin, Protocol):
    """A reward for reinforcement learning, 0 to 1 by convention."""

    def reward(self, problem: Problem, completion: str) -> float: ...
