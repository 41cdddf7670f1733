"""One training from its context to its model directory, in order."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import ceil
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from trl.trainer.sft_config import SFTConfig

from tinygsm_kit import parts, progress
from tinygsm_kit.interfaces import TrainContext
from tinygsm_kit.records import Counts
from tinygsm_kit.train import data, preflight, saving, scratch, vocabulary
from tinygsm_kit.train.errors import TrainingError
from tinygsm_kit.train.optimizers import MuonFactory
from tinygsm_kit.train.options import OwnOptions, ScratchModel, ScratchTokenizer, given, model_spec
from tinygsm_kit.train.trainer import CompletionTrainer, Watch

MAX_LENGTH = 512
"""Tokens a row where the recipe says nothing: more than 99 % of converted TinyGSM rows need fewer."""
ROWS_FILE, COUNTS_FILE = "rows.arrow", "rows.json"


def train(options: OwnOptions, context: TrainContext) -> Path:
    """Prepare model, vocabulary and rows, prove the labels, train, save. Resumes from the last whole checkpoint."""
    quiet()
    state = PartialState(cpu=bool(given(options).get("use_cpu")))
    work = saving.work_folder(context.output)
    if state.is_main_process:
        saving.open_work(work, context, options.model_dump(mode="json", exclude_unset=True))
    state.wait_for_everyone()
    _check_trackers(arguments(options, context))
    model, tokenizer = build(options, context)
    with saving.disk_errors(work):
        with state.main_process_first():
            rows, counts = tokenized_rows(options, context, tokenizer, work, model.config)
        trainer = make_trainer(options, context, model, tokenizer, rows)
        checked = prove(trainer, tokenizer)
        _run(trainer, context, work)
        _save(trainer, context, summarise(trainer, counts, checked))
    state.wait_for_everyone()
    if state.is_main_process:
        shutil.rmtree(work)
    return context.output


def quiet() -> None:
    """One progress bar is enough: those of the libraries, and their hints, stay silent."""
    import datasets
    import transformers

    datasets.disable_progress_bars()
    logs: Any = transformers.logging
    logs.set_verbosity_error()
    logs.disable_progress_bar()


def build(options: OwnOptions, context: TrainContext) -> tuple[Any, Any]:
    """Model and tokenizer with the fact tokens of all conditions in their vocabulary."""
    spec = model_spec(context.model)
    if isinstance(spec, ScratchModel):
        tokenizer = _scratch_tokenizer(spec, context)
        vocabulary.add_fact_tokens(tokenizer, context.tokens)
        return scratch.build_model(spec, tokenizer, context.seed), tokenizer
    model, tokenizer = _pretrained(str(spec), options)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    added = vocabulary.add_fact_tokens(tokenizer, context.tokens)
    set_seed(context.seed)
    vocabulary.extend_model(model, tokenizer, added, options.token_init, context.extra.get("equations"))
    return model, tokenizer


def _scratch_tokenizer(spec: ScratchModel, context: TrainContext) -> Any:
    if isinstance(spec.tokenizer, ScratchTokenizer):
        how = spec.tokenizer.train
        texts = scratch.training_texts(context.vocabulary_text or (context.data,), context.prompt, context.tokens, how.rows)
        positions = spec.config.get("n_positions") or spec.config.get("max_position_embeddings")
        return scratch.train_tokenizer(texts, how, positions, spec.config["model_type"])
    with _loading(spec.tokenizer):
        return AutoTokenizer.from_pretrained(spec.tokenizer)


def _pretrained(name: str, options: OwnOptions) -> tuple[Any, Any]:
    settings = given(options)
    keywords = {"dtype": torch.float32, **(settings.get("model_init_kwargs") or {})}
    keywords.setdefault("trust_remote_code", settings.get("trust_remote_code", False))
    shared = {key: keywords[key] for key in ("revision", "trust_remote_code") if key in keywords}
    with _loading(name):
        return AutoModelForCausalLM.from_pretrained(name, **keywords), AutoTokenizer.from_pretrained(name, **shared)


@contextmanager
def _loading(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        first = str(error).strip().partition("\n")[0]
        raise TrainingError(f"cannot load {name!r}, expected a model directory or a model on the hub: {first}") from error


def tokenized_rows(options: OwnOptions, context: TrainContext, tokenizer: Any, work: Path, config: Any) -> tuple[Any, Counts]:
    """The condition's rows as token ids and labels, made once and kept in the work folder until the training is done."""
    file, noted = work / ROWS_FILE, work / COUNTS_FILE
    if not file.exists() or not noted.exists():
        encoder = data.Encoder(tokenizer, context.prompt, max_length(options, tokenizer, config))
        total, counts = parts.count_rows(parts.part_paths(context.data)), Counts()
        with progress.for_terminal().task(f"tokenize {context.condition}", total) as task:
            siblings = [Path(folder) for folder in context.extra.get("siblings", context.vocabulary_text)]
            encoded = data.encode_parts(context.data, siblings, encoder, counts)
            data.write_encoded(_counted(encoded, task), file, work / "rejected-00000.parquet")
        noted.write_text(json.dumps(asdict(counts)), encoding="utf-8")
    counts = Counts(**json.loads(noted.read_text(encoding="utf-8")))
    if not counts.rows_out:
        raise TrainingError(
            f"no row of {context.data} can be trained on: {counts.rows_in} rows, rejected {counts.rejected or 'none'}"
        )
    return data.read_encoded(file), counts


def _counted(rows: Iterator[Any], task: progress.Task) -> Iterator[Any]:
    for row in rows:
        task.advance()
        yield row


