"""The convert stage: every row of the sample becomes a verified solution or a rejection with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tinygsm_kit.convert.assembly import ConvertError, Outcome, Part, Parts
from tinygsm_kit.convert.chain import Chain, build, convert_here, summed_up, with_answer
from tinygsm_kit.convert.executors import executor, failed_row
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.progress import Progress, Task
from tinygsm_kit.records import Counts, Problem, Rejection, Solution


def identity(converter: str, options: Mapping[str, Any], host: HostOptions, seed: int) -> dict[str, Any]:
    """What the stage's output depends on: converters, their versions and options, routing. Not how fast or for how much."""
    chain = build(converter, options, host.fallback, seed)
    return {**chain.identity(), "repair": host.repair if chain.remote else None}


def convert(
    sample: Path,
    folder: Path,
    *,
    converter: str,
    options: Mapping[str, Any],
    host: HostOptions,
    seed: int,
    workers: int,
    progress: Progress,
) -> Counts:
    """Convert the sample's parts into `folder`, going on from whole parts already there.

    Every row ends in `part-N` (verified) or in `rejected-N` (with its reason), N being the sample part it came from.
    Raises ConvertError, with what was done kept, when the stage cannot go on.
    """
    chain = build(converter, options, host.fallback, seed)
    parts = Parts(sample, folder)
    with progress.task("convert", parts.rows) as task:
        task.advance(parts.counts.rows_in)
        if chain.remote:
            from tinygsm_kit.convert.remote import convert_remotely

            parts.counts.extra.update(convert_remotely(chain, parts, host, workers, task))
        else:
            _convert_locally(chain, parts, host, workers, task)
    _refuse_a_broken_converter(parts.counts)
    parts.counts.extra["by_converter"] = dict(sorted(parts.by_converter.items()))
    return parts.counts


def convert_chunk(chain: Chain, problems: Sequence[Problem]) -> list[Outcome]:
    """Convert and verify a chunk by local converters alone. Runs in a worker process."""
    return [_convert_row(chain, problem) for problem in problems]


def _convert_row(chain: Chain, problem: Problem) -> Outcome:
    ready = with_answer(problem)
    if isinstance(ready, Rejection):
        return ready
    converters = chain.converters()
    refused: list[tuple[str, Rejection]] = []
    for index in chain.order(problem.id):
        outcome = convert_here(converters[index], ready)
        if isinstance(outcome, Solution):
            return outcome
        refused.append((chain.links[index].name, outcome))
    return summed_up(refused)


def _convert_locally(chain: Chain, parts: Parts, host: HostOptions, workers: int, task: Task) -> None:
    results = executor(host, workers).map(partial(convert_chunk, chain), _chunks(parts.to_do, host.chunk_rows), failed_row)
    rejected = sum(parts.counts.rejected.values())
    for part in parts.to_do:
        outcomes: list[Outcome] = []
        while len(outcomes) < part.rows:
            chunk = next(results)
            outcomes += chunk
            task.advance(len(chunk))
            rejected += sum(isinstance(outcome, Rejection) for outcome in chunk)
            task.note(rejected=rejected)
        parts.write(part, outcomes)


def _chunks(parts: Sequence[Part], size: int) -> Iterator[list[Problem]]:
    """Chunks of problems that never reach over the end of a part."""
    from tinygsm_kit.workers import in_chunks

    for part in parts:
        yield from in_chunks(part.problems(), size)


def _refuse_a_broken_converter(counts: Counts) -> None:
    broken = counts.rejected.get("converter_error", 0)
    if broken and broken == counts.rows_in:
        raise ConvertError(f"the converter raised on every one of {broken} rows: the rejected-*.parquet files have the errors")
