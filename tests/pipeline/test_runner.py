"""One stage: skipped when done, gone on with when killed, begun anew when what it rests on changed."""

import errno
import json
import os
from pathlib import Path

import pytest

from tinygsm_kit.errors import KitError
from tinygsm_kit.parts import SOLUTION_COLUMNS, count_rows, part_path, part_paths, write_part
from tinygsm_kit.pipeline.runner import Rows, Runner, Settings, StageError
from tinygsm_kit.records import Counts


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())["stages"]


class Work:
    """Writes a file and counts its calls."""

    def __init__(self, folder, error=None):
        self.folder, self.error, self.calls, self.found = folder, error, 0, []

    def __call__(self):
        self.calls += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        self.found.append(sorted(path.name for path in self.folder.iterdir()))
        (self.folder / f"part-{self.calls}").touch()
        if self.error:
            raise self.error
        return Counts(3, 2, {"false_equation": 1}, {"note": "x"})


def test_a_done_stage_is_not_run_again(tmp_path):
    work = Work(tmp_path / "convert")
    for _ in range(2):
        Runner(tmp_path, Settings()).stage("convert", Rows("convert", "mark"), work)
    assert work.calls == 1
    entry = manifest(tmp_path)["convert"]
    assert (entry["done"], entry["rows_in"], entry["rows_out"], entry["rejected"]) == (True, 3, 2, {"false_equation": 1})
    assert entry["extra"] == {"note": "x"}


def test_a_changed_fingerprint_begins_anew(tmp_path):
    work = Work(tmp_path / "convert")
    for mark in ("one", "two"):
        Runner(tmp_path, Settings()).stage("convert", Rows("convert", mark), work)
    assert work.found == [[], []]
    assert manifest(tmp_path)["convert"]["fingerprint"] == "two"


def test_a_stage_that_failed_keeps_its_parts_and_says_how_to_go_on(tmp_path):
    work = Work(tmp_path / "convert", KitError("no more money"))
    said = r"stage convert failed: no more money\nWhat was done is kept in .*the same command goes on"
    with pytest.raises(StageError, match=said):
        Runner(tmp_path, Settings()).stage("convert", Rows("convert", "mark"), work)
    assert manifest(tmp_path)["convert"]["done"] is False
    work.error = None
    Runner(tmp_path, Settings()).stage("convert", Rows("convert", "mark"), work)
    assert work.found == [[], ["part-1"]]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here, which is always full")
def test_a_full_disk_is_an_error_that_says_what_was_kept(tmp_path):
    """The second part is written to a disk without room: really, through the file that stands for one."""
    folder = tmp_path / "convert"
    rows = [{"problem_id": "0", "steps": ["7 × 8 = 56"], "answer": "56", "converter": "trace", "version": "1"}]

    def work():
        folder.mkdir(exist_ok=True)
        write_part(part_path(folder, 0), rows, SOLUTION_COLUMNS)
        (folder / f".part-00001.parquet.{os.getpid()}.tmp").symlink_to("/dev/full")
        write_part(part_path(folder, 1), rows, SOLUTION_COLUMNS)

    with pytest.raises(
        StageError, match=r"stage convert failed: no space is left on the disk of .*convert: make room"
    ) as error:
        Runner(tmp_path, Settings()).stage("convert", Rows("convert", "mark"), work)
    assert f"What was done is kept in {tmp_path}; the same command goes on." in str(error.value)
    assert [path.name for path in folder.iterdir()] == ["part-00000.parquet"]
    assert count_rows(part_paths(folder)) == 1
    assert manifest(tmp_path)["convert"]["done"] is False


def test_a_manifest_that_finds_no_room_hides_no_error(tmp_path, monkeypatch):
    runner = Runner(tmp_path, Settings())

    def work():
        monkeypatch.setattr("tinygsm_kit.manifest.write_text", full)
        full()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StageError, match="no space is left on the disk"):
        runner.stage("convert", Rows("convert", "mark"), work)
    assert "convert" in manifest(tmp_path)


def test_a_stage_whose_folder_was_deleted_is_run_again(tmp_path):
    work = Work(tmp_path / "convert")
    Runner(tmp_path, Settings()).stage("convert", Rows("convert", "mark"), work)
    (tmp_path / "convert" / "part-1").unlink()
    (tmp_path / "convert").rmdir()
    Runner(tmp_path, Settings()).stage("convert", Rows("convert", "mark"), work)
    assert work.calls == 2


def test_a_model_of_another_fingerprint_is_moved_and_not_deleted(tmp_path):
    work = Work(tmp_path / "models" / "plain")
    for mark in ("one", "two"):
        Runner(tmp_path, Settings()).stage("train/plain", Rows("models/plain", mark), work)
    assert (tmp_path / "superseded" / "plain-one" / "part-1").exists()
    assert work.found == [[], []]


def test_redo_repeats_a_stage_and_all_that_rest_on_it(tmp_path):
    runner = Runner(tmp_path, Settings())
    for name in ("sample", "convert", "inject/plain", "train/plain"):
        runner.stage(name, Rows(name, "mark"), Work(tmp_path / name))
    again = Runner(tmp_path, Settings(redo="inject"))
    again.forget_redone()
    assert sorted(manifest(tmp_path)) == ["convert", "sample"]
