"""A whole recipe, small enough for a test: every stage leaves what the next one, and a reader, expects."""

import json

import pytest
import yaml

from tinygsm_kit.parts import part_paths, read_rows
from tinygsm_kit.testing.harness import run_recipe

RECIPE = {
    "name": "tiny",
    "seed": 3,
    "source": {"use": "drills", "kinds": ["mul_table", "addition"]},
    "sample": {"size": 60},
    "convert": {"use": "trace", "break_sums": True},
    "model": {
        "config": {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 128},
        "tokenizer": {"train": {"vocab_size": 320}},
    },
    "conditions": {"baseline": {}, "mul_tokens": {"inject": ["mul_tokens"]}},
    "train": {"use": "sft", "max_steps": 4, "per_device_train_batch_size": 8, "logging_steps": 1},
    "evaluate": {"tasks": ["mul_table"], "limit": 4, "device": "cpu"},
    "compare": {"baseline": "baseline", "treatment": "mul_tokens"},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_recipe(tmp_path_factory.mktemp("tiny"), RECIPE)


def manifest(run):
    return json.loads((run / "manifest.json").read_text())


def test_rows_balance_at_every_data_stage(run):
    stages = manifest(run)["stages"]
    for name in ("sample", "convert", "inject/baseline", "inject/mul_tokens"):
        stage = stages[name]
        not_drawn = stage["extra"].get("not_drawn", 0)
        assert stage["rows_in"] == stage["rows_out"] + sum(stage["rejected"].values()) + not_drawn, name
    assert stages["convert"]["rows_out"] == 60


def test_arms_have_the_same_rows_in_the_same_order(run):
    ids = [[row["problem_id"] for row in read_rows(part_paths(run / "inject" / name))] for name in RECIPE["conditions"]]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 60


def test_both_models_have_the_fact_tokens_in_their_vocabulary(run):
    from transformers import AutoTokenizer

    for name in RECIPE["conditions"]:
        tokenizer = AutoTokenizer.from_pretrained(run / "models" / name)
        assert len(tokenizer.encode("<MUL_7_8_56>", add_special_tokens=False)) == 1


def test_report_equals_what_lm_eval_wrote(run):
    report = json.loads((run / "report" / "report.json").read_text())
    for name in RECIPE["conditions"]:
        results = json.loads((run / "eval" / name / "results.json").read_text())["results"]["mul_table"]
        for metric in ("exact_match", "exact_match_flexible", "response_tokens", "stopped", "fact_tokens"):
            assert report["conditions"][name]["tasks"]["mul_table"][metric]["value"] == results[f"{metric},none"]
            assert report["conditions"][name]["tasks"]["mul_table"][metric]["n"] == 4
    assert (run / "report" / "index.html").stat().st_size > 10_000


def test_the_recipe_in_the_run_directory_is_the_recipe(run):
    from tinygsm_kit.recipe import Recipe

    kept = yaml.safe_load((run / "recipe.yaml").read_text())
    assert Recipe.model_validate(kept) == Recipe.model_validate(RECIPE)


def test_a_second_run_does_nothing_again(run, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file() and "report" not in path.parts}
    before.pop(run / "manifest.json")
    before.pop(run / "recipe.yaml")
    run_recipe(run.parent, RECIPE)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_same_recipe_gives_the_same_bytes_elsewhere(run, tmp_path):
    other = run_recipe(tmp_path, RECIPE, until="inject")
    for stage in ("sample", "convert", "inject/baseline", "inject/mul_tokens"):
        ours, theirs = part_paths(run / stage), part_paths(other / stage)
        assert [path.read_bytes() for path in ours] == [path.read_bytes() for path in theirs]
        assert ours
