"""Rows become token ids and labels as TRL would make them, and every condition trains on the same ones."""

import pytest

from tinygsm_kit import parts
from tinygsm_kit.records import Counts, Rejection
from tinygsm_kit.train import data, scratch, vocabulary
from tinygsm_kit.train.errors import TrainingError
from tinygsm_kit.train.options import TokenizerTraining

PROMPT = "User: {question}\nAssistant:"


@pytest.fixture
def tokenizer(folders):
    texts = scratch.training_texts(list(folders.values()), PROMPT, TOKENS, 100)
    made = scratch.train_tokenizer(texts, TokenizerTraining(vocab_size=320))
    vocabulary.add_fact_tokens(made, TOKENS)
    return made


TOKENS = ("<MUL_7_8_56>", "<MUL_6_9_54>", "<MUL_3_4_12>")


def encode(folders, condition, tokenizer, max_length=None):
    counts = Counts()
    encoder = data.Encoder(tokenizer, PROMPT, max_length)
    return list(data.encode_parts(folders[condition], list(folders.values()), encoder, counts)), counts


def test_the_very_ids_that_are_supervised(folders, tokenizer):
    rows, _ = encode(folders, "mul_tokens", tokenizer)
    supervised = [label for label in rows[0].labels if label != data.IGNORED]
    assert tokenizer.decode(supervised) == " Row 0: <MUL_7_8_56>.\n#### 56<|endoftext|>"
    assert supervised.count(tokenizer.eos_token_id) == 1
    hidden = [token for token, label in zip(rows[0].input_ids, rows[0].labels, strict=True) if label == data.IGNORED]
    assert tokenizer.decode(hidden) == "User: What is 7 × 8, in row 0?\nAssistant:"


@pytest.mark.parametrize("pad", ["<|pad|>", "<|endoftext|>"])
def test_labels_and_batches_are_those_of_plain_trl(folders, tokenizer, tmp_path, pad):
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from tinygsm_kit.train.options import ScratchModel

    tokenizer.pad_token = pad
    rows, _ = encode(folders, "mul_tokens", tokenizer)
    encoder = data.Encoder(tokenizer, PROMPT, None)
    pairs = [encoder.texts(row) for row in parts.read_rows(parts.part_paths(folders["mul_tokens"]))]
    plain = Dataset.from_list([{"prompt": prompt, "completion": completion} for prompt, completion in pairs])
    spec = ScratchModel(config={"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 1})
    model = scratch.build_model(spec, tokenizer, 0)
    settings = SFTConfig(str(tmp_path), report_to="none", bf16=False, max_length=None)
    trainer = SFTTrainer(model, settings, train_dataset=plain, processing_class=tokenizer)
    theirs = [(row["input_ids"], row["labels"]) for row in trainer.train_dataset]
    assert [(row.input_ids, row.labels) for row in rows] == theirs
    ends = [sum(label == tokenizer.eos_token_id for label in row.labels) for row in rows]
    collated = trainer.data_collator([{"input_ids": row.input_ids, "labels": row.labels} for row in rows])
    assert ends == [1] * 24
    assert (collated["labels"] == tokenizer.eos_token_id).sum(dim=1).tolist() == [1] * 24


def test_both_conditions_keep_the_same_rows_and_group_them_alike(folders, tokenizer):
    kept = {}
    for condition in folders:
        rows, counts = encode(folders, condition, tokenizer, max_length=75)
        kept[condition] = [None if isinstance(row, Rejection) else row.length for row in rows]
        assert counts.rows_in == counts.rows_out + sum(counts.rejected.values()) == 24
        assert 0 < counts.rejected["too_long"] < 24
    assert kept["baseline"] == kept["mul_tokens"]
    treatment, _ = encode(folders, "mul_tokens", tokenizer)
    assert any(len(row.input_ids) < row.length for row in treatment)


def test_conditions_with_other_rows_stand_for_themselves(folders, tokenizer):
    other = parts.part_path(folders["baseline"], 1)
    parts.write_part(other, list(parts.read_rows(other))[1:], parts.INJECTED_COLUMNS)
    rows, _ = encode(folders, "mul_tokens", tokenizer)
    assert all(len(row.input_ids) == row.length for row in rows)


def test_an_end_inside_the_text_is_rejected(folders, tokenizer):
    path = parts.part_path(folders["mul_tokens"], 0)
    changed = list(parts.read_rows(path))
    changed[3]["text"] = "done <|endoftext|> and on\n#### 1"
    changed[4]["question"] = "Why <|endoftext|>?"
    parts.write_part(path, changed, parts.INJECTED_COLUMNS)
    rows, counts = encode(folders, "mul_tokens", tokenizer)
    assert [row.problem_id for row in rows if isinstance(row, Rejection)] == ["0003", "0004"]
    assert counts.rejected == {"eos_inside": 2}


def test_a_tokenizer_without_an_end_is_an_error(tokenizer):
    tokenizer.eos_token = None
    with pytest.raises(TrainingError, match="no end-of-sequence token"):
        data.Encoder(tokenizer, PROMPT, None)


def test_rows_come_back_from_disk_as_they_were(folders, tokenizer, tmp_path):
    rows, _ = encode(folders, "baseline", tokenizer, max_length=75)
    data.write_encoded(iter(rows), tmp_path / "rows.arrow", tmp_path / "rejected.parquet")
    kept = [row for row in rows if isinstance(row, data.Encoded)]
    read = data.read_encoded(tmp_path / "rows.arrow")
    assert read.to_list() == [{"input_ids": row.input_ids, "labels": row.labels, "length": row.length} for row in kept]
    rejected = list(parts.read_rows(tmp_path / "rejected.parquet"))
    assert {row["reason"] for row in rejected} == {"too_long"}
    assert len(rejected) + len(kept) == 24
