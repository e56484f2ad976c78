"""Reads of the cluster for its pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.cluster.use_map import HallRow
from portal.domain.errors import NotFound
from portal.models.cluster import Hall, Pod, PowerLimit, Rack, Site
from portal.models.tenants import Tenant
from portal.web.charts.gantt import COLOURS


def sites(session: Session) -> Sequence[Site]:
    """Every site with its halls, in order."""
    rows = sa.select(Site).options(selectinload(Site.halls))
    return session.scalars(rows.order_by(Site.position, Site.id)).all()


def hall_rows(session: Session) -> list[HallRow]:
    """Every hall with the number of its racks, in order."""
    racks = sa.func.count(Rack.id)
    rows = (
        sa.select(Hall.code, Hall.name, racks, Hall.spare_racks)
        .join(Hall.site)
        .outerjoin(Pod, Pod.hall_id == Hall.id)
        .outerjoin(Rack, Rack.pod_id == Pod.id)
        .group_by(Site.position, Site.id, Hall.position, Hall.id, Hall.code, Hall.name, Hall.spare_racks)
        .order_by(Site.position, Site.id, Hall.position, Hall.id)
    )
    return [HallRow(*row) for row in session.execute(rows)]


def hall_by_code(session: Session, code: str) -> Hall:
    """The hall with its pods and racks. Raises `NotFound`."""
    options = (joinedload(Hall.site), selectinload(Hall.pods).selectinload(Pod.racks))
    hall = session.scalars(sa.select(Hall).where(Hall.code == code).options(*options)).one_or_none()
    if hall is None:
        raise NotFound
    return hall


def rack_by_code(session: Session, code: str) -> Rack:
    """The rack with its pod, hall and site. Raises `NotFound`."""
    options = joinedload(Rack.pod).joinedload(Pod.hall).joinedload(Hall.site)
    rack = session.scalars(sa.select(Rack).where(Rack.code == code).options(options)).one_or_none()
    if rack is None:
        raise NotFound
    return rack


def tenant_colours(session: Session) -> dict[int, int]:
    """The colour of each tenant, 0 to 7, in the order in which they joined."""
    ids = session.scalars(sa.select(Tenant.id).order_by(Tenant.id))
    return {tenant_id: index % COLOURS for index, tenant_id in enumerate(ids)}


def limits_from(session: Session, day: dt.date) -> Sequence[PowerLimit]:
    """The power limits that hold on ``day`` or later, the next first."""
    rows = sa.select(PowerLimit).where(PowerLimit.end > day).options(joinedload(PowerLimit.site))
    return session.scalars(rows.order_by(PowerLimit.start, PowerLimit.id)).all()
