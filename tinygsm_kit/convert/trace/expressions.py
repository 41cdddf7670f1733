"""Expressions of a program: evaluated as Python does, and told where they calculate."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from tinygsm_kit.convert.trace import functions
from tinygsm_kit.convert.trace.arithmetic import Arithmetic
from tinygsm_kit.convert.trace.quantities import Quantity, UntellableError
from tinygsm_kit.convert.trace.wording import Name

_COMPARISONS: dict[type[ast.cmpop], tuple[Callable[[Any, Any], bool], str, str]] = {
    ast.Gt: (lambda a, b: a > b, "{} > {}", "{} is not more than {}"),
    ast.Lt: (lambda a, b: a < b, "{} < {}", "{} is not less than {}"),
    ast.GtE: (lambda a, b: a >= b, "{} is at least {}", "{} < {}"),
    ast.LtE: (lambda a, b: a <= b, "{} is at most {}", "{} > {}"),
    ast.Eq: (lambda a, b: a == b, "{} equals {}", "{} is not {}"),
    ast.NotEq: (lambda a, b: a != b, "{} is not {}", "{} equals {}"),
}


class Expressions(Arithmetic):
    """Evaluates expression nodes. `names` holds quantities, and containers of them; `needs` collects the lines used."""

    names: dict[str, Any]
    factors: tuple[Quantity, Quantity]

    def spend(self) -> None:
        """Count a step of the execution. Raises UntellableError(`too_long`) when there are too many."""
        raise NotImplementedError

    def round_last(self, value: Quantity, result: Quantity, name: Name | None) -> bool:
        """Write a rounding into the equation that found the number, where there is one."""
        raise NotImplementedError

    def call_own(self, function: ast.FunctionDef | ast.Lambda, node: ast.Call, name: Name | None) -> Any:
        """Call a function that the program defines."""
        raise NotImplementedError

    def evaluate(self, node: ast.expr, name: Name | None = None) -> Any:
        """The value of an expression; `name` is the variable that it is assigned to, where it is the whole right side."""
        cls = node.__class__
        if cls is ast.Name:
            return self.look_up(node.id)  # type: ignore[attr-defined]
        if cls is ast.Constant:
            value = node.value  # type: ignore[attr-defined]
            return self.given(value, name) if value.__class__ is int or value.__class__ is float else value
        if cls is ast.BinOp:
            return self.binary(node, name)  # type: ignore[arg-type]
        handler = _HANDLERS.get(cls)
        if handler is None:
            raise UntellableError("unsupported", cls.__name__)
        return handler(self, node, name)

    def look_up(self, variable: str) -> Any:
        """The value of a variable; a line that found it is noted as needed."""
        try:
            found = self.names[variable]
        except KeyError:
            found = functions.CONSTANTS.get(variable)
            if found is None or variable not in functions.CONSTANTS:
                raise UntellableError("undefined", f"name {variable!r}") from None
        if found.__class__ is Quantity and found.step >= 0:
            self.needs.append(found.step)
        return found

    def number(self, node: ast.expr, name: Name | None = None) -> Quantity:
        """The quantity that an expression gives. Raises UntellableError(`unsupported`) for anything else."""
        return as_quantity(self, self.evaluate(node, name))

    def binary(self, node: ast.BinOp, name: Name | None) -> Any:
        """An operation with its operands; a run of + and - is told as one sum."""
        op = node.op.__class__
        if op is ast.Add or op is ast.Sub:
            return self._sum(node, name)
        start = len(self.clauses)
        left = self.evaluate(node.left)
        if left.__class__ is not Quantity or not _is_number_node(node.right):
            return self._mixed(node, left, name)
        right = self.number(node.right)
        if op is ast.Mult:
            if left.rounded and node.left.__class__ is ast.BinOp and self._quotient_of(left) is not None:
                return self._multiply_first(left, right, name)
            self.factors = left, right
            return self.multiply(left, right, name)
        if op is ast.Div:
            if right.exact == 100 and len(self.clauses) == start + 1 and self.cues.percents:
                self._name_percent(node.left, start)
            return self._division(node, left, right, name)
        operation = _OPERATIONS.get(op)
        if operation is None:
            raise UntellableError("unsupported", op.__name__)
        return operation(self, left, right, name)

    def _name_percent(self, product: ast.expr, clause: int) -> None:
        """`price * 20 / 100` is introduced as "20% of 50"."""
        if product.__class__ is not ast.BinOp or product.op.__class__ is not ast.Mult:
            return
        a, b = self.factors
        share, whole = (a, b) if a.exact in self.cues.percents and b.exact not in self.cues.percents else (b, a)
        if share.exact in self.cues.percents and not whole.rounded:
            _, body = self.clauses[clause]
            of = f"{share.text}% of {whole.text}"
            self.clauses[clause] = (of, body)

    def _quotient_of(self, quotient: Quantity) -> tuple[Quantity, Quantity] | None:
        """The terms of the division that was told last, if it gave this very number."""
        last = self.last_division
        return last[:2] if last is not None and last[2] is quotient else None

    def _multiply_first(self, quotient: Quantity, factor: Quantity, name: Name | None) -> Quantity:
        """`a / b * c` where a ÷ b does not come out even: a × c first, then ÷ b, so that nothing is rounded on the way."""
        above, below = self._quotient_of(quotient) or (quotient, factor)
        self.clauses.pop()
        product = self.multiply(above, factor, None)
        return self.divide(product, below, name).but(value=quotient.value * factor.value)

    def _division(self, node: ast.BinOp, left: Quantity, right: Quantity, name: Name | None) -> Quantity:
        """3/4 as written is a fraction, 20/100 per cent; everything else is worked out."""
        if right.exact == 100 and name is None and left.step < 0 and 0 < left.exact < 100 and left.exact in self.cues.percents:
            share = self.settle(left.value / right.value, left.exact * _HUNDREDTH, "")
            share.kind = "percent"
            return share
        if node.left.__class__ is ast.Constant and node.right.__class__ is ast.Constant:
            above, below = left.exact, right.exact
            if below == 100 and type(above) is int and 0 < above < 100:
                share = self.settle(left.value / right.value, left.exact * _HUNDREDTH, "")
                share.kind = "percent"
                return share
            if type(above) is int and type(below) is int and 0 < above < below <= 100:
                return self.fraction(left.value / right.value, Fraction(above, below))
        return self.divide(left, right, name)

    def _sum(self, node: ast.BinOp, name: Name | None) -> Any:
        nodes: list[ast.expr] = []
        minus: list[bool] = []
        at: ast.expr = node
        while at.__class__ is ast.BinOp and at.op.__class__ in _SUMS:
            nodes.append(at.right)
            minus.append(at.op.__class__ is ast.Sub)
            at = at.left
        nodes.append(at)
        minus.append(False)
        nodes.reverse()
        minus.reverse()
        values = [self.evaluate(part) for part in nodes]
        for value in values:
            if value.__class__ is not Quantity:
                return self._add_objects(values, minus, name)
        return self.add(values, minus, name)

    def _add_objects(self, values: Sequence[Any], minus: Sequence[bool], name: Name | None) -> Any:
        if all(isinstance(value, list) for value in values) and not any(minus):
            return [element for value in values for element in value]
        if all(isinstance(value, str) for value in values):
            return "".join(values)
        return self.add([as_quantity(self, value) for value in values], minus, name)

    def _mixed(self, node: ast.BinOp, left: Any, name: Name | None) -> Any:
        right = self.evaluate(node.right)
        for one, other in ((left, right), (right, left)):
            if isinstance(one, list) and isinstance(other, Quantity) and isinstance(node.op, ast.Mult):
                if not isinstance(other.value, int) or len(one) * other.value > 1000:
                    raise UntellableError("unsupported", "a long list")
                return one * other.value
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            return left
        a, b = as_quantity(self, left), as_quantity(self, right)
        if isinstance(node.op, ast.Mult):
            return self.multiply(a, b, name)
        if isinstance(node.op, ast.Div):
            return self._division(node, a, b, name)
        operation = _OPERATIONS.get(node.op.__class__)
        if operation is None:
            raise UntellableError("unsupported", node.op.__class__.__name__)
        return operation(self, a, b, name)

    def condition(self, node: ast.expr) -> tuple[bool, str]:
        """Whether a condition holds, and the words for how it came out ("400 > 380"); no words where there is no news."""
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.BoolOp):
            return self._connective(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            holds, words = self.condition(node.operand)
            return not holds, words
        value = self.evaluate(node)
        if isinstance(value, Quantity):
            return bool(value.value), f"{value.text} is not 0" if value.value else ""
        return bool(value), ""

    def _comparison(self, node: ast.Compare) -> tuple[bool, str]:
        left_node = node.left
        left = self.evaluate(left_node)
        words: list[str] = []
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(right_node)
            known = _COMPARISONS.get(op.__class__)
            if known is None or not (isinstance(left, Quantity) and isinstance(right, Quantity)):
                if not _compare_objects(op, left, right):
                    return False, ""
            else:
                test, yes, no = known
                holds = test(left.value, right.value)
                if holds != test(left.exact, right.exact):
                    raise UntellableError(
                        "binary_noise", f"{left.text} and {right.text} compare differently in binary arithmetic"
                    )
                if not holds:
                    return False, no.format(left.text, right.text)
                if right.exact == 0 and left_node.__class__ is ast.BinOp and left_node.op.__class__ is ast.Mod:
                    words.append(f"{left.text} {'is' if left.text == '1' else 'are'} left over")
                else:
                    words.append(yes.format(left.text, right.text))
            left, left_node = right, right_node
        return True, " and ".join(words)

    def _connective(self, node: ast.BoolOp) -> tuple[bool, str]:
        wanted = isinstance(node.op, ast.Or)
        said = []
        for part in node.values:
            holds, words = self.condition(part)
            if holds == wanted:
                return holds, words
            if words:
                said.append(words)
        return not wanted, " and ".join(said)


def as_quantity(run: Expressions, value: Any) -> Quantity:
    """A number as a quantity. Raises UntellableError(`unsupported`) for anything that is none."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool):
        return run.given(int(value))
    if isinstance(value, int | float):
        return run.given(value)
    raise UntellableError("unsupported", f"arithmetic on {type(value).__name__}")


