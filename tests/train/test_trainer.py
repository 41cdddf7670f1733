"""Losses as TRL's, batches by length, orders that depend on seed and epoch alone."""

import pytest
import torch
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModelForCausalLM
from trl import SFTConfig, SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from tinygsm_kit.train import scratch
from tinygsm_kit.train.options import TokenizerTraining
from tinygsm_kit.train.trainer import CompletionTrainer, LengthGroups

CONFIGS = {
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64,
             "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
    "llama": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
              "num_key_value_heads": 2},
    "qwen2": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
              "num_key_value_heads": 1},
    "phi": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32},
}  # fmt: skip


def trainer_of(kind, model_type, folder):
    tokenizer = scratch.train_tokenizer(iter(["some text"]), TokenizerTraining(vocab_size=300))
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, vocab_size=len(tokenizer), **CONFIGS[model_type]))
    rows = []
    for index in range(12):
        ids = torch.randint(5, len(tokenizer), (6 + 3 * index,), generator=torch.Generator().manual_seed(index)).tolist()
        rows.append({"input_ids": ids, "labels": [-100] * (2 + index) + ids[2 + index :], "length": len(ids)})
    settings = SFTConfig(str(folder), report_to="none", bf16=False, max_length=None, activation_checkpointing=False,
                         per_device_train_batch_size=4)  # fmt: skip
    return kind(model, settings, train_dataset=Dataset.from_list(rows), processing_class=tokenizer), rows


@pytest.mark.parametrize("model_type", CONFIGS)
def test_loss_and_gradients_are_those_of_plain_trl(model_type, tmp_path):
    figures = []
    for kind in (SFTTrainer, CompletionTrainer):
        trainer, rows = trainer_of(kind, model_type, tmp_path)
        trainer.model.train()
        losses = []
        for batch in (rows[:4], rows[4:8], rows[8:]):
            inputs = trainer.data_collator([{key: row[key] for key in ("input_ids", "labels")} for row in batch])
            items = (inputs["labels"] != -100).sum()
            loss = trainer.compute_loss(trainer.model, dict(inputs), num_items_in_batch=items)
            loss.backward()
            losses.append(loss.item())
        figures.append((losses, torch.cat([parameter.grad.flatten() for parameter in trainer.model.parameters()])))
    (theirs, their_gradient), (ours, our_gradient) = figures
    assert ours == pytest.approx(theirs, rel=1e-5)
    assert torch.allclose(our_gradient, their_gradient, rtol=1e-4, atol=1e-6)


def test_the_loss_of_every_single_row_is_that_of_plain_trl(tmp_path):
    figures = []
    for kind in (SFTTrainer, CompletionTrainer):
        trainer, rows = trainer_of(kind, "gpt2", tmp_path)
        trainer.model.eval()
        with torch.no_grad():
            figures.append([trainer.compute_loss(trainer.model, trainer.data_collator([row])).item() for row in rows])
    assert figures[1] == pytest.approx(figures[0], rel=1e-5)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=200), st.integers(1, 8), st.integers(0, 5), st.integers(0, 3))
def test_every_row_comes_once_in_an_order_of_seed_and_epoch(lengths, batch, seed, epoch):
    sampler = LengthGroups(batch, lengths, seed)
    sampler.set_epoch(epoch)
    torch.manual_seed(epoch)  # the global state must not matter
    order = list(sampler)
    assert sorted(order) == list(range(len(lengths)))
    torch.rand(3)
    again = LengthGroups(batch, lengths, seed)
    again.set_epoch(epoch)
    assert list(again) == order


def test_epochs_differ_and_batches_hold_like_lengths():
    lengths = torch.randint(10, 200, (640,), generator=torch.Generator().manual_seed(0)).tolist()
    sampler = LengthGroups(32, lengths, seed=1)
    first = list(sampler)
    sampler.set_epoch(1)
    assert list(sampler) != first
    batches = [[lengths[index] for index in first[start : start + 32]] for start in range(0, 640, 32)]
    padded = sum(max(batch) * 32 for batch in batches)
    assert padded < 1.25 * sum(lengths)
    assert max(batches[0]) == max(lengths)


def test_the_trainer_uses_these_groups(tmp_path):
    trainer, _ = trainer_of(CompletionTrainer, "gpt2", tmp_path)
    assert not isinstance(trainer._get_train_sampler(), LengthGroups)
    trainer.args.train_sampling_strategy = "group_by_length"
    sampler = trainer._get_train_sampler()
    assert isinstance(sampler, LengthGroups)
    assert sampler.lengths == [6 + 3 * index for index in range(12)]


@pytest.mark.parametrize("model_type", ["gpt2", "llama", "qwen2", "phi"])
def test_rows_laid_end_to_end_do_not_attend_to_each_other(model_type, tmp_path):
    trainer, rows = trainer_of(CompletionTrainer, model_type, tmp_path)
    model = trainer.model.eval()
    collate = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)
    batch = collate([{key: row[key] for key in ("input_ids", "labels")} for row in rows[:3]])
    with torch.no_grad():
        together = model(input_ids=batch["input_ids"], position_ids=batch["position_ids"], use_cache=False).logits[0]
        apart = [model(input_ids=torch.tensor([row["input_ids"]]), use_cache=False).logits[0] for row in rows[:3]]
    assert torch.allclose(together, torch.cat(apart), atol=1e-5)


def test_the_loss_of_rows_laid_end_to_end_is_that_of_padded_ones(tmp_path):
    trainer, rows = trainer_of(CompletionTrainer, "llama", tmp_path)
    batch = [{key: row[key] for key in ("input_ids", "labels")} for row in rows[:4]]
    losses = []
    for padding_free in (False, True):
        collate = DataCollatorForLanguageModeling(pad_token_id=0, padding_free=padding_free)
        losses.append(trainer.compute_loss(trainer.model, collate(batch)).item())
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
