"""Batch jobs: cut to size, found again after a kill, collected once, partial failures submitted again alone."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tinygsm_kit.convert.assembly import ConvertError
from tinygsm_kit.convert.batch import BatchPending
from tinygsm_kit.convert.ledger import Ledger, ledger_path
from tinygsm_kit.convert.money import BudgetError
from tinygsm_kit.parts import part_paths, read_rows
from tinygsm_kit.testing import Faults, MockServer

BATCH = {"mode": "batch", "poll_seconds": 0.05}


def test_a_batch_gives_the_same_bytes_as_single_requests_at_half_the_price(sample, run, tmp_path: Path, contents, monkeypatch):
    source = sample(30, 20)
    with MockServer(faults=Faults(wrong=0.2), usage=(1000, 100)) as server:
        jobs = run(source, tmp_path / "jobs", {"base_url": server.url}, **BATCH)
        assert server.received == []
        asked = len(server.batches.lines)
        monkeypatch.setenv("TINYGSM_KIT_CACHE", str(tmp_path / "fresh"))
        server.arrivals.clear()
        single = run(source, tmp_path / "single", {"base_url": server.url})
    assert contents(tmp_path / "jobs") == contents(tmp_path / "single")
    assert jobs.rejected == single.rejected
    assert asked == jobs.extra["requests"] > 50
    assert jobs.extra["usd"] == pytest.approx(asked * (1000 * 0.05e-6 + 100 * 0.4e-6) / 2, abs=1e-6)
    assert single.extra["usd"] == pytest.approx(2 * jobs.extra["usd"], abs=1e-6)
    assert list((tmp_path / "jobs" / "jobs").iterdir()) == []


def test_jobs_are_cut_to_size_and_what_expires_or_fails_is_submitted_again_alone(sample, run, tmp_path: Path):
    with MockServer(faults=Faults(error=0.1, wrong=0.1), expire=(1,)) as server:
        counts = run(sample(70, 30), tmp_path / "out", {"base_url": server.url}, batch_rows=40, **BATCH)
        lines = server.batches.lines
    assert (counts.rows_in, counts.rows_out + sum(counts.rejected.values())) == (100, 100)
    assert counts.rows_out > 90
    sizes = Counter(job for job, _, _ in lines)
    assert list(sizes.values())[:3] == [40, 40, 20]
    outcomes: dict[str, list[str]] = {}
    for _, name, outcome in lines:
        outcomes.setdefault(name, []).append(outcome)
    assert all(set(seen[:-1]) <= {"error", "expired"} for seen in outcomes.values())
    assert sum("expired" in seen for seen in outcomes.values()) == 20


def test_a_request_that_always_fails_is_refused_in_the_end_and_may_fall_back(sample, run, tmp_path: Path):
    with MockServer(faults=Faults(error=1.0)) as server:
        counts = run(sample(5), tmp_path / "out", {"base_url": server.url}, **BATCH)
        assert counts.rejected == {"batch_failed": 5}
        assert len(server.batches.lines) == 15
        counts = run(sample(5), tmp_path / "fall", {"base_url": server.url}, fallback="trace", **BATCH)
    assert counts.extra["by_converter"] == {"trace": 5}


def test_detach_and_come_back(sample, run, tmp_path: Path):
    source = sample(25)
    with MockServer(batch_seconds=4.0) as server:
        with pytest.raises(BatchPending, match="25 requests are under way in 3 batch jobs"):
            run(source, tmp_path / "out", {"base_url": server.url}, detach=True, batch_rows=10, **BATCH)
        with pytest.raises(BatchPending):
            run(source, tmp_path / "out", {"base_url": server.url}, detach=True, batch_rows=10, **BATCH)
        with pytest.raises(ConvertError, match="3 batch jobs of this run are not collected yet"):
            run(source, tmp_path / "out", {"base_url": server.url})
        counts = run(source, tmp_path / "out", {"base_url": server.url}, **BATCH)
        assert len(server.batches.jobs) == 3
    assert counts.rows_out == 25
    assert len(server.batches.lines) == 25


KILLED = """
import os, signal, sys
from pathlib import Path
from tinygsm_kit.convert import batch, batch_book
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.stage import convert
from tinygsm_kit.progress import Silent

where, calls = sys.argv[3], 0
def killing(method):
    def wrapped(self, *arguments, **named):
        global calls
        calls += 1
        if calls == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(self, *arguments, **named)
    return wrapped
setattr(batch_book.JobBook, where, killing(getattr(batch_book.JobBook, where)))
convert(Path(sys.argv[1]), Path(sys.argv[2]), converter="openai", options=dict(base_url=sys.argv[4]),
        host=HostOptions(mode="batch", poll_seconds=0.05, batch_rows=20), seed=0, workers=1, progress=Silent())
"""


@pytest.mark.parametrize("where", ["begin", "submitted", "answered", "close"])
def test_killed_anywhere_a_new_process_goes_on_and_all_rows_are_there_once(where: str, sample, run, tmp_path: Path):
    source = sample(60)
    with MockServer(expire=(1,)) as server:
        command = [sys.executable, "-c", KILLED, str(source), str(tmp_path / "out"), where, server.url]
        assert subprocess.run(command, timeout=60, check=False).returncode == -9
        counts = run(source, tmp_path / "out", {"base_url": server.url}, batch_rows=20, **BATCH)
        answered = Counter(name for _, name, outcome in server.batches.lines if outcome == "ok")
    assert counts.rows_out == 60
    assert [row["problem_id"] for row in read_rows(part_paths(tmp_path / "out"))] == [f"{n:016x}" for n in range(60)]
    assert len(answered) == 60
    assert set(answered.values()) == {1}
    ledger = Ledger(ledger_path())
    assert ledger.database.execute("SELECT count(*), sum(input) FROM answers").fetchone()[0] == 60
    assert ledger.database.execute("SELECT sum(requests) FROM spend").fetchone() == (60,)
    ledger.close()


def test_the_budget_bounds_what_is_submitted(sample, run, tmp_path: Path):
    prices = {"gpt-5-nano": {"input": 0, "output": 10.0}}
    options = {"max_output_tokens": 1000}
    with MockServer(usage=(0, 1000)) as server:  # every answer costs its worst case: half a cent
        with pytest.raises(BudgetError, match="does not pay for the next batch job"):
            run(sample(100), tmp_path / "out", {**options, "base_url": server.url}, budget_usd=0.2001, prices=prices, **BATCH)
        assert len(server.batches.lines) == 40


def test_a_converter_without_jobs_says_so(sample, run, tmp_path: Path):
    with pytest.raises(ConvertError, match="offers no batch jobs"):
        run(sample(3), tmp_path / "out", converter="mock", **BATCH)
