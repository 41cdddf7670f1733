"""What evaluation reads beside a model's weights."""

from pathlib import Path

import pytest

from tinygsm_kit.evaluate.checkpoint import DEFAULT_PROMPT, Checkpoint, CheckpointError


def test_settings_and_tokenizer(model: Path) -> None:
    checkpoint = Checkpoint.named_in({"pretrained": model, "dtype": "float32"})
    assert checkpoint.prompt == "User: {question}\nAssistant:"
    assert checkpoint.context() == 512
    count = checkpoint.token_counter()
    assert count is not None
    assert count("<MUL_7_8_56><MUL_2_2_4>") == 2


def test_a_model_without_settings_gets_the_default_prompt(tmp_path: Path) -> None:
    assert Checkpoint(str(tmp_path)).prompt == DEFAULT_PROMPT
    assert Checkpoint(None).prompt == DEFAULT_PROMPT
    assert Checkpoint(None).token_counter() is None
    assert Checkpoint(str(tmp_path)).context() is None


@pytest.mark.parametrize("text", ["{", "[]", '{"prompt": "User: {quest}"}'])
def test_broken_settings_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "tinygsm_kit.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"tinygsm_kit\.json: expected"):
        _ = Checkpoint(str(tmp_path)).prompt


def test_the_fingerprint_follows_the_files(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"1")
    before = Checkpoint(str(tmp_path)).fingerprint()
    assert Checkpoint(str(tmp_path)).fingerprint() == before
    (tmp_path / "model.safetensors").write_bytes(b"2")
    assert Checkpoint(str(tmp_path)).fingerprint() != before
    assert Checkpoint("org/name").fingerprint() != Checkpoint("org/other").fingerprint()
