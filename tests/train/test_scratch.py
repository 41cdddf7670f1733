"""Tokenizers and models from scratch."""

from tinygsm_kit.train import scratch, vocabulary
from tinygsm_kit.train.options import ScratchModel, TokenizerTraining

TEXTS = ["User: What is 365 × 6?\nAssistant: 3 × 6 = 18 apples, 18 apples.\n#### 2190"] * 20
SPEC = TokenizerTraining(vocab_size=320)


def tokenizer_with(tokens=()):
    tokenizer = scratch.train_tokenizer(iter(TEXTS), SPEC)
    vocabulary.add_fact_tokens(tokenizer, tokens)
    return tokenizer


def test_digits_are_single_tokens_and_text_comes_back():
    tokenizer = tokenizer_with()
    text = "Crème: 365 × 6 = 2190 ½\n#### 2190"
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids) == text
    assert [tokenizer.decode([token]) for token in tokenizer("2190")["input_ids"]] == ["2", "1", "9", "0"]


def test_the_same_texts_give_the_same_tokenizer():
    assert tokenizer_with().get_vocab() == tokenizer_with().get_vocab()


def test_a_fact_token_is_one_id_and_survives_skipping_special_tokens():
    tokenizer = tokenizer_with(("<MUL_7_8_56>",))
    ids = tokenizer("so <MUL_7_8_56>." + tokenizer.eos_token)["input_ids"]
    assert ids.count(tokenizer.convert_tokens_to_ids("<MUL_7_8_56>")) == 1
    assert tokenizer.decode(ids, skip_special_tokens=True) == "so <MUL_7_8_56>."


def test_texts_of_all_conditions_without_their_fact_tokens(folders):
    texts = list(scratch.training_texts(list(folders.values()), "Q: {question}", ("<MUL_7_8_56>",), rows=2))
    assert texts[0] == "Q: What is 7 × 8, in row 0? Row 0: 7 × 8 = 56.\n#### 56"
    assert texts[1] == "Q: What is 7 × 8, in row 0? Row 0:  .\n#### 56"
    assert len(texts) == 4


def test_a_model_takes_its_vocabulary_from_the_tokenizer():
    tokenizer = tokenizer_with(("<MUL_7_8_56>",))
    spec = ScratchModel(config={"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 1})
    model = scratch.build_model(spec, tokenizer, seed=1)
    assert model.config.vocab_size == len(tokenizer) == model.get_input_embeddings().weight.shape[0]
    assert model.config.eos_token_id == tokenizer.eos_token_id


def test_the_same_seed_gives_the_same_weights():
    tokenizer = tokenizer_with()
    spec = ScratchModel(config={"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 1})
    one, other, third = (scratch.build_model(spec, tokenizer, seed).get_input_embeddings().weight for seed in (1, 1, 2))
    assert one.equal(other)
    assert not one.equal(third)


def test_signs_between_numbers_take_their_gaps_and_the_end_of_a_prompt_does_not():
    tokenizer = tokenizer_with()
    pieces = [tokenizer.decode([token]) for token in tokenizer("365 × 6, 18")["input_ids"]]
    assert pieces == ["3", "6", "5", " × ", "6", ", ", "1", "8"]
    for prompt in ("User: What is 365 × 6?\nAssistant:", "365 apples"):
        alone, whole = (tokenizer(text)["input_ids"] for text in (prompt, f"{prompt} 2190"))
        assert whole[: len(alone)] == alone
