"""The convert stage with converters that compute here: parts, rejections, resume, and rows that misbehave."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinygsm_kit.convert.assembly import ConvertError
from tinygsm_kit.convert.options import HostOptions
from tinygsm_kit.convert.stage import convert, identity
from tinygsm_kit.hookspecs import hookimpl
from tinygsm_kit.parts import PROBLEM_COLUMNS, part_path, read_rows, write_part
from tinygsm_kit.progress import Silent
from tinygsm_kit.testing import installed

CONVERTERS = '''
import os, signal, time
from tinygsm_kit.interfaces import Options
from tinygsm_kit.records import Rejection, Solution


class Adder:
    """Adds the two numbers of the question; misbehaves where the question says so."""

    Options = Options
    version = "1"

    def __init__(self, options):
        self.options = options

    def convert(self, problem):
        word, a, b = problem.question.split()
        if word == "raise":
            raise ValueError("no idea")
        if word == "refuse":
            return Rejection(problem.id, "convert", "unspeakable", word)
        if word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "hang":
            time.sleep(600)
        total = int(a) + int(b)
        shown = total + 1 if word == "lie" else total
        return Solution(problem.id, (f"{a} + {b} = {shown}.",), str(total), "adder", "1")


class Patient(Adder):
    """Says no equation at all."""

    def convert(self, problem):
        word, a, b = problem.question.split()
        return Solution(problem.id, ("Count on.",), str(int(a) + int(b)), "patient", "1")
'''


@pytest.fixture(autouse=True)
def _converters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "stage_converters.py").write_text(CONVERTERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("stage_converters")

    class Plugin:
        @hookimpl
        def register_converters(self, register):
            register("adder", module.Adder)
            register("patient", module.Patient)

    with installed(Plugin()):
        yield
    sys.modules.pop("stage_converters", None)


def sample(folder: Path, parts: list[list[str]]) -> Path:
    number = 0
    for index, words in enumerate(parts):
        rows = []
        for word in words:
            number += 1
            program = f"def f():\n    return {number} + 5"
            rows.append({"id": f"{number:016x}", "question": f"{word} {number} 5", "program": program,
                         "answer": str(number + 5), "difficulty": 1, "source": "test"})  # fmt: skip
        write_part(part_path(folder, index), rows, PROBLEM_COLUMNS)
    return folder


def run(source: Path, folder: Path, converter: str = "adder", workers: int = 1, **host: object):
    return convert(source, folder, converter=converter, options={}, host=HostOptions(**host), seed=0,
                   workers=workers, progress=Silent())  # fmt: skip


def test_every_row_ends_in_its_part_or_beside_it_with_its_reason(tmp_path: Path):
    source = sample(tmp_path / "sample", [["add", "lie", "refuse"], ["raise", "add"]])
    counts = run(source, tmp_path / "out")
    assert (counts.rows_in, counts.rows_out) == (5, 2)
    assert counts.rejected == {"false_equation": 1, "unspeakable": 1, "converter_error": 1}
    assert counts.extra == {"by_converter": {"adder": 2}}
    assert list(read_rows(part_path(tmp_path / "out", 0))) == [
        {"problem_id": "0000000000000001", "steps": ["1 + 5 = 6."], "answer": "6", "converter": "adder", "version": "1"}
    ]
    rejected = list(read_rows(part_path(tmp_path / "out", 0, "rejected")))
    assert [(row["problem_id"][-1], row["stage"], row["reason"]) for row in rejected] == [
        ("2", "convert", "false_equation"), ("3", "convert", "unspeakable"),
    ]  # fmt: skip
    assert [row["detail"] for row in read_rows(part_path(tmp_path / "out", 1, "rejected"))] == ["ValueError: no idea"]


def test_workers_give_the_same_bytes_and_survive_rows_that_kill_or_hang(tmp_path: Path):
    words = ["add"] * 40
    words[7], words[21] = "die", "hang"
    source = sample(tmp_path / "sample", [words, ["add"] * 10])
    counts = run(source, tmp_path / "two", workers=2, chunk_rows=8, chunk_timeout=6)
    assert counts.rejected == {"worker_crashed": 1, "worker_timeout": 1}
    well = sample(tmp_path / "well", [["add", "lie"] * 30, ["refuse", "add"]])
    run(well, tmp_path / "a", workers=1)
    run(well, tmp_path / "b", workers=2, chunk_rows=7)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


def test_goes_on_from_whole_parts(tmp_path: Path):
    source = sample(tmp_path / "sample", [["add", "lie"], ["add", "add"], ["refuse", "add"]])
    whole = run(source, tmp_path / "whole")
    out = tmp_path / "killed"
    run(source, out)
    part_path(out, 1).unlink()  # killed after its rejected part was renamed, before the part was
    (out / ".part-00002.parquet.4242.tmp").write_bytes(b"half")
    untouched = part_path(out, 2).stat().st_mtime_ns
    assert run(source, out) == whole
    assert contents(out) == contents(tmp_path / "whole")
    assert part_path(out, 2).stat().st_mtime_ns == untouched
    assert not list(out.glob(".*"))


def test_fallback_takes_what_the_converter_cannot(tmp_path: Path):
    source = sample(tmp_path / "sample", [["add", "refuse", "lie", "raise"]])
    counts = run(source, tmp_path / "out", fallback="patient")
    assert counts.extra == {"by_converter": {"adder": 1, "patient": 3}}
    assert counts.rejected == {}


def test_a_row_that_all_refuse_says_who_said_what(tmp_path: Path):
    source = sample(tmp_path / "sample", [["refuse", "add"]])
    run(source, tmp_path / "out", fallback={"use": "adder"})
    (row,) = read_rows(part_path(tmp_path / "out", 0, "rejected"))
    assert (row["reason"], row["detail"]) == ("unspeakable", "refuse (before that: adder: unspeakable)")


def test_a_converter_that_always_raises_fails_the_stage(tmp_path: Path):
    source = sample(tmp_path / "sample", [["raise", "raise"]])
    with pytest.raises(ConvertError, match="raised on every one of 2 rows"):
        run(source, tmp_path / "out")


def test_no_parts_is_an_error_that_says_what_to_do(tmp_path: Path):
    with pytest.raises(ConvertError, match="run the sample stage"):
        run(tmp_path, tmp_path / "out")


def test_identity_knows_what_the_output_depends_on():
    plain = identity("adder", {}, HostOptions(), seed=1)
    assert plain == identity("adder", {}, HostOptions(max_in_flight=9, budget_usd=None, executor="ray"), seed=2)
    assert plain != identity("adder", {}, HostOptions(fallback="patient"), seed=1)
    assert plain["links"][0] == {"use": "adder", "version": "1", "options": {}}
