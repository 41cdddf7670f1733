"""What the ledger knows of batch jobs: which requests are in which job, and where each job stands, durable at every step."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tinygsm_kit.convert.ledger import Answer, Ledger

ATTEMPTS = 3
"""How often a request may end without an answer before its row is refused."""


@dataclass(frozen=True)
class OpenJob:
    """A job that is not collected yet. `remote` is None where the provider's id was not written down: a kill came first."""

    label: str
    converter: str
    remote: str | None
    worst: float
    created: int
    requests: int


@dataclass(frozen=True)
class Standing:
    """How one request stands that has no answer."""

    waiting: bool
    failure: str
    given_up: bool


class JobBook:
    """The jobs of one run."""

    def __init__(self, ledger: Ledger, run: str) -> None:
        self.ledger, self.run = ledger, run
        self.execute = ledger.database.execute

    def open_jobs(self) -> list[OpenJob]:
        """Jobs that are submitted, or may be."""
        rows = self.execute(
            "SELECT job, converter, remote, worst, created,"
            " (SELECT count(*) FROM job_requests r WHERE r.run = j.run AND r.job = j.job)"
            " FROM jobs j WHERE run = ? AND state = 'open' ORDER BY created, job",
            (self.run,),
        )
        return [OpenJob(*row) for row in rows]

    def holds(self, label: str, custom_id: str) -> bool:
        """Whether a job has this request."""
        row = (self.run, bytes.fromhex(custom_id), label)
        return bool(self.execute("SELECT 1 FROM job_requests WHERE run = ? AND key = ? AND job = ?", row).fetchone())

    def standing(self, keys: Sequence[bytes]) -> dict[bytes, Standing]:
        """How these requests stand; those that were never in a job are left out."""
        found: dict[bytes, Standing] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            query = (
                f"SELECT key, job, attempts, failure FROM job_requests WHERE run = ? AND key IN ({','.join('?' * len(some))})"
            )
            for key, job, attempts, failure in self.execute(query, (self.run, *some)):
                found[key] = Standing(bool(job), failure or "", not job and attempts >= ATTEMPTS)
        return found

    def begin(self, label: str, converter: str, keys: Sequence[bytes], worst: float) -> None:
        """Write a job down before it is submitted."""
        with self.ledger.transaction():
            self.execute(
                "INSERT INTO jobs VALUES (?,?,?,NULL,'open',?,?)", (label, self.run, converter, worst, int(time.time()))
            )
            for key in keys:
                self.execute(
                    "INSERT INTO job_requests VALUES (?,?,?,1,NULL)"
                    " ON CONFLICT DO UPDATE SET job = excluded.job, attempts = attempts + 1",
                    (self.run, key, label),
                )

    def submitted(self, label: str, remote: str) -> None:
        """Write the provider's id down."""
        with self.ledger.transaction():
            self.execute("UPDATE jobs SET remote = ? WHERE job = ?", (remote, label))

    def answered(self, label: str, answers: Iterable[Answer]) -> float:
        """Put answers into the ledger, each once however often its job is read. Returns the dollars they cost."""
        dollars = 0.0
        with self.ledger.transaction():
            for answer in answers:
                mine = self.execute(
                    "DELETE FROM job_requests WHERE run = ? AND key = ? AND job = ?", (self.run, answer.key, label)
                )
                if mine.rowcount:
                    self.ledger.put_within(answer, "batch")
                    dollars += answer.usd
        return dollars

    def failed(self, label: str, key: bytes, failure: str, again: bool) -> None:
        """A request of a job got no answer."""
        attempts = "attempts" if again else str(ATTEMPTS)
        with self.ledger.transaction():
            self.execute(
                f"UPDATE job_requests SET job = '', failure = ?, attempts = {attempts} WHERE run = ? AND key = ? AND job = ?",
                (failure[:300], self.run, key, label),
            )

    def close(self, label: str, failure: str, counts: bool = True) -> None:
        """A job is over. Requests of it that are still without an answer may be submitted again."""
        with self.ledger.transaction():
            tries = "attempts" if counts else "attempts - 1"
            values: tuple[Any, ...] = (failure[:300], self.run, label)
            self.execute(f"UPDATE job_requests SET job = '', failure = ?, attempts = {tries} WHERE run = ? AND job = ?", values)
            self.execute("UPDATE jobs SET state = 'closed' WHERE job = ?", (label,))
