"""The ledger: every paid answer, on disk before anyone uses it, for all runs of this user.

One SQLite file in WAL mode, every commit synced. Nothing in it says who asked: no key, no header.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinygsm_kit.convert.assembly import ConvertError
from tinygsm_kit.records import Reply, Usage

FILE = "ledger.sqlite3"
SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, converter TEXT NOT NULL, model TEXT NOT NULL, run TEXT NOT NULL, created INTEGER NOT NULL,
    body BLOB NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL, cached INTEGER NOT NULL, reasoning INTEGER NOT NULL,
    usd REAL NOT NULL);
CREATE TABLE IF NOT EXISTS spend (
    run TEXT NOT NULL, model TEXT NOT NULL, kind TEXT NOT NULL, requests INTEGER NOT NULL, input INTEGER NOT NULL,
    output INTEGER NOT NULL, cached INTEGER NOT NULL, reasoning INTEGER NOT NULL, usd REAL NOT NULL,
    PRIMARY KEY (run, model, kind)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, label TEXT NOT NULL, created INTEGER NOT NULL, at_risk REAL NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (
    job TEXT PRIMARY KEY, run TEXT NOT NULL, converter TEXT NOT NULL, remote TEXT, state TEXT NOT NULL, worst REAL NOT NULL,
    created INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job_requests (
    run TEXT NOT NULL, key BLOB NOT NULL, job TEXT NOT NULL, attempts INTEGER NOT NULL, failure TEXT,
    PRIMARY KEY (run, key)) WITHOUT ROWID;
"""


class LedgerError(ConvertError):
    """The ledger cannot be read or written."""


@dataclass(frozen=True)
class Answer:
    """One paid answer, ready for the ledger. `usd` is what it cost."""

    key: bytes
    converter: str
    model: str
    run: str
    reply: Reply
    usd: float


@dataclass(frozen=True)
class Spend:
    """What one run spent on one model. `kind` is `answer`, `batch`, or `lost`: requests that ended without an answer but
    may have been billed, counted at their worst case."""

    run: str
    model: str
    kind: str
    requests: int
    usage: Usage
    usd: float


def ledger_path() -> Path:
    """The user's ledger: in `TINYGSM_KIT_CACHE`, else in the platform's cache folder."""
    import platformdirs

    folder = os.environ.get("TINYGSM_KIT_CACHE")
    return (Path(folder) if folder else platformdirs.user_cache_path("tinygsm-kit")) / FILE


def key_of(converter: str, request: Mapping[str, Any]) -> bytes:
    """Hash of everything that is sent, and of who sends it."""
    text = json.dumps([converter, request], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class Ledger:
    """The SQLite file. Use one instance from one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.database = sqlite3.connect(path, timeout=60.0, isolation_level=None, check_same_thread=False)
            self.database.execute("PRAGMA journal_mode = WAL")
            self.database.execute("PRAGMA synchronous = FULL")
            version = self.database.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise LedgerError(f"{path} was written by a newer tinygsm-kit (format {version}): upgrade, or move it away")
            self.database.executescript(SCHEMA)
            self.database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"cannot open the ledger {path}: {error}. Set TINYGSM_KIT_CACHE to a writable folder") from error

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Reply]:
        """The answers that are known, by key."""
        found: dict[bytes, Reply] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, body, input, output, cached, reasoning FROM answers WHERE key IN ({marks})"
            for key, body, *usage in self.database.execute(query, some):
                found[key] = Reply(json.loads(zlib.decompress(body)), Usage(*usage))
        return found

    def put(self, answers: Iterable[Answer], kind: str = "answer") -> list[Reply]:
        """Write answers and what they cost in one durable transaction. Returns what the ledger now holds for each.

        Where another run was faster its answer stands, and the money is counted all the same.
        """
        stand: list[Reply] = []
        with self.transaction():
            for answer in answers:
                stand.append(self.put_within(answer, kind))
        return stand

    def put_within(self, answer: Answer, kind: str) -> Reply:
        """`put` of one answer inside a transaction of the caller's."""
        self.add_spend(Spend(answer.run, answer.model, kind, 1, answer.reply.usage, answer.usd))
        usage = answer.reply.usage
        body = zlib.compress(json.dumps(answer.reply.body, ensure_ascii=False, separators=(",", ":")).encode(), 1)
        row = (answer.key, answer.converter, answer.model, answer.run, int(time.time()), body,
               usage.input, usage.output, usage.cached, usage.reasoning, answer.usd)  # fmt: skip
        done = self.database.execute("INSERT OR IGNORE INTO answers VALUES (?,?,?,?,?,?,?,?,?,?,?)", row)
        return answer.reply if done.rowcount else self.find([answer.key])[answer.key]

    def add_spend(self, spend: Spend) -> None:
        """Add to what a run spent."""
        usage = spend.usage
        self.database.execute(
            "INSERT INTO spend VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,"
            " input = input + excluded.input, output = output + excluded.output, cached = cached + excluded.cached,"
            " reasoning = reasoning + excluded.reasoning, usd = usd + excluded.usd",
            (spend.run, spend.model, spend.kind, spend.requests, usage.input, usage.output, usage.cached, usage.reasoning,
             spend.usd),
        )  # fmt: skip

    def begin_run(self, run: str, label: str) -> None:
        """Open a run's account. What was in flight when it was last killed may have been billed: it counts as lost."""
        with self.transaction():
            row = (run, label, int(time.time()))
            self.database.execute("INSERT OR IGNORE INTO runs (run, label, created) VALUES (?,?,?)", row)
            (at_risk,) = self.database.execute("SELECT at_risk FROM runs WHERE run = ?", (run,)).fetchone()
            if at_risk > 0:
                self.add_spend(Spend(run, "", "lost", 0, Usage(), at_risk))
                self.set_at_risk(run, 0.0)

    def set_at_risk(self, run: str, dollars: float) -> None:
        """Note how much the requests in flight may cost at most, before they are sent."""
        self.database.execute("UPDATE runs SET at_risk = ? WHERE run = ?", (dollars, run))

    def spent(self, run: str) -> list[Spend]:
        """What a run spent, by model and kind."""
        rows = self.database.execute("SELECT * FROM spend WHERE run = ? ORDER BY model, kind", (run,))
        return [Spend(run, model, kind, requests, Usage(*usage), usd) for run, model, kind, requests, *usage, usd in rows]

    def transaction(self) -> _Transaction:
        """All or nothing, and on disk at the end."""
        return _Transaction(self.database)


class _Transaction:
    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database

    def __enter__(self) -> None:
        self.database.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.database.execute("COMMIT" if kind is None else "ROLLBACK")
