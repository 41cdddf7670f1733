"""A recipe that uses the installed plugin: its tokens are in the text and the vocabulary, its probes are evaluated."""

import json

import pytest

from tinygsm_kit.parts import part_paths, read_rows
from tinygsm_kit.testing.harness import run_recipe

pytest.importorskip("tinygsm_kit_squares", reason="the plugin is not installed: pip install ./plugins/tinygsm-kit-squares")

RECIPE = {
    "name": "squares",
    "source": {"use": "drills", "kinds": ["mul_table"], "ranges": {"mul_table": [[2, 12], [2, 12]]}},
    "convert": {"use": "trace", "break_products": False},
    "model": {
        "config": {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 128},
        "tokenizer": {"train": {"vocab_size": 320}},
    },
    "conditions": {"plain": {}, "squares": {"inject": [{"use": "square_tokens", "high": 12}]}},
    "train": {"use": "sft", "max_steps": 2, "per_device_train_batch_size": 8},
    "evaluate": {"tasks": ["squares"], "device": "cpu"},
    "compare": {"baseline": "plain", "treatment": "squares"},
}


def test_a_recipe_uses_the_plugin(tmp_path):
    run = run_recipe(tmp_path, RECIPE)
    texts = [row["text"] for row in read_rows(part_paths(run / "inject" / "squares"))]
    assert sum("<SQR_" in text for text in texts) == 11
    assert sum("<SQR_12_144>" in text for text in texts) == 1
    for name in RECIPE["conditions"]:
        results = json.loads((run / "eval" / name / "results.json").read_text())
        assert results["n-samples"]["squares"]["effective"] == 25
        assert "exact_match,none" in results["results"]["squares"]
    report = json.loads((run / "report" / "report.json").read_text())
    assert [row["task"] for row in report["comparisons"] if row["metric"] == "exact_match"] == ["squares"]
