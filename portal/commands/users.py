"""``berth user``: people."""

from __future__ import annotations

import click
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.auth.actions import NewUser, add_user
from portal.auth.passwords import Passwords
from portal.clock import Clock
from portal.commands.support import engine_of, settings, writing
from portal.domain.states import Role
from portal.models.tenants import Tenant
from portal.web.actor import process_actor


@click.group()
def user() -> None:
    """People who may sign in."""


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="The person's name, as pages show it.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]))
@click.option("--tenant", metavar="ID", help="The tenant's public id; exactly for viewer, booker and owner.")
@click.password_option(help="Asked for unless given.")
def add(email: str, name: str, role: str, tenant: str | None, password: str) -> None:
    """Add the person with the address EMAIL."""
    checked = settings()
    with writing(engine_of(checked)) as session:
        new = NewUser(email=email, name=name, role=Role(role), tenant_id=_tenant_id(session, tenant), password=password)
        by, now = process_actor("berth user add"), Clock().now()
        added = add_user(session, new=new, passwords=Passwords.of(checked), by=by, now=now)
        click.echo(f"{added.email} may sign in as {added.role}.")


def _tenant_id(session: Session, public_id: str | None) -> int | None:
    if public_id is None:
        return None
    found = session.scalar(sa.select(Tenant.id).where(Tenant.public_id == public_id))
    if found is None:
        raise click.ClickException(f"There is no tenant {public_id}.")
    return found
