"""A run's data folders in small, and models that train in a second."""

import os
from pathlib import Path

import pytest

from tinygsm_kit import parts
from tinygsm_kit.interfaces import TrainContext

os.environ["HF_HUB_OFFLINE"] = "1"

TOKENS = ("<MUL_7_8_56>", "<MUL_6_9_54>", "<MUL_3_4_12>")
FACTS = [(7, 8), (6, 9), (3, 4)]
GPT2 = {
    "config": {"model_type": "gpt2", "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 128,
               "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
    "tokenizer": {"train": {"vocab_size": 300}},
}  # fmt: skip


def rows(count: int, injected: bool) -> list[dict[str, object]]:
    """Products of which every third is a fact token in the treatment, with completions of different lengths."""
    result = []
    for index in range(count):
        left, right = FACTS[index % 3]
        fact = TOKENS[index % 3] if injected else f"{left} × {right} = {left * right}"
        steps = [f"Row {index}: {fact}."] * (1 + index % 4)
        result.append(
            {"problem_id": f"{index:04d}", "question": f"What is {left} × {right}, in row {index}?",
             "text": "\n".join((*steps, f"#### {left * right}")), "tokens": len(steps) * injected}
        )  # fmt: skip
    return result


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Data folders of two conditions in two parts each, the same 24 problems in the same order."""
    made = {}
    for name, injected in (("baseline", False), ("mul_tokens", True)):
        made[name] = tmp_path / "inject" / name
        data = rows(24, injected)
        for index in range(2):
            parts.write_part(parts.part_path(made[name], index), data[index * 12 : index * 12 + 12], parts.INJECTED_COLUMNS)
    return made


@pytest.fixture
def make_context(folders: dict[str, Path], tmp_path: Path):
    """Contexts for the two conditions."""

    def make(condition: str = "mul_tokens", **changes: object) -> TrainContext:
        fields = {
            "condition": condition, "data": folders[condition], "model": GPT2, "output": tmp_path / "models" / condition,
            "seed": 3, "tokens": TOKENS, "vocabulary_text": tuple(folders.values()),
        }  # fmt: skip
        return TrainContext(**{**fields, **changes})

    return make
