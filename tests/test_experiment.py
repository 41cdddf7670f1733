"""Arms may differ in the declared factor and in nothing else."""

import copy

import pytest

from tinygsm_kit.experiment import compile_recipe, differences
from tinygsm_kit.recipe import Recipe, RecipeError

BASE = {
    "name": "fair",
    "source": {"use": "drills"},
    "sample": {"size": 100},
    "model": {"config": {"model_type": "gpt2", "n_embd": 64, "n_layer": 1, "n_head": 2}},
    "conditions": {"plain": {"inject": []}, "facts": {"inject": ["mul_tokens"]}},
    "train": {"use": "sft", "num_train_epochs": 1},
    "compare": {"baseline": "plain", "treatment": "facts"},
}
MODEL = BASE["model"]["config"]
TRAIN = BASE["train"]

ACCIDENTS = {
    "sample.size": {"sample": {"size": 99}},
    "sample.shards": {"sample": {"size": 100, "shards": 2}},
    "sample.stratify": {"sample": {"size": 100, "stratify": None}},
    "sample.decontaminate": {"sample": {"size": 100, "decontaminate": False}},
    "source.use": {"source": {"use": "synthetic"}},
    "source.seed": {"source": {"use": "drills", "seed": 1}},
    "convert.break_products": {"convert": {"use": "trace", "break_products": False}},
    "convert.break_sums": {"convert": {"use": "trace", "break_sums": True}},
    "convert.division_facts": {"convert": {"use": "trace", "division_facts": False}},
    "target": {"target": "program"},
    "model.config.n_embd": {"model": {"config": {**MODEL, "n_embd": 128}}},
    "model.config.n_layer": {"model": {"config": {**MODEL, "n_layer": 2}}},
    "model.config.n_head": {"model": {"config": {**MODEL, "n_head": 4}}},
    "model.tokenizer.train.vocab_size": {"model": {"config": MODEL, "tokenizer": {"train": {"vocab_size": 900}}}},
    "model": {"model": "some/checkpoint"},
    "train.learning_rate": {"train": {**TRAIN, "learning_rate": 1e-4}},
    "train.num_train_epochs": {"train": {**TRAIN, "num_train_epochs": 2}},
    "train.per_device_train_batch_size": {"train": {**TRAIN, "per_device_train_batch_size": 4}},
    "train.optimizer": {"train": {**TRAIN, "optimizer": "muon"}},
    "train.token_init": {"train": {**TRAIN, "token_init": "random"}},
    "train.max_steps": {"train": {**TRAIN, "max_steps": 5}},
}


def recipe(**changes):
    return Recipe.model_validate({**copy.deepcopy(BASE), **changes})


def with_accident(change, **compare):
    conditions = {"plain": {"inject": []}, "facts": {"inject": ["mul_tokens"], **change}}
    return recipe(conditions=conditions, compare={**BASE["compare"], **compare})


def test_arms_that_differ_in_their_injectors_alone_are_fair():
    experiment = compile_recipe(recipe())
    assert experiment.admitted == ()
    assert len(experiment.equations) == 36
    assert next(iter(experiment.equations.items())) == ("<MUL_2_2_4>", "2 × 2 = 4")


@pytest.mark.parametrize("key", sorted(ACCIDENTS))
def test_an_accidental_difference_is_refused_by_name(key):
    with pytest.raises(RecipeError, match=f"differ in '{key}'"):
        compile_recipe(with_accident(ACCIDENTS[key]))


@pytest.mark.parametrize("key", sorted(ACCIDENTS))
def test_an_admitted_difference_is_said(key):
    admitted = compile_recipe(with_accident(ACCIDENTS[key], differs=[key.split(".")[0]])).admitted
    assert admitted
    assert any(sentence.startswith(f"facts and plain differ in {key} as well") for sentence in admitted)


def test_another_factor_can_be_under_test():
    arms = {"slow": {}, "fast": {"train": {**TRAIN, "learning_rate": 1e-3}}}
    compare = {"baseline": "slow", "treatment": "fast", "factor": "train.learning_rate"}
    assert compile_recipe(recipe(conditions=arms, compare=compare)).admitted == ()


def test_arms_that_do_not_differ_at_all_are_no_experiment():
    with pytest.raises(RecipeError, match="they are the same"):
        compile_recipe(recipe(conditions={"plain": {}, "facts": {}}))


def test_a_ladder_has_every_arm_on_every_rung_with_other_rows_and_nothing_else():
    experiment = compile_recipe(recipe(ladder=[10, 30]))
    rungs = list(experiment.ladder())
    assert [(arm.name, arm.rows, arm.room) for arm in rungs] == [
        ("plain", 10, "ladder/10-rows/"), ("facts", 10, "ladder/10-rows/"),
        ("plain", 30, "ladder/30-rows/"), ("facts", 30, "ladder/30-rows/"),
    ]  # fmt: skip
    assert [arm.rung(None) for arm in rungs[:2]] == list(experiment.arms.values())
    assert all(arm.settings() == experiment.arms[arm.name].settings() for arm in rungs)
    assert list(compile_recipe(recipe()).ladder()) == []


@pytest.mark.parametrize(
    ("ladder", "said"),
    [
        ([30, 10], r"expected rising numbers of rows, found \[30, 10\]"),
        ([10, 10], r"expected rising numbers of rows, found \[10, 10\]"),
        ([0], "greater than or equal to 1"),
    ],
)
def test_a_ladder_rises(ladder, said):
    with pytest.raises(ValueError, match=said):
        recipe(ladder=ladder)


def test_a_ladder_stays_below_the_run_and_varies_its_rows():
    with pytest.raises(RecipeError, match=r"fewer rows than plain samples \(100\), which is the top rung, found 100"):
        compile_recipe(recipe(ladder=[10, 100]))
    own_rows = {**TRAIN, "data": {"source": "synthetic", "sample": {"size": 50}}}
    with pytest.raises(RecipeError, match="a training stage of plain that takes the run's rows, found `data` in each"):
        compile_recipe(recipe(ladder=[10], train=[own_rows]))


def test_differences_are_found_at_every_depth():
    left, right = {"a": {"b": [1, 2]}, "c": 1}, {"a": {"b": [1, 3]}, "d": 1}
    assert list(differences(left, right)) == [("a.b.1", 2, 3), ("c", 1, None), ("d", None, 1)]
