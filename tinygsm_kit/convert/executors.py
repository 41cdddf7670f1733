"""Where computing converters run: processes on this machine, or a Ray cluster. Both give the same results in the same order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from tinygsm_kit.convert.chain import STAGE
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.records import Problem, Rejection

R = TypeVar("R")
RAY_AHEAD = 3
"""Chunks under way for each of the cluster's cores."""

Chunks = Iterable[Sequence[Problem]]


class Executor(Protocol):
    """Runs a function of a chunk of problems, one result a problem, over many chunks: in order, in bounded memory."""

    def map(
        self, function: Callable[[Sequence[Problem]], list[R]], chunks: Chunks, failed: Callable[[Problem, str], R]
    ) -> Iterator[list[R]]: ...


class LocalExecutor:
    """Supervised worker processes on this machine; one worker means this process."""

    def __init__(self, workers: int, timeout: float) -> None:
        self.workers, self.timeout = workers, timeout

    def map(
        self, function: Callable[[Sequence[Problem]], list[R]], chunks: Chunks, failed: Callable[[Problem, str], R]
    ) -> Iterator[list[R]]:
        """Results of each chunk. A row that hangs or kills its worker gets `failed(row, reason)` and costs nobody else."""
        from tinygsm_kit.workers import map_chunks

        return map_chunks(function, chunks, self.workers, self.timeout, failed)


class RayExecutor:
    """Tasks on a Ray cluster: the one at `address`, the one around, or a local one. A worker that dies is replaced by Ray."""

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        self.address, self.workers = address, workers

    def map(
        self, function: Callable[[Sequence[Problem]], list[R]], chunks: Chunks, failed: Callable[[Problem, str], R]
    ) -> Iterator[list[R]]:
        """Results of each chunk, in order. A chunk whose worker dies again and again is tried row by row."""
        ray = _ray()
        mine = not ray.is_initialized()
        if mine:
            _connect(ray, self.address, self.workers)
        try:
            task = _Task(ray.remote(max_retries=3)(_apply), ray.put(function))
            ahead = RAY_AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
            pending: deque[tuple[Sequence[Problem], Any]] = deque()
            for chunk in chunks:
                pending.append((chunk, task.remote(chunk)))
                if len(pending) >= ahead:
                    yield _result(ray, task, *pending.popleft(), failed)
            while pending:
                yield _result(ray, task, *pending.popleft(), failed)
        finally:
            if mine:
                ray.shutdown()


def _apply(function: Callable[[Sequence[Problem]], list[R]], chunk: Sequence[Problem]) -> list[R]:
    """What a worker runs. Ray takes plain functions only, and `function` may be a partial."""
    return function(chunk)


class _Task:
    """A function that lies in the cluster's object store once, and is applied to one chunk after the other."""

    def __init__(self, apply: Any, function: Any) -> None:
        self.apply, self.function = apply, function

    def remote(self, chunk: Sequence[Problem]) -> Any:
        """The future of its results."""
        return self.apply.remote(self.function, chunk)


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        from tinygsm_kit.convert.assembly import ConvertError

        raise ConvertError("executor: ray needs Ray: pip install 'tinygsm-kit[ray]', or take executor: local") from error
    return ray


def _connect(ray: Any, address: str | None, workers: int | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "include_dashboard": False}
    if address is not None:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        return
    try:
        ray.init(address="auto", log_to_driver=False, logging_level="ERROR")
    except ConnectionError:
        ray.init(num_cpus=workers, **quiet)


def _result(ray: Any, task: _Task, chunk: Sequence[Problem], future: Any, failed: Callable[[Problem, str], R]) -> list[R]:
    died = (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.ObjectLostError)
    try:
        results: list[R] = ray.get(future)
        return results
    except died:
        alone = [(problem, task.remote([problem])) for problem in chunk]
    rows: list[R] = []
    for problem, single in alone:
        try:
            rows.append(ray.get(single)[0])
        except died:
            rows.append(failed(problem, "crashed"))
    return rows


def executor(options: HostOptions, workers: int) -> Executor:
    """The executor that the recipe names."""
    if options.executor == "ray":
        return RayExecutor(options.ray_address, workers)
    return LocalExecutor(workers, options.chunk_timeout)


def failed_row(problem: Problem, reason: str) -> Rejection:
    """The rejection of a row whose worker died or never answered."""
    return Rejection(problem.id, STAGE, f"worker_{reason}", "the worker process did not survive this row")
