"""Tables on standard output or standard error, one below the other."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

_WIDER_THAN_ANY = 10_000
"""Columns of a line. A number is never cut: what is wider than the terminal, the terminal wraps."""


def show(tables: Iterable[Table], *, on_error: bool = False) -> None:
    """Print the tables with an empty line between them."""
    console = Console(stderr=on_error, highlight=False, width=_WIDER_THAN_ANY)
    for number, table in enumerate(tables):
        if number:
            console.print()
        console.print(table.title, style="bold", markup=False)
        table.title = None  # a title inside is wrapped where its table is narrower
        if table.columns:
            console.print(table)
