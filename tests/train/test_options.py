"""Recipe keys are checked against TRL's own fields, and nothing heavy is imported for it."""

import dataclasses
import subprocess
import sys

import pytest
from pydantic import BaseModel, ValidationError

from tinygsm_kit.train.options import ModelSpec, ScratchModel, SFTOptions, given
from tinygsm_kit.train.trl_fields import config_fields, sft_fields, trackers


class Recipe(BaseModel):
    model: ModelSpec


def errors_of(validate, value):
    with pytest.raises(ValidationError) as caught:
        validate(value)
    return {error["loc"]: error["msg"] for error in caught.value.errors()}


def test_the_fields_are_exactly_those_of_trl():
    from trl import SFTConfig

    assert set(sft_fields()) == {field.name for field in dataclasses.fields(SFTConfig)}


def test_checking_options_imports_nothing_heavy():
    code = (
        "import sys; from tinygsm_kit.train.sft import SFT; SFT.Options.model_validate({'learning_rate': 1e-3}); "
        "SFT.Options.model_json_schema(); print([m for m in ('torch', 'transformers', 'trl', 'datasets') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_misspelled_key_is_an_error_at_that_key():
    assert list(errors_of(SFTOptions.model_validate, {"learning_ratee": 1e-3})) == [("learning_ratee",)]


def test_values_are_checked_as_trl_annotates_them():
    found = errors_of(
        SFTOptions.model_validate,
        {"learning_rate": "fast", "lr_scheduler_type": "cosin", "max_steps": 1.5, "packing": "perhaps"},
    )
    assert set(found) == {("learning_rate",), ("lr_scheduler_type",), ("max_steps",), ("packing",)}


def test_fields_that_the_kit_decides_say_what_to_do_instead():
    found = errors_of(SFTOptions.model_validate, {"output_dir": "x", "seed": 1})
    assert found == {
        ("output_dir",): "not to be set: the run directory decides where models go",
        ("seed",): "not to be set: set the recipe's `seed`",
    }


def test_only_what_the_recipe_gave_is_passed_on():
    options = SFTOptions.model_validate({"learning_rate": "2e-5", "optimizer": "muon", "report_to": ["tensorboard"]})
    assert given(options) == {"learning_rate": 2e-5, "report_to": ["tensorboard"]}


def test_trackers_go_by_the_names_that_transformers_has_for_them():
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    assert trackers() == (*INTEGRATION_TO_CALLBACK, "all", "none")
    for known in ("trackio", ["wandb", "tensorboard"], "all", "none"):
        assert given(SFTOptions.model_validate({"report_to": known})) == {"report_to": known}
    found = errors_of(SFTOptions.model_validate, {"report_to": ["trackio", "wanb"]})
    assert found == {("report_to",): "unknown tracker 'wanb': did you mean 'wandb'?"}


def test_the_schema_explains_trl_fields():
    fields = SFTOptions.model_json_schema()["properties"]
    assert fields["learning_rate"]["description"] == "The initial learning rate for AdamW."
    assert "description" in fields["token_init"]


@pytest.mark.parametrize("model_type", ["gpt2", "llama", "qwen2", "phi", "gpt_neox"])
def test_every_field_of_a_real_configuration_is_known(model_type):
    from transformers import AutoConfig

    known = config_fields(model_type)
    config = AutoConfig.for_model(model_type)
    unknown = set(config.to_dict()) - known - {"_name_or_path", "torch_dtype"}
    assert not {key for key in unknown if not key.startswith("_")}


def test_a_misspelled_configuration_key_stands_at_its_own_place():
    found = errors_of(Recipe.model_validate, {"model": {"config": {"model_type": "gpt2", "n_embdd": 3}}})
    assert found == {("model", "config", "n_embdd"): "gpt2 has no configuration field 'n_embdd': did you mean 'n_embd'?"}


def test_an_unknown_model_type_names_the_nearest():
    found = errors_of(Recipe.model_validate, {"model": {"config": {"model_type": "lama"}}})
    assert found == {("model", "config", "model_type"): "unknown model type 'lama': did you mean 'llama'?"}


def test_a_model_is_a_name_or_from_scratch():
    assert Recipe.model_validate({"model": "gpt2"}).model == "gpt2"
    assert isinstance(Recipe.model_validate({"model": {"config": {"model_type": "phi"}}}).model, ScratchModel)


def test_options_come_back_from_what_they_are_dumped_to():
    options = SFTOptions.model_validate({"learning_rate": 1e-3, "max_length": None})
    dumped = options.model_dump(mode="json")
    assert dumped == {"learning_rate": 1e-3, "token_init": "mean"}
    assert given(SFTOptions.model_validate(dumped)) == given(options) == {"learning_rate": 1e-3}
