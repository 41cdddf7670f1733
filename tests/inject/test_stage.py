"""The inject stage: part for part, resumed, byte for byte the same, with the statistics of all parts."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinygsm_kit.inject.errors import InjectError
from tinygsm_kit.inject.stage import inject, inject_programs, inject_texts
from tinygsm_kit.parts import PROBLEM_COLUMNS, SOLUTION_COLUMNS, part_path, part_paths, read_rows, write_part
from tinygsm_kit.progress import Silent

INJECTORS = [("mul_tokens", {})]
STEPS = {
    "a": ["Cost: 7 × 8 = 56.", "Then 8 × 7 = 56, 3 × 4 = 12."],
    "b": ["In all: 12 + 3 = 15."],
    "c": ["So 6 x 9 = 54."],
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A sample of two parts, a, b and c, d; the last one was rejected."""
    for index, names in enumerate(["ab", "cd"]):
        rows = [
            {"id": name, "question": f"Question {name}?", "program": f"def f(): return '{name}'", "answer": "1",
             "difficulty": 1, "source": "test"}
            for name in names
        ]  # fmt: skip
        write_part(part_path(tmp_path / "sample", index), rows, PROBLEM_COLUMNS)
        solved = [
            {"problem_id": name, "steps": STEPS[name], "answer": "56", "converter": "test", "version": "1"}
            for name in names
            if name in STEPS
        ]
        write_part(part_path(tmp_path / "convert", index), solved, SOLUTION_COLUMNS)
    return tmp_path


def stage(run: Path, folder: str = "inject/mul_tokens", injectors: list = INJECTORS):  # type: ignore[no-untyped-def,type-arg]
    return inject(run / "sample", run / "convert", run / folder, injectors=injectors, progress=Silent())


def test_each_converted_part_becomes_a_part_of_training_text(run: Path) -> None:
    stage(run)
    first, second = part_paths(run / "inject/mul_tokens")
    assert list(read_rows(first)) == [
        {"problem_id": "a", "question": "Question a?", "tokens": 3,
         "text": "Cost: <MUL_7_8_56>.\nThen <MUL_7_8_56>, <MUL_3_4_12>.\n#### 56"},
        {"problem_id": "b", "question": "Question b?", "tokens": 0, "text": "In all: 12 + 3 = 15.\n#### 56"},
    ]  # fmt: skip
    assert [row["text"] for row in read_rows(second)] == ["So <MUL_6_9_54>.\n#### 56"]


def test_the_statistics_cover_every_part(run: Path) -> None:
    counts = stage(run)
    assert (counts.rows_in, counts.rows_out, counts.rejected) == (3, 3, {})
    exposures = counts.extra.pop("exposures")
    assert counts.extra == {
        "rows": 3,
        "with_token": 2,
        "share": 2 / 3,
        "mean_when_present": 2.0,
        "distribution": {"0": 1, "1": 1, "3": 1},
    }
    assert isinstance(exposures, dict)
    assert len(exposures) == 36
    assert {token: times for token, times in exposures.items() if times} == {
        "<MUL_3_4_12>": 1,
        "<MUL_6_9_54>": 1,
        "<MUL_7_8_56>": 2,
    }
    assert json.loads(json.dumps(exposures)) == exposures


def test_without_injectors_the_text_is_the_solution_itself(run: Path) -> None:
    counts = stage(run, "inject/baseline", [])
    texts = [row["text"] for row in read_rows(part_paths(run / "inject/baseline"))]
    assert texts[0] == "Cost: 7 × 8 = 56.\nThen 8 × 7 = 56, 3 × 4 = 12.\n#### 56"
    assert counts.extra["share"] == 0.0
    assert counts.extra["distribution"] == {"0": 3}


def test_a_run_goes_on_from_whole_parts_with_the_same_bytes_and_the_same_statistics(run: Path) -> None:
    undisturbed = stage(run, "undisturbed")
    stage(run, "resumed")
    kept, lost = part_paths(run / "resumed")
    lost.unlink()
    (run / "resumed" / f".{lost.name}.1.tmp").write_bytes(b"half a part")
    written = kept.stat().st_mtime_ns
    time.sleep(0.01)
    resumed = stage(run, "resumed")
    assert kept.stat().st_mtime_ns == written
    assert resumed == undisturbed
    assert {path.name for path in (run / "resumed").iterdir()} == {path.name for path in (run / "undisturbed").iterdir()}
    for path in part_paths(run / "undisturbed"):
        assert path.read_bytes() == (run / "resumed" / path.name).read_bytes()


