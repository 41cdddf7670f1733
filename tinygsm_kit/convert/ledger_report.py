"""What `tinygsm-kit ledger` shows, and how old answers are thrown away."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tinygsm_kit.convert.ledger import Ledger, Spend, ledger_path
from tinygsm_kit.records import Usage


@dataclass(frozen=True)
class RunSpend:
    """What one run spent. `label` is the folder that it wrote to."""

    run: str
    label: str
    created: int
    """Seconds since 1970."""
    spent: tuple[Spend, ...]

    @property
    def usd(self) -> float:
        """Dollars, unanswered requests at their worst case."""
        return sum(spend.usd for spend in self.spent)


@dataclass(frozen=True)
class LedgerReport:
    """The ledger at a glance. `answers` counts by model; `runs` is oldest first."""

    path: Path
    bytes: int
    answers: dict[str, int]
    runs: tuple[RunSpend, ...]

    @property
    def by_model(self) -> dict[str, float]:
        """Dollars by model over all runs; what was cut off by a kill stands under the empty name."""
        dollars: dict[str, float] = {}
        for run in self.runs:
            for spend in run.spent:
                dollars[spend.model] = dollars.get(spend.model, 0.0) + spend.usd
        return dict(sorted(dollars.items()))


def report(path: Path | None = None) -> LedgerReport:
    """Size, answers and spend of the ledger."""
    path = path or ledger_path()
    ledger = Ledger(path)
    try:
        answers = dict(ledger.database.execute("SELECT model, count(*) FROM answers GROUP BY model ORDER BY model"))
        spent: dict[str, list[Spend]] = {}
        for run, model, kind, requests, *usage, usd in ledger.database.execute("SELECT * FROM spend ORDER BY run, model, kind"):
            spent.setdefault(run, []).append(Spend(run, model, kind, requests, Usage(*usage), usd))
        rows = ledger.database.execute("SELECT run, label, created FROM runs ORDER BY created, run")
        runs = tuple(RunSpend(run, label, created, tuple(spent.get(run, ()))) for run, label, created in rows)
    finally:
        ledger.close()
    return LedgerReport(path, _size(path), answers, runs)


def prune(
    *, older_than_days: float | None = None, model: str | None = None, run: str | None = None, path: Path | None = None
) -> tuple[int, int]:
    """Throw answers away that fit all that is given. Returns how many, and the bytes freed.

    They will be paid for again when they are needed. What was spent stays on record, so no budget is softened.
    """
    path = path or ledger_path()
    before = _size(path)
    conditions = {"created < ?": None if older_than_days is None else time.time() - older_than_days * 86_400,
                  "model = ?": model, "run = ?": run}  # fmt: skip
    given = {condition: value for condition, value in conditions.items() if value is not None}
    ledger = Ledger(path)
    try:
        where = f" WHERE {' AND '.join(given)}" if given else ""
        removed = ledger.database.execute(f"DELETE FROM answers{where}", tuple(given.values())).rowcount
        ledger.database.execute("VACUUM")
        ledger.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        ledger.close()
    return removed, before - _size(path)


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
