"""Conditions trained at once, each in a process of its own, come out as they do one after another."""

import hashlib
import json

import pytest

from tinygsm_kit.errors import KitError
from tinygsm_kit.pipeline import Settings, StageError, carry_out
from tinygsm_kit.processes import DeviceError
from tinygsm_kit.recipe import Recipe

MODEL = {
    "config": {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 128},
    "tokenizer": {"train": {"vocab_size": 320}},
}
STAGE = {"use": "sft", "max_steps": 3, "per_device_train_batch_size": 4, "logging_steps": 1}
RECIPE = {
    "name": "at_once",
    "source": {"use": "drills", "kinds": ["mul_table"]},
    "sample": {"size": 30},
    "model": MODEL,
    "conditions": {"baseline": {}, "mul_tokens": {"inject": ["mul_tokens"]}},
    "train": [{**STAGE, "name": "sums", "data": {"source": {"use": "drills", "kinds": ["addition"], "size": 20}}}, STAGE],
    "evaluate": {"tasks": ["mul_table"]},
}
PLACES = [f"{room}models/{name}" for room in ("stages/1-sums/", "") for name in RECIPE["conditions"]]


def trained(folder, recipe=RECIPE, **settings):
    carry_out(Recipe.model_validate(recipe), folder, Settings(until="train", **settings))
    return folder


def stages(run):
    return json.loads((run / "manifest.json").read_text())["stages"]


def losses(run, place):
    lines = (run / place / "training_log.jsonl").read_text().splitlines()
    return [(entry["step"], entry["loss"]) for entry in map(json.loads, lines) if "loss" in entry]


@pytest.mark.slow
def test_two_at_once_are_the_same_models_as_one_after_another(tmp_path):
    alone, together = trained(tmp_path / "alone"), trained(tmp_path / "together", devices=("cpu", "cpu"))
    for place in PLACES:
        weights = [hashlib.sha256((run / place / "model.safetensors").read_bytes()).digest() for run in (alone, together)]
        assert weights[0] == weights[1], place
        assert losses(alone, place) == losses(together, place)
        assert len(losses(alone, place)) == 3
    facts = ("fingerprint", "done", "rows_in", "rows_out", "rejected")
    said = [{name: [stage[fact] for fact in facts] for name, stage in stages(run).items()} for run in (alone, together)]
    assert said[0] == said[1]
    assert not list(together.rglob("*.context.json"))


@pytest.mark.slow
def test_what_one_condition_fails_at_does_not_lose_the_others(tmp_path, capfd):
    conditions = {"broken": {"model": str(tmp_path / "nowhere")}, "baseline": {}}
    with pytest.raises(StageError) as caught:
        trained(tmp_path / "run", {**RECIPE, "conditions": conditions, "train": STAGE}, devices=("cpu",))
    assert "stage train/broken failed: training broken on cpu ended with status 1: cannot load" in str(caught.value)
    assert "nowhere" in str(caught.value)
    assert "cannot load" in capfd.readouterr().err
    done = {name: stage["done"] for name, stage in stages(tmp_path / "run").items() if name.startswith("train/")}
    assert done == {"train/broken": False, "train/baseline": True}
    assert (tmp_path / "run" / "models" / "baseline" / "model.safetensors").is_file()


def test_a_device_that_is_not_there_is_said_before_anything_runs(tmp_path):
    with pytest.raises(DeviceError, match="device 'gpu0': expected cpu"):
        trained(tmp_path / "run", devices=("gpu0",))
    with pytest.raises(DeviceError, match="device 97: expected a GPU's number below"):
        trained(tmp_path / "run", devices=("cpu", "97"))
    assert not (tmp_path / "run").exists()


def test_one_training_on_many_devices_and_one_on_each_exclude_each_other(tmp_path):
    with pytest.raises(KitError, match=r"expected --launcher .* or --devices .*, found both"):
        trained(tmp_path / "run", devices=("cpu",), launcher="accelerate")
