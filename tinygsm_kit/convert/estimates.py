"""What a paid conversion will cost: guessed from the rows' lengths without a request, or measured on a few rows."""

from __future__ import annotations

import json
import math
import statistics
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tinygsm_kit.convert.assembly import Outcome, Part
from tinygsm_kit.convert.chain import build
from tinygsm_kit.convert.money import cost, model_of, price_of, worst_usage
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.rows import Row, prepare_chunk
from tinygsm_kit.convert.session import interruptible, run_async, session
from tinygsm_kit.convert.stream import Stream
from tinygsm_kit.progress import Progress
from tinygsm_kit.records import Problem, Rejection, Usage

CHARACTERS_A_TOKEN = 4.0
"""English prose and short code, as byte-pair encodings of 100,000 and more tokens cut it."""
WORKING_FOR_PROGRAM = (0.7, 1.5, 4.0)
"""Tokens written for each token of the program: low, likely, high. Reasoning models reach the high end by thinking."""
FEWEST_WRITTEN = 60
REPAIRED = (0.0, 0.05, 0.3)
"""Rows that go back once: low, likely, high."""
ESTIMATED_ROWS = 2_000


@dataclass(frozen=True)
class Estimate:
    """What the whole sample may take, from lengths alone. Dollars are None where no price is known."""

    rows: int
    paid_rows: int
    """Rows that reach a service: a router's local converters keep the others."""
    models: tuple[str, ...]
    input_tokens: int
    output_tokens: int
    usd_low: float | None
    usd: float | None
    usd_high: float | None
    worst: float | None
    """Every request at its longest answer: what a budget must hold to be sure never to stop."""


def estimate(
    problems: Iterable[Problem], rows: int, *, converter: str, options: Mapping[str, Any], host: HostOptions, seed: int
) -> Estimate | None:
    """Estimate the cost of `rows` rows from the first few thousand `problems`; no request is sent. None where nothing is paid.

    Raises PriceError like the run would.
    """
    chain = build(converter, options, host.fallback, seed)
    if not chain.remote:
        return None
    converters = chain.converters()
    prices = {index: price_of(converters[index], host) for index, link in enumerate(chain.links) if link.remote}
    totals = _Totals(host.mode == "batch")
    seen = 0
    for row in prepare_chunk(chain, list(islice(problems, ESTIMATED_ROWS))):
        seen += 1
        if row.outcome is None:
            index = row.left[0]
            totals.add(converters[index], prices[index], row.problem)
    known = all(price is not None for price in prices.values())
    return totals.scaled(rows / max(seen, 1), rows, tuple(sorted({model_of(converters[index]) for index in prices})), known)


class _Totals:
    """Sums over the rows that were looked at."""

    def __init__(self, batch: bool) -> None:
        self.batch = batch
        self.rows = 0
        self.input = self.output = self.worst = 0.0
        self.dollars = [0.0, 0.0, 0.0]

    def add(self, converter: Any, price: Any, problem: Problem) -> None:
        request = converter.request(problem)
        most = worst_usage(converter, request)
        read = min(len(json.dumps(request, ensure_ascii=False)) / CHARACTERS_A_TOKEN, most.input)
        program = len(problem.program) / CHARACTERS_A_TOKEN
        written = [min(max(FEWEST_WRITTEN, program * factor), most.output or math.inf) for factor in WORKING_FOR_PROGRAM]
        for place, (tokens, repaired) in enumerate(zip(written, REPAIRED, strict=True)):
            usage = Usage(round(read * (1 + repaired)), round(tokens * (1 + repaired)))
            self.dollars[place] += cost(price, usage, self.batch)
        self.rows += 1
        self.input += read * (1 + REPAIRED[1])
        self.output += written[1] * (1 + REPAIRED[1])
        self.worst += 2 * cost(price, most, self.batch)

    def scaled(self, factor: float, rows: int, models: tuple[str, ...], known: bool) -> Estimate:
        low, likely, high = (dollars * factor if known else None for dollars in self.dollars)
        return Estimate(
            rows, round(self.rows * factor), models, round(self.input * factor), round(self.output * factor), low, likely, high,
            self.worst * factor if known else None,
        )  # fmt: skip


@dataclass(frozen=True)
class Pilot:
    """A few rows converted for real, and what they say about all."""

    rows: int
    piloted: int
    accepted: int
    rejected: dict[str, int]
    input_tokens: float
    """Tokens read for a row, on average."""
    output_tokens: float
    spent: float
    """Dollars that the pilot itself cost; answers that the ledger had cost nothing."""
    usd_low: float
    usd: float
    usd_high: float
    """95 % interval (Student's t) of what all rows cost, the piloted ones included."""
    seconds: float
    """The whole at the pilot's pace with as many requests in flight as the recipe allows."""


def pilot(
    problems: Sequence[Problem],
    rows: int,
    *,
    converter: str,
    options: Mapping[str, Any],
    host: HostOptions,
    seed: int,
    progress: Progress,
) -> Pilot:
    """Convert `problems` through the ledger, so that they are not lost, and extrapolate to `rows` rows.

    Draw the problems at random from the sample that will be converted. Raises ConvertError as the run would.
    """
    chain = build(converter, options, host.fallback, seed)
    part = _Given(0, Path(), len(problems), tuple(problems))
    done: list[tuple[Row, Outcome]] = []
    spent = latency = 0.0

    async def go() -> None:
        nonlocal spent, latency
        async with session(chain, host, uuid.uuid4().hex, "pilot") as shared:
            with progress.task("pilot", len(problems)) as task, interruptible(shared.asker):

                async def begin(part: Part) -> None: ...

                async def put(row: Row, outcome: Outcome) -> None:
                    done.append((row, outcome))
                    task.advance()

                started = time.monotonic()
                await Stream(shared, 1).run([part], begin, put)
                latency = (time.monotonic() - started) * min(host.max_in_flight, len(problems)) / max(1, len(problems))
            spent = shared.account.budget.spent

    run_async(go)
    batch = host.mode == "batch"
    dollars = [sum(cost(service.price, usage, batch) for service, usage in row.paid) for row, _ in done]
    low, middle, high = _interval(dollars, rows)
    rejected = Counter(outcome.reason for _, outcome in done if isinstance(outcome, Rejection))
    tokens = [usage for row, _ in done for _, usage in row.paid]
    return Pilot(
        rows, len(done), len(done) - sum(rejected.values()), dict(sorted(rejected.items())),
        sum(usage.input for usage in tokens) / max(1, len(done)), sum(usage.output for usage in tokens) / max(1, len(done)),
        spent, low, middle, high, rows * latency / host.max_in_flight,
    )  # fmt: skip


@dataclass(frozen=True)
class _Given(Part):
    """Problems in memory in place of a part on disk."""

    given: tuple[Problem, ...] = ()

    def problems(self) -> Any:
        """The problems as they were given."""
        return iter(self.given)


def _interval(dollars: Sequence[float], rows: int) -> tuple[float, float, float]:
    if not dollars:
        return 0.0, 0.0, 0.0
    mean = statistics.fmean(dollars)
    if len(dollars) < 2:
        return 0.0, mean * rows, math.inf
    from scipy.stats import t

    half = float(t.ppf(0.975, len(dollars) - 1)) * statistics.stdev(dollars) / math.sqrt(len(dollars))
    return max(0.0, mean - half) * rows, mean * rows, (mean + half) * rows
