"""A scaling ladder: nested rows from one sample and one conversion, a model for every rung."""

import json

import pytest

from tinygsm_kit.parts import part_paths, read_rows
from tinygsm_kit.testing.harness import run_recipe

DRILLS = {"source": {"use": "drills", "kinds": ["mul_table"]}, "sample": {"size": 20}}
RECIPE = {
    "name": "rungs",
    "seed": 3,
    "source": {"use": "drills", "kinds": ["mul_table", "addition"]},
    "sample": {"size": 60},
    "convert": {"use": "trace"},
    "model": {
        "config": {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 128},
        "tokenizer": {"train": {"vocab_size": 320}},
    },
    "conditions": {"baseline": {}, "mul_tokens": {"inject": ["mul_tokens"]}},
    "train": [
        {"use": "sft", "name": "drills", "data": DRILLS, "max_steps": 2, "per_device_train_batch_size": 8},
        {"use": "sft", "num_train_epochs": 1, "per_device_train_batch_size": 10},
    ],
    "ladder": [10, 30],
    "evaluate": {"tasks": ["mul_table"], "limit": 4, "device": "cpu"},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_recipe(tmp_path_factory.mktemp("rungs"), RECIPE)


def stages(run):
    return json.loads((run / "manifest.json").read_text())["stages"]


def ids_in(folder):
    return [row["problem_id"] for row in read_rows(part_paths(folder))]


def test_rungs_are_nested_and_the_same_for_every_condition(run):
    rungs = [run / "ladder" / "10-rows", run / "ladder" / "30-rows", run]
    ids = [[ids_in(rung / "inject" / name) for name in RECIPE["conditions"]] for rung in rungs]
    assert [len(each) for each, _ in ids] == [10, 30, 60]
    assert all(one == other for one, other in ids)
    assert set(ids[0][0]) < set(ids[1][0]) < set(ids[2][0])
    texts = {row["problem_id"]: row["text"] for row in read_rows(part_paths(run / "inject" / "mul_tokens"))}
    rung = read_rows(part_paths(run / "ladder/10-rows/inject/mul_tokens"))
    assert all(row["text"] == texts[row["problem_id"]] for row in rung)


def test_nothing_is_sampled_or_converted_twice(run):
    names = [name for name in stages(run) if name.split("/")[0] in ("sample", "convert")]
    assert names == ["sample", "sample/1-drills", "convert", "convert/1-drills"]


def test_every_rung_trains_and_answers(run):
    done = stages(run)
    for name in RECIPE["conditions"]:
        steps = [done[f"train/{name}{rung}"]["extra"]["steps"] for rung in ("/10-rows", "/30-rows", "")]
        assert steps == [1, 3, 6]  # equal epochs
        for rung in ("ladder/10-rows/", "ladder/30-rows/", ""):
            assert (run / f"{rung}eval/{name}/results.json").is_file()
        assert done[f"evaluate/{name}/10-rows"]["done"]


def test_a_stage_before_the_runs_own_rows_is_trained_once_for_all_rungs(run):
    trained = [name for name in stages(run) if name.startswith("train/")]
    assert [name for name in trained if "drills" in name] == ["train/baseline/1-drills", "train/mul_tokens/1-drills"]
    assert len(trained) == 2 + 2 * 3
    assert not list(run.glob("ladder/*/stages"))


def test_the_plan_says_what_the_rungs_add():
    from tinygsm_kit.plan import plan
    from tinygsm_kit.recipe import Recipe

    (line,) = dict(plan(Recipe.model_validate(RECIPE)).sections)["ladder"]
    assert line == "each condition on 10, 30 rows as well: about 17,600 tokens more"  # 2 × (10 + 30) rows of 220


def test_a_ladder_added_to_a_finished_run_changes_nothing_of_it(run, tmp_path):
    alone = run_recipe(tmp_path, {key: value for key, value in RECIPE.items() if key != "ladder"}, until="train")
    before = {name: stage["fingerprint"] for name, stage in stages(alone).items()}
    assert before.items() <= {name: stage["fingerprint"] for name, stage in stages(run).items()}.items()
