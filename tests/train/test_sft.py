"""The trainer from a context to a model directory, on four architectures."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tinygsm_kit import get
from tinygsm_kit.interfaces import Trainer
from tinygsm_kit.train import run
from tinygsm_kit.train.errors import TrainingError
from tinygsm_kit.train.labels import render_labels
from tinygsm_kit.train.launch import launch, read
from tinygsm_kit.train.sft import SFT, summary

SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
         "max_position_embeddings": 128}  # fmt: skip
MODELS = {
    "llama": {"model_type": "llama", "num_key_value_heads": 2, **SMALL},
    "qwen2": {"model_type": "qwen2", "num_key_value_heads": 1, "tie_word_embeddings": True, **SMALL},
    "phi": {"model_type": "phi", **SMALL},
}
QUICK = {"max_steps": 4, "per_device_train_batch_size": 8, "logging_steps": 2, "save_strategy": "no", "learning_rate": 1e-2}


def scratch(config):
    return {"config": config, "tokenizer": {"train": {"vocab_size": 300}}}


def load(model):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(model), AutoTokenizer.from_pretrained(model)


def log(model: Path):
    return [json.loads(line) for line in (model / "training_log.jsonl").read_text().splitlines()]


def test_the_host_knows_it():
    assert isinstance(get("trainer", "sft", learning_rate=1e-3), SFT)
    assert Trainer is not None


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_an_architecture_trains_saves_and_reloads_with_fact_tokens(make_context, name, optimizer):
    context = make_context(model=scratch(MODELS[name]))
    output = get("trainer", "sft", optimizer=optimizer, **QUICK).train(context)
    assert output == context.output
    model, tokenizer = load(output)
    ids = tokenizer("User: What is 7 × 8?\nAssistant: <MUL_7_8_56>", return_tensors="pt")
    assert tokenizer.convert_tokens_to_ids("<MUL_7_8_56>") in ids["input_ids"][0]
    _, trained = run.build(SFT.Options(), context)
    text = "User: What is 365 × 6, in row 9?\nAssistant: Row 9: <MUL_7_8_56>.\n#### 2190<|endoftext|>"
    assert tokenizer(text)["input_ids"] == trained(text)["input_ids"]
    generated = model.generate(**ids, max_new_tokens=3, do_sample=False)
    assert generated.shape[1] <= ids["input_ids"].shape[1] + 3
    assert [entry["step"] for entry in log(output)] == [2, 4]
    assert log(output)[-1]["rows"] == 32
    assert not (output.parent / f"{output.name}.work").exists()


def test_a_model_directory_has_what_others_read(make_context):
    output = SFT(SFT.Options(**QUICK, max_length=58)).train(make_context())
    kit = json.loads((output / "tinygsm_kit.json").read_text())
    assert kit == {"prompt": "User: {question}\nAssistant:", "tokens": list(make_context().tokens)}
    _, tokenizer = load(output)
    generation = json.loads((output / "generation_config.json").read_text())
    assert generation["eos_token_id"] == tokenizer.eos_token_id
    assert generation["pad_token_id"] == tokenizer.pad_token_id != tokenizer.eos_token_id
    assert not (output / "training_args.bin").exists()
    told = summary(output)
    assert (told["rows_in"], told["rows_out"], told["steps"], told["rows_checked"]) == (24, 12, 4, 12)
    assert told["rejected"] == {"too_long": 12}


def test_conditions_share_vocabulary_and_start(make_context):
    """With a rate of zero the models end as they began: alike, though only one condition's text has fact tokens."""
    made = []
    for condition in ("baseline", "mul_tokens"):
        options = SFT.Options(**{**QUICK, "max_steps": 1, "learning_rate": 0.0})
        made.append(load(SFT(options).train(make_context(condition))))
    (one, one_tokenizer), (other, other_tokenizer) = made
    assert one_tokenizer.get_vocab() == other_tokenizer.get_vocab()
    assert all(left.equal(right) for left, right in zip(one.parameters(), other.parameters(), strict=True))


def test_a_second_stage_goes_on_from_the_first_with_the_same_vocabulary(make_context, tmp_path):
    first = SFT(SFT.Options(**QUICK)).train(make_context(output=tmp_path / "first"))
    second = SFT(SFT.Options(**QUICK)).train(make_context(model=str(first)))
    vocabularies = [load(model)[1].get_vocab() for model in (first, second)]
    assert vocabularies[0] == vocabularies[1]
    assert log(second)[0]["loss"] < log(first)[0]["loss"]


