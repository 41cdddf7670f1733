"""Paid conversion against a real HTTP server that misbehaves: nothing asked twice, no lie let through, no budget broken."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tinygsm_kit.convert.assembly import ConvertError
from tinygsm_kit.convert.ledger import Ledger, ledger_path
from tinygsm_kit.convert.money import BudgetError, PriceError
from tinygsm_kit.maths.equations import first_false
from tinygsm_kit.parts import part_path, part_paths, read_rows
from tinygsm_kit.testing import Faults, MockServer, Received

FAULTS = Faults(rate_limit=0.02, error=0.01, drop=0.01, truncated=0.01, malformed=0.02, wrong=0.03, refusal=0.01)


def test_rows_come_back_in_order_with_who_made_them(sample, run, tmp_path: Path):
    with MockServer(latency=lambda request: 0.03 if request.number % 7 == 0 else 0.0) as server:
        counts = run(sample(60, 25), tmp_path / "out", {"base_url": server.url}, max_in_flight=16)
    assert (counts.rows_in, counts.rows_out, counts.rejected) == (85, 85, {})
    rows = list(read_rows(part_paths(tmp_path / "out")))
    assert [row["problem_id"] for row in rows] == [f"{number:016x}" for number in range(85)]
    assert [row["answer"] for row in rows] == [str(number + 60) for number in range(85)]
    assert {(row["converter"], row["version"]) for row in rows} == {("openai", "1/gpt-5-nano/prompt-1")}
    assert server.sent_twice() == {}
    assert server.most_in_flight <= 16
    used = server.billed()
    assert (counts.extra["requests"], counts.extra["input_tokens"], counts.extra["output_tokens"]) == (85, *used)
    assert counts.extra["usd"] == pytest.approx(used[0] * 0.05e-6 + used[1] * 0.4e-6, abs=1e-6)


def test_every_fault_ends_in_a_conversion_or_a_reason_and_only_the_retried_go_twice(sample, run, tmp_path: Path):
    with MockServer(faults=FAULTS, seed=3) as server:
        counts = run(sample(700, 300), tmp_path / "out", {"base_url": server.url}, max_in_flight=32)
    assert counts.rows_in == 1000
    assert counts.rows_out + sum(counts.rejected.values()) == 1000
    assert set(counts.rejected) <= {"refusal", "false_equation", "malformed_answer"}
    assert counts.rows_out > 970
    for row in read_rows(part_paths(tmp_path / "out")):
        assert first_false("\n".join(row["steps"])) is None
    retried = {"rate_limit", "error", "drop", "truncated"}
    for outcomes in server.sent_twice().values():
        assert set(outcomes[:-1]) <= retried
        assert outcomes[-1] not in retried
    seen = Counter(request.outcome for request in server.received)
    assert all(seen[fault] for fault in ("rate_limit", "error", "drop", "truncated", "malformed", "wrong", "refusal"))


def test_what_the_ledger_has_is_never_asked_again_by_any_run(sample, run, tmp_path: Path, contents):
    source = sample(120)
    with MockServer(faults=Faults(wrong=0.2), seed=1) as server:
        run(source, tmp_path / "a", {"base_url": server.url})
        asked = len(server.received)
        counts = run(source, tmp_path / "b", {"base_url": server.url})
        assert len(server.received) == asked > 120
        assert counts.extra["usd"] == 0
        run(source, tmp_path / "c", {"base_url": server.url, "temperature": 0.5})
        assert len(server.received) > asked
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_equal_requests_under_way_are_asked_once(run, tmp_path: Path, sample):
    from tinygsm_kit.parts import PROBLEM_COLUMNS, write_part

    (first,) = read_rows(part_paths(sample(1, folder="one")))
    twins = [{**first, "id": f"{number:016x}"} for number in range(300)]
    write_part(part_path(tmp_path / "twins", 0), twins, PROBLEM_COLUMNS)
    with MockServer(latency=0.02) as server:
        counts = run(tmp_path / "twins", tmp_path / "out", {"base_url": server.url})
    assert (counts.rows_out, len(server.received)) == (300, 1)


def test_a_slow_request_holds_up_its_own_part_alone(sample, run, tmp_path: Path):
    def latency(request: Received) -> float:
        return 1.5 if request.number == 0 else 0.0

    with MockServer(latency=latency) as server:
        run(sample(40, 40, 40), tmp_path / "out", {"base_url": server.url}, max_in_flight=4)
        ended = [request.ended for request in server.received]
    assert max(ended[1:]) < ended[0]
    written = {path.name: path.stat().st_mtime for path in part_paths(tmp_path / "out")}
    assert written["part-00001.parquet"] < written["part-00000.parquet"]


def test_repair_names_the_failing_line_and_happens_once(sample, run, tmp_path: Path):
    with MockServer(script=lambda request: "wrong" if request.number == 0 else None) as server:
        counts = run(sample(1), tmp_path / "out", {"base_url": server.url})
    first, second = server.received
    turns = second.body["input"]
    assert turns[: len(first.body["input"])] == first.body["input"]
    assert [turn["role"] for turn in turns[-2:]] == ["assistant", "user"]
    assert "3 × 4 = 13" in turns[-1]["content"]
    assert counts.rows_out == 1
    with MockServer(script=lambda request: "wrong") as server:
        counts = run(sample(1), tmp_path / "again", {"base_url": server.url})
    assert (counts.rejected, len(server.received)) == ({"false_equation": 1}, 2)
    with MockServer(script=lambda request: "wrong") as server:
        counts = run(sample(1), tmp_path / "never", {"base_url": server.url, "temperature": 0}, repair=False)
    assert (counts.rejected, len(server.received)) == ({"false_equation": 1}, 1)


def test_fallback_takes_what_the_model_gets_wrong(sample, run, tmp_path: Path):
    with MockServer(faults=Faults(refusal=0.5)) as server:
        counts = run(sample(60), tmp_path / "out", {"base_url": server.url}, fallback="trace")
    refused = sum(request.outcome == "refusal" for request in server.received)
    assert counts.extra["by_converter"] == {"openai": 60 - refused, "trace": refused}
    assert refused > 10


def test_a_program_that_does_not_run_costs_nothing(run, tmp_path: Path, sample):
    from tinygsm_kit.parts import PROBLEM_COLUMNS, write_part

    (row,) = read_rows(part_paths(sample(1, folder="one")))
    rows = [{**row, "answer": None}, {**row, "id": "f" * 16, "answer": None, "program": "def f():\n    return 1 / 0"}]
    write_part(part_path(tmp_path / "raw", 0), rows, PROBLEM_COLUMNS)
    with MockServer() as server:
        counts = run(tmp_path / "raw", tmp_path / "out", {"base_url": server.url})
    assert (counts.rows_out, sum(counts.rejected.values()), len(server.received)) == (1, 1, 1)


def test_the_budget_is_never_exceeded_by_the_servers_own_count(sample, run, tmp_path: Path):
    price = {"gpt-5-nano": {"input": 1.0, "output": 10.0}}
    options = {"max_output_tokens": 100}
    source = sample(2500)
    with MockServer(usage=(1000, 100), latency=0.02, faults=Faults(drop=0.03, truncated=0.02, error=0.02)) as server:
        with pytest.raises(BudgetError, match=r"Raise convert\.budget_usd"):
            run(source, tmp_path / "out", {**options, "base_url": server.url}, budget_usd=1.0, prices=price, max_in_flight=512)
        tokens = server.billed()
        spent = tokens[0] * 1e-6 + tokens[1] * 10e-6
        assert 0.9 < spent <= 1.0
        asked = len(server.received)
        with pytest.raises(BudgetError):  # what was spent is remembered, and what was paid for is not asked again
            run(source, tmp_path / "out", {**options, "base_url": server.url}, budget_usd=1.0, prices=price)
        assert len(server.received) == asked
        run(source, tmp_path / "out", {**options, "base_url": server.url}, budget_usd=100, prices=price, max_in_flight=256)
        good = Counter(request.digest for request in server.received if request.outcome == "ok")
    assert set(good.values()) == {1}
    assert len(good) == 2500


def test_what_was_in_flight_at_a_kill_counts_against_the_budget(sample, run, tmp_path: Path):
    source = sample(4)
    run(source, tmp_path / "out", {"output_tokens": 10}, converter="mock")
    name = (tmp_path / "out" / ".run").read_text()
    ledger = Ledger(ledger_path())
    ledger.set_at_risk(name, 9.9999)
    ledger.close()
    part_path(tmp_path / "out", 0).unlink()
    with pytest.raises(BudgetError):
        run(source, tmp_path / "out", {"output_tokens": 1_000_000, "seed": 5}, converter="mock", budget_usd=10.0)


def test_an_unknown_price_is_an_error_unless_there_is_no_budget(sample, run, tmp_path: Path):
    source = sample(2)
    with MockServer() as server:
        with pytest.raises(PriceError, match=r"no price is known for model 'gpt-5-nan0' \(did you mean 'gpt-5-nano'\?\)"):
            run(source, tmp_path / "out", {"model": "gpt-5-nan0", "base_url": server.url})
        assert server.received == []
        counts = run(source, tmp_path / "out", {"model": "gpt-5-nan0", "base_url": server.url}, budget_usd=None)
    assert (counts.rows_out, counts.extra["usd"]) == (2, 0)


def test_a_refused_key_stops_the_run_at_once_and_is_not_shown(sample, run, tmp_path: Path, api_key: str):
    with MockServer(key="sk-another-key-entirely") as server:
        with pytest.raises(ConvertError, match="refuses every request") as error:
            run(sample(500), tmp_path / "out", {"base_url": server.url}, max_in_flight=8)
        assert len(server.received) <= 8
    assert api_key not in str(error.value)


def test_a_dead_server_stops_the_run_instead_of_rejecting_everything(sample, run, tmp_path: Path):
    with pytest.raises(ConvertError, match="20 rows in a row got no answer"):
        run(sample(200), tmp_path / "out", {"base_url": "http://127.0.0.1:9/v1"}, retries=1, max_in_flight=32, budget_usd=None,
            prices={})  # fmt: skip
    assert part_paths(tmp_path / "out") == []


def test_interrupted_lets_requests_in_flight_finish(sample, tmp_path: Path):
    source = sample(400)
    with MockServer(latency=0.3) as server:
        script = f"""
import os, signal, threading
from pathlib import Path
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.stage import convert
from tinygsm_kit.progress import Silent
threading.Timer(3.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    convert(Path({str(source)!r}), Path({str(tmp_path / "out")!r}), converter="openai", options=dict(base_url={server.url!r}),
            host=HostOptions(max_in_flight=10), seed=0, workers=1, progress=Silent())
except KeyboardInterrupt:
    print("interrupted")
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
        assert done.stdout == "interrupted\n", done.stderr
        assert 0 < len(server.received) < 400
        ledger = Ledger(ledger_path())
        kept = ledger.database.execute("SELECT count(*), sum(usd) FROM answers").fetchone()
        lost = ledger.database.execute("SELECT count(*) FROM spend WHERE kind = 'lost'").fetchone()
        ledger.close()
    assert kept[0] == len(server.received)
    assert lost == (0,)