def bare(value: Any) -> Any:
    """A value of the program as plain Python, for comparisons of anything but two numbers."""
    if isinstance(value, Quantity):
        return value.value
    if isinstance(value, list | tuple | set):
        return type(value)(bare(element) for element in value)
    return value


def _compare_objects(op: ast.cmpop, left: Any, right: Any) -> bool:
    if isinstance(op, ast.Is):
        return left is right
    if isinstance(op, ast.IsNot):
        return left is not right
    one, other = bare(left), bare(right)
    try:
        if isinstance(op, ast.In):
            return one in other
        if isinstance(op, ast.NotIn):
            return one not in other
        return _COMPARISONS[op.__class__][0](one, other)
    except TypeError as error:
        raise UntellableError("runtime_error", str(error)) from None


def _is_number_node(node: ast.expr) -> bool:
    return not isinstance(node, ast.List | ast.Tuple | ast.ListComp)


def _unary(run: Expressions, node: ast.UnaryOp, name: Name | None) -> Any:
    if isinstance(node.op, ast.Not):
        return not run.condition(node.operand)[0]
    if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant) and isinstance(node.operand.value, int | float):
        return run.given(-node.operand.value, name)
    value = run.number(node.operand, name)
    if isinstance(node.op, ast.UAdd):
        return value
    if not isinstance(node.op, ast.USub):
        raise UntellableError("unsupported", node.op.__class__.__name__)
    text = value.text[1:] if value.text[0] == "-" else f"-{value.text}" if value.exact else value.text
    return Quantity(-value.value, -value.exact, text, -value.shown, value.rounded, value.unit, value.step)


