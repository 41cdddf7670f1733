import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinygsm_kit.sources.drawing import draw_order, keys, parts_of

ROWS = st.dictionaries(st.integers(0, 2**64 - 1), st.integers(0, 5), min_size=1, max_size=200)


def arrays(rows):
    return np.asarray(list(rows), dtype=np.uint64), np.asarray(list(rows.values()), dtype=np.int16)


def test_keys_are_splitmix64():
    """The published first outputs of the generator with seed 0 are what mixes the seed."""
    from tinygsm_kit.sources.drawing import _mix

    assert int(_mix(np.asarray([0], dtype=np.uint64))[0]) == 0xE220A8397B1DCDAF
    assert len(set(keys(np.arange(1000, dtype=np.uint64), 3).tolist())) == 1000


@given(ROWS, st.integers(0, 2**31), st.booleans())
def test_the_order_is_a_permutation(rows, seed, stratified):
    ids, strata = arrays(rows)
    assert sorted(draw_order(ids, strata if stratified else None, seed).tolist()) == list(range(len(ids)))


@given(ROWS, st.integers(0, 2**31), st.data())
def test_the_order_of_the_stream_makes_no_difference(rows, seed, data):
    ids, strata = arrays(rows)
    shuffled = np.asarray(data.draw(st.permutations(range(len(ids)))))
    for by in (strata, None):
        here = ids[draw_order(ids, by, seed)]
        there = ids[shuffled][draw_order(ids[shuffled], None if by is None else by[shuffled], seed)]
        assert here.tolist() == there.tolist()


@given(ROWS, st.integers(0, 2**31), st.data())
def test_every_beginning_holds_each_stratum_in_proportion(rows, seed, data):
    ids, strata = arrays(rows)
    size = data.draw(st.integers(0, len(ids)))
    drawn = strata[draw_order(ids, strata, seed)][:size]
    kinds = set(strata.tolist())
    for kind in kinds:
        share = (strata == kind).sum() * size / len(ids)
        assert abs((drawn == kind).sum() - share) <= 1 + len(kinds) / 2


def test_the_seed_decides():
    ids = np.arange(100, dtype=np.uint64)
    assert draw_order(ids, None, 1).tolist() != draw_order(ids, None, 2).tolist()


@given(st.integers(1, 300), st.integers(1, 7), st.integers(1, 50), st.randoms())
def test_parts_are_even_whole_and_small_enough(rows, shards, part_rows, random):
    positions = random.sample(range(1000), rows)
    part, count = parts_of(np.asarray(positions), shards, part_rows)
    sizes = np.bincount(part, minlength=count)
    assert len(sizes) == count >= shards
    assert sizes.max() <= part_rows
    a_shard = sizes.reshape(shards, -1).sum(axis=1)
    assert a_shard.max() - a_shard.min() <= 1
    for shard in range(shards):
        mine = [
            (position, number) for position, number in zip(positions, part, strict=True) if number * shards // count == shard
        ]
        assert [number for _, number in sorted(mine)] == sorted(number for _, number in mine)
