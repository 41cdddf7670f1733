"""The bare `lm_eval` command, from a folder of its own, gives the driver's numbers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinygsm_kit.evaluate.driver import evaluate


@pytest.mark.slow
def test_the_bare_command_gives_the_same_numbers(model: Path, gsm8k: Path, tmp_path: Path) -> None:
    ours = evaluate(model, ["gsm8k_tgsm", "mul_probes"], tmp_path / "ours", gsm8k=gsm8k, limit=5, device="cpu")
    outside = tmp_path / "outside"
    outside.mkdir()
    command = [
        str(Path(sys.executable).with_name("lm_eval")), "--model", "hf", "--model_args", f"pretrained={model}",
        "--tasks", "gsm8k_tgsm,mul_probes", "--device", "cpu", "--limit", "5", "--output_path", "out.json", "--log_samples",
    ]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TINYGSM_KIT_GSM8K": str(gsm8k)}
    done = subprocess.run(command, cwd=outside, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (written,) = outside.glob("out_*.json")
    bare = json.loads(written.read_text("utf-8"))
    assert bare["results"] == ours["results"]
    assert bare["groups"] == ours["groups"]
    assert bare["task_hashes"] == ours["task_hashes"]
    for task in ("gsm8k_tgsm", "mul_table", "mul_multidigit", "addition"):
        (samples,) = outside.glob(f"samples_{task}_*.jsonl")
        assert samples.read_text("utf-8") == (tmp_path / "ours" / f"samples_{task}.jsonl").read_text("utf-8")


@pytest.mark.slow
def test_without_gsm8k_the_command_says_what_to_set(model: Path, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("lm_eval")), "--model", "hf", "--model_args", f"pretrained={model}",
               "--tasks", "gsm8k_tgsm", "--device", "cpu", "--limit", "1"]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
    environment.pop("TINYGSM_KIT_GSM8K", None)
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode != 0
    assert "Point TINYGSM_KIT_GSM8K" in done.stderr
