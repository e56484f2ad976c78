"""The CP-SAT model as its parts build it: variables with known bounds, sums, and the uses that blocks make of racks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ortools.sat.python import cp_model

Var = cp_model.IntVar


@dataclass(slots=True)
class Sum:
    """A linear expression: factors of variables, and a constant."""

    terms: list[tuple[Var, int]] = field(default_factory=list)
    constant: int = 0

    def add(self, var: Var | None, factor: int = 1) -> None:
        """Add ``factor * var``; no variable: ``factor`` for certain."""
        if var is None:
            self.constant += factor
        elif factor:
            self.terms.append((var, factor))

    def plus(self, other: Sum, factor: int = 1) -> Sum:
        """This sum and ``factor`` times another."""
        scaled = [(var, factor * own) for var, own in other.terms]
        return Sum(self.terms + scaled, self.constant + factor * other.constant)

    def at(self, values: Sequence[int]) -> int:
        """What it comes to in a solution."""
        return self.constant + sum(factor * values[var.index] for var, factor in self.terms)

    @property
    def expression(self) -> cp_model.LinearExprT:
        factors = [factor for _, factor in self.terms]
        return cp_model.LinearExpr.weighted_sum([var for var, _ in self.terms], factors) + self.constant


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose use of a rack it is; ``notice``: the recall notice, None for a firm block."""

    id: str
    accepted: bool
    notice: int | None
    tenant: str
    contract: str | None


@dataclass(frozen=True, slots=True)
class Use:
    """On each piece of ``pieces``, ``factor * amount`` GPUs of the racks of group ``group``; no amount: ``factor``.

    ``present``: how many racks carry the block (a Boolean where the group is one rack); None: one for certain.
    """

    owner: Owner
    group: int
    pieces: range
    amount: Var | None
    factor: int
    present: Var | None


@dataclass(slots=True)
class Model:
    """Variables, rows and uses."""

    cp: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    variables: list[Var] = field(default_factory=list)
    upper: list[int] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    _both: dict[tuple[int, int], Var] = field(default_factory=dict)
    _any_of: dict[frozenset[int | None], Var] = field(default_factory=dict)
    _rows: set[tuple[int, tuple[tuple[int, int], ...]]] = field(default_factory=set)

    def boolean(self) -> Var:
        return self.count(1)

    def count(self, upper: int) -> Var:
        """A whole number of ``[0, upper]``."""
        var = self.cp.new_bool_var("") if upper == 1 else self.cp.new_int_var(0, upper, "")
        self.variables.append(var)
        self.upper.append(upper)
        return var

    def most(self, total: Sum) -> int:
        """No value of ``total`` is above."""
        return total.constant + sum(factor * self.upper[var.index] for var, factor in total.terms if factor > 0)

    def least(self, total: Sum) -> int:
        """No value of ``total`` is below."""
        return total.constant + sum(factor * self.upper[var.index] for var, factor in total.terms if factor < 0)

    def at_most(self, total: Sum, right: int, *, only_if: Var | None = None) -> None:
        """``total <= right``, once, and not at all where it can't be otherwise."""
        if self.most(total) <= right:
            return
        if only_if is not None:
            self.cp.add(total.expression <= right).only_enforce_if(only_if)
            return
        key = (right - total.constant, tuple(sorted((var.index, factor) for var, factor in total.terms)))
        if key not in self._rows:
            self._rows.add(key)
            self.cp.add(total.expression <= right)

    def equal(self, total: Sum, right: int) -> None:
        self.cp.add(total.expression == right)

    def any_of(self, present: Iterable[Var | None]) -> Var:
        """A variable that is 1 where one of these is above 0, and may be 1 elsewhere; the same for the same ones."""
        present = list(present)
        key = frozenset(None if var is None else var.index for var in present)
        if key not in self._any_of:
            result = self._any_of[key] = self.boolean()
            for var in present:
                if var is None:
                    self.at_most(Sum([(result, -1)]), -1)
                else:
                    self.at_most(Sum([(var, 1), (result, -self.upper[var.index])]), 0)
        return self._any_of[key]

    def same(self, one: Sum, other: Sum) -> Var:
        """A variable that is 1 where both sums come to the same, else 0."""
        equal, below, above = self.boolean(), self.boolean(), self.boolean()
        self.cp.add_exactly_one([equal, below, above])
        difference = one.plus(other, -1)
        self.at_most(difference, 0, only_if=equal)
        self.at_most(other.plus(one, -1), 0, only_if=equal)
        self.at_most(difference, -1, only_if=below)
        self.at_most(other.plus(one, -1), -1, only_if=above)
        return equal

    def some(self, literals: Iterable[cp_model.LiteralT]) -> None:
        """At least one of them."""
        self.cp.add_bool_or(list(literals))

    def both(self, one: Var | None, other: Var | None) -> Var | None:
        """A variable that is 1 where both are, else 0; None stands for 1."""
        if one is None or one is other:
            return other
        if other is None:
            return one
        pair = (one.index, other.index)
        if pair not in self._both:
            self._both[pair] = self._new_both(one, other)
        return self._both[pair]

    def _new_both(self, one: Var, other: Var) -> Var:
        result = self.boolean()
        self.cp.add_implication(result, one)
        self.cp.add_implication(result, other)
        self.cp.add_bool_or([result, one.negated(), other.negated()])
        return result


def is_certain(variables: Iterable[Var | None]) -> bool:
    """Whether one of these is None, which stands for 1. (Variables overload ``==``, so ``in`` can't tell.)"""
    return any(var is None for var in variables)


def total(terms: Iterable[tuple[Var | None, int]], constant: int = 0) -> Sum:
    """The sum of these terms and a constant."""
    result = Sum(constant=constant)
    for var, factor in terms:
        result.add(var, factor)
    return result
