"""Fact tokens in embeddings: how they start, what stays as it is."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from tinygsm_kit.train import scratch, vocabulary
from tinygsm_kit.train.options import TokenizerTraining

FACT = "<MUL_7_8_56>"


def tokenizer_and_model(tied: bool, extra_rows: int = 0):
    texts = ["7 × 8 = 56 and more text to merge"] * 9
    tokenizer = scratch.train_tokenizer(iter(texts), TokenizerTraining(vocab_size=300))
    config = AutoConfig.for_model(
        "llama", hidden_size=8, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1, intermediate_size=8,
        vocab_size=len(tokenizer) + extra_rows, tie_word_embeddings=tied,
    )  # fmt: skip
    torch.manual_seed(0)
    return tokenizer, AutoModelForCausalLM.from_config(config)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("init", ["mean", "compose"])
def test_a_new_token_starts_from_the_old_ones_in_both_matrices(tied, init):
    tokenizer, model = tokenizer_and_model(tied)
    old = [layer.weight.detach().clone() for layer in (model.get_input_embeddings(), model.get_output_embeddings())]
    pieces = tokenizer("7 × 8 = 56")["input_ids"]
    added = vocabulary.add_fact_tokens(tokenizer, [FACT])
    vocabulary.extend_model(model, tokenizer, added, init)
    for before, layer in zip(old, (model.get_input_embeddings(), model.get_output_embeddings()), strict=True):
        expected = before.mean(dim=0) if init == "mean" else before[pieces].mean(dim=0)
        assert layer.weight.shape[0] == len(tokenizer) == model.config.vocab_size
        assert torch.allclose(layer.weight[-1], expected, atol=1e-6)
        assert layer.weight[:-1].equal(before)
    assert (model.get_input_embeddings().weight is model.get_output_embeddings().weight) == tied


def test_random_rows_differ_from_each_other():
    tokenizer, model = tokenizer_and_model(False)
    vocabulary.extend_model(model, tokenizer, vocabulary.add_fact_tokens(tokenizer, ["<A>", "<B>"]), "random")
    first, second = model.get_input_embeddings().weight[-2:]
    assert not first.equal(second)


def test_compose_takes_a_third_party_equation_where_it_is_given():
    tokenizer, model = tokenizer_and_model(False)
    added = vocabulary.add_fact_tokens(tokenizer, ["<SQR_12_144>"])
    vocabulary.extend_model(model, tokenizer, added, "compose", {"<SQR_12_144>": "12² = 144"})
    weights = model.get_input_embeddings().weight
    assert torch.allclose(weights[-1], weights[tokenizer("12² = 144")["input_ids"]].mean(dim=0), atol=1e-6)


def test_a_padded_vocabulary_with_room_keeps_its_size():
    tokenizer, model = tokenizer_and_model(True, extra_rows=20)
    rows = model.config.vocab_size
    added = vocabulary.add_fact_tokens(tokenizer, [FACT])
    vocabulary.extend_model(model, tokenizer, added, "mean")
    assert model.config.vocab_size == rows
    real = model.get_input_embeddings().weight[: len(tokenizer) - 1]
    new = model.get_input_embeddings().weight[tokenizer.convert_tokens_to_ids(FACT)]
    assert torch.allclose(new, real.mean(dim=0), atol=1e-6)


def test_a_padded_vocabulary_that_grows_keeps_its_multiple():
    used = len(tokenizer_and_model(True)[0])
    tokenizer, model = tokenizer_and_model(True, extra_rows=320 - used)
    tokens = [f"<T_{index}>" for index in range(321 - used)]
    vocabulary.extend_model(model, tokenizer, vocabulary.add_fact_tokens(tokenizer, tokens), "mean")
    assert model.config.vocab_size == 384


def test_a_checkpoint_that_has_the_tokens_is_left_as_it_is():
    tokenizer, model = tokenizer_and_model(True)
    vocabulary.extend_model(model, tokenizer, vocabulary.add_fact_tokens(tokenizer, [FACT]), "mean")
    with torch.no_grad():
        model.get_input_embeddings().weight[-1] = 3.0
    again = vocabulary.add_fact_tokens(tokenizer, [FACT])
    vocabulary.extend_model(model, tokenizer, again, "compose")
    assert again == []
    assert model.get_input_embeddings().weight[-1].eq(3.0).all()
