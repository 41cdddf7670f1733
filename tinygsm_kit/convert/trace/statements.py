"""Statements of a program: executed in order, each calculation told as a line."""

from __future__ import annotations

import ast
import math
from typing import Any

from tinygsm_kit.convert.trace import functions
from tinygsm_kit.convert.trace.expressions import Expressions, bind
from tinygsm_kit.convert.trace.quantities import Quantity, UntellableError
from tinygsm_kit.convert.trace.story import Story, sentence
from tinygsm_kit.convert.trace.wording import Cues, Name, from_comment, name_of

_BREAK, _CONTINUE = object(), object()
MAX_STATEMENTS = 5_000
_COUNTERS = frozenset(("_", "i", "j", "k", "n", "idx", "index"))


class Returned:
    """What a function returned, and the lines that it rests on."""

    __slots__ = ("needs", "value")

    def __init__(self, value: Any, needs: list[int]) -> None:
        self.value = value
        self.needs = needs


class Run(Expressions):
    """One execution of a program, told line by line."""

    def __init__(self, cues: Cues, source: str = "", *, max_steps: int, max_iterations: int, **working: Any) -> None:
        super().__init__(cues, **working)
        self.names: dict[str, Any] = {}
        self.source = source
        self.line = 0
        self.story = Story(4 * max_steps)
        self.max_iterations = max_iterations
        self.budget = MAX_STATEMENTS
        self.depth = 0

    def next_line(self) -> int:
        """The index of the line that the calculation will be told in."""
        return len(self.story.lines)

    def spend(self) -> None:
        """Count a step of the execution. Raises UntellableError(`too_long`) when there are too many."""
        self.budget -= 1
        if self.budget < 0:
            raise UntellableError("too_long", f"more than {MAX_STATEMENTS} steps")

    def solve(self, tree: ast.Module) -> Returned:
        """Run the module's definitions, then its last function. Raises UntellableError."""
        solution: ast.FunctionDef | None = None
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                solution = node
                self.names[node.name] = node
            elif self.execute([node]) is not None:
                raise UntellableError("unsupported", "a jump outside of a function")
        if solution is None:
            raise UntellableError("no_code", "no function at top level")
        outcome = self.execute(solution.body)
        if not isinstance(outcome, Returned):
            raise UntellableError("not_a_number", "nothing is returned")
        return outcome

    def execute(self, body: list[ast.stmt]) -> object | None:
        """Run statements in order; gives what ended them early: a return, a break or a continue."""
        names = self.names
        for node in body:
            cls = node.__class__
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(target := node.targets[0], ast.Name):
                if isinstance(node.value, ast.Constant) and not self.story.lead:
                    names[target.id] = self.constant(target.id, node.value.value)
                else:
                    names[target.id] = self.assign(target.id, node.value)
                continue
            if isinstance(node, ast.Return):
                return self._return(node)
            self.spend()
            handler = _HANDLERS.get(cls)
            if handler is None:
                raise UntellableError("unsupported", cls.__name__)
            outcome: object | None = handler(self, node)
            if outcome is not None:
                return outcome
            names = self.names
        return None

    def assign(self, variable: str, node: ast.expr) -> Any:
        """The value of an assignment's right side; its calculation, if there is one, becomes a line."""
        name = name_of(variable)
        self.clauses = []
        self.needs = []
        value = self.evaluate(node, name)
        self.line = node.lineno if hasattr(node, "lineno") else 0
        if (self.clauses or self.story.lead) and isinstance(value, Quantity):
            if not self.clauses:
                value = value.but()
            self.tell(name, value)
        return value

    def constant(self, variable: str, value: Any) -> Any:
        """A number given to a variable; its name matters only where the question tells units apart."""
        if value.__class__ is int and (self.cues.silent or value < 3):
            quantity = self.given(value)
        elif value.__class__ is int or value.__class__ is float:
            quantity = self.given(value, name_of(variable))
        else:
            return value
        if not self.cues.gives(value, quantity.text):
            self._assume(variable, quantity)
        return quantity

    def _assume(self, variable: str, quantity: Quantity) -> None:
        """Introduce a number that the question doesn't give: "Days in week: 7."."""
        name = name_of(variable)
        if not name.generic:
            quantity.step = self.story.add(sentence(self.cues.label(name), [("", self.with_unit(quantity, name))]), [])

    def tell(self, name: Name, value: Quantity) -> None:
        """Make a line of the clauses collected."""
        label = self.generic_label(name) if name.generic else self.cues.label(name)
        story = self.story
        if not self.clauses:
            self.clauses.append(("", f"{self.with_unit(value, name)}"))
        value.step = story.add(sentence(label, self.clauses, story.lead), self.needs)
        story.lead = ""

    def generic_label(self, name: Name) -> str:
        """A label for a variable whose name says nothing."""
        comment = self.comment_at(self.line) if "#" in self.source else ""
        if comment:
            return comment
        if len(name.label) == 1:
            return name.label
        return self.cues.asked() or "answer"

    def comment_at(self, line: int) -> str:
        """What the author's comment behind a line, or alone on the line above it, calls its number."""
        lines = self.source.split("\n")
        if not 1 < line <= len(lines):
            return ""
        _, mark, behind = lines[line - 1].partition("#")
        above = lines[line - 2].strip()
        return from_comment(behind) if mark else from_comment(above) if above.startswith("#") else ""

    def round_last(self, value: Quantity, result: Quantity, name: Name | None) -> bool:
        """Write the rounding into the equation that found the number: `10 ÷ 3 ≈ 3.33`."""
        head, body = self.clauses[-1]
        left, sign, right = body.rpartition(" ≈ ")
        if not sign or right != self.with_unit(value, name):
            return False
        self.clauses[-1] = (head, f"{left} ≈ {self.with_unit(result, name)}")
        return True

    def _return(self, node: ast.Return) -> Returned:
        if node.value is None:
            raise UntellableError("not_a_number", "nothing is returned")
        if node.value.__class__ is ast.Name:
            value = self.names.get(node.value.id)
            if value.__class__ is Quantity and not self.story.lead:
                return Returned(value, [value.step] if value.step >= 0 else [])
        return Returned(
            value := self.assign("result", node.value),
            self.needs if not isinstance(value, Quantity) else [value.step] if value.step >= 0 else self.needs,
        )

    def call_own(self, function: ast.FunctionDef | ast.Lambda, node: ast.Call, name: Name | None) -> Any:
        """Call a function that the program defines."""
        arguments = function.args
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or self.depth > functions.MAX_DEPTH:
            raise UntellableError("unsupported", "a function with such arguments, or too deep a recursion")
        parameters = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        given = dict(zip(parameters, (self.evaluate(argument) for argument in node.args), strict=False))
        given.update({keyword.arg: self.evaluate(keyword.value) for keyword in node.keywords if keyword.arg})
        for parameter, default in zip(reversed(parameters), reversed(arguments.defaults), strict=False):
            if parameter not in given:
                given[parameter] = self.evaluate(default)
        if len(given) != len(parameters) or set(given) != set(parameters):
            raise UntellableError("runtime_error", "a call with the wrong arguments")
        outer, clauses, needs = self.names, self.clauses, self.needs
        self.names = {**outer, **given}
        self.depth += 1
        try:
            if isinstance(function, ast.Lambda):
                return self.evaluate(function.body, name)
            outcome = self.execute(function.body)
        finally:
            self.names, self.depth = outer, self.depth - 1
            if not isinstance(function, ast.Lambda):
                self.clauses, self.needs = clauses, needs
        if not isinstance(outcome, Returned):
            return None
        self.needs += outcome.needs
        return outcome.value


