"""A tiny random GPT-2 with a tokenizer made on the spot: it answers nonsense, but through every part of the machinery."""

import json
import os
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # a second thread only slows models this small down

FACTS = [f"<MUL_{a}_{b}_{a * b}>" for a in range(2, 10) for b in range(a, 10)]
PROMPT = "User: {question}\nAssistant:"


def build_model(folder: Path, positions: int = 512, **settings: object) -> Path:
    """Write a model directory as the trainer does, `tinygsm_kit.json` included."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(["User: What is 7 × 8?\nAssistant: 7 × 8 = 56.\n#### 56"], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    fast.add_tokens(FACTS)
    torch.manual_seed(0)
    ends = {"eos_token_id": fast.eos_token_id, "bos_token_id": fast.eos_token_id}
    size = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": positions, "vocab_size": len(fast)}
    GPT2LMHeadModel(GPT2Config(**size, **ends, initializer_range=0.6)).save_pretrained(folder)
    fast.save_pretrained(folder)
    (folder / "tinygsm_kit.json").write_text(json.dumps({"prompt": PROMPT, "tokens": FACTS} | settings))
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


QUESTIONS = [
    ("Tom has 3 boxes of 4 pens. How many pens?", "3 boxes hold 3 * 4 = <<3*4=12>>12 pens.\n#### 12"),
    ("A car costs $1,200 and a bike $34. How much together?", "1200 + 34 = <<1200+34=1234>>1234\n#### 1,234"),
    ("Ann reads 7 pages a day for a week. How many pages?", "7 * 7 = <<7*7=49>>49\n#### 49"),
    ("Half of 19 apples?", "19 / 2 = <<19/2=9.5>>9.5\n#### 9.5"),
    ("5 degrees fall by 8. What is it now?", "5 - 8 = <<5-8=-3>>-3\n#### -3"),
    ("Six eggs a box, nine boxes. How many eggs?", "6 * 9 = <<6*9=54>>54\n#### 54"),
]


@pytest.fixture(scope="session")
def gsm8k(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a test.jsonl in GSM8K's own form."""
    folder = tmp_path_factory.mktemp("gsm8k")
    lines = [json.dumps({"question": question, "answer": answer}) for question, answer in QUESTIONS]
    (folder / "test.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