def _choice(run: Expressions, node: ast.IfExp, name: Name | None) -> Any:
    holds, words = run.condition(node.test)
    value = run.evaluate(node.body if holds else node.orelse, name)
    if words and isinstance(value, Quantity):
        value = value.but()
        run.clauses.append(("", f"{words}, so it is {run.with_unit(value, name)}"))
    return value


def _display(run: Expressions, node: ast.List | ast.Tuple | ast.Set, _: Name | None) -> Any:
    values = [run.evaluate(element) for element in node.elts]
    return tuple(values) if isinstance(node, ast.Tuple) else values


def _dictionary(run: Expressions, node: ast.Dict, _: Name | None) -> Any:
    if any(key is None for key in node.keys):
        raise UntellableError("unsupported", "**")
    return {bare(run.evaluate(key)): run.evaluate(value) for key, value in zip(node.keys, node.values, strict=True) if key}


def _subscript(run: Expressions, node: ast.Subscript, _: Name | None) -> Any:
    container = run.evaluate(node.value)
    if isinstance(node.slice, ast.Slice):
        parts = [
            None if part is None else bare(run.evaluate(part)) for part in (node.slice.lower, node.slice.upper, node.slice.step)
        ]
        key: Any = slice(*parts)
    else:
        key = bare(run.evaluate(node.slice))
    try:
        found = container[key]
    except (TypeError, LookupError, ValueError) as error:
        raise UntellableError("runtime_error", f"{type(error).__name__}: {error}") from None
    if isinstance(found, Quantity) and found.step >= 0:
        run.needs.append(found.step)
    return found


