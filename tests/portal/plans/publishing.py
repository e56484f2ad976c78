"""What tests of publishing do and look at."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.models.cluster import Rack
from portal.models.outbox import OutboxMessage
from portal.models.placements import Placement
from portal.models.plans import Plan
from portal.models.reservations import Reservation
from portal.plans.publish import publish
from tests.portal.plans.building import approver, moment


def published(session: Session, plan: Plan, **options: Any) -> Plan:
    result = publish(session, plan_id=plan.public_id, moment=moment(approver(session)), **options)
    session.commit()
    return result


def placed(session: Session, row: Any) -> list[tuple[str, dt.date, dt.date, int]]:
    owner = Placement.reservation_id if isinstance(row, Reservation) else Placement.offer_id
    query = sa.select(Rack.code, Placement.start, Placement.end, Placement.gpus).join(
        Rack, Rack.id == Placement.rack_id
    )
    return [tuple(item) for item in session.execute(query.where(owner == row.id).order_by(Placement.start, Rack.code))]


def messages(session: Session) -> list[str]:
    return sorted(session.scalars(sa.select(OutboxMessage.kind)))
