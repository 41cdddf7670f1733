"""What evaluation costs beside bare generation: the driver's wall time over that of `model.generate` on the same prompts.

    python tests/benchmarks/evaluate.py [MODEL] [--tasks mul_probes] [--gsm8k PATH] [--limit N] [--repeats 3]

Without MODEL a random GPT-2 of the quickstart's size is made; it never stops by itself, so both sides generate in full.
Both sides load the model, sort prompts by length and generate greedily in batches of 64; ours also indexes tasks, scores
and writes. Python's imports are paid beforehand and reported apart. The last line is one JSON object.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

BATCH = 64


def main() -> None:
    arguments = _arguments()
    started = time.perf_counter()
    import torch  # noqa: F401
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401

    shared_imports = time.perf_counter() - started
    import lm_eval.evaluator  # noqa: F401

    from tinygsm_kit.evaluate import catalogue, driver, generation  # noqa: F401

    own_imports = time.perf_counter() - started - shared_imports
    with tempfile.TemporaryDirectory() as scratch:
        model = arguments.model or _random_model(Path(scratch) / "model")
        options = {"gsm8k": arguments.gsm8k, "limit": arguments.limit, "batch_size": BATCH, "device": arguments.device}
        ours: list[Seconds] = []
        bare: list[Seconds] = []
        for repeat in range(arguments.repeats):
            folder = Path(scratch) / f"eval-{repeat}"
            with _timed(ours):
                results = driver.evaluate(model, arguments.tasks.split(","), folder, **options)
            requests = _requests(folder)
            with _timed(bare):
                _generate(model, requests, arguments.device)
            print(f"evaluate {ours[-1].wall:.1f} s, generate {bare[-1].wall:.1f} s", flush=True)
    responses = sum(len(prompts) for prompts in requests.values())
    tasks = [row for row in results["results"].values() if "sample_count" not in row]
    tokens = sum(row["response_tokens,none"] * row["sample_len"] for row in tasks)
    ratios = [a.wall / b.wall for a, b in zip(ours, bare, strict=True)]
    processor = [a.cpu / b.cpu for a, b in zip(ours, bare, strict=True)]
    print(json.dumps({
        "vs_generate": round(statistics.median(ratios), 3), "ratios": [round(ratio, 3) for ratio in ratios],
        "vs_generate_cpu": round(statistics.median(processor), 3),
        "seconds": round(statistics.median(row.wall for row in ours), 1),
        "generate_seconds": round(statistics.median(row.wall for row in bare), 1),
        "imports_seconds": round(own_imports, 1), "responses": responses, "tokens": round(tokens),
    }))  # fmt: skip


class Seconds(NamedTuple):
    """Of the clock, and of the processor: on a machine that others use too, only the second is steady."""

    wall: float
    cpu: float


@contextmanager
def _timed(into: list[Seconds]) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    into.append(Seconds(time.perf_counter() - wall, time.process_time() - cpu))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--tasks", default="mul_probes")
    parser.add_argument("--gsm8k", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def _requests(folder: Path) -> dict[int, list[str]]:
    """The prompts of all tasks, by tokens to generate."""
    found: dict[int, list[str]] = {}
    for path in sorted(folder.glob("samples_*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            asked = json.loads(line)["arguments"]["gen_args_0"]
            found.setdefault(asked["arg_1"]["max_gen_toks"], []).append(asked["arg_0"])
    return found


def _generate(model: Path, requests: dict[int, list[str]], device: str) -> None:
    """What one would write without lm-eval: longest prompts first, padded on the left, greedy, and decoded."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(model, padding_side="left")
    language_model: Any = AutoModelForCausalLM.from_pretrained(model).to(device).eval()
    for limit, prompts in requests.items():
        ordered = sorted(prompts, key=lambda prompt: -len(tokenizer.encode(prompt)))
        for start in range(0, len(ordered), BATCH):
            batch = tokenizer(ordered[start : start + BATCH], return_tensors="pt", padding=True).to(device)
            with torch.inference_mode():
                output = language_model.generate(
                    input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], max_new_tokens=limit, do_sample=False,
                    pad_token_id=tokenizer.pad_token_id,
                )  # fmt: skip
            tokenizer.batch_decode(output[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)


def _random_model(folder: Path) -> Path:
    """128 wide, 3 layers, 2,000 pieces: the quickstart's size."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(["User: What is 7 × 8?\nAssistant: 7 × 8 = 56.\n#### 56"], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    fast.add_tokens([f"word{index}" for index in range(2000 - len(fast))])
    torch.manual_seed(0)
    ends = {"eos_token_id": fast.eos_token_id, "bos_token_id": fast.eos_token_id}
    config = GPT2Config(n_embd=128, n_layer=3, n_head=4, n_positions=512, vocab_size=len(fast), **ends)
    GPT2LMHeadModel(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


if __name__ == "__main__":
    main()
