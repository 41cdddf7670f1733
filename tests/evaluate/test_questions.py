"""Question sets from local files."""

import json
from pathlib import Path

import pytest

from tinygsm_kit.evaluate.options import EvaluateOptions
from tinygsm_kit.evaluate.questions import (
    Question,
    QuestionSetError,
    evaluation_questions,
    fixed_subset,
    load,
    local_sources,
)


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


def test_gsm8k_from_a_folder(gsm8k: Path) -> None:
    found = load("gsm8k", gsm8k)
    assert [question.answer for question in found] == ["12", "1234", "49", "9.5", "-3", "54"]
    assert found[0] == Question("0", "Tom has 3 boxes of 4 pens. How many pens?", "12")
    assert load("gsm8k", gsm8k / "test.jsonl") == found


def test_the_environment_variable_points_to_local_questions(gsm8k: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYGSM_KIT_GSM8K", str(gsm8k))
    assert len(load("gsm8k")) == 6


def test_parquet_as_the_hub_lays_it_out(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "main").mkdir()
    pq.write_table(pa.table({"question": ["Q?"], "answer": ["so\n#### 5"]}), tmp_path / "main" / "test-00000-of-00001.parquet")
    assert load("gsm8k", tmp_path) == [Question("0", "Q?", "5")]


def test_relatives_of_gsm8k_in_their_own_columns(tmp_path: Path) -> None:
    svamp = write(tmp_path / "svamp.jsonl", [{"Body": "Tom has 5.", "Question": "How many?", "Answer": 5.0}])
    assert load("svamp", svamp) == [Question("0", "Tom has 5. How many?", "5")]
    rows = [
        {"body": "B.", "question": "Q?", "answer": "9 (apples)"},
        {"body": "B.", "question": "R?", "answer": "3 (a); 4 (b)"},
    ]
    assert load("asdiv", write(tmp_path / "asdiv.jsonl", rows)) == [Question("0", "B. Q?", "9")]
    hard = write(tmp_path / "hard.jsonl", [{"input": "Q?", "code": "def solution(): ...", "target": 1283.5}])
    assert load("gsm_hard", hard) == [Question("0", "Q?", "1283.5")]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "nowhere", "expected a file or folder, found nothing at"),
        (lambda folder: folder, "expected test.jsonl or test.*parquet in .*, found nothing"),
        (lambda folder: write(folder / "x.jsonl", [{"q": 1}]), "found none"),
        (lambda folder: write(folder / "x.jsonl", [3]), r"x\.jsonl:1: expected one JSON object a line, found '3'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, make, message: str) -> None:
    with pytest.raises(QuestionSetError, match=message):
        load("gsm8k", make(tmp_path))


def test_offline_the_message_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.delenv("TINYGSM_KIT_SVAMP", raising=False)
    with pytest.raises(QuestionSetError, match=r"TINYGSM_KIT_SVAMP \(in a recipe: evaluate.data.svamp\)"):
        load("svamp")


def test_the_fixed_subset_does_not_depend_on_the_order() -> None:
    questions = [Question(str(index), f"question {index}", "1") for index in range(50)]
    chosen = fixed_subset(questions, 10)
    assert {question.id for question in chosen} == {question.id for question in fixed_subset(questions[::-1], 10)}
    assert [question.id for question in chosen] == sorted((question.id for question in chosen), key=int)
    assert fixed_subset(questions, 60) == questions


def test_what_an_evaluation_asks(gsm8k: Path) -> None:
    asked = evaluation_questions(EvaluateOptions(tasks=("gsm8k_tgsm", "mul_probes"), gsm8k=gsm8k))
    assert list(asked) == ["gsm8k", "mul_multidigit", "addition"]
    assert [len(questions) for questions in asked.values()] == [6, 100, 100]


def test_an_unknown_question_set_is_named() -> None:
    with pytest.raises(QuestionSetError, match="unknown question set 'svamq': expected one of gsm8k, svamp"):
        local_sources(EvaluateOptions(data={"svamq": Path("x")}))
