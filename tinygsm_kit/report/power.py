"""What an evaluation can see, before money is spent: power by exact summation for the very test that the report uses.

The experiment: two conditions answer the same `n` items. A share `discordant_share` of the items is answered rightly by one
condition alone; the difference in accuracy is the share that only the treatment gets minus the share that only the baseline
gets. The usual normal approximation (Miettinen 1968; Connor 1987) promises a little too much: the exact test is conservative.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POWER = 0.8
ALPHA = 0.05
CORRELATION = 0.4
"""Correlation between two models' right and wrong answers where no run has measured it; a run's report prints its own."""
MOST_ITEMS = 20_000_000


@functools.lru_cache(maxsize=512)
def _critical_table(first: int, last: int, alpha: float) -> NDArray[np.int64]:
    """For each number of discordant pairs the largest k for which k against the rest is significant; -1 where none is."""
    from scipy.stats import binom

    counts = np.arange(first, last + 1)
    k: NDArray[np.int64] = binom.ppf(alpha / 2, counts, 0.5).astype(np.int64)
    while True:
        over = (k >= 0) & (2 * binom.cdf(k, counts, 0.5) > alpha)
        if not over.any():
            return k
        k = k - over


def mcnemar_power(n: int, difference: float, discordant_share: float, alpha: float = ALPHA) -> float:
    """Probability that the exact McNemar test finds `difference` (a share, either sign) with `n` paired items.

    Sums over the number of discordant pairs, Binomial(n, discordant_share), and over the wins among them. Raises ValueError
    where the difference is larger than the share of discordant items, which is impossible.
    """
    from scipy.stats import binom

    size = abs(difference)
    if not size <= discordant_share <= 1:
        raise ValueError(f"expected a discordant share from {size:g} (the difference) to 1, found {discordant_share:g}")
    if discordant_share == 0 or n <= 0:
        return 0.0
    first, last = (int(edge) for edge in binom.ppf([1e-10, 1 - 1e-10], n, discordant_share))
    counts = np.arange(first, last + 1)
    k = _critical_table(first, last, alpha)
    win = (discordant_share + size) / (2 * discordant_share)
    rejected = np.where(k >= 0, binom.cdf(k, counts, win) + binom.sf(counts - k - 1, counts, win), 0.0)
    return float(np.sum(binom.pmf(counts, n, discordant_share) * rejected))


def discordance(baseline_rate: float, difference: float, correlation: float = CORRELATION) -> float:
    """Share of items on which two conditions disagree, from their accuracies and the correlation of their answers.

    p(1-q) + q(1-p) - 2 r sqrt(p(1-p) q(1-q)) with q = p + difference; never below |difference|, which the rates force.
    """
    p, q = baseline_rate, min(1.0, max(0.0, baseline_rate + difference))
    share = p * (1 - q) + q * (1 - p) - 2 * correlation * math.sqrt(p * (1 - p) * q * (1 - q))
    return min(1.0, max(abs(difference), share))


def _share(baseline_rate: float, difference: float, discordant_share: float | None, correlation: float | None) -> float:
    if discordant_share is not None:
        return max(abs(difference), discordant_share)
    return discordance(baseline_rate, difference, CORRELATION if correlation is None else correlation)


def minimum_detectable(
    n: int,
    baseline_rate: float = 0.5,
    discordant_share: float | None = None,
    correlation: float | None = None,
    power: float = POWER,
    alpha: float = ALPHA,
) -> float | None:
    """Smallest gain in accuracy (a share) that `n` paired items find with probability `power`; None where no gain does.

    Give the measured `discordant_share`, or `baseline_rate` and the `correlation` of the answers. A difference larger than the
    measured discordance is taken to be all in one direction.
    """
    from scipy.optimize import brentq

    most = 1.0 if discordant_share is not None else 1.0 - baseline_rate
    if n <= 0 or most <= 0:
        return None

    def missing(difference: float) -> float:
        return mcnemar_power(n, difference, _share(baseline_rate, difference, discordant_share, correlation), alpha) - power

    if missing(most) < 0:
        return None
    return float(brentq(missing, 1e-9, most, xtol=1e-6))


def items_needed(
    difference: float,
    baseline_rate: float = 0.5,
    discordant_share: float | None = None,
    correlation: float | None = None,
    power: float = POWER,
    alpha: float = ALPHA,
) -> int | None:
    """Smallest number of paired items with which the exact McNemar test finds `difference` with probability `power`.

    None for no difference, or where more than 20 million items would be needed.
    """
    if difference == 0:
        return None
    share = _share(baseline_rate, difference, discordant_share, correlation)

    def enough(n: int) -> bool:
        return mcnemar_power(n, difference, share, alpha) >= power

    low, high = 0, 8
    while not enough(high):
        low, high = high, high * 2
        if high > MOST_ITEMS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@dataclass(frozen=True, slots=True)
class SeedModel:
    """What the per-item differences between two conditions vary with, when each condition is trained with several seeds.

    `item` is the variance that an item brings to every seed, `seed` the variance of the true accuracy difference between
    training seeds, `rest` what is new in every item and seed. A report of a run with several seeds measures all three.
    """

    item: float
    seed: float
    rest: float

    @classmethod
    def guess(
        cls, discordant_share: float, difference: float = 0.0, item_share: float = 0.3, seed_sd: float = 0.01
    ) -> SeedModel:
        """For planning, where no run has measured it: 30 % of the disagreement is the items', and training seeds move the
        difference by a point (one standard deviation)."""
        variance = max(discordant_share - difference**2, 0.0)
        return cls(item_share * variance, seed_sd**2, (1 - item_share) * variance)

    def standard_error(self, n: int, seeds: int) -> tuple[float, float]:
        """Standard error of the mean difference and Satterthwaite's degrees of freedom, as `statistics.crossed` has them."""
        ms_item, ms_seed = self.rest + seeds * self.item, self.rest + n * self.seed
        combined = ms_item + ms_seed - self.rest
        spread = ms_item**2 / (n - 1) + ms_seed**2 / (seeds - 1)
        return math.sqrt(combined / (n * seeds)), combined**2 / spread


def t_power(difference: float, standard_error: float, df: float, alpha: float = ALPHA) -> float:
    """Power of the two-sided t test for a difference with this standard error (non-central t, `scipy.special.nctdtr`).

    Counts findings in the right direction only; where the power is of interest the other tail is nothing.
    """
    from scipy.special import nctdtr
    from scipy.stats import t

    if standard_error == 0:
        return 1.0 if difference else 0.0
    edge, shift = float(t.isf(alpha / 2, df)), abs(difference) / standard_error
    return float(1 - nctdtr(df, shift, edge))


def detectable_by_t(standard_error: float, df: float, power: float = POWER, alpha: float = ALPHA) -> float:
    """Smallest difference that a t test with this standard error finds with probability `power`, in the error's unit."""
    from scipy.optimize import brentq

    if standard_error == 0:
        return 0.0
    most = 1.0
    while t_power(most, 1.0, df, alpha) < power:
        most *= 2
    return standard_error * float(brentq(lambda shift: t_power(shift, 1.0, df, alpha) - power, 1e-6, most))


def seeds_needed(
    difference: float, n: int, model: SeedModel, power: float = POWER, alpha: float = ALPHA, most: int = 100
) -> int | None:
    """Smallest number of training seeds (2 or more a condition) that finds `difference` with `n` items; None above `most`."""
    for seeds in range(2, most + 1):
        if t_power(difference, *model.standard_error(n, seeds), alpha) >= power:
            return seeds
    return None
