"""What the preflight refuses: the mistakes that made models of this kind never stop."""

from types import SimpleNamespace

import pytest

from tinygsm_kit.train import preflight
from tinygsm_kit.train.errors import TrainingError

EOS, PAD, IGNORED = 1, 0, -100
IDS = [7, 8, 9, 5, 6, EOS]
LABELS = [IGNORED, IGNORED, IGNORED, 5, 6, EOS]


def check(labels, ids=IDS, original=LABELS):
    preflight.check_row(labels, ids, original, EOS, 0)


def test_a_good_row_passes_padded_or_not():
    check(LABELS)
    check([*LABELS, IGNORED, IGNORED], [*IDS, PAD, PAD])
    check([*LABELS, IGNORED, IGNORED], [*IDS, EOS, EOS])  # pad_token == eos_token


@pytest.mark.parametrize(
    ("labels", "ids", "message"),
    [
        ([*LABELS[:5], IGNORED], IDS, "one supervised end of sequence"),
        ([IGNORED, EOS, IGNORED, 5, 6, EOS], IDS, "one supervised end of sequence"),
        ([*LABELS[:4], EOS, 6], IDS, "one supervised end of sequence"),
        ([IGNORED, IGNORED, 9, 5, 6, EOS], IDS, "1 tokens of the prompt are supervised"),
        ([IGNORED, IGNORED, IGNORED, 5, 6, IGNORED, EOS], [*IDS, EOS], "1 padding tokens are supervised"),
        ([IGNORED, IGNORED, IGNORED, IGNORED, 6, EOS], IDS, "not supervised whole"),
        ([IGNORED, IGNORED, IGNORED, 4, 6, EOS], IDS, "not supervised whole"),
    ],
)
def test_a_bad_row_is_refused_with_its_number(labels, ids, message):
    with pytest.raises(TrainingError, match=f"row 0: .*{message}"):
        check(labels, ids)


def collate(rows):
    import torch

    width = max(len(row["input_ids"]) for row in rows)
    pad = {"input_ids": PAD, "labels": IGNORED}
    made = {key: torch.tensor([row[key] + [pad[key]] * (width - len(row[key])) for row in rows]) for key in pad}
    return {**made, "attention_mask": (made["input_ids"] != PAD).long()}


def masked_by_pad_id(rows):
    """The mistake: labels masked wherever the id is the padding's, which is the end's too."""
    batch = collate(rows)
    batch["labels"][batch["labels"] == EOS] = IGNORED
    return batch


def test_the_collator_is_what_is_checked():
    tokenizer = SimpleNamespace(eos_token_id=EOS)
    rows = [{"input_ids": IDS, "labels": LABELS}, {"input_ids": [7, 5, EOS], "labels": [IGNORED, 5, EOS]}] * 300
    assert preflight.check_rows(rows, collate, tokenizer, 8) == preflight.SAMPLE_ROWS
    with pytest.raises(TrainingError, match="found 0"):
        preflight.check_rows(rows, masked_by_pad_id, tokenizer, 8)


@pytest.mark.parametrize(
    ("stops", "pad", "expected"),
    [(None, PAD, EOS), ([EOS, PAD], PAD, EOS), (EOS, EOS, EOS), ([4, EOS], PAD, [EOS, 4]), (PAD, PAD, EOS)],
)
def test_what_is_saved_stops_at_the_end_and_not_at_the_padding(stops, pad, expected):
    tokenizer = SimpleNamespace(eos_token_id=EOS, pad_token_id=pad, bos_token_id=None, eos_token="</s>", pad_token="<pad>")
    model = SimpleNamespace(
        generation_config=SimpleNamespace(eos_token_id=stops, pad_token_id=None, bos_token_id=3),
        config=SimpleNamespace(vocab_size=10),
    )
    preflight.set_generation(model, tokenizer)
    preflight.check_generation(model.generation_config, tokenizer)
    assert (model.generation_config.eos_token_id, model.generation_config.pad_token_id) == (expected, pad)


def test_a_generation_config_that_would_not_stop_is_refused():
    tokenizer = SimpleNamespace(eos_token_id=EOS, pad_token_id=PAD, eos_token="</s>", pad_token="<pad>")
    with pytest.raises(TrainingError, match="expected 1"):
        preflight.check_generation(SimpleNamespace(eos_token_id=2), tokenizer)
    with pytest.raises(TrainingError, match="must not"):
        preflight.check_generation(SimpleNamespace(eos_token_id=[EOS, PAD]), tokenizer)
