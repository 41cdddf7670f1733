"""What a recipe would do, in exact figures."""

import copy

import pytest

from tinygsm_kit.errors import KitError
from tinygsm_kit.plan import consent, parameters, plan, render
from tinygsm_kit.recipe import Recipe
from tinygsm_kit.recipe_files import find_recipe, load, shipped_recipes
from tinygsm_kit.records import Problem

BASE = {
    "name": "planned",
    "source": {"use": "drills"},
    "sample": {"size": 500},
    "model": {"config": {"model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 2, "vocab_size": 1000}},
    "conditions": {"plain": {}},
    "train": {"use": "sft"},
    "evaluate": {"tasks": ["mul_table"]},
}
PARAMETERS = 12 * 2 * 64**2 + 1000 * 64
PAID = {"use": "openai", "model": "gpt-5-nano", "budget_usd": 3}


def planned(**changes):
    return dict(plan(Recipe.model_validate({**copy.deepcopy(BASE), **changes})).sections)


def training(train, **changes):
    (line,) = planned(train=train, **changes)["training"]
    return line


def test_epochs_count_every_row_again():
    line = training({"use": "sft"})
    assert line.startswith("plain: 1,500 rows in 3 epochs, about 330,000 tokens, ")
    assert f"{6 * PARAMETERS * 330_000:.1e} floating-point operations (0.2M parameters)" in line
    assert training({"use": "sft", "num_train_epochs": 0.5}).startswith("plain: 250 rows in 0.5 epochs, about 55,000 tokens")


def test_max_steps_decide_over_epochs():
    given = {"use": "sft", "max_steps": 40, "num_train_epochs": 7}
    assert training(given).startswith("plain: 320 rows in 40 steps, about 70,400 tokens")  # TRL's batch of 8
    batched = {**given, "per_device_train_batch_size": 16, "gradient_accumulation_steps": 4}
    assert training(batched).startswith("plain: 2,560 rows in 40 steps, about 563,200 tokens")
    assert training({**given, "max_steps": -1}).startswith("plain: 3,500 rows in 7 epochs")


def test_each_stage_counts_its_own_rows():
    drills = {"name": "drills", "use": "sft", "num_train_epochs": 2, "data": {"source": {"use": "synthetic", "size": 300}}}
    sampled = {**drills, "name": "few", "data": {**drills["data"], "sample": {"size": 100}}}
    last = {"use": "sft", "max_steps": 10, "per_device_train_batch_size": 32}
    assert training([drills, sampled, last]).startswith(
        "plain: drills: 600 rows in 2 epochs + few: 200 rows in 2 epochs + sft: 320 rows in 10 steps, about 246,400 tokens"
    )


def test_rows_that_nobody_counted_yet_are_said_to_be_unknown():
    texts = {"name": "talk", "use": "sft", "num_train_epochs": 1, "data": {"texts": "rows.jsonl"}}
    line = training([texts, {"use": "sft", "max_steps": 5}])
    assert line == "plain: talk: 1 epoch + sft: 40 rows in 5 steps; the number of rows is known when the source was read"
    assert training("sft", sample={}) == "plain: 3 epochs; the number of rows is known when the source was read"


def test_the_quickstart_speaks_of_the_steps_that_it_takes():
    recipe = load(find_recipe("quickstart"))
    settings = recipe.train[0].settings()
    steps, rows = settings["max_steps"], settings["max_steps"] * settings["per_device_train_batch_size"]
    assert f"baseline: {rows:,} rows in {steps:,} steps, about {220 * rows:,} tokens, " in render(plan(recipe))


def test_parameters_of_gpt2():
    config = {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "vocab_size": 50257}
    assert parameters({"config": config}) == 12 * 12 * 768**2 + 50257 * 768
    assert parameters("some/model") is None


def test_what_is_free_is_said_once_and_every_paid_conversion_by_itself(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    own = {"use": "sft", "data": {"source": {"use": "synthetic", "size": 50}}}
    assert planned(train=[own, "sft"])["conversion"] == ["trace: here, for nothing, some thousand rows a second and core"]
    paid = planned(train=[{**own, "data": {**own["data"], "convert": PAID}}, "sft"])["conversion"]
    assert paid[0].startswith("trace: here")
    assert paid[1] == "openai: 50 of 50 rows ask gpt-5-nano"


def test_a_stage_that_pays_for_its_rows_needs_consent_too(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    own = {"use": "sft", "data": {"source": {"use": "synthetic", "size": 50}, "convert": PAID}}
    recipe = Recipe.model_validate({**BASE, "train": [own, "sft"]})
    with pytest.raises(KitError, match=r"converts with 'openai', which costs money.*\(\$3.00\)"):
        consent(recipe, tmp_path / "run", yes=False, interactive=False)
    assert consent(recipe, tmp_path / "run", yes=True, interactive=False)


def test_a_program_target_converts_nothing_and_so_costs_nothing(tmp_path):
    recipe = Recipe.model_validate({**BASE, "convert": PAID, "target": "program"})
    assert consent(recipe, tmp_path / "run", yes=False, interactive=False)
    sections = dict(plan(recipe).sections)
    assert "conversion" not in sections
    assert next(line for lines in sections.values() for line in lines if line.startswith("plain: ")) == (
        "plain: 500 rows of drills, the programs themselves, no injector, model from scratch (gpt2)"
    )


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_every_recipe_that_ships_can_be_planned(name, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.setattr("tinygsm_kit.plan._first_problems", lambda arm: [Problem("0" * 16, "What is 7 × 8?", "56", "56")])
    recipe = load(find_recipe(name))
    sections = dict(plan(recipe).sections)
    assert [line.partition(":")[0] for line in sections["training"]] == list(recipe.conditions)
    assert len(sections["smallest difference found with 80 % power"]) >= 1


@pytest.mark.parametrize("way", ["transition", "curriculum", "mixed"])
def test_recipes_in_stages_ask_what_is_forgotten(way):
    for size in ("small", "100k"):
        recipe = load(find_recipe(f"{size}_{way}"))
        assert len(recipe.train) > 1
        assert "forgetting" in recipe.evaluate.tasks


def test_the_python_target_has_the_settings_of_the_paper():
    recipe = load(find_recipe("python_target"))
    settings = recipe.train[0].settings()
    assert settings["per_device_train_batch_size"] * settings["gradient_accumulation_steps"] == 1024
    assert (settings["max_steps"], settings["learning_rate"], settings["weight_decay"]) == (20_000, 1e-4, 0.01)
    assert (recipe.target, recipe.evaluate.tasks) == ("program", ("gsm8k_tgsm_python",))
    assert dict(plan(recipe).sections)["training"][0].startswith("program: 20,480,000 rows in 20,000 steps, ")
