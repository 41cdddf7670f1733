"""`target: program`: the model learns to write the program, and an interpreter's answer to it is what is scored."""

import json

import pytest

from tinygsm_kit.parts import part_paths, read_rows
from tinygsm_kit.testing.harness import run_recipe

pytestmark = pytest.mark.slow
PROBLEMS = {
    "Tom has 3 boxes of 4 pens. How many pens?": ("boxes = 3\n    pens = 4\n    return boxes * pens", "12"),
    "Mia has 9 plums and eats 2. How many are left?": ("plums = 9\n    return plums - 2", "7"),
    "A bag holds 5 kg. What do 6 bags hold?": ("bags = 6\n    return bags * 5", "30"),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Three problems learned by heart, and asked again: what they come to is known beforehand."""
    folder = tmp_path_factory.mktemp("program")
    rows, questions = folder / "rows.jsonl", folder / "test.jsonl"
    rows.write_text("".join(
        json.dumps({"question": question, "code": f"def solution():\n    {body}\n"}) + "\n"
        for question, (body, _) in PROBLEMS.items()
    ))  # fmt: skip
    questions.write_text("".join(
        json.dumps({"question": question, "answer": f"#### {answer}"}) + "\n" for question, (_, answer) in PROBLEMS.items()
    ))  # fmt: skip
    recipe = {
        "name": "programs",
        "source": {"use": "tinygsm", "path": str(rows)},
        "sample": {"stratify": None, "decontaminate": False},
        "target": "program",
        "model": {
            "config": {"model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 2, "n_positions": 256},
            "tokenizer": {"train": {"vocab_size": 320}},
        },
        "conditions": {"program": {}},
        "train": {"use": "sft", "optimizer": "muon", "learning_rate": 0.005, "max_steps": 60, "per_device_train_batch_size": 3},
        "evaluate": {"tasks": ["gsm8k_tgsm_python"], "gsm8k": str(questions), "device": "cpu"},
    }
    return run_recipe(folder, recipe)


def test_the_rows_are_the_programs_and_nothing_was_converted(run):
    programs = {row["question"]: row["program"] for row in read_rows(part_paths(run / "sample"))}
    assert {row["question"]: row["text"] for row in read_rows(part_paths(run / "inject" / "program"))} == programs
    assert set(programs) == set(PROBLEMS)
    assert not (run / "convert").exists()


def test_programs_are_written_run_and_scored(run):
    results = json.loads((run / "eval" / "program" / "results.json").read_text())["results"]["gsm8k_tgsm_python"]
    assert results["exact_match,none"] == 1.0
    report = json.loads((run / "report" / "report.json").read_text())
    assert report["conditions"]["program"]["tasks"]["gsm8k_tgsm_python"]["exact_match"]["value"] == 1.0
    lines = (run / "eval" / "program" / "samples_gsm8k_tgsm_python.jsonl").read_text().splitlines()
    assert all("def solution" in json.loads(line)["resps"][0][0] for line in lines)
