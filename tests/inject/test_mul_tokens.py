"""The contract of fact tokens: only whole, true, standalone equations, and what was injected comes back out."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

import tinygsm_kit
from tinygsm_kit.inject.mul_tokens import MulTokens, MulTokensOptions

MUL = MulTokens(MulTokensOptions())

INJECTED = [
    ("7 × 8 = 56", "<MUL_7_8_56>"),
    ("9 * 6 = 54.", "<MUL_6_9_54>."),
    ("3x4=12", "<MUL_3_4_12>"),
    ("3 × 6 = 18, 6 × 6 = 36, 5 · 6 = 30, so 1800 + 360 + 30 = 2190.",
     "<MUL_3_6_18>, <MUL_6_6_36>, <MUL_5_6_30>, so 1800 + 360 + 30 = 2190."),
    ("Total: 7 × 8 = 56 dollars.", "Total: <MUL_7_8_56> dollars."),
    ("- 7 × 8 = 56", "- <MUL_7_8_56>"),
    ("(7 × 8 = 56)", "(<MUL_7_8_56>)"),
    ("so 7 × 8 = 56\n3 × 4 = 12", "so <MUL_7_8_56>\n<MUL_3_4_12>"),
    ("1. 3 × 4 = 12", "1. <MUL_3_4_12>"),
    ('He says "3 × 4 = 12".', 'He says "<MUL_3_4_12>".'),
    ("56 ÷ 8 = 7 since 7 × 8 = 56.", "56 ÷ 8 = 7 since <MUL_7_8_56>."),
    ("7 × 8 = 56 since 56 ÷ 8 = 7.", "<MUL_7_8_56> since 56 ÷ 8 = 7."),
    ("<MUL_3_4_12> and 7 × 8 = 56", "<MUL_3_4_12> and <MUL_7_8_56>"),
    ("That is 5. Then 3 × 4 = 12!", "That is 5. Then <MUL_3_4_12>!"),
    ("2 × 2 = 4 (two pairs)", "<MUL_2_2_4> (two pairs)"),
]  # fmt: skip

UNTOUCHED = [
    "2.5 * 4 = 10", "3 * 4 = 12,000", "106 * 9 = 954", "16 * 9 = 54", "5^(2 × 3)", "5^(2 × 3) = 6", "5^(2 × 3 = 6)",
    "5 × 4 = 20.5",
    "2 + 3 × 4 = 14", "2 + 3 × 4 = 12", "3 × 4 = 12 + 1", "3 × 4 = 12 = 12", "12 = 3 × 4", "12 = 3 × 4 = 12", "$3 × 4 = $12",
    "3 × 4 = $12", "3 × 4 = 12%", "1/3 × 3 = 1", "1/3 × 3 = 9", "-3 × 4 = 12", "3 × 4 = -12", "3 × 4 = 13", "2 × 3 × 4 = 12",
    "1 x 3 × 4 = 12", "1 times 3 × 4 = 12", "3 × 4 = 12 × 2", "3 × 4 = 12 apples × 2", "3 × 4 = 12 times 2", "3 × 4 = 12/5",
    "3 × 4 = 12 / 5", "3 × 4 = 12:30", "3 × 4 = 12k", "3 × 4 = 12...", "3 × 4 = 12²", "3 × 4 = 12^2", "3 × 4 = 12 million",
    "3 × 4 = 12 1/2", "3 × 4 = 12 and 1/2", "2 × (3 × 4 = 12)", "3 × 4 = 12) × 2", "1 × 5 = 5", "0 × 3 = 0", "3 × 4 ≈ 12",
    "3 × 4\n= 12", "3 × 4 = 12\n= 12", "3 × 4 = 12\n× 2 = 24", "3² × 4 = 12", "2^3 × 4 = 12", "3 × 4 = 012", "03 × 4 = 12",
    "3 × 4 = 12 - 5", "3 × 4 = 12-5", "3 × 4 = 12–5", "5 - 3 × 4 = 12", "3 × 4 = 12 000", "10% × 3 × 4 = 12", "<<3*4=12>>12",
    "f3 × 4 = 12", "3 × 4 = 12th", "x = 3 × 4 = 12", "5! 3 × 4 = 121", "1,3 × 4 = 12", "0.3 × 4 = 12",
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), INJECTED)
def test_standalone_facts_become_tokens(text: str, expected: str) -> None:
    assert MUL.inject(text) == expected


@pytest.mark.parametrize("text", UNTOUCHED)
def test_whatever_is_more_than_a_fact_is_left_as_it_is(text: str) -> None:
    assert MUL.inject(text) == text
    assert MUL.inject(f"So {text}") == f"So {text}"


def test_every_fact_has_its_token_in_a_stable_order() -> None:
    tokens = MUL.tokens()
    assert len(tokens) == len(set(tokens)) == 36
    assert tokens[:3] == ["<MUL_2_2_4>", "<MUL_2_3_6>", "<MUL_2_4_8>"]
    assert tokens[-1] == "<MUL_9_9_81>"
    for token in tokens:
        assert MUL.inject(MUL.eject(token)) == token
        assert MUL.count(token) == 1


def test_the_trivial_facts_have_tokens_where_asked_for() -> None:
    everything = tinygsm_kit.get("injector", "mul_tokens", low=0)
    assert len(everything.tokens()) == 55
    assert everything.inject("0 × 5 = 0, 1 × 7 = 7") == "<MUL_0_5_0>, <MUL_1_7_7>"
    with pytest.raises(ValidationError, match="low"):
        tinygsm_kit.get("injector", "mul_tokens", low=10)


def test_what_a_model_wrote_wrongly_is_ejected_as_it_wrote_it() -> None:
    assert MUL.eject("<MUL_7_8_54>") == "7 × 8 = 54"
    assert MUL.eject("<MUL_9_6_54>, so") == "9 × 6 = 54, so"
    assert MUL.eject("<MUL_12_9_108>") == "12 × 9 = 108"
    assert MUL.eject("<MUL_7_8> <SQR_12_144> <MUL_1_2_3_4>") == "<MUL_7_8> <SQR_12_144> <MUL_1_2_3_4>"
    assert MUL.eject(f"<MUL_1_2_{'9' * 5000}>") == f"<MUL_1_2_{'9' * 5000}>"
    assert MUL.count("<MUL_7_8_54> and <MUL_6_9_54> and <MUL_x>") == 2


# ------------------------------------------------------------------------------------------------------ properties

CALCULATION = re.compile(r"([2-9]) ?[×*x·] ?([2-9]) ?= ?([0-9]{1,2})")
FRAGMENTS = st.sampled_from(
    ["7 × 8 = 56", "8*7=56", "3 x 4 = 12", "6 · 9 = 54", "3 × 4 = 13", "<MUL_7_8_56>",
     "2", "7", "0", "12", "1,000", ".5", "=", "×", "x", "*",
     "+", "-", "−",
     "^", "/", "%", "$", "(", ")", " ", " ", " ", "\n", ",", ".", ":", "so", "apples", "times", "a", "and", "²",
     "≈", "<", ">", '"']
)  # fmt: skip


def canonical(text: str) -> str:
    """The text with operand order and the spelling of operators made one, wherever a one-digit product is stated."""

    def spell(match: re.Match[str]) -> str:
        a, b = sorted(match.groups()[:2])
        return f"{a} × {b} = {match[3]}"

    return CALCULATION.sub(spell, text)


@given(st.lists(FRAGMENTS, max_size=14).map("".join))
@example("7 × 8 = 56 3 × 4 = 12")
@example("(3 x 4 = 12), 6 · 9 = 54\n- 8*7=56.")
def test_ejecting_undoes_injecting_and_injecting_twice_is_injecting_once(text: str) -> None:
    plain = MUL.eject(text)
    injected = MUL.inject(plain)
    assert canonical(MUL.eject(injected)) == canonical(plain)
    assert MUL.inject(injected) == injected
    assert MUL.inject(MUL.eject(injected)) == injected
    assert MUL.count(injected) == len(re.findall(r"<MUL_\d_\d_\d+>", injected))


@given(st.text(max_size=60))
def test_text_without_facts_passes_unchanged(text: str) -> None:
    assert MUL.inject(text) == text or "<MUL_" in MUL.inject(text)
    assert canonical(MUL.eject(MUL.inject(text))) == canonical(MUL.eject(text))


@given(st.lists(FRAGMENTS, max_size=8).map("".join), st.lists(FRAGMENTS, max_size=8).map("".join))
def test_a_token_never_touches_what_would_change_its_meaning(before: str, after: str) -> None:
    injected = MUL.inject(f"{before}3 × 4 = 12{after}")
    for match in re.finditer(r"<MUL_(\d)_(\d)_(\d+)>", injected):
        assert int(match[1]) * int(match[2]) == int(match[3])
        if match[0] in before + after:
            continue
        left, right = injected[: match.start()], injected[match.end() :]
        assert not re.search(r"[\d.$%,+×*·/^=≈−]\Z", left)
        assert not re.search(r"[+×·/^=≈−][ (]*\Z", left)
        assert not re.match(r"\d|[.,]\d|%|²|\^|[ )]*[+×·/^=≈−]", right)
