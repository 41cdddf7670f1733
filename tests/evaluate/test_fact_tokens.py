"""Fact tokens in responses: used, right, wrong, missed."""

import json
import re
from pathlib import Path

import pytest

from tinygsm_kit import get
from tinygsm_kit.evaluate.fact_tokens import FactTokens, Use, for_model
from tinygsm_kit.plugins import PluginError


@pytest.fixture(scope="module")
def facts() -> FactTokens:
    return FactTokens([get("injector", "mul_tokens")])


@pytest.mark.parametrize(
    ("response", "question", "operands", "use"),
    [
        ("no token", "", (), Use(0, 0, 0, 0)),
        ("<MUL_7_8_56>", "What is 8 × 7?", (8, 7), Use(1, 1, 0, 0)),
        ("<MUL_6_9_54>", "What is 8 × 7?", (8, 7), Use(1, 0, 1, 0)),
        ("<MUL_3_7_21>, <MUL_4_7_28>, so 210 + 28 = 238", "What is 34 × 7?", (34, 7), Use(2, 2, 0, 0)),
        ("9 × 6 = <MUL_7_8_56>", "7 rows of 8, 9 of 6", (), Use(1, 0, 1, 0)),
        ("12<MUL_7_8_56>", "7 rows of 8 and 12", (), Use(1, 0, 1, 0)),
        ("<MUL_7_8_56> and <MUL_7_9_63>", "7 rows of 8", (), Use(2, 1, 1, 0)),
        ("There are 9 more. <MUL_7_9_63>", "7 rows of 8", (), Use(1, 1, 0, 0)),
        ("<MUL_5_7_35>", "Five eggs a day for a week", (), Use(1, 1, 0, 0)),
        ("7 × 8 = 56", "7 rows of 8", (), Use(0, 0, 0, 1)),
        ("<MUL_7_8_54>", "7 rows of 8", (), Use(0, 0, 1, 0)),
    ],
)
def test_use(facts: FactTokens, response: str, question: str, operands: tuple[int, ...], use: Use) -> None:
    assert facts.use(response, question, operands) == use


def test_eject_writes_each_token_out(facts: FactTokens) -> None:
    assert facts.eject("So <MUL_7_8_56>.") == "So 7 × 8 = 56."
    assert facts.count("<MUL_7_8_56> <MUL_2_2_4> <MUL_9_8_72>") == 2


def test_without_injectors_text_is_text() -> None:
    facts = FactTokens([])
    assert facts.use("7 × 8 = 56 <X>", "", ()) == Use(0, 0, 0, 0)
    assert facts.eject("<MUL_7_8_56>") == "<MUL_7_8_56>"


def test_only_a_models_own_injectors_can_miss() -> None:
    assert for_model({"injectors": []}).use("7 × 8 = 56", "").missed == 0
    assert for_model({}).use("7 × 8 = 56", "").missed == 1
    assert for_model({"injectors": [{"use": "mul_tokens"}]}).use("7 × 8 = 56", "").missed == 1
    assert for_model({"injectors": []}).eject("<MUL_7_8_56>") == "7 × 8 = 56"


def test_an_injector_that_is_not_installed_is_named() -> None:
    with pytest.raises(PluginError, match=r"mul_token'.*'mul_tokens'"):
        for_model({"injectors": ["mul_token"]})


TRAIN = Path(__file__).parents[3] / "shared" / "data" / "gsm8k" / "train.jsonl"


@pytest.mark.skipif(not TRAIN.exists(), reason="needs GSM8K's training split in ../shared")
def test_people_seldom_look_wrong(facts: FactTokens) -> None:
    """Injected into solutions that people wrote, at most 3 % of the tokens are taken for wrong ones."""
    used = wrong = 0
    for line in TRAIN.read_text("utf-8").splitlines():
        row = json.loads(line)
        plain = re.sub(r"\s*([*=])\s*\$?", r" \1 ", re.sub(r"<<[^>]*>>", "", row["answer"]))
        injected = facts.injectors[0].inject(plain)
        use = facts.use(injected, row["question"])
        used, wrong = used + use.used, wrong + use.wrong
    assert used > 1000
    assert wrong / used < 0.03