def max_length(options: OwnOptions, tokenizer: Any, config: Any) -> int:
    """Tokens a row at most: the recipe's `max_length` (or 512), and never more than the model has positions for."""
    limits = [given(options).get("max_length") or MAX_LENGTH, tokenizer.model_max_length]
    limits.append(getattr(config.get_text_config(), "max_position_embeddings", None))
    return int(min(limit for limit in limits if limit))


def arguments(options: OwnOptions, context: TrainContext) -> SFTConfig:
    """TRL's configuration: our defaults, then the device's, then what the recipe gave."""
    packed = given(options).get("packing")
    settings: dict[str, Any] = {
        # Packs are of one length already.
        "train_sampling_strategy": "random" if packed else "group_by_length",
        "activation_checkpointing": False,
        "report_to": "none",
        "save_steps": 0.1,
        "save_total_limit": 2,
        **_device_settings(),
        **given(options),
    }
    # Rows that are too long were rejected before; TRL would only walk over all of them again to cut nothing.
    settings["max_length"] = (given(options).get("max_length") or MAX_LENGTH) if packed else None
    if settings.pop("gradient_checkpointing", None) is not None and "activation_checkpointing" not in given(options):
        settings["activation_checkpointing"] = given(options)["gradient_checkpointing"]
    work = saving.work_folder(context.output)
    return SFTConfig(output_dir=str(work), seed=context.seed, disable_tqdm=True, completion_only_loss=True, **settings)


def _device_settings() -> dict[str, Any]:
    if not torch.cuda.is_available():
        return {"bf16": False, "dataloader_pin_memory": False}
    return {
        "bf16": torch.cuda.is_bf16_supported(),
        "optim": "adamw_torch_fused",
        "dataloader_pin_memory": True,
        "dataloader_num_workers": 2,
        "dataloader_persistent_workers": True,
    }


def make_trainer(options: OwnOptions, context: TrainContext, model: Any, tokenizer: Any, rows: Any) -> CompletionTrainer:
    """The SFTTrainer of a training, ready to run."""
    from transformers import PrinterCallback

    settings = arguments(options, context)
    trainer = CompletionTrainer(
        model=model,
        args=settings,
        train_dataset=rows,
        processing_class=tokenizer,
        optimizer_cls_and_kwargs=_muon(options, settings),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _check_trackers(settings: SFTConfig) -> None:
    """A tracker that is not installed is an error of the command, before a model is loaded."""
    from transformers.integrations.integration_utils import get_reporting_integration_callbacks

    for callback in get_reporting_integration_callbacks(settings.report_to):  # type: ignore[no-untyped-call]
        try:
            callback()
        except (ImportError, RuntimeError) as error:
            raise TrainingError(
                f"report_to: {str(error).strip()} Or leave it out: loss and rate are always kept here."
            ) from error


def _muon(options: OwnOptions, settings: SFTConfig) -> Any:
    if options.optimizer != "muon":
        return None
    rate = settings.learning_rate
    return MuonFactory, {
        "lr": rate,
        "muon_lr": options.muon_learning_rate or rate,
        "weight_decay": settings.weight_decay,
        "betas": (settings.adam_beta1, settings.adam_beta2),
        "eps": settings.adam_epsilon,
    }


def prove(trainer: CompletionTrainer, tokenizer: Any) -> int:
    """The preflight: labels of real rows, and what will be saved. Returns how many rows were checked."""
    model: Any = trainer.model
    preflight.set_generation(model, tokenizer)
    preflight.check_generation(model.generation_config, tokenizer)
    return preflight.check_rows(
        trainer.train_dataset, trainer.data_collator, tokenizer, trainer.args.per_device_train_batch_size
    )


def _run(trainer: CompletionTrainer, context: TrainContext, work: Path) -> None:
    per_step = trainer.args.train_batch_size * trainer.args.gradient_accumulation_steps * trainer.args.world_size
    watched = trainer.is_world_process_zero()
    bars = progress.for_terminal() if watched else progress.Silent()
    checkpoint = saving.last_checkpoint(work)
    with bars.task(f"train {context.condition}", _steps(trainer, per_step) * per_step) as task:
        trainer.add_callback(Watch(task, per_step))
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)


def _steps(trainer: CompletionTrainer, per_step: int) -> int:
    """How many steps there will be: `max_steps`, or what the epochs come to."""
    rows: Any = trainer.train_dataset
    return int(
        trainer.args.max_steps if trainer.args.max_steps > 0 else ceil(len(rows) / per_step * trainer.args.num_train_epochs)
    )


def summarise(trainer: CompletionTrainer, counts: Counts, checked: int) -> dict[str, Any]:
    """What the manifest wants to know of a training."""
    model: Any = trainer.model
    logged = [entry for entry in trainer.state.log_history if "loss" in entry]
    return {
        **asdict(counts),
        "steps": trainer.state.global_step,
        "epochs": trainer.state.epoch,
        "seconds": logged[-1]["seconds"] if logged else None,
        "final_loss": logged[-1]["loss"] if logged else None,
        "rows_checked": checked,
        "parameters": model.num_parameters(),
    }


def _save(trainer: CompletionTrainer, context: TrainContext, summary: dict[str, Any]) -> None:
    """All processes hand over their shards; the first writes the rest and puts the folder in its place."""
    temporary = context.output.parent / f".{context.output.name}.tmp"
    if trainer.is_world_process_zero():
        shutil.rmtree(temporary, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(temporary))
    if trainer.is_world_process_zero():
        saving.write_extras(temporary, context, trainer.state.log_history, summary)
        rejected = saving.work_folder(context.output) / "rejected-00000.parquet"
        shutil.copy(rejected, temporary / rejected.name)
        saving.put_in_place(temporary, context.output)
