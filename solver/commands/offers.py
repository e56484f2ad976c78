"""``python -m solver offers SNAPSHOT PLAN``"""

from __future__ import annotations

import datetime as dt
import re
import sys

import click

from solver import offers_command
from solver import plan as plans
from solver import snapshot as snapshots
from solver.commands.refusal import BAD_INPUT, refusing, snapshot_and_plan_differ
from solver.offers_command import BadQuestion, Question
from solver.snapshot import SCOPES, Scope


class _Day(click.ParamType[dt.date]):
    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        if isinstance(value, dt.date):
            return value
        text = str(value)
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                return dt.date.fromisoformat(text)
        except ValueError:
            self.fail(f"{text} is no day of the calendar.", param, ctx)
        return self.fail(f"{text!r} is no day as YYYY-MM-DD.", param, ctx)


@click.command("offers")
@click.argument("snapshot")
@click.argument("plan")
@click.option("--gpus", type=int, required=True, metavar="N", help="A multiple of 4 below 72, of 72 from there on.")
@click.option("--days", type=int, required=True, metavar="N")
@click.option("--scope", type=click.Choice(SCOPES), default="any", show_default=True)
@click.option("--site", metavar="ID")
@click.option("--from", "first", type=_Day(), metavar="DATE", help="The first start; today unless given.")
@click.option("--until", type=_Day(), metavar="DATE", help="Starts before this day; the horizon unless given.")
@click.option("--contract", metavar="ID", help="Charge the block to this contract; on demand unless given.")
@click.option("--tenant", metavar="ID", help="Whose quota counts; the contract's tenant unless given.")
@click.option("--json", "as_json", is_flag=True, help='{"starts": [{"from": DATE, "until": DATE}]}')
def command(  # noqa: PLR0913  # one parameter for each word of the command
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
    as_json: bool,
) -> None:
    """Say at which starts a block fits on top of PLAN, with nothing moved."""
    snapshot_and_plan_differ(snapshot, plan)
    question = Question(gpus, days, scope, site, first, until, contract, tenant)
    with refusing():
        loaded = snapshots.load(snapshot)
        made = plans.load(plan)
        plans.belongs_to(made, loaded.snapshot, loaded.sha256, plan)
        try:
            starts = offers_command.answer(loaded.snapshot, made, question)
        except BadQuestion as refused:
            for fault in refused.faults:
                click.echo(fault, err=True)
            sys.exit(BAD_INPUT)
        click.echo(offers_command.as_json(starts) if as_json else offers_command.as_text(question, starts))
