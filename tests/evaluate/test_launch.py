"""Evaluation under `accelerate launch`."""

import json
from pathlib import Path

import pytest

from tinygsm_kit.evaluate.launch import LaunchError, launch

TWO_ON_CPU = ("--cpu", "--num_processes", "2")


@pytest.mark.slow
def test_two_processes_write_one_set_of_results(model: Path, gsm8k: Path, tmp_path: Path) -> None:
    settings = {"gsm8k": gsm8k, "limit": 3, "batch_size": 2, "device": "cpu"}
    results = launch(model, ["gsm8k_tgsm", "mul_table"], tmp_path, arguments=TWO_ON_CPU, **settings)
    assert results["n-samples"]["gsm8k_tgsm"]["effective"] == 3
    assert results["results"]["mul_table"]["sample_len"] == 3
    rows = [json.loads(line) for line in (tmp_path / "samples_mul_table.jsonl").read_text("utf-8").splitlines()]
    assert [row["doc_id"] for row in rows] == [0, 1, 2]


@pytest.mark.slow
def test_an_error_of_the_group_is_an_error(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LaunchError, match=r"ended with status 1.*repeat the command"):
        launch(
            model,
            ["gsm8k_tgsm"],
            tmp_path,
            gsm8k=tmp_path / "nowhere",
            device="cpu",
            arguments=("--cpu", "--num_processes", "1"),
        )
    assert "gsm8k: expected a file or folder, found nothing at" in capfd.readouterr().err