def test_a_checkpoint_without_the_tokens_gets_them(make_context, tmp_path):
    plain = SFT(SFT.Options(**QUICK)).train(make_context(output=tmp_path / "plain", tokens=()))
    rows = load(plain)[0].config.vocab_size
    model, tokenizer = load(SFT(SFT.Options(**QUICK, token_init="compose")).train(make_context(model=str(plain))))
    assert model.config.vocab_size == len(tokenizer) == rows + 3


def test_labels_as_they_are_shown(make_context):
    model = SFT(SFT.Options(**QUICK)).train(make_context())
    rows = [
        {"question": "Why?", "text": "<MUL_7_8_56>.\n#### 56"},
        {"question": "Why not?", "text": "7 × 8 = 56, so 56.\n#### 56"},
    ]
    short, long = render_labels(model, rows, "User: {question}\nAssistant:")
    by_role = {role: "".join(token for token, each in short if each == role) for role in ("prompt", "supervised")}
    assert by_role["prompt"] == "User: Why?\nAssistant:"
    assert by_role["supervised"] == " <MUL_7_8_56>.\n#### 56<|endoftext|>"
    assert len(short) == len(long)
    assert short[-1] == ("<|pad|>", "masked")
    assert long[-1] == ("<|endoftext|>", "supervised")


@pytest.mark.parametrize("layout", [{"padding_free": True}, {"packing": True, "max_length": 256}])
def test_rows_can_be_packed(make_context, layout):
    output = SFT(SFT.Options(**{**QUICK, "per_device_train_batch_size": 2}, **layout)).train(
        make_context(model=scratch(MODELS["llama"]))
    )
    assert [entry["step"] for entry in log(output)] == [2, 4]
    assert summary(output)["rows_out"] == 24


def test_nothing_to_train_on_is_an_error(make_context):
    with pytest.raises(TrainingError, match=r"rejected \{'too_long': 24\}"):
        SFT(SFT.Options(**QUICK, max_length=5)).train(make_context())


def test_a_model_that_is_not_there_is_an_error(make_context, tmp_path):
    with pytest.raises(TrainingError, match="expected a model directory or a model on the hub"):
        SFT(SFT.Options(**QUICK)).train(make_context(model=str(tmp_path / "nowhere")))


RESUMED = {**QUICK, "max_steps": 60, "save_strategy": "steps", "save_steps": 5, "logging_steps": 5, "optimizer": "muon"}


def start(context, tmp_path):
    """The training in a process of its own, as accelerate starts it."""
    from dataclasses import asdict

    file = tmp_path / "context.json"
    file.write_text(json.dumps({"trainer": "sft", "options": RESUMED, "context": asdict(context)}, default=str))
    assert read(file) == ("sft", RESUMED, context)
    return subprocess.Popen([sys.executable, "-m", "tinygsm_kit.train", str(file)], stderr=subprocess.DEVNULL)


@pytest.mark.slow
def test_a_killed_training_ends_with_the_loss_of_an_undisturbed_one(make_context, tmp_path):
    whole = SFT(SFT.Options(**RESUMED)).train(make_context(output=tmp_path / "whole"))
    context = make_context(output=tmp_path / "killed")
    work = tmp_path / "killed.work"
    process = start(context, tmp_path)
    while not (work / "checkpoint-15" / "trainer_state.json").exists():
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not context.output.exists()
    assert start(context, tmp_path).wait() == 0
    expected, found = log(whole), log(context.output)
    assert [entry["step"] for entry in found] == [entry["step"] for entry in expected]
    assert [entry["loss"] for entry in found] == pytest.approx([entry["loss"] for entry in expected], rel=1e-4)
    assert found[-1]["seconds"] > 0


@pytest.mark.slow
def test_two_processes_train_to_the_loss_of_one_with_the_same_global_batch(make_context, tmp_path):
    options = {**QUICK, "max_steps": 6, "logging_steps": 1, "use_cpu": True}
    one = SFT(SFT.Options(**options)).train(make_context(output=tmp_path / "one"))
    # `--cpu` starts several processes only through mpirun; this is accelerate's torchrun launcher, on gloo without a GPU.
    group = [
        "--multi_gpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
        "--main_process_port",
        "0",
    ]
    halves = {**options, "per_device_train_batch_size": 4}
    two = launch("sft", halves, make_context(output=tmp_path / "two"), arguments=group)
    assert [entry["rows"] for entry in log(two)] == [entry["rows"] for entry in log(one)]
    losses = [[entry["loss"] for entry in log(model)] for model in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
