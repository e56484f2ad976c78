"""A sparse program, linear or with whole numbers, assembled from arrays; MathOpt reads it in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Key = TypeVar("Key", mathopt.Variable, mathopt.LinearConstraint)


@dataclass(slots=True)
class Program:
    """Maximise a sum over variables within bounds, subject to rows ``lower <= sum of entries <= upper``."""

    _variables: list[Floats] = field(default_factory=list)
    _whole: list[Indices] = field(default_factory=list)
    _rows: list[Floats] = field(default_factory=list)
    _entries: list[tuple[Indices, Indices, Floats]] = field(default_factory=list)
    _variable_count: int = 0
    _row_count: int = 0

    def variables(self, lower: ArrayLike, upper: ArrayLike, objective: Floats) -> Indices:
        """Add a variable for each number of ``objective``; their numbers."""
        self._variables.append(np.stack(np.broadcast_arrays(lower, upper, objective)).astype(np.float64))
        self._variable_count += len(objective)
        return np.arange(self._variable_count - len(objective), self._variable_count)

    def whole(self, variables: Indices) -> None:
        """These variables (numbers) are whole numbers."""
        self._whole.append(variables)

    def rows(self, lower: ArrayLike, upper: ArrayLike) -> Indices:
        """Add a row for each pair of bounds (one of the two may be a single number); their numbers."""
        bounds = np.stack(np.broadcast_arrays(np.atleast_1d(lower), np.atleast_1d(upper))).astype(np.float64)
        self._rows.append(bounds)
        self._row_count += bounds.shape[1]
        return np.arange(self._row_count - bounds.shape[1], self._row_count)

    def entries(self, rows: Indices, columns: Indices, coefficients: Floats | float) -> None:
        """Add coefficients; at most one for each row and variable."""
        spread = np.broadcast_to(np.asarray(coefficients, dtype=np.float64), rows.shape)
        self._entries.append((rows.ravel(), columns.ravel(), spread.ravel()))

    @property
    def upper(self) -> Floats:
        """The upper bound of each row."""
        return np.concatenate([np.zeros(0), *(rows[1] for rows in self._rows)])

    def activity(self, values: Floats) -> Floats:
        """The sum of each row at these ``values`` of the variables."""
        rows, columns, coefficients = self._matrix()
        return np.bincount(rows, coefficients * values[columns], self._row_count).astype(np.float64)

    def model(self) -> mathopt.Model:
        """The program as MathOpt's own model."""
        message = model_pb2.ModelProto()
        lower, upper, objective = np.concatenate([np.zeros((3, 0)), *self._variables], axis=1)
        message.variables.ids.extend(range(self._variable_count))
        message.variables.lower_bounds.extend(lower)
        message.variables.upper_bounds.extend(upper)
        is_whole = np.zeros(self._variable_count, dtype=np.bool_)
        is_whole[np.concatenate([np.zeros(0, dtype=np.int64), *self._whole])] = True
        message.variables.integers.extend(is_whole.tolist())
        message.objective.maximize = True
        worth = np.flatnonzero(objective)
        message.objective.linear_coefficients.ids.extend(worth)
        message.objective.linear_coefficients.values.extend(objective[worth])
        least, most = np.concatenate([np.zeros((2, 0)), *self._rows], axis=1)
        message.linear_constraints.ids.extend(range(self._row_count))
        message.linear_constraints.lower_bounds.extend(least)
        message.linear_constraints.upper_bounds.extend(most)
        rows, columns, coefficients = self._matrix()
        message.linear_constraint_matrix.row_ids.extend(rows)
        message.linear_constraint_matrix.column_ids.extend(columns)
        message.linear_constraint_matrix.coefficients.extend(coefficients)
        return mathopt.Model.from_model_proto(message)

    def by_variable(self, values: Mapping[mathopt.Variable, float]) -> Floats:
        """A solver's answer as an array over the variables."""
        return _dense(values, self._variable_count)

    def by_row(self, values: Mapping[mathopt.LinearConstraint, float]) -> Floats:
        """A solver's answer as an array over the rows."""
        return _dense(values, self._row_count)

    def _matrix(self) -> tuple[Indices, Indices, Floats]:
        """Rows, columns and coefficients, row by row as MathOpt wants them."""
        rows = np.concatenate([np.zeros(0, dtype=np.int64), *(r for r, _, _ in self._entries)])
        columns = np.concatenate([np.zeros(0, dtype=np.int64), *(c for _, c, _ in self._entries)])
        coefficients = np.concatenate([np.zeros(0), *(v for _, _, v in self._entries)])
        order = np.lexsort((columns, rows))
        return rows[order], columns[order], coefficients[order]


def _dense(values: Mapping[Key, float], count: int) -> Floats:
    result = np.zeros(count)
    for key, value in values.items():
        result[key.id] = value
    return result
