"""The lines of a narration, what each one rests on, and the selection of those that lead to the answer."""

from __future__ import annotations

from collections.abc import Sequence

from tinygsm_kit.convert.trace.quantities import UntellableError

Clause = tuple[str, str]
"""`(head, body)`: a calculation, and what it is about where its body alone would leave that open."""


class Story:
    """Lines in the order in which the program ran. `control` is what every later line rests on: the branches taken."""

    def __init__(self, limit: int) -> None:
        self.lines: list[str] = []
        self.needs: list[list[int]] = []
        self.control: list[int] = []
        self.lead = ""
        self.limit = limit

    def add(self, line: str, needs: list[int]) -> int:
        """Append a line; gives its index. Raises UntellableError where the story grows beyond any reader's patience."""
        if len(self.lines) >= self.limit:
            raise UntellableError("too_long", f"more than {self.limit} lines")
        self.lines.append(line)
        self.needs.append(needs + self.control if self.control else needs)
        return len(self.lines) - 1

    def leading_to(self, last: Sequence[int]) -> list[str]:
        """The lines that the given ones rest on, in order, none of them twice."""
        wanted: set[int] = set()
        pending = [*last, *self.control]
        while pending:
            index = pending.pop()
            if index not in wanted:
                wanted.add(index)
                pending += self.needs[index]
        if len(wanted) == len(self.lines):
            return list(dict.fromkeys(self.lines))
        return list(dict.fromkeys(self.lines[index] for index in sorted(wanted)))


def sentence(label: str, clauses: Sequence[Clause], lead: str = "") -> str:
    """One line: what is worked out, then its calculations in order."""
    head, body = clauses[0]
    if lead:
        start = f"{lead}, so we find {'' if label.startswith('more ') or label[0].isupper() else 'the '}{label}"
    else:
        start = label[0].upper() + label[1:] if len(label) > 1 else label
    text = f"{start}, {head}: {body}" if head else f"{start}: {body}"
    if len(clauses) == 1:
        return text + "."
    heads = any(clause[0] for clause in clauses)
    for index, (head, body) in enumerate(clauses[1:], 2):
        link = ("; then " if heads else ", then ") if index == len(clauses) else "; " if heads else ", "
        text += f"{link}{head}: {body}" if head else link + body
    return text + "."
