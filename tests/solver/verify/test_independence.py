"""A second opinion shares no code with what searches for plans."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import solver.verify.check

ALLOWED = ("solver.snapshot", "solver.plan", "solver.terms", "solver.files", "solver.verify")
FOLDER = Path(solver.verify.check.__file__).parent


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_it_reads_the_two_files_and_nothing_else_of_the_solver() -> None:
    names = {name for path in FOLDER.glob("*.py") for name in imported(path)}
    ours = {name for name in names if name.split(".")[0] in {"solver", "portal", "tests"}}

    assert ours
    assert {name for name in ours if not name.startswith(ALLOWED)} == set()


def test_it_needs_no_library_but_numpy() -> None:
    known = {"solver", "numpy", "__future__", "bisect", "collections", "dataclasses", "datetime", "itertools", "math"}

    names = {name.split(".")[0] for path in FOLDER.glob("*.py") for name in imported(path)}

    assert names - known == {"typing"}
