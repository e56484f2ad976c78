"""``berth import``: inventory, rate card, tenants and contracts from a file."""

from __future__ import annotations

from pathlib import Path

import click

from portal.clock import Clock
from portal.commands.support import engine_of, settings, writing
from portal.landlord import file
from portal.landlord.actions import import_landlord
from portal.web.actor import process_actor

_BAD_INPUT = 2


@click.command("import")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(path: Path) -> None:
    """Record everything in FILE, or nothing where something in it is wrong or there already."""
    checked = settings()
    landlord = _read(path)
    with writing(engine_of(checked)) as session:
        done = import_landlord(session, landlord, by=process_actor("berth import"), now=Clock().now())
    click.echo(
        f"Imported {done.racks:,} racks, {done.tenants:,} tenants, {done.contracts:,} contracts, {done.rates:,} rates."
    )


def _read(path: Path) -> file.Landlord:
    try:
        return file.read(path)
    except file.BadLandlordFile as bad:
        click.echo(str(bad), err=True)
        raise SystemExit(_BAD_INPUT) from None