def test_an_empty_part_stays_an_empty_part(run: Path) -> None:
    write_part(part_path(run / "sample", 2), [], PROBLEM_COLUMNS)
    write_part(part_path(run / "convert", 2), [], SOLUTION_COLUMNS)
    assert stage(run).rows_out == 3
    assert list(read_rows(part_path(run / "inject/mul_tokens", 2))) == []


def test_injectors_run_in_the_order_listed(run: Path) -> None:
    both = stage(run, "both", [("mul_tokens", {"low": 7}), ("mul_tokens", {"low": 2})])
    first = next(read_rows(part_path(run / "both", 0)))
    assert first["text"] == "Cost: <MUL_7_8_56>.\nThen <MUL_7_8_56>, <MUL_3_4_12>.\n#### 56"
    assert both.rows_out == 3


def test_a_solution_without_its_question_stops_the_stage(run: Path) -> None:
    write_part(part_path(run / "sample", 1), [], PROBLEM_COLUMNS)
    with pytest.raises(InjectError, match=r"part-00001.parquet holds problem c, but .*--redo convert"):
        stage(run)
    assert [path.name for path in part_paths(run / "inject/mul_tokens")] == ["part-00000.parquet"]


def test_a_missing_sample_or_conversion_is_named(run: Path) -> None:
    part_path(run / "sample", 1).unlink()
    with pytest.raises(InjectError, match=r"part-00001.parquet, which is missing"):
        stage(run)
    with pytest.raises(InjectError, match="found none; run the convert stage"):
        inject(run / "sample", run / "nowhere", run / "out", injectors=[], progress=Silent())


def test_programs_can_be_the_text(run: Path) -> None:
    counts = inject_programs(run / "sample", run / "programs", progress=Silent())
    rows = list(read_rows(part_paths(run / "programs")))
    assert [row["text"] for row in rows] == [f"def f(): return '{name}'" for name in "abcd"]
    assert counts.rows_out == 4


def test_ready_texts_are_taken_as_they_are_but_for_the_injectors(run: Path) -> None:
    path = run / "rows.jsonl"
    path.write_text(
        '{"question": "Q1?", "text": "7 × 8 = 56\\n#### 56"}\n\n{"question": "Q2?", "text": "none", "more": 1}\n', "utf-8"
    )
    counts = inject_texts(path, run / "texts", injectors=INJECTORS, progress=Silent())
    rows = list(read_rows(part_paths(run / "texts")))
    assert [(row["question"], row["text"], row["tokens"]) for row in rows] == [
        ("Q1?", "<MUL_7_8_56>\n#### 56", 1),
        ("Q2?", "none", 0),
    ]
    assert len({row["problem_id"] for row in rows}) == 2
    assert counts.rows_out == 2
    again = inject_texts(run / "texts", run / "again", injectors=INJECTORS, progress=Silent())
    assert again.extra == counts.extra


@pytest.mark.parametrize(
    ("content", "message"),
    [('{"question": "Q1?"}\n', r"row 1: expected text in `question` and `text`, found question \(str\)"),
     ('{"question": "Q1?", "text": 3}\n', r"found question \(str\), text \(int\)"),
     ("[1]\n", "line 1: expected one JSON object"), ("{nonsense\n", "line 1: expected one JSON object"), ("", "found none")],
)  # fmt: skip
def test_bad_texts_are_named_by_file_and_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(content)
    with pytest.raises(InjectError, match=message):
        inject_texts(path, tmp_path / "out", injectors=[], progress=Silent())
    with pytest.raises(InjectError, match="does not exist"):
        inject_texts(tmp_path / "gone.jsonl", tmp_path / "out", injectors=[], progress=Silent())


def test_one_part_of_the_sample_is_in_memory_at_a_time(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twelve million questions of a whole sample must never be held at once."""
    from tinygsm_kit.inject import stage as module

    reads: list[str] = []

    def watched(paths: Path, columns: list[str]) -> Iterator[dict[str, object]]:
        reads.append(f"{paths.parent.name}/{paths.name}")
        return read_rows(paths, columns)

    monkeypatch.setattr(module, "read_rows", watched)
    stage(run)
    assert reads == [
        "sample/part-00000.parquet",
        "convert/part-00000.parquet",
        "sample/part-00001.parquet",
        "convert/part-00001.parquet",
    ]