def _augmented(run: Run, node: ast.AugAssign) -> None:
    if not isinstance(node.target, ast.Name):
        target = node.target
        run.clauses, run.needs = [], []
        value = run.evaluate(ast.BinOp(_as_loaded(target), node.op, node.value))
        if run.clauses and isinstance(value, Quantity):
            run.tell(name_of("total"), value)
        bind(run, target, value)
        return
    variable = node.target.id
    run.names[variable] = run.assign(variable, ast.BinOp(ast.Name(variable), node.op, node.value))


def _as_loaded(target: ast.Attribute | ast.Subscript) -> ast.expr:
    return target


def _assign(run: Run, node: ast.Assign) -> None:
    target = node.targets[0]
    if len(node.targets) > 1 and all(isinstance(target, ast.Name) for target in node.targets):
        value = run.assign(node.targets[0].id, node.value)  # type: ignore[attr-defined]
        for target in node.targets:
            bind(run, target, value)
        return
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) and len(target.elts) == len(node.value.elts):
        names = [element.id for element in target.elts if isinstance(element, ast.Name)]
        if len(names) == len(target.elts):
            run.names.update([(name, run.assign(name, part)) for name, part in zip(names, node.value.elts, strict=True)])
            return
    run.clauses, run.needs = [], []
    value = run.evaluate(node.value)
    if run.clauses:
        _tell_parts(run, value)
    bind(run, target, value)