def _text(*_: object) -> Any:
    return "text"


def _lambda(_: Expressions, node: ast.Lambda, __: Name | None) -> Any:
    return node


def _comprehension(run: Expressions, node: ast.ListComp | ast.GeneratorExp | ast.SetComp, _: Name | None) -> Any:
    found: list[Any] = []
    outer, run.names = run.names, dict(run.names)

    def level(depth: int) -> None:
        if depth == len(node.generators):
            found.append(run.evaluate(node.elt))
            return
        generator = node.generators[depth]
        for element in functions.elements(run, run.evaluate(generator.iter)):
            run.spend()
            bind(run, generator.target, element)
            if all(run.condition(test)[0] for test in generator.ifs):
                level(depth + 1)

    level(0)
    run.names = outer
    return found


def bind(run: Expressions, target: ast.expr, value: Any) -> None:
    """Assign a value to a name or unpack it into several."""
    if isinstance(target, ast.Name):
        run.names[target.id] = value
    elif isinstance(target, ast.Tuple | ast.List):
        values = list(functions.elements(run, value))
        if len(values) != len(target.elts) or any(isinstance(element, ast.Starred) for element in target.elts):
            raise UntellableError("unsupported", "unpacking")
        for element, part in zip(target.elts, values, strict=True):
            bind(run, element, part)
    elif isinstance(target, ast.Subscript):
        container = run.evaluate(target.value)
        if not isinstance(container, list | dict):
            raise UntellableError("unsupported", "item assignment")
        try:
            container[bare(run.evaluate(target.slice))] = value
        except (TypeError, LookupError) as error:
            raise UntellableError("runtime_error", str(error)) from None
    else:
        raise UntellableError("unsupported", f"assignment to {target.__class__.__name__}")


def _walrus(run: Expressions, node: ast.NamedExpr, name: Name | None) -> Any:
    value = run.evaluate(node.value, name)
    bind(run, node.target, value)
    return value


_SUMS = (ast.Add, ast.Sub)
_HUNDREDTH = Fraction(1, 100)
_HANDLERS: dict[type[ast.expr], Callable[[Any, Any, Name | None], Any]] = {
    ast.UnaryOp: _unary,
    ast.Call: functions.evaluate_call,
    ast.IfExp: _choice,
    ast.List: _display,
    ast.Tuple: _display,
    ast.Set: _display,
    ast.Dict: _dictionary,
    ast.Subscript: _subscript,
    ast.Attribute: functions.attribute,
    ast.Compare: lambda run, node, _: run.condition(node)[0],
    ast.BoolOp: lambda run, node, _: run.condition(node)[0],
    ast.JoinedStr: _text,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.SetComp: _comprehension,
    ast.NamedExpr: _walrus,
    ast.Lambda: _lambda,
}
_OPERATIONS: dict[type[ast.operator], Callable[[Any, Quantity, Quantity, Name | None], Quantity]] = {
    ast.FloorDiv: Arithmetic.floor_divide,
    ast.Mod: Arithmetic.modulo,
    ast.Pow: Arithmetic.power,
}
