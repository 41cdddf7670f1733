"""Intervals and tests against published values, against an independent computation, and by simulation."""

from __future__ import annotations

import gc
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from tinygsm_kit.report import statistics

EXPERIMENTS = 1_000


def paired_counts(rng: np.random.Generator, n: int, wins: float, losses: float, size: int) -> np.ndarray:
    """(wins, losses) of `size` experiments with `n` pairs each."""
    return rng.multinomial(n, [wins, losses, 1 - wins - losses], size)[:, :2]


def test_wilson_against_the_published_example() -> None:
    # Newcombe 1998, Stat. Med. 17:857, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29
    for (successes, n), (low, high) in {
        (81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0.0, 0.1611), (1, 29): (0.0061, 0.1718),
    }.items():  # fmt: skip
        interval = statistics.proportion(successes, n)
        assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


def test_tango_against_the_published_example() -> None:
    # Fagerland, Lydersen & Laake 2014, Stat. Med. 33:2850: airway hyper-responsiveness, 21 pairs, 1 against 7
    low, high = statistics.tango_interval(1, 7, 21)
    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)


@given(st.integers(1, 400), st.data())
def test_tango_is_where_the_score_test_turns(n: int, data: st.DataObject) -> None:
    """The ends are differences that the score test, with its nuisance share fitted numerically, just does not reject."""
    wins = data.draw(st.integers(0, n))
    losses = data.draw(st.integers(0, n - wins))
    low, high = statistics.tango_interval(wins, losses, n)
    assert -1 <= low <= (wins - losses) / n <= high <= 1
    for end in (low, high):
        if abs(end) > 0.999 or n < 5:
            continue
        z = (wins - losses - n * end) / math.sqrt(n * (2 * fitted_losses(wins, losses, n, end) + end * (1 - end)))
        assert abs(abs(z) - norm.isf(0.025)) < 0.02


