"""The command line: a skin. Each command parses its words, calls one function and says what came of it."""

from __future__ import annotations

import click

from solver.commands import interrupts
from solver.commands.compare import command as compare
from solver.commands.offers import command as offers
from solver.commands.plan import command as plan
from solver.commands.promise import command as promise
from solver.commands.verify import command as verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def cli(context: click.Context) -> None:
    """Plan GPU reservations: read a snapshot, write a plan, check one, ask what still fits."""
    if context.invoked_subcommand not in (plan.name, compare.name):  # which answer them themselves
        interrupts.release()


for command in (plan, verify, offers, promise, compare):
    cli.add_command(command)
