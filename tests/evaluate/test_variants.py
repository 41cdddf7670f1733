"""Several samples of each answer, and programs for answers."""

import json
from pathlib import Path

import pytest

from tinygsm_kit.evaluate.catalogue import Catalogue
from tinygsm_kit.evaluate.driver import evaluate


@pytest.fixture(scope="module")
def sampled(model: Path, gsm8k: Path):
    return Catalogue({"pretrained": str(model), "gsm8k": str(gsm8k)}).select(["gsm8k_tgsm_sample"]).tasks["gsm8k_tgsm_sample"]


@pytest.fixture(scope="module")
def program(model: Path, gsm8k: Path):
    return Catalogue({"pretrained": str(model), "gsm8k": str(gsm8k)}).select(["gsm8k_tgsm_python"]).tasks["gsm8k_tgsm_python"]


def test_pass_and_majority(sampled) -> None:
    doc = sampled.eval_docs[0]
    samples = ["#### 12"] * 2 + ["#### 13"] * 3 + ["#### $12.00"] * 1 + ["no answer"] * 2
    scores = sampled.process_results(doc, [samples])
    assert scores["exact_match"] == 3 / 8
    assert scores["pass@1"] == pytest.approx(3 / 8)
    assert scores["pass@4"] == pytest.approx(1 - 5 / 70)
    assert scores["pass@8"] == 1
    assert scores["maj@4"] == 1  # 12 and 13 twice each among the first four: the first one given stands
    assert scores["maj@8"] == 1  # 12 and 13 three times each
    assert sampled.process_results(doc, [["#### 13"] * 8])["maj@8"] == 0
    assert sampled.process_results(doc, [["no"] * 8])["maj@8"] == 0
    assert set(scores) == set(sampled.aggregation())


def test_samples_differ_and_are_counted_once_a_question(model: Path, gsm8k: Path, tmp_path: Path) -> None:
    results = evaluate(model, ["gsm8k_tgsm_sample"], tmp_path, gsm8k=gsm8k, limit=2, device="cpu")
    rows = [json.loads(line) for line in (tmp_path / "samples_gsm8k_tgsm_sample.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 2
    assert len(rows[0]["resps"][0]) == 8
    assert len(set(rows[0]["resps"][0])) > 1
    assert results["results"]["gsm8k_tgsm_sample"]["sample_len"] == 2


@pytest.mark.parametrize(
    ("response", "right", "runs"),
    [
        ("```python\ndef solution():\n    boxes = 3\n    return boxes * 4\n```", 1, 1),
        (" def solution():\n    return 12\n", 1, 1),  # as a model answers that was trained on `Assistant: def …`
        ("def solution():\n    return 13\n", 0, 1),
        ("def solution():\n    return 12.0\n", 1, 1),
        ("def solution():\n    return 1 / 0\n", 0, 0),
        ("def solution():\n    return 'twelve'\n", 0, 0),
        ("def solution():\n    while True:\n        pass\n    return 12\n", 0, 0),
        ("#### 12", 0, 0),
        ("", 0, 0),
    ],
)
def test_a_response_that_is_a_program(program, response: str, right: int, runs: int) -> None:
    scores = program.process_results(program.eval_docs[0], [response])
    assert (scores["exact_match"], scores["runs"]) == (right, runs)
    assert set(scores) == set(program.aggregation())


def test_relatives_of_gsm8k_take_local_files(model: Path, tmp_path: Path) -> None:
    (tmp_path / "svamp.jsonl").write_text('{"Body": "Tom has 5 pens.", "Question": "How many?", "Answer": 5.0}\n')
    task = (
        Catalogue({"pretrained": str(model), "svamp": str(tmp_path / "svamp.jsonl")}).select(["svamp_tgsm"]).tasks["svamp_tgsm"]
    )
    assert task.eval_docs[0]["prompt"] == "User: Tom has 5 pens. How many?\nAssistant:"
