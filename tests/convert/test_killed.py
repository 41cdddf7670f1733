"""`kill -9` at random moments of one paid conversion: the bytes of an undisturbed run, and nothing that was safe paid twice."""

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinygsm_kit.convert.ledger import Ledger, ledger_path
from tinygsm_kit.testing import MockServer

SCRIPT = """
import sys
from pathlib import Path
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.stage import convert
from tinygsm_kit.progress import Silent
convert(Path(sys.argv[1]), Path(sys.argv[2]), converter="openai", options=dict(base_url=sys.argv[3]),
        host=HostOptions(max_in_flight=64, budget_usd=100), seed=0, workers=1, progress=Silent())
"""
KILLS, IN_FLIGHT = 10, 64
CREW = IN_FLIGHT + IN_FLIGHT // 4
"""Requests that may be on their way, or answered and not yet on disk, at any moment."""


def kept() -> int:
    """Answers that are safe."""
    Ledger(ledger_path()).close()
    with sqlite3.connect(ledger_path()) as database:
        return database.execute("SELECT count(*) FROM answers").fetchone()[0]


@pytest.mark.slow
def test_ten_kills_cost_only_what_was_in_flight(sample, run, tmp_path: Path, contents):
    source = sample(2000, 2000, 1000)
    moments = random.Random(7)
    lost: list[int] = []
    with MockServer(latency=0.1, usage=(100, 100)) as server:
        command = [sys.executable, "-c", SCRIPT, str(source), str(tmp_path / "out"), server.url]
        while len(lost) < KILLS:
            process = subprocess.Popen(command)
            before, safe = len(server.received), kept()
            while len(server.received) < before + 20:
                time.sleep(0.01)
            time.sleep(moments.uniform(0.0, 1.0))
            process.kill()
            assert process.wait(60) == -9
            while server.in_flight:
                time.sleep(0.01)
            lost.append(len(server.received) - before - (kept() - safe))
        before, safe = len(server.received), kept()
        subprocess.run(command, timeout=300, check=True)
        assert max(lost) <= CREW
        assert len(server.received) - before == 5000 - safe
        assert len(server.arrivals) == 5000
        assert len(server.received) == 5000 + sum(lost)  # nothing that was safe was asked again
    with MockServer(latency=0.0, usage=(100, 100)) as server:
        monkey = pytest.MonkeyPatch()
        monkey.setenv("TINYGSM_KIT_CACHE", str(tmp_path / "fresh"))
        run(source, tmp_path / "undisturbed", {"base_url": server.url}, budget_usd=100)
        monkey.undo()
    assert contents(tmp_path / "out") == contents(tmp_path / "undisturbed")