def fitted_losses(wins: int, losses: int, n: int, difference: float) -> float:
    """Share of losses with the highest likelihood where wins - losses is `difference`, by search instead of by formula."""

    def lack(share: float) -> float:
        shares = (share + difference, share, 1 - 2 * share - difference)
        return -sum(c * math.log(max(s, 1e-300)) for c, s in zip((wins, losses, n - wins - losses), shares, strict=True))

    low, high = max(0.0, -difference), (1 - difference) / 2
    return float(minimize_scalar(lack, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_tango_turns_with_the_conditions(wins: int, losses: int, ties: int) -> None:
    n = wins + losses + ties
    if n:
        low, high = statistics.tango_interval(wins, losses, n)
        assert statistics.tango_interval(losses, wins, n) == pytest.approx((-high, -low), abs=1e-9)


def test_exact_mcnemar_by_hand() -> None:
    assert statistics.mcnemar_p(5, 0) == pytest.approx(2 * 0.5**5)
    assert statistics.mcnemar_p(8, 2) == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert statistics.mcnemar_p(3, 3) == 1.0
    assert statistics.mcnemar_p(0, 0) == 1.0


def test_holm_by_hand() -> None:
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([]) == []


def test_no_items_and_no_difference_are_no_evidence() -> None:
    empty = statistics.paired_proportions(0, 0, 0)
    assert (empty.p_value, empty.low, empty.high) == (1.0, -1.0, 1.0)
    same = statistics.paired_means([3.0, 4.0, 5.0], [3.0, 4.0, 5.0])
    assert (same.difference, same.low, same.high, same.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert statistics.mean([2.0, 2.0]) == statistics.Interval(2.0, 2.0, 2.0)


def test_crossed_by_hand() -> None:
    # items differ by a constant 1 and seeds by a constant 2, no rest: MS_items = 2 * 0.5, MS_seeds = 2 * 2, so SE² = 5 / 4
    result = statistics.crossed([[0.0, 2.0], [1.0, 3.0]])
    assert (result.value, result.rest) == (1.5, 0.0)
    assert result.standard_error == pytest.approx(math.sqrt(5 / 4))
    assert result.df == pytest.approx(25 / (1 + 16))
    with pytest.raises(ValueError, match="at least 2 items × 2 seeds, found shape"):
        statistics.crossed([[1.0, 2.0]])


@pytest.mark.parametrize(("n", "share"), [(81, 0.9), (100, 0.5), (281, 0.8), (500, 0.02), (1_319, 0.15)])
def test_wilson_covers(n: int, share: float) -> None:
    rng = np.random.default_rng(n)
    intervals = [statistics.proportion(int(k), n) for k in rng.binomial(n, share, 5 * EXPERIMENTS)]
    assert 0.93 <= np.mean([i.low <= share <= i.high for i in intervals]) <= 0.97


PAIRED = [(81, 0.08, 0.04), (100, 0.02, 0.02), (281, 0.15, 0.05), (500, 0.024, 0.018), (1_319, 0.10, 0.07), (1_319, 0.02, 0.0)]


@pytest.mark.parametrize(("n", "wins", "losses"), PAIRED)
def test_the_interval_of_a_paired_difference_covers(n: int, wins: float, losses: float) -> None:
    found = paired_counts(np.random.default_rng(n), n, wins, losses, 10 * EXPERIMENTS)
    tests = [statistics.paired_proportions(int(a), int(b), n) for a, b in found]
    assert 0.93 <= np.mean([t.low <= wins - losses <= t.high for t in tests]) <= 0.97


@pytest.mark.parametrize(("n", "discordant"), [(100, 0.1), (281, 0.2), (500, 0.04), (1_319, 0.15), (1_319, 0.4)])
def test_no_effect_is_seldom_found(n: int, discordant: float) -> None:
    found = paired_counts(np.random.default_rng(n), n, discordant / 2, discordant / 2, 20 * EXPERIMENTS)
    assert np.mean([statistics.paired_proportions(int(a), int(b), n).p_value <= 0.05 for a, b in found]) <= 0.055


def test_five_comparisons_without_effect_seldom_give_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "collect", lambda *_: 0)  # statsmodels collects garbage in every call, a tenth of a second each
    rng = np.random.default_rng(5)
    families = [
        [statistics.mcnemar_p(int(a), int(b)) for a, b in paired_counts(rng, 1_319, 0.1, 0.1, 5)] for _ in range(EXPERIMENTS)
    ]
    assert np.mean([min(statistics.holm(family)) <= 0.05 for family in families]) <= 0.055


SEED_SPREAD = [0.0, 0.007, 0.014, 0.03]
"""Standard deviation of the true difference between training seeds, in accuracy."""


@pytest.mark.parametrize(("items", "seeds", "slack"), [(281, 3, 0.01), (1_319, 3, 0.01), (1_319, 5, 0.0)])
@pytest.mark.parametrize("spread", SEED_SPREAD)
def test_the_interval_over_items_and_seeds_covers(items: int, seeds: int, slack: float, spread: float) -> None:
    rng = np.random.default_rng(items + seeds)
    covered = []
    for _ in range(2 * EXPERIMENTS):
        cells = rng.normal(0, math.sqrt(0.1), (items, seeds))
        cells += rng.normal(0, math.sqrt(0.05), (items, 1)) + rng.normal(0.03, spread, (1, seeds))
        result = statistics.crossed(cells)
        covered.append(result.low <= 0.03 <= result.high)
    assert 0.93 - slack <= np.mean(covered) <= 0.97 + slack  # three seeds know their own spread but roughly


@pytest.mark.slow
def test_the_bootstrap_interval_of_a_mean_covers() -> None:
    rng, covered = np.random.default_rng(6), []
    for experiment in range(EXPERIMENTS):
        lengths = rng.lognormal(4, 0.5, 200)  # skewed, as response lengths are
        interval = statistics.mean(lengths, seed=experiment)
        covered.append(interval.low <= math.exp(4 + 0.125) <= interval.high)
    assert 0.93 <= np.mean(covered) <= 0.97


@pytest.mark.slow
def test_paired_means_without_effect() -> None:
    rng, covered, rejected = np.random.default_rng(7), [], []
    for experiment in range(EXPERIMENTS):
        baseline = rng.lognormal(4, 0.5, 100)
        result = statistics.paired_means(baseline, baseline + rng.laplace(0, 10, 100), seed=experiment)
        covered.append(result.low <= 0 <= result.high)
        rejected.append(result.p_value <= 0.05)
    assert 0.93 <= np.mean(covered) <= 0.97
    assert np.mean(rejected) <= 0.055 + 0.01  # 1,000 experiments: a standard error of 0.7 points around an exact 5 %
