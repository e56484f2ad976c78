"""``berth demo-day +N``: moves the business day of an installation whose day is fixed."""

from __future__ import annotations

import datetime as dt

import click
import sqlalchemy as sa

from portal.audit.actions import record
from portal.clock import Clock
from portal.commands.support import engine_of, settings, writing
from portal.models.capacity import lock_capacity
from portal.models.settings import Settings
from portal.web.actor import process_actor


@click.command("demo-day")
@click.argument("days", metavar="+N", type=int)
def demo_day(days: int) -> None:
    """Move the business day on by N days. Instants, leases and expiries go on in real time."""
    checked = settings()
    if checked.is_production:
        raise click.ClickException("In production the business day is the UTC day. Nothing was changed.")
    if days < 0:
        raise click.BadParameter("a business day is never moved back", param_hint="+N")
    with writing(engine_of(checked)) as session:
        lock_capacity(session)
        row = session.scalars(sa.select(Settings)).one()
        before = row.business_day or Clock().now().date()
        row.business_day = before + dt.timedelta(days)
        by, now, after = process_actor("berth demo-day"), Clock().now(), {"business_day": row.business_day}
        record(session, by=by, action="moved the day", thing="settings", now=now, after=after)
        click.echo(f"The business day is {row.business_day}.")
