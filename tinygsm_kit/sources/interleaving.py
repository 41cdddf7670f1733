"""Whose turn it is, when several streams are mixed by weight."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence


def turns(weights: Sequence[float], seed: int) -> Iterator[int]:
    """Endless indices into `weights`, each as often as its weight says.

    After n turns index i came `n * weights[i] / sum(weights)` times, within one for two weights and nearly so for more:
    the largest debt goes first. The seed sets who starts. The first n turns do not depend on how many are taken.
    """
    shares = [weight / sum(weights) for weight in weights]
    start = random.Random(seed)
    owed = [share * start.random() for share in shares]
    while True:
        owed = [debt + share for debt, share in zip(owed, shares, strict=True)]
        chosen = max(range(len(owed)), key=owed.__getitem__)
        owed[chosen] -= 1
        yield chosen
