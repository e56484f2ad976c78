"""The command line: a skin. Each command parses its words, calls one function and says what came of it."""

from __future__ import annotations

import click

from solver.commands import offers, plan, verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Plan GPU reservations: read a snapshot, write a plan, check one, ask what still fits."""


cli.add_command(plan.command)
cli.add_command(verify.command)
cli.add_command(offers.command)
