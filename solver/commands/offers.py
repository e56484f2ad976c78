"""``python -m solver offers SNAPSHOT PLAN``"""

from __future__ import annotations

import datetime as dt
import re

import click

from solver import plan as plans
from solver import snapshot as snapshots
from solver.commands.refusal import refusing, snapshot_and_plan_differ
from solver.offers_command import BadQuestion, Question, answer, as_json, as_text
from solver.snapshot import SCOPES, Scope


class _Day(click.ParamType[dt.date]):
    """A day as YYYY-MM-DD."""

    name = "DATE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", str(value)):
                return dt.date.fromisoformat(str(value))
        except ValueError:  # the 30th of February
            pass
        raise click.BadParameter(f"{value!r} is no day as YYYY-MM-DD", ctx, param)


@click.command("offers")
@click.argument("snapshot")
@click.argument("plan")
@click.option("--gpus", type=int, required=True, metavar="N")
@click.option("--days", type=int, required=True, metavar="N")
@click.option("--scope", type=click.Choice(SCOPES), default="any", show_default=True)
@click.option("--site", metavar="ID", help="The site in which the block must stand.")
@click.option("--from", "first", type=_Day(), help="The first start; today unless given.")
@click.option("--until", type=_Day(), help="Past the last start; the horizon unless given.")
@click.option("--contract", metavar="ID", help="A drawdown from this contract; on demand unless given.")
@click.option("--tenant", metavar="ID", help="The contract's unless given.")
@click.option("--json", "json_wanted", is_flag=True, help="The ranges of starts as JSON.")
def command(  # noqa: PLR0913 - one parameter for each word of the command
    snapshot: str,
    plan: str,
    gpus: int,
    days: int,
    scope: Scope,
    site: str | None,
    first: dt.date | None,
    until: dt.date | None,
    contract: str | None,
    tenant: str | None,
    json_wanted: bool,
) -> None:
    """List the starts at which a block fits on top of PLAN, with nothing moved."""
    snapshot_and_plan_differ(snapshot, plan)
    question = Question(gpus, days, scope, site, first, until, contract, tenant)
    with refusing():
        loaded = snapshots.load(snapshot)
        made = plans.load(plan)
        plans.belongs_to(made, loaded.snapshot, loaded.sha256, plan)
        try:
            starts = answer(loaded.snapshot, made, question)
        except BadQuestion as fault:
            raise click.UsageError("\n".join(fault.faults)) from None
        click.echo(as_json(starts) if json_wanted else as_text(question, starts))
