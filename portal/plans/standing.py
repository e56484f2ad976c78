"""What stands now: reservations and standing offers as the solver sees them, for questions answered without a solve."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.models.capacity import Capacity
from portal.models.offers import Offer
from portal.models.tenants import Tenant
from portal.plans.export import horizon_end, snapshot
from portal.plans.export_blocks import standing_offers
from solver import cluster, standing
from solver.snapshot import parse
from solver.standing import Standing


def standing_of(session: Session, *, today: dt.date, now: dt.datetime) -> Standing:
    """Every reservation and every offer that stands at ``now``, as this session's transaction sees them."""
    data = snapshot(session, today=today, now=now, horizon_end=horizon_end(session, today), with_requests=False)
    content = parse(data).snapshot
    return standing.of(content, cluster.build(content))


@contextmanager
def kept_standing(session: Session, *, today: dt.date, now: dt.datetime) -> Iterator[Standing]:
    """The same for pages that only look: kept until capacity or a quota changes, an offer expires or the day ends.

    For one thread at a time, and never for a transaction that locked capacity itself: its changes may be rolled back.
    """
    with _LOCK:
        yield _kept(session, today, now)


@dataclass(frozen=True, slots=True)
class _Key:
    database: str
    capacity: int
    today: dt.date
    offers: tuple[int, ...]
    quotas: tuple[tuple[int, int | None], ...]


_LOCK = threading.Lock()
_last: dict[str, tuple[_Key, Standing]] = {}


def _kept(session: Session, today: dt.date, now: dt.datetime) -> Standing:
    key = _key(session, today, now)
    found = _last.get("kept")
    if found is None or found[0] != key:
        found = _last["kept"] = (key, standing_of(session, today=today, now=now))
    return found[1]


def _key(session: Session, today: dt.date, now: dt.datetime) -> _Key:
    return _Key(
        database=str(session.get_bind().engine.url),
        capacity=session.scalars(sa.select(Capacity.version)).one(),
        today=today,
        offers=tuple(session.scalars(standing_offers(now).with_only_columns(Offer.id).order_by(Offer.id))),
        quotas=tuple((row.id, row.max_gpus) for row in session.execute(sa.select(Tenant.id, Tenant.max_gpus))),
    )
