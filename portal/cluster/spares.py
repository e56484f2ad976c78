"""Spare racks: how many of a hall's racks are kept for promises, not for sale (R2)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.domain.errors import Invalid, NotFound, StaleVersion
from portal.models.capacity import lock_capacity
from portal.models.cluster import Hall, Pod, Rack
from portal.plans.work import Moment


def set_spare_racks(session: Session, hall_code: str, spare_racks: int, *, version: int, moment: Moment) -> Hall:
    """Keep so many racks of the hall as spares; ``version`` is that of the hall as it was read. The caller commits.

    Raises `NotFound`, `Invalid` beyond the hall's racks, and `StaleVersion` where someone was faster.
    """
    lock_capacity(session)
    hall = session.scalars(sa.select(Hall).where(Hall.code == hall_code)).one_or_none()
    if hall is None:
        raise NotFound
    if hall.version != version:
        raise StaleVersion
    racks = session.scalar(sa.select(sa.func.count(Rack.id)).join(Rack.pod).where(Pod.hall_id == hall.id)) or 0
    if not 0 <= spare_racks <= racks:
        raise Invalid(f"The hall has {racks} racks: write a number from 0 to {racks}.")
    before, hall.spare_racks = {"spare_racks": hall.spare_racks}, spare_racks
    after, thing = {"spare_racks": spare_racks}, f"hall {hall.code}"
    record(session, by=moment.by, action="set the spare racks", thing=thing, now=moment.now, before=before, after=after)
    return hall
