"""What a recipe may say about a model and its training: pydantic models that import nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    create_model,
    field_validator,
    model_serializer,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from tinygsm_kit import interfaces
from tinygsm_kit.errors import did_you_mean
from tinygsm_kit.train.trl_fields import config_fields, model_types, sft_fields, trackers


class TokenizerTraining(BaseModel):
    """How a tokenizer is trained: byte-level BPE on the text of all conditions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vocab_size: int = Field(2_000, ge=300, description="Entries before the fact tokens are added, the 256 bytes included.")
    digits: Literal["single", "merged"] = Field("single", description="`single`: each digit is a token. `merged`: BPE decides.")
    rows: int = Field(100_000, ge=1, description="Rows to train on at most, in the order of the parts.")


class ScratchTokenizer(BaseModel):
    """A tokenizer that is trained on the run's own text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: TokenizerTraining = Field(default=TokenizerTraining.model_validate({}), description="How it is trained.")


class ScratchModel(BaseModel):
    """A model from scratch: a transformers configuration, and a tokenizer that is trained or read from a path."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: dict[str, Any] = Field(
        description="`model_type` (gpt2, llama, qwen2, phi, …) and any field of that type's configuration by its own name."
    )
    tokenizer: str | ScratchTokenizer = Field(
        default=ScratchTokenizer(), description="`{train: {…}}`, or the path or hub id of a tokenizer."
    )

    @field_validator("config")
    @classmethod
    def _check_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        model_type = config.get("model_type")
        if not isinstance(model_type, str):
            raise PydanticCustomError("model_type_missing", "expected `model_type`, such as gpt2, llama, qwen2 or phi")
        fields = config_fields(model_type)
        if fields is None:
            if model_type.replace("-", "_") not in model_types():
                _refuse("model_type", model_type, f"unknown model type {model_type!r}", model_types())
            return config
        for key in config:
            if key not in fields:
                _refuse(key, config[key], f"{model_type} has no configuration field {key!r}", fields)
        return config


def model_spec(model: object) -> object:
    """A mapping becomes a ScratchModel; its errors stand at its own keys, not at those of a union."""
    return ScratchModel.model_validate(model) if isinstance(model, Mapping) else model


ModelSpec = Annotated[str | ScratchModel, BeforeValidator(model_spec)]
"""A model directory or hub id, or a model from scratch: what a recipe's `model:` may be."""


def _refuse(key: str, value: Any, message: str, valid: Iterable[str]) -> None:
    """Raise an error that pydantic places at `key`, with the nearest valid name."""
    hint = did_you_mean(key if value is None or "field" in message else str(value), valid, "")
    text = f"{message}: {hint}" if hint else message
    error = PydanticCustomError("unknown_name", "{text}", {"text": text})
    raise ValidationError.from_exception_data("model", [InitErrorDetails(type=error, loc=(key,), input=value)])


_RESERVED = {
    "output_dir": "the run directory decides where models go",
    "seed": "set the recipe's `seed`",
    "resume_from_checkpoint": "a killed training resumes by itself when the command is repeated",
    "do_train": "training is what this stage does",
    "do_eval": "evaluation is the recipe's `evaluate` section",
    "do_predict": "evaluation is the recipe's `evaluate` section",
    "push_to_hub": "publishing is a command of its own",
    "local_rank": "use `--launcher accelerate`",
    "dataset_text_field": "rows have a prompt and a completion",
    "dataset_kwargs": "rows are tokenized before TRL sees them",
    "chat_template_path": "rows are plain prompts and completions",
    "assistant_only_loss": "rows are plain prompts and completions",
    "completion_only_loss": "the loss is on completions always",
    "truncation_mode": "a row that is too long is rejected and counted, never cut",
    "eos_token": "the tokenizer's own end-of-sequence token is used",
    "pad_token": "the tokenizer's own padding token is used",
    "remove_unused_columns": "the columns are the trainer's own",
    "length_column_name": "the columns are the trainer's own",
}
"""Fields of SFTConfig that the kit sets itself, and what to do instead."""


def _reserved(why: str) -> Any:
    def refuse(value: object) -> None:
        if value is not None:
            raise PydanticCustomError("reserved", "not to be set: {why}", {"why": why})

    return Annotated[Any, BeforeValidator(refuse)]


def _known_trackers(value: Any) -> Any:
    """A misspelled tracker is found before anything runs, not when training begins."""
    for name in [value] if isinstance(value, str) else value or ():
        if trackers() and name not in trackers():
            hint = did_you_mean(str(name), trackers(), f"expected {', '.join(trackers())}")
            text = f"unknown tracker {name!r}: {hint}"
            raise PydanticCustomError("unknown_name", "{text}", {"text": text})
    return value


class OwnOptions(interfaces.Options):
    """What `sft` understands beyond TRL's own fields."""

    optimizer: Literal["adamw", "muon"] | None = Field(
        None,
        description="`muon`: hidden matrices by Muon, embeddings, biases, norms and head by AdamW; for models from scratch. "
        "`adamw`, or nothing: as TRL's `optim` says.",
    )
    muon_learning_rate: float | None = Field(
        None, gt=0, description="Learning rate of the hidden matrices under `muon`; `learning_rate` where it is not given."
    )
    token_init: Literal["mean", "compose", "random"] = Field(
        "mean",
        description="How a fact token that a checkpoint lacks starts: the `mean` of all embeddings, the mean of the tokens of "
        "its equation (`compose`, from '7 × 8 = 56'), or `random`.",
    )

    @model_serializer(mode="wrap")
    def _only_what_was_given(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A hundred fields that nobody set are noise in a recipe and in a fingerprint."""
        return {name: value for name, value in dump(self).items() if value is not None}


def _with_trl_fields(base: type[OwnOptions]) -> type[OwnOptions]:
    fields: dict[str, Any] = {}
    for name, field in sft_fields().items():
        why = _RESERVED.get(name)
        kind = _reserved(why) if why else field.type if field.type is Any else field.type | None
        kind = Annotated[kind, AfterValidator(_known_trackers)] if name == "report_to" else kind
        fields[name] = (kind, Field(None, description=field.help or None))
    return create_model("SFTOptions", __base__=base, __module__=__name__, **fields)


SFTOptions = _with_trl_fields(OwnOptions)
"""Our own options and every field of TRL's SFTConfig by its own name. None means: not given, the default holds."""


def given(options: OwnOptions) -> dict[str, Any]:
    """TRL's fields that the recipe gave, without our own options."""
    return {name: value for name, value in options.model_dump().items() if name not in OwnOptions.model_fields}
