"""A server that we did not write: `transformers serve` answers both APIs through the converter.

Its model is one of ours, tiny and untrained: that verification rejects all it says is the point.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinygsm_kit.convert.ledger import Ledger, ledger_path
from tinygsm_kit.parts import part_paths, read_rows

pytestmark = pytest.mark.slow


def tiny_model(folder: Path) -> Path:
    """An untrained Llama of a few thousand weights with a byte-level tokenizer and a chat template."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    raw = ByteLevelBPETokenizer()
    raw.train_from_iterator(["Tom has 5 boxes of 12 eggs."], vocab_size=300, special_tokens=["<eos>"])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw._tokenizer, eos_token="<eos>", pad_token="<eos>")
    tokenizer.chat_template = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
                         num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=8192,
                         eos_token_id=tokenizer.eos_token_id)  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """base_url and model name of a running `transformers serve`."""
    pytest.importorskip("uvicorn", reason="transformers serve needs transformers[serving]")
    pytest.importorskip("fastapi", reason="transformers serve needs transformers[serving]")
    model = tiny_model(tmp_path_factory.mktemp("model"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = "import sys; from transformers.cli.transformers import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "serve", str(model), "--host", "127.0.0.1", "--port", str(port),
               "--device", "cpu"]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"}
    log = (tmp_path_factory.mktemp("log") / "log").open("w+")
    with subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process:
        try:
            for _ in range(1200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if process.poll() is not None:
                    log.seek(0)
                    pytest.fail(f"transformers serve ended:\n{log.read()[-3000:]}")
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/v1", str(model)
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_foreign_server_answers_and_verification_rejects_what_it_says(api: str, served, sample, run, tmp_path: Path):
    url, model = served
    options = {"api": api, "base_url": url, "model": model, "json_schema": False, "max_output_tokens": 16, "examples": []}
    counts = run(sample(3), tmp_path / "out", options, budget_usd=None, max_in_flight=2, retries=0, repair=False)
    assert counts.rows_out == 0
    assert sum(counts.rejected.values()) == 3
    assert set(counts.rejected) <= {"malformed_answer", "cut_off"}, list(read_rows(part_paths(tmp_path / "out", "rejected")))
    assert counts.extra["requests"] == 3
    assert counts.extra["input_tokens"] > 300
    assert 0 < counts.extra["output_tokens"] <= 48
    ledger = Ledger(ledger_path())
    assert ledger.database.execute("SELECT count(*) FROM answers").fetchone() == (3,)
    ledger.close()
