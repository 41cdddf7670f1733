"""How many fact tokens the training text of a condition holds, and how often it states each fact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tinygsm_kit.interfaces import Injector


class Statistics:
    """Fact tokens in the training text of a condition, over all of its parts."""

    def __init__(self, injectors: Sequence[Injector]) -> None:
        self.rows = 0
        self.distribution: Counter[int] = Counter()
        self.exposures: Counter[str] = Counter(dict.fromkeys((token for each in injectors for token in each.tokens()), 0))

    def add(self, text: str, tokens: int) -> None:
        """Count one row."""
        self.rows += 1
        self.distribution[tokens] += 1
        if tokens:
            pieces = (f"<{piece.partition('>')[0]}>" for piece in text.split("<")[1:])
            self.exposures.update(token for token in pieces if token in self.exposures)

    def as_json(self) -> dict[str, object]:
        """`share` of rows with a token, `mean_when_present`, `distribution` (tokens: rows) and `exposures` (token: times)."""
        present = self.rows - self.distribution[0]
        total = sum(tokens * rows for tokens, rows in self.distribution.items())
        return {
            "rows": self.rows,
            "with_token": present,
            "share": present / self.rows if self.rows else 0.0,
            "mean_when_present": total / present if present else 0.0,
            "distribution": {str(tokens): self.distribution[tokens] for tokens in sorted(self.distribution)},
            "exposures": dict(self.exposures),
        }
