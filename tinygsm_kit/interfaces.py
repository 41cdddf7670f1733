"""What an implementation of each hook owes. Plugin authors read this file and `hookspecs.py`; nothing else is needed.

Every implementation is a class with an `Options` model, constructed as `Implementation(Options(...))`. `version` enters
the fingerprint of the stage that uses it: raise it when the output for the same input changes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

from tinygsm_kit.records import PROMPT, Probe, Problem, Rejection, Reply, Solution


class Options(BaseModel):
    """Base of every plugin's options: unknown keys are errors, and a validated model does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _beside_recipe(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    found = path if folder is None or path.exists() else Path(folder).resolve() / path
    return found if found.exists() else path


LocalPath = Annotated[Path, AfterValidator(_beside_recipe)]
"""A file or folder that a recipe names: from the working folder, or else from the folder of the recipe."""


class Plugin(Protocol):
    """What all kinds share."""

    Options: ClassVar[type[Options]]
    version: ClassVar[str]


class Source(Plugin, Protocol):
    """Where problems come from. A row that cannot become a Problem is yielded as a Rejection, never dropped.

    Optional, found by name:

    - `identity() -> object` is what the rows depend on beside the options, such as digests of files.
    - `rows()` and a pure `read(row)`: cheap raw rows, and what makes a Problem of one. Sampling then reads in worker
      processes, and the second time only the rows that it drew (`tinygsm_kit/sources/rows.py`).
    """

    def problems(self) -> Iterator[Problem | Rejection]: ...


class LocalConverter(Plugin, Protocol):
    """Program to chain of thought, computed here. Must be deterministic; runs in worker processes."""

    def convert(self, problem: Problem) -> Solution | Rejection: ...


class RemoteConverter(Plugin, Protocol):
    """Program to chain of thought by a service, in three parts so that the host owns what is hard.

    The host keys the ledger on `request`, counts money from the reply's usage, and does retries, concurrency, batch jobs,
    verification and repair. `request` and `read` must be pure. `send` does one request and no retries: what it raises is
    understood by its `status_code` and `headers` (or those of its `response`), as HTTP clients and SDKs set them; anything
    without a status counts as a lost connection, and a `tinygsm_kit.errors.KitError` stops the run. Keep secrets out of
    `request`: it is hashed, and written to batch files.

    Optional, found by name:

    - `model: str` names what is priced and reported. `prices: Mapping[str, Price]` (`{model: {input, output, cached}}` in
      dollars for a million tokens) where the kit's list does not have it.
    - `max_output_tokens: int` bounds a reply, so that the budget can set its worst case aside.
    - `input_tokens(request) -> int` is an upper bound; without it, the request's bytes.
    - `repair(problem, request, reply, fault) -> dict` is the request that sends a failed answer back, the fault named.
    - `batch: BatchService` offers the provider's batch jobs.
    - `async close()` ends connections.
    """

    def request(self, problem: Problem) -> dict[str, Any]: ...

    async def send(self, request: Mapping[str, Any]) -> Reply: ...

    def read(self, problem: Problem, reply: Reply) -> Solution | Rejection: ...


@dataclass(frozen=True)
class BatchJob:
    """Where a batch job stands. `label` is the one that it was submitted with; empty where the provider keeps none."""

    id: str
    label: str
    state: Literal["running", "ended", "failed"]
    """`ended`: some results are there; requests without one (expired, cancelled) are submitted again. `failed`: none are."""
    detail: str = ""
    requests: int = 0
    """How many requests it has, and when it was `created` (seconds since 1970)."""
    created: float = 0.0
    holds: str = ""
    """The custom_id of one of its requests, by which a job without a label is known; empty while that cannot be seen."""


@dataclass(frozen=True)
class BatchResult:
    """One request's result: its reply, or why there is none. `again` where the same request may succeed another time."""

    custom_id: str
    reply: Reply | None
    failure: str = ""
    again: bool = True


class BatchService(Protocol):
    """A provider's batch jobs. The host cuts jobs to size, keeps their ids, waits, and submits again what is missing."""

    max_requests: int
    max_bytes: int

    def line(self, custom_id: str, request: Mapping[str, Any]) -> str:
        """One request as a line of the job's file, without the line's end."""

    async def submit(self, lines: Path, label: str) -> str:
        """Submit a file of such lines as one job and return the provider's id. `jobs` gives `label` back, or what it holds."""

    async def jobs(self) -> AsyncIterator[BatchJob]:
        """The provider's jobs, newest first: where a job went whose id was lost to a kill."""
        yield NotImplemented

    async def job(self, identifier: str) -> BatchJob:
        """Where one job stands."""

    async def results(self, identifier: str) -> AsyncIterator[BatchResult]:  # noqa: ARG002
        """The results of a job that ended, in any order."""
        yield NotImplemented


class RoutingConverter(Plugin, Protocol):
    """A converter that hands each row to others. It converts nothing itself, so it is never built."""

    @staticmethod
    def routes(options: Any) -> tuple[Sequence[Any], Sequence[float]]:
        """The converters (`tinygsm_kit.references.Reference`), and the share of rows that starts at each; none: in order."""


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
    """`equations`: the equation that each token stands for. `siblings`: the data folders of all conditions at this stage, so
    that a row that is too long in one of them is left out of all."""


class Trainer(Plugin, Protocol):
    """A way to train. Returns the model directory, loadable by transformers, vLLM and lm-eval as it is."""

    def train(self, context: TrainContext) -> Path: ...


class Reward(Plugin, Protocol):
    """A reward for reinforcement learning, 0 to 1 by convention."""

    def reward(self, problem: Problem, completion: str) -> float: ...
