import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygsm_kit.sources.decontamination import Overlap, OverlapIndex, words

LONG = "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May."
"""Twenty words."""


@pytest.fixture
def index():
    return OverlapIndex({"first": [LONG, "What is 7 × 8?"], "second": ["Tom has 5 red and 6 blue marbles in a bag."]})


def test_words_lose_case_and_punctuation_but_not_signs():
    assert words("Tom's $1,234.50 -- is 20% OFF! What is 7 × 8?") == (
        ["toms", "1234.50", "is", "20", "off", "what", "is", "7", "×", "8"]
    )
    assert words("twenty-five 45 - 17") == ["twenty", "five", "45", "-", "17"]
    assert words("What is 7 + 8?") != words("What is 7 × 8?")


def test_thirteen_words_in_a_row_are_named(index):
    question = "Yesterday Natalia SOLD clips to 48 of her friends in April; and then, she laughed."
    assert index.overlap(question) == (Overlap("first", 13, "natalia sold clips to 48 of her friends in april and then she"))


def test_eight_to_twelve_words_are_the_lesser_overlap(index):
    found = index.overlap("My aunt sold clips to 48 of her friends in Rome, I think, on a sunny day.")
    assert found == Overlap("first", 8, "sold clips to 48 of her friends in")


def test_seven_words_are_none(index):
    assert index.overlap("My aunt sold clips to 48 of her sisters in April, and then she bought half a cake.") is None


def test_a_short_question_counts_whole(index):
    assert index.overlap("what is 7 × 8") == Overlap("first", 13, "what is 7 × 8")
    assert index.overlap("What is 7 + 8?") is None
    assert index.overlap("What is 7 × 8 × 2?") is None
    assert index.overlap("Tom has 5 red and 6 blue marbles in a bag!") == (
        Overlap("second", 13, "tom has 5 red and 6 blue marbles in a bag")
    )
    assert index.overlap("Tom has 5 red and 6 blue marbles in a box.") == (
        Overlap("second", 8, "tom has 5 red and 6 blue marbles")
    )


def test_nothing_to_compare_with_overlaps_with_nothing():
    assert OverlapIndex({}).overlap(LONG) is None
    assert OverlapIndex({"a": [""]}).overlap("") is None


VOCABULARY = st.lists(st.sampled_from("abcdefgh"), max_size=30)


@given(VOCABULARY, VOCABULARY)
def test_it_agrees_with_the_definition(evaluated, trained):
    found = OverlapIndex({"set": [" ".join(evaluated)]}).overlap(" ".join(trained))

    def shares(size):
        grams = {tuple(evaluated[i : i + size]) for i in range(len(evaluated) - size + 1)}
        return any(tuple(trained[i : i + size]) in grams for i in range(len(trained) - size + 1))

    same = bool(trained) and evaluated == trained and len(trained) < 13
    expected = 13 if same or shares(13) else 8 if shares(8) else None
    assert (found and found.words) == expected
