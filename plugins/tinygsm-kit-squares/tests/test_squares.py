"""The plugin by itself, by the names it registers, and beside the kit's own injector."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import tinygsm_kit
from tinygsm_kit.testing import installed

squares_plugin = pytest.importorskip("tinygsm_kit_squares", reason="install it with: pip install ./plugins/tinygsm-kit-squares")
SQUARES = squares_plugin.SquareTokens(squares_plugin.SquareTokensOptions())


@pytest.fixture
def host() -> Iterator[None]:
    """The plugin registered, by pip or for the test."""
    from tinygsm_kit.plugins import host

    if "square_tokens" in host().names("injector"):
        yield
        return
    with installed(squares_plugin, "squares"):
        yield


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The area is 12 × 12 = 144.", "The area is <SQR_12_144>."),
        ("12² = 144 and 5^2 = 25", "<SQR_12_144> and <SQR_5_25>"),
        ("25*25=625", "<SQR_25_625>"),
        ("7 x 7 = 49 apples", "<SQR_7_49> apples"),
    ],
)
def test_squares_become_tokens(text: str, expected: str) -> None:
    assert SQUARES.inject(text) == expected


@pytest.mark.parametrize(
    "text",
    ["112 × 12 = 1344",
     "12 × 12 = 145", "12 × 12 = 1,440", "12 × 12 = 144.5", "2 × 12 × 12 = 144", "12 × 12 = 144 + 1", "$12 × 12 = 144",

     "12 × 120 = 1440", "26 × 26 = 676", "1² = 1", "3 × 12² = 144", "12³ = 1728", "x² = 144", "12 × 12"],
)  # fmt: skip
def test_anything_else_is_left_as_it_is(text: str) -> None:
    assert SQUARES.inject(text) == text


@given(
    st.integers(2, 25), st.sampled_from(["{0} × {0} = {1}", "{0}*{0} = {1}", "{0}² = {1}", "{0}^2={1}"]), st.text(max_size=10)
)
def test_a_token_comes_back_as_the_canonical_equation(root: int, form: str, tail: str) -> None:
    injected = SQUARES.inject(f"So {form.format(root, root * root)}. {tail}")
    assert injected.startswith(f"So <SQR_{root}_{root * root}>. ")
    assert SQUARES.eject(injected).startswith(f"So {root} × {root} = {root * root}. ")
    assert SQUARES.inject(injected) == injected
    assert SQUARES.count(injected) >= 1


def test_the_kit_finds_injector_and_probes_by_name(host: None) -> None:
    injector = tinygsm_kit.get("injector", "square_tokens", high=12)
    assert injector.tokens()[-1] == "<SQR_12_144>"
    assert len(injector.tokens()) == 11
    probes = list(tinygsm_kit.get("probe_suite", "squares").probes())
    assert len(probes) == 25
    assert (probes[11].question, probes[11].answer, probes[11].operands) == ("What is 12 × 12?", "144", (12, 12))
    with pytest.raises(ValidationError, match="hihg"):
        tinygsm_kit.get("injector", "square_tokens", hihg=12)


def test_two_injectors_share_a_text_in_the_order_listed(host: None) -> None:
    text = "7 × 7 = 49, 12 × 12 = 144"
    mul = tinygsm_kit.get("injector", "mul_tokens")
    assert SQUARES.inject(mul.inject(text)) == "<MUL_7_7_49>, <SQR_12_144>"
    assert mul.inject(SQUARES.inject(text)) == "<SQR_7_49>, <SQR_12_144>"
    assert mul.eject(SQUARES.eject("<MUL_7_7_49>, <SQR_12_144>")) == text
