"""The ledger: durable before used, one answer for one request, and a memory for money."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tinygsm_kit.convert.ledger import Answer, Ledger, LedgerError, Spend, key_of, ledger_path
from tinygsm_kit.convert.ledger_thread import LedgerThread
from tinygsm_kit.records import Reply, Usage


def answer(number: int, text: str = "ok", usd: float = 0.5) -> Answer:
    reply = Reply({"text": text, "number": number}, Usage(10, 20, 3, 4))
    return Answer(key_of("openai", {"number": number}), "openai", "gpt", "run", reply, usd)


def test_the_key_is_of_everything_that_is_sent_and_of_nothing_else():
    assert key_of("openai", {"a": 1, "b": [2]}) == key_of("openai", {"b": [2], "a": 1})
    different = [
        ("openai", {"a": 1}),
        ("openai", {"a": 2}),
        ("openai", {"a": "1"}),
        ("other", {"a": 1}),
        ("openai", {"a": 1, "b": 0}),
    ]
    assert len({key_of(*each) for each in different}) == 5
    assert len(key_of("openai", {"broken": "\ud800"})) == 32


def test_what_is_put_is_found_with_its_usage(tmp_path: Path):
    ledger = Ledger(tmp_path / "ledger")
    ledger.put([answer(1), answer(2, "zwölf × 2 = 24")])
    ledger.close()
    again = Ledger(tmp_path / "ledger")
    found = again.find([answer(number).key for number in range(1000)])
    assert found == {answer(1).key: answer(1).reply, answer(2).key: answer(2, "zwölf × 2 = 24").reply}
    assert again.spent("run") == [Spend("run", "gpt", "answer", 2, Usage(20, 40, 6, 8), 1.0)]
    again.close()


def test_the_first_answer_stands_and_both_are_paid(tmp_path: Path):
    ledger = Ledger(tmp_path / "ledger")
    assert ledger.put([answer(1, "first")])[0].body["text"] == "first"
    assert ledger.put([answer(1, "second")])[0].body["text"] == "first"
    assert ledger.spent("run")[0].usd == 1.0
    ledger.close()


def test_what_was_at_risk_when_a_run_died_counts_as_lost_once(tmp_path: Path):
    ledger = Ledger(tmp_path / "ledger")
    ledger.begin_run("run", "label")
    ledger.set_at_risk("run", 0.25)
    ledger.begin_run("run", "label")
    ledger.begin_run("run", "label")
    assert ledger.spent("run") == [Spend("run", "", "lost", 0, Usage(), 0.25)]
    ledger.close()


def test_every_commit_is_synced_in_wal_mode(tmp_path: Path):
    ledger = Ledger(tmp_path / "ledger")
    assert ledger.database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ledger.database.execute("PRAGMA synchronous").fetchone() == (2,)
    ledger.close()


def test_a_ledger_of_a_newer_kit_and_one_that_cannot_be_opened_are_errors(tmp_path: Path):
    with sqlite3.connect(tmp_path / "ledger") as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="newer tinygsm-kit"):
        Ledger(tmp_path / "ledger")
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="TINYGSM_KIT_CACHE"):
        Ledger(tmp_path / "file" / "ledger")


def test_the_cache_folder_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("TINYGSM_KIT_CACHE", str(tmp_path))
    assert ledger_path() == tmp_path / "ledger.sqlite3"
    monkeypatch.delenv("TINYGSM_KIT_CACHE")
    assert ledger_path().parent.name == "tinygsm-kit"


def test_the_thread_returns_when_the_answer_is_on_disk(tmp_path: Path):
    async def go() -> int:
        thread = LedgerThread(tmp_path / "ledger")
        try:
            await asyncio.gather(*(thread.put(answer(number)) for number in range(300)))
            with sqlite3.connect(tmp_path / "ledger") as other:
                seen: int = other.execute("SELECT count(*) FROM answers").fetchone()[0]
            assert len(await thread.find([answer(number).key for number in range(400)])) == 300
            return seen
        finally:
            thread.close()

    assert asyncio.run(go()) == 300


def test_a_disk_that_cannot_be_written_is_an_error_and_not_a_hang(tmp_path: Path):
    async def go() -> None:
        thread = LedgerThread(tmp_path / "ledger")
        thread.ledger.database.execute("PRAGMA query_only = ON")
        try:
            with pytest.raises(LedgerError, match="cannot be written"):
                await thread.put(answer(1))
        finally:
            thread.close()

    asyncio.run(go())


WRITER = """
import asyncio, sys
from pathlib import Path
from tinygsm_kit.convert.ledger import Answer, key_of
from tinygsm_kit.convert.ledger_thread import LedgerThread
from tinygsm_kit.records import Reply, Usage

async def go():
    thread = LedgerThread(Path(sys.argv[1]))
    for number in range(10**9):
        await thread.put(Answer(key_of("openai", {"number": number}), "openai", "gpt", "run", Reply({"n": number}), 0.5))
        print(number, flush=True)

asyncio.run(go())
"""


def test_what_was_said_to_be_on_disk_is_there_after_a_kill(tmp_path: Path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "ledger")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
        said = 200 + len(process.stdout.readlines())
    ledger = Ledger(tmp_path / "ledger")
    kept = ledger.find([key_of("openai", {"number": number}) for number in range(said)])
    ledger.close()
    assert len(kept) == said
