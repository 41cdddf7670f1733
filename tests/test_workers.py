"""The jobs live in a module of their own: a spawned worker has to import them by name."""

import importlib
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain

import pytest

from tinygsm_kit.workers import WorkersError, in_chunks, map_chunks

JOBS = """
import os, signal, time

def squares(rows):
    return [row * row for row in rows]

def pids(rows):
    return [os.getpid() for row in rows]

def squares_but_one_dies(rows):
    if 13 in rows:
        os.kill(os.getpid(), signal.SIGKILL)
    return squares(rows)

def squares_but_one_hangs(rows):
    if 13 in rows:
        time.sleep(600)
    return squares(rows)

def raises(rows):
    raise ZeroDivisionError("row 7")

def slow_first(rows):
    if 0 in rows:
        time.sleep(0.5)
    return squares(rows)
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    (tmp_path / "kit_worker_jobs.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("kit_worker_jobs")
    sys.modules.pop("kit_worker_jobs")


def named(row, reason):
    return (row, reason)


def test_in_chunks_leaves_the_rest_last():
    assert list(in_chunks(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(in_chunks([], 3)) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(jobs, workers):
    got = list(map_chunks(jobs.slow_first, in_chunks(range(50), 7), workers, 30, named))
    assert [len(chunk) for chunk in got] == [7] * 7 + [1]
    assert list(chain(*got)) == [row * row for row in range(50)]


def test_one_worker_is_this_process_and_two_are_not(jobs):
    assert next(map_chunks(jobs.pids, [[1]], 1, 30, named)) == [os.getpid()]
    assert next(map_chunks(jobs.pids, [[1]], 2, 30, named)) != [os.getpid()]


def test_only_the_row_that_kills_its_worker_is_lost(jobs):
    got = list(chain(*map_chunks(jobs.squares_but_one_dies, in_chunks(range(30), 5), 2, 30, named)))
    assert got == [row * row if row != 13 else (13, "crashed") for row in range(30)]


def test_only_the_row_that_hangs_is_lost(jobs):
    got = list(chain(*map_chunks(jobs.squares_but_one_hangs, in_chunks(range(20), 5), 2, 1, named)))
    assert got == [row * row if row != 13 else (13, "timeout") for row in range(20)]


def test_workers_killed_from_outside_are_replaced(jobs):
    results = map_chunks(jobs.squares, in_chunks(range(60), 2), 2, 30, named)
    got = [next(results)]
    for worker in multiprocessing.active_children():
        worker.kill()
    got.extend(results)
    assert list(chain(*got)) == [row * row for row in range(60)]
    assert not multiprocessing.active_children()


def test_an_exception_in_the_function_is_raised_here(jobs):
    with pytest.raises(ZeroDivisionError, match="row 7"):
        list(map_chunks(jobs.raises, [[7]], 2, 30, named))


def test_the_rows_are_drawn_as_they_are_needed(jobs):
    drawn = 0

    def endless() -> Iterator[list[int]]:
        nonlocal drawn
        while True:
            drawn += 1
            yield [drawn]

    results = map_chunks(jobs.squares, endless(), 2, 30, named)
    assert [next(results) for _ in range(10)] == [[n * n] for n in range(1, 11)]
    assert drawn <= 10 + 2 * 3
    results.close()


def test_a_script_without_a_main_guard_is_told_so(tmp_path):
    (tmp_path / "kit_worker_jobs.py").write_text(JOBS)
    script = tmp_path / "script.py"
    script.write_text(
        "import kit_worker_jobs\nfrom tinygsm_kit.workers import map_chunks\n"
        "print(list(map_chunks(kit_worker_jobs.squares, [[1]], 2, 30, None)))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert WorkersError.__name__ in done.stderr
    assert "if __name__" in done.stderr
