"""The plan keeps its word: what it promises to find is found that often, by the test that the report uses."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binom

from tinygsm_kit.report import power, statistics

EXPERIMENTS = 1_000


def found_share(n: int, difference: float, discordant: float, experiments: int = 20 * EXPERIMENTS) -> float:
    """How often the report's own test finds the difference, by simulation."""
    wins, losses = (discordant + difference) / 2, (discordant - difference) / 2
    rng = np.random.default_rng(n)
    counts = rng.multinomial(n, [wins, losses, 1 - wins - losses], experiments)[:, :2]
    return float(np.mean([statistics.paired_proportions(int(a), int(b), n).p_value <= 0.05 for a, b in counts]))


def test_power_by_brute_force() -> None:
    n, difference, discordant = 30, 0.2, 0.3
    wins = (discordant + difference) / 2
    total = 0.0
    for pairs in range(n + 1):
        for won in range(pairs + 1):
            if statistics.mcnemar_p(won, pairs - won) <= 0.05:
                total += binom.pmf(pairs, n, discordant) * binom.pmf(won, pairs, wins / discordant)
    assert power.mcnemar_power(n, difference, discordant) == pytest.approx(total, abs=1e-9)


def test_power_refuses_the_impossible() -> None:
    with pytest.raises(ValueError, match=r"expected a discordant share from 0\.2 \(the difference\) to 1, found 0\.1"):
        power.mcnemar_power(100, 0.2, 0.1)


@pytest.mark.parametrize(("difference", "discordant"), [(0.03, 0.2), (0.05, 0.1), (0.006, 0.042), (0.1, 0.1), (0.02, 0.4)])
def test_the_planned_number_of_items_finds_the_planned_effect(difference: float, discordant: float) -> None:
    n = power.items_needed(difference, discordant_share=discordant)
    assert n is not None
    assert power.mcnemar_power(n, difference, discordant) >= 0.8
    assert 0.78 <= found_share(n, difference, discordant) <= 0.82


@pytest.mark.parametrize(
    ("n", "baseline", "correlation"), [(500, 0.15, 0.4), (1_319, 0.15, 0.4), (1_319, 0.5, 0.0), (281, 0.8, 0.3)]
)
def test_the_smallest_detectable_difference_is_found(n: int, baseline: float, correlation: float) -> None:
    difference = power.minimum_detectable(n, baseline, correlation=correlation)
    assert difference is not None
    discordant = power.discordance(baseline, difference, correlation)
    assert 0.78 <= found_share(n, difference, discordant) <= 0.82


def test_the_simulation_holds_from_answers_to_verdict() -> None:
    """Whole experiments, answer by answer: correlated right and wrong answers of two models at the planned size."""
    n, baseline, correlation = 1_319, 0.15, 0.4
    difference = power.minimum_detectable(n, baseline, correlation=correlation)
    assert difference is not None
    share = power.discordance(baseline, difference, correlation)
    both = baseline - (share - difference) / 2
    rng, found = np.random.default_rng(1), 0
    for _ in range(2 * EXPERIMENTS):
        draw = rng.random(n)
        first = draw < baseline
        second = (draw < both) | ((draw >= baseline) & (draw < baseline + (share + difference) / 2))
        wins, losses = int(np.sum(second & ~first)), int(np.sum(first & ~second))
        found += statistics.paired_proportions(wins, losses, n).p_value <= 0.05
    assert 0.78 <= found / (2 * EXPERIMENTS) <= 0.82


def test_more_items_see_smaller_differences() -> None:
    seen = [power.minimum_detectable(n, 0.15) for n in (100, 500, 1_319, 10_000)]
    assert all(a is not None and b is not None and a > b for a, b in pairwise(seen))
    assert power.minimum_detectable(4, 0.15) is None
    assert power.minimum_detectable(0) is None


def test_nothing_disagreed_says_what_a_one_sided_change_would_need() -> None:
    seen = power.minimum_detectable(500, discordant_share=0.0)
    assert seen is not None
    assert power.mcnemar_power(500, seen, seen) == pytest.approx(0.8, abs=1e-3)


def test_items_needed_grows_with_the_square() -> None:
    few, many = (power.items_needed(d, discordant_share=0.2) for d in (0.04, 0.02))
    assert few is not None
    assert many is not None
    assert 3.7 < many / few < 4.1
    assert power.items_needed(0.0) is None
    assert power.items_needed(1e-5, discordant_share=0.5) is None


def test_discordance_of_independent_and_of_equal_models() -> None:
    assert power.discordance(0.5, 0.0, 0.0) == pytest.approx(0.5)
    assert power.discordance(0.3, 0.0, 1.0) == pytest.approx(0.0)
    assert power.discordance(0.3, 0.1, 1.0) == pytest.approx(0.1)


@pytest.mark.parametrize("df", [1.0, 1.3, 2.0, 7.5, 60.0, 1_318.0, math.inf])
def test_detectable_by_t_has_the_power_it_says(df: float) -> None:
    shift = power.detectable_by_t(1.0, df)
    rng = np.random.default_rng(3)
    spread = np.sqrt(rng.chisquare(df, 200_000) / df) if math.isfinite(df) else 1.0
    from scipy.stats import t

    found = np.mean(np.abs((rng.standard_normal(200_000) + shift) / spread) > t.isf(0.025, df))
    assert found == pytest.approx(0.8, abs=0.005)


def test_the_planned_number_of_seeds_finds_the_planned_effect() -> None:
    n, difference, model = 1_319, 0.03, power.SeedModel.guess(0.2, 0.03, seed_sd=0.012)
    seeds = power.seeds_needed(difference, n, model)
    assert seeds is not None
    promised = power.t_power(difference, *model.standard_error(n, seeds))
    assert promised >= 0.8 > power.t_power(difference, *model.standard_error(n, seeds - 1))
    rng, found = np.random.default_rng(2), 0
    for _ in range(EXPERIMENTS):
        cells = rng.normal(difference, math.sqrt(model.rest), (n, seeds))
        cells += rng.normal(0, math.sqrt(model.item), (n, 1)) + rng.normal(0, math.sqrt(model.seed), (1, seeds))
        found += statistics.crossed(cells).p_value <= 0.05
    assert found / EXPERIMENTS == pytest.approx(promised, abs=0.04)
