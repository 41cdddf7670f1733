"""Recipes read from YAML: what is wrong is named by file, line, key and the nearest valid name."""

import pytest

from tinygsm_kit.recipe import RecipeError
from tinygsm_kit.recipe_files import find_recipe, load, shipped_recipes

GOOD = """\
name: small
source: {use: drills}
sample:
  size: 10
model:
  config: {model_type: gpt2, n_embd: 64, n_layer: 1, n_head: 2}
conditions:
  plain:
    inject: []
  facts:
    inject:
      - use: mul_tokens
train:
  use: sft
  num_train_epochs: 1
compare: {baseline: plain, treatment: facts}
"""


@pytest.fixture
def recipe(tmp_path):
    def write(text=GOOD, *overrides):
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, overrides)

    return write


def refused(recipe, text, *overrides):
    with pytest.raises(RecipeError) as caught:
        recipe(text, *overrides)
    return str(caught.value)


def test_a_good_recipe_is_read_with_its_defaults(recipe):
    read = recipe()
    assert (read.seed, read.sample.size, read.convert.name, list(read.conditions)) == (42, 10, "trace", ["plain", "facts"])
    assert [reference.name for reference in read.conditions["facts"].inject] == ["mul_tokens"]


@pytest.mark.parametrize(
    ("wrong", "right", "line", "message"),
    [
        ("  sizes: 10", "  size: 10", 4, "sample.sizes: unknown key 'sizes': did you mean 'size'?"),
        ("    injcet: []", "    inject: []", 9, "conditions.plain.injcet: unknown key 'injcet': did you mean 'inject'?"),
        ("      - use: mul_token", "      - use: mul_tokens", 12, "unknown injector 'mul_token': did you mean 'mul_tokens'?"),
        ("      - {use: mul_tokens, hihg: 9}", "      - use: mul_tokens", 12, "unknown key 'hihg'"),
        (
            "  num_train_epoch: 1",
            "  num_train_epochs: 1",
            15,
            "unknown key 'num_train_epoch': did you mean 'num_train_epochs'?",
        ),
        ("source: {use: drils}", "source: {use: drills}", 2, "unknown source 'drils': did you mean 'drills'?"),
        ("compare: {baseline: plan, treatment: facts}", "compare: {baseline: plain, treatment: facts}", None, "'plan'"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_the_nearest_valid_name(recipe, tmp_path, wrong, right, line, message):
    assert right in GOOD
    text = refused(recipe, GOOD.replace(right, wrong))
    where = f"{tmp_path / 'recipe.yaml'}:{line}: " if line else f"{tmp_path / 'recipe.yaml'}: "
    assert text.startswith(where)
    assert message in text


def test_every_mistake_is_reported_at_once(recipe):
    text = refused(recipe, GOOD.replace("size: 10", "sizes: 10").replace("use: drills", "use: drils"))
    assert len(text.splitlines()) == 2


def test_a_key_that_stands_twice_is_an_error_with_both_lines(recipe):
    assert "recipe.yaml:2: key 'name' stands twice (first in line 1)" in refused(recipe, "name: a\nname: b\n")


@pytest.mark.parametrize(("text", "found"), [("", "nothing"), ("- 1\n", "list"), ("just words\n", "str")])
def test_a_file_that_is_no_mapping_says_what_it_is(recipe, text, found):
    assert f"expected a mapping of recipe keys, found {found}" in refused(recipe, text)


def test_broken_yaml_names_its_line(recipe):
    assert "recipe.yaml:3: not valid YAML" in refused(recipe, "name: a\nseed: {1\nsample: 3}\n")


def test_overrides_take_yaml_values_at_dotted_keys(recipe):
    read = recipe(GOOD, "sample.size=25", "conditions.facts.inject.0.low=1", "seed=7", "convert.use=trace")
    assert (read.sample.size, read.seed, read.conditions["facts"].inject[0].settings()["low"]) == (25, 7, 1)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sample.size", "expected KEY=VALUE"),
        ("sample.sizes=3", "unknown key 'sizes': did you mean 'size'?"),
        ("conditions.facts.inject.4.low=1", "expected an index below 1, found '4'"),
        ("seed=-1", "seed"),
    ],
)
def test_a_wrong_override_is_explained(recipe, override, message):
    assert message in refused(recipe, GOOD, override)


def test_a_missing_recipe_names_the_nearest_that_ships():
    with pytest.raises(RecipeError, match="did you mean 'quickstart'"):
        find_recipe("quickstrat")
    with pytest.raises(RecipeError, match="no such file"):
        find_recipe("folder/none.yaml")


@pytest.mark.parametrize("name", sorted(shipped_recipes()))
def test_every_recipe_that_ships_can_be_read_and_compiled(name):
    from tinygsm_kit.experiment import compile_recipe

    assert compile_recipe(load(find_recipe(name))).recipe.name == name


def test_a_path_leads_from_the_working_folder_or_else_from_the_recipe(tmp_path, monkeypatch):
    beside, here = tmp_path / "recipes", tmp_path / "here"
    for folder in (beside, here):
        folder.mkdir()
        (folder / "both.jsonl").touch()
    (beside / "rows.jsonl").touch()
    stage = "{use: sft, data: {texts: rows.jsonl}}"
    mixture = "{use: mixture, parts: [{use: tinygsm, path: both.jsonl}, {use: tinygsm, path: [rows.jsonl, none.jsonl]}]}"
    text = GOOD.replace("{use: drills}", mixture).replace("train:\n  use: sft\n  num_train_epochs: 1", f"train: [{stage}]")
    (beside / "recipe.yaml").write_text(f"{text}evaluate: {{gsm8k: rows.jsonl, data: {{svamp: none.jsonl}}}}\n")
    monkeypatch.chdir(here)
    read = load(beside / "recipe.yaml")
    first, second = (part.settings()["path"] for part in read.source.options.parts)
    assert (first, second) == ("both.jsonl", [str(beside / "rows.jsonl"), "none.jsonl"])
    assert read.train[0].host.data.texts == beside / "rows.jsonl"
    assert read.evaluate.gsm8k == beside / "rows.jsonl"
    assert str(read.evaluate.data["svamp"]) == "none.jsonl"
    assert type(read).model_validate(read.dump()) == read
