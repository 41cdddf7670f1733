from collections import Counter
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from tinygsm_kit.sources.interleaving import turns


def test_two_weights_alternate_in_their_proportion():
    assert Counter(islice(turns([3, 1], 0), 400)) == {0: 300, 1: 100}


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=5), st.integers(0, 1000), st.integers(1, 300))
def test_every_prefix_keeps_the_weights(weights, seed, rows):
    taken = Counter(islice(turns(weights, seed), rows))
    for index, weight in enumerate(weights):
        assert abs(taken[index] - rows * weight / sum(weights)) <= len(weights)


def test_the_seed_decides_who_starts():
    starts = {next(turns([1, 1], seed)) for seed in range(20)}
    assert starts == {0, 1}
