import gzip
import json
import pickle
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from tinygsm_kit.plugins import get
from tinygsm_kit.records import Problem, Rejection, problem_id
from tinygsm_kit.sources.errors import SourceError

CODE = "```python\ndef simple_math_problem() -> int:\n    total = 3 * 4\n    return total\n```"
CLEAN = "def simple_math_problem() -> int:\n    total = 3 * 4\n    return total"
ROW = {"question": "How many?", "code": CODE}


def write(path, *rows):
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8")
    return path


def read(**options):
    return list(get("source", "tinygsm", **options).problems())


def test_a_row_becomes_a_problem_with_a_clean_program(tmp_path):
    [problem] = read(path=write(tmp_path / "rows.jsonl", ROW))
    assert problem.program.strip() == CLEAN
    assert problem == Problem(
        problem_id("How many?", problem.program), "How many?", problem.program, difficulty=1, source="tinygsm"
    )


def test_a_program_that_cannot_be_restored_is_rejected_with_its_row(tmp_path):
    row = {"question": "How many?", "code": "I do not know."}
    [rejection] = read(path=write(tmp_path / "rows.jsonl", row))
    assert isinstance(rejection, Rejection)
    assert (rejection.stage, rejection.reason) == ("sample", "no_code")
    assert rejection.detail.startswith(f"{tmp_path / 'rows.jsonl'}:1: ")
    assert json.loads(rejection.row) == row
    assert rejection.problem_id == problem_id("How many?", "I do not know.")


def test_single_bad_rows_do_not_stop_the_others(tmp_path):
    rows = (
        ROW,
        '{"question": "cut',
        '["a", "list"]',
        {"question": None, "code": CODE},
        {"question": " ", "code": CODE},
        {"code": ""},
        "",
        ROW,
    )
    found = read(path=write(tmp_path / "rows.jsonl", *rows))
    reasons = [getattr(row, "reason", "ok") for row in found]
    assert reasons == ["ok", "malformed_json", "malformed_json", "not_text", "not_text", "not_text", "ok"]
    assert found[1].row == '{"question": "cut'
    assert ":2: Unterminated string" in found[1].detail


def test_bytes_that_are_no_text_spoil_their_own_row_only(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\xff\xfe broken\n" + json.dumps(ROW).encode() + b"\n")
    assert [getattr(row, "reason", "ok") for row in read(path=path)] == ["malformed_json", "ok"]


def test_files_folders_globs_lists_and_compression_give_the_same_rows(tmp_path):
    rows = [{"question": f"How many {n}?", "code": CODE} for n in range(6)]
    write(tmp_path / "a.jsonl", *rows[:2])
    with gzip.open(tmp_path / "b.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows[2:4])
    pq.write_table(pa.Table.from_pylist(rows[4:]), tmp_path / "c.parquet")
    (tmp_path / "readme.txt").write_text("not rows")
    folder = read(path=tmp_path)
    assert [p.question for p in folder] == [row["question"] for row in rows]
    assert read(path=tmp_path / "*.*") == folder
    assert read(path=[tmp_path / "a.jsonl", tmp_path / "[bc].*"]) == folder


def test_columns_can_have_other_names(tmp_path):
    path = write(tmp_path / "rows.jsonl", {"problem": "How many?", "python": CODE})
    [problem] = read(path=path, question="problem", code="python")
    assert problem.question == "How many?"


def test_a_hub_data_set_is_streamed(tmp_path):
    """A local folder goes through the same loader as the hub."""
    write(tmp_path / "train.jsonl", ROW, {"question": "Two?", "code": "nothing"})
    for streaming in (True, False):
        first, second = read(dataset=str(tmp_path), streaming=streaming)
        assert first.question == "How many?"
        assert second.reason == "no_code"
        assert json.loads(second.row)["question"] == "Two?"


def test_a_data_set_that_cannot_be_had_says_what_to_do(tmp_path):
    with pytest.raises(SourceError, match=r"cannot open data set .*nowhere.*path: rows\.jsonl"):
        read(dataset=str(tmp_path / "nowhere"))


def test_a_data_set_with_other_columns_is_an_error(tmp_path):
    write(tmp_path / "train.jsonl", {"text": "x"})
    with pytest.raises(SourceError, match="expected columns 'question', 'code', found 'text'"):
        read(dataset=str(tmp_path))


def test_a_missing_file_names_the_nearest(tmp_path):
    write(tmp_path / "rows.jsonl", ROW)
    with pytest.raises(SourceError, match=r"found no such file .*rows\.jsnl.*did you mean .*rows\.jsonl"):
        read(path=tmp_path / "rows.jsnl")


def test_a_pattern_or_folder_without_rows(tmp_path):
    with pytest.raises(SourceError, match="found no such file"):
        read(path=tmp_path / "*.jsonl")
    with pytest.raises(SourceError, match="expected files that end in"):
        read(path=tmp_path)


def test_another_kind_of_file(tmp_path):
    with pytest.raises(SourceError, match=r"expected a file that ends in \.jsonl.*found .*rows\.csv"):
        read(path=write(tmp_path / "rows.csv", "a,b"))


def test_wrong_columns_name_file_line_and_what_is_there(tmp_path):
    path = write(tmp_path / "rows.jsonl", "", {"problem": "x", "code": CODE})
    with pytest.raises(SourceError, match=r"rows\.jsonl:2: expected columns 'question', 'code', found 'problem', 'code'"):
        read(path=path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    with pytest.raises(SourceError, match=r"t\.parquet: expected columns 'question', 'code', found 'a'"):
        read(path=tmp_path / "t.parquet")


def test_an_empty_source(tmp_path):
    with pytest.raises(SourceError, match=r"found none in .*empty\.jsonl"):
        read(path=write(tmp_path / "empty.jsonl"))


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(SourceError, match=r"cannot read .*t\.parquet.*whole Parquet file"):
        read(path=tmp_path / "t.parquet")
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(json.dumps(ROW).encode() * 99)[:40])
    with pytest.raises(SourceError, match=r"cannot read .*t\.jsonl\.gz"):
        read(path=tmp_path / "t.jsonl.gz")


def test_a_misspelled_option():
    with pytest.raises(ValidationError, match="pathh"):
        get("source", "tinygsm", pathh="x")


def test_the_identity_follows_the_bytes(tmp_path):
    path = write(tmp_path / "rows.jsonl", ROW)
    before = get("source", "tinygsm", path=path).identity()
    assert before == get("source", "tinygsm", path=tmp_path).identity()
    write(path, ROW, ROW)
    assert get("source", "tinygsm", path=path).identity() != before
    assert get("source", "tinygsm").identity() == []


def test_rows_and_source_travel_to_workers(tmp_path):
    source = get("source", "tinygsm", path=write(tmp_path / "rows.jsonl", ROW))
    [row] = source.rows()
    assert pickle.loads(pickle.dumps(source)).read(pickle.loads(pickle.dumps(row))) == next(source.problems())


def test_reading_options_imports_nothing_heavy():
    heavy = "{'torch', 'transformers', 'datasets', 'pyarrow', 'numpy', 'pydantic_monty', 'pebble'}"
    code = (
        "import sys\nfrom tinygsm_kit.plugins import host\n"
        "for name in ('tinygsm', 'synthetic', 'drills', 'mixture'): host().find('source', name).load()\n"
        f"print(sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
