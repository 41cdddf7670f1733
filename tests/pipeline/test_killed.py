"""`kill -9`, then the same command: it goes on, and the data stages end byte-identical to an undisturbed run."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tinygsm_kit.parts import part_paths

pytestmark = pytest.mark.slow
RECIPE = {
    "name": "killed",
    "source": {"use": "synthetic", "size": 6000},
    "sample": {"size": 4000, "shards": 8},
    "convert": {"use": "trace"},
    "model": {
        "config": {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 512},
        "tokenizer": {"train": {"vocab_size": 320}},
    },
    "conditions": {"baseline": {}, "mul_tokens": {"inject": ["mul_tokens"]}},
    "train": {"use": "sft", "max_steps": 60, "per_device_train_batch_size": 4, "save_steps": 10, "logging_steps": 10},
    "evaluate": {"tasks": ["mul_table"], "limit": 4},
}
STAGES = ("sample", "convert", "inject/baseline", "inject/mul_tokens")


def command(folder, out, until):
    recipe = folder / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(RECIPE), encoding="utf-8")
    return [sys.executable, "-m", "tinygsm_kit.cli", "run", str(recipe), "--out", str(out), "--until", until, "--workers", "2"]


def run(folder, out, until):
    subprocess.run(command(folder, out, until), check=True, capture_output=True, timeout=300)


def kill_when(folder, out, until, sign):
    """Start the command in a process group of its own and kill all of it as soon as the sign is there."""
    with subprocess.Popen(
        command(folder, out, until), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        deadline = time.monotonic() + 240
        while not sign():
            assert process.poll() is None, "the command ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)


def stages(out):
    return json.loads((out / "manifest.json").read_text())["stages"]


def content(out: Path):
    return {f"{stage}/{path.name}": path.read_bytes() for stage in STAGES for path in sorted((out / stage).glob("*.parquet"))}


def test_killed_during_convert(tmp_path):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    run(tmp_path, undisturbed, "inject")
    kill_when(tmp_path, killed, "inject", lambda: len(part_paths(killed / "convert")) >= 2)
    assert stages(killed)["convert"]["done"] is False
    first = part_paths(killed / "convert")[0]
    written = first.stat().st_mtime_ns
    run(tmp_path, killed, "inject")
    assert first.stat().st_mtime_ns == written, "a whole part was made again"
    assert content(killed) == content(undisturbed)
    assert len(content(killed)) >= 8 * len(STAGES)
    assert {name: stage["rows_out"] for name, stage in stages(killed).items()} == {
        name: stage["rows_out"] for name, stage in stages(undisturbed).items()
    }


def test_killed_during_training(tmp_path):
    def log(out):
        lines = (out / "models" / "baseline" / "training_log.jsonl").read_text().splitlines()
        return [(entry["step"], entry["loss"]) for entry in map(json.loads, lines) if "loss" in entry]

    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    run(tmp_path, undisturbed, "train")
    kill_when(tmp_path, killed, "train", lambda: any((killed / "models").glob("*.work/checkpoint-20*")))
    run(tmp_path, killed, "train")
    assert [step for step, _ in log(killed)] == [10, 20, 30, 40, 50, 60]
    assert [loss for _, loss in log(killed)] == pytest.approx([loss for _, loss in log(undisturbed)], rel=1e-5)
    assert content(killed) == content(undisturbed)