def _tell_parts(run: Run, value: Any) -> None:
    """A calculation whose values go into a container or several names: one line that all of them rest on."""
    step = run.story.add(sentence("working", run.clauses, run.story.lead), run.needs)
    run.story.lead = ""
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, Quantity):
            part.step = step
        elif isinstance(part, list | tuple):
            pending += part
        elif isinstance(part, dict):
            pending += part.values()


def _annotated(run: Run, node: ast.AnnAssign) -> None:
    if node.value is None:
        return
    if isinstance(node.target, ast.Name):
        run.names[node.target.id] = run.assign(node.target.id, node.value)
    else:
        bind(run, node.target, run.evaluate(node.value))


def _if(run: Run, node: ast.If) -> object | None:
    run.clauses, run.needs = [], []
    holds, words = run.condition(node.test)
    body = node.body if holds else node.orelse
    if not body:
        return None
    run.story.control += _noted(run)
    before = run.story.lead
    run.story.lead = " and ".join(part for part in (before, words) if part)
    outcome = run.execute(body)
    if run.story.lead and not isinstance(outcome, Returned):
        run.story.lead = before
    return outcome


def _noted(run: Run) -> list[int]:
    """The lines that a condition rests on; calculations inside it become a line of their own."""
    if not run.clauses:
        return run.needs
    return [run.story.add(sentence("check", run.clauses), run.needs)]


def _for(run: Run, node: ast.For) -> object | None:
    run.clauses, run.needs = [], []
    values = functions.elements(run, run.evaluate(node.iter))
    run.story.control += _noted(run)
    for count, value in enumerate(values, 1):
        if count > run.max_iterations:
            raise UntellableError("too_many_iterations", f"more than {run.max_iterations}")
        run.spend()
        bind(run, node.target, value)
        outcome = run.execute(node.body)
        if outcome is _BREAK:
            return None
        if isinstance(outcome, Returned):
            return outcome
    return run.execute(node.orelse) if node.orelse else None


def _while(run: Run, node: ast.While) -> object | None:
    count = 0
    while True:
        run.clauses, run.needs = [], []
        holds, words = run.condition(node.test)
        run.story.control += _noted(run)
        if not holds:
            if count and words:
                run.story.control.append(run.story.add(f"Now {words}, so we stop.", run.needs))
            return run.execute(node.orelse) if node.orelse else None
        count += 1
        if count > run.max_iterations:
            raise UntellableError("too_many_iterations", f"more than {run.max_iterations}")
        run.spend()
        outcome = run.execute(node.body)
        if outcome is _BREAK:
            return None
        if isinstance(outcome, Returned):
            return outcome


def _expression(run: Run, node: ast.Expr) -> None:
    if node.value.__class__ is not ast.Constant:
        run.clauses, run.needs = [], []
        if not (isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id == "print"):
            run.evaluate(node.value)


def _import(run: Run, node: ast.Import) -> None:
    for alias in node.names:
        if alias.name == "math":
            run.names[alias.asname or alias.name] = functions.MATH


def _import_from(run: Run, node: ast.ImportFrom) -> None:
    for alias in node.names:
        if node.module == "math":
            bound = alias.asname or alias.name
            if alias.name in ("pi", "e", "inf", "tau"):
                run.names[bound] = functions.constant(run, getattr(math, alias.name))
            else:
                run.names[bound] = f"math.{alias.name}"


def _define(run: Run, node: ast.FunctionDef) -> None:
    run.names[node.name] = node


def _assert(run: Run, node: ast.Assert) -> None:
    run.clauses, run.needs = [], []
    if not run.condition(node.test)[0]:
        raise UntellableError("runtime_error", "an assertion fails")


def _raise(*_: object) -> None:
    raise UntellableError("runtime_error", "the program raises an error")


_HANDLERS: dict[type[ast.stmt], Any] = {
    ast.AugAssign: _augmented,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.If: _if,
    ast.For: _for,
    ast.While: _while,
    ast.Expr: _expression,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.FunctionDef: _define,
    ast.Assert: _assert,
    ast.Raise: _raise,
    ast.Pass: lambda *_: None,
    ast.Break: lambda *_: _BREAK,
    ast.Continue: lambda *_: _CONTINUE,
}
