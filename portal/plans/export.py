"""The database as a snapshot for the solver: one consistent read, public ids, everything that a plan depends on.

Requests that are submitted or waitlisted are planned, unless an approver holds them or their last start has passed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from portal.domain.staleness import Fingerprint, fingerprint
from portal.models.cluster import Hall, Outage, Pod, PowerLimit, Rack, Site
from portal.models.contracts import Contract
from portal.models.offers import Offer
from portal.models.settings import Settings
from portal.models.tenants import Tenant
from portal.models.transactions import begin_read
from portal.plans.export_blocks import Codes, requests, reservations, standing_offers
from solver.snapshot import FORMAT
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY, add_days

Entry = dict[str, Any]


def horizon_end(session: Session, today: dt.date) -> dt.date:
    """The first day that a plan made today no longer decides."""
    return add_days(today, session.scalars(sa.select(Settings.horizon_days)).one())


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot as it was taken: its JSON bytes, and what makes a plan of it stale once it has changed."""

    today: dt.date
    data: bytes
    fingerprint: Fingerprint


def take(session: Session, *, today: dt.date, now: dt.datetime) -> Taken:
    """Take a snapshot with its fingerprint in one consistent read, which ends this session's transaction."""
    begin_read(session)
    content = _content(session, today=today, now=now, horizon_end=horizon_end(session, today))
    taken = Taken(today, _dump(content), _fingerprint(session, content, now))
    session.rollback()
    return taken


def snapshot(
    session: Session, *, today: dt.date, now: dt.datetime, horizon_end: dt.date, with_requests: bool = True
) -> bytes:
    """The snapshot's JSON bytes, as this session's transaction sees the database.

    An offer that has expired at ``now`` is left out, so is whatever ended by ``today``.
    """
    content = _content(session, today=today, now=now, horizon_end=horizon_end, with_requests=with_requests)
    return _dump(content)


def fingerprint_now(session: Session, *, today: dt.date, now: dt.datetime) -> Fingerprint:
    """What a plan made now would be checked against, as this session's transaction sees the database."""
    content = _content(session, today=today, now=now, horizon_end=horizon_end(session, today), with_requests=False)
    return _fingerprint(session, content, now)


def _fingerprint(session: Session, content: Entry, now: dt.datetime) -> Fingerprint:
    offers = session.scalars(standing_offers(now).with_only_columns(Offer.public_id)).all()
    return fingerprint(content, frozenset(offers))


def _content(
    session: Session, *, today: dt.date, now: dt.datetime, horizon_end: dt.date, with_requests: bool = True
) -> Entry:
    settings = session.scalars(sa.select(Settings)).one()
    codes = codes_of(session)
    blocks = reservations(session, codes, today=today, now=now)
    exported = {block["id"] for block in blocks}
    return {
        "format": FORMAT,
        "today": today.isoformat(),
        "horizon_end": horizon_end.isoformat(),
        "product": settings.product,
        "gpus_per_rack": GPUS_PER_RACK,
        "gpus_per_tray": GPUS_PER_TRAY,
        "rack_kw": settings.rack_kw,
        "sites": [*_sites(session, today)],
        "outages": [*_outages(session, codes, today)],
        "tenants": [*_tenants(session)],
        "contracts": [*_contracts(session, codes)],
        "reservations": blocks,
        "requests": requests(session, codes, exported, today=today) if with_requests else [],
    }


def _dump(content: Entry) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def codes_of(session: Session) -> Codes:
    """The public ids that blocks refer to."""

    def by_id(key: Any, code: Any) -> dict[int, str]:
        return dict(session.execute(sa.select(key, code)).all())

    return Codes(
        sites=by_id(Site.id, Site.code),
        racks=by_id(Rack.id, Rack.code),
        tenants=by_id(Tenant.id, Tenant.public_id),
        contracts=by_id(Contract.id, Contract.public_id),
    )


def _sites(session: Session, today: dt.date) -> Iterator[Entry]:
    limits, halls = _power_limits(session, today), _halls(session)
    for site_id, code in session.execute(sa.select(Site.id, Site.code).order_by(Site.position, Site.id)):
        yield {"id": code, "power_limits": limits[site_id], "halls": halls[site_id]}


def _power_limits(session: Session, today: dt.date) -> dict[int, list[Entry]]:
    found: dict[int, list[Entry]] = defaultdict(list)
    rows = sa.select(PowerLimit.site_id, PowerLimit.start, PowerLimit.end, PowerLimit.kw)
    ordered = rows.where(PowerLimit.end > today).order_by(PowerLimit.start, PowerLimit.id)
    for site_id, start, end, kw in session.execute(ordered):
        found[site_id].append({"start": start.isoformat(), "end": end.isoformat(), "kw": kw})
    return found


def _halls(session: Session) -> dict[int, list[Entry]]:
    pods = _pods(session)
    found: dict[int, list[Entry]] = defaultdict(list)
    rows = sa.select(Hall.id, Hall.site_id, Hall.code, Hall.spare_racks).order_by(Hall.position, Hall.id)
    for hall_id, site_id, code, spare_racks in session.execute(rows):
        found[site_id].append({"id": code, "spare_racks": spare_racks, "pods": pods[hall_id]})
    return found


def _pods(session: Session) -> dict[int, list[Entry]]:
    racks: dict[int, list[str]] = defaultdict(list)
    for pod_id, code in session.execute(sa.select(Rack.pod_id, Rack.code).order_by(Rack.position, Rack.id)):
        racks[pod_id].append(code)
    found: dict[int, list[Entry]] = defaultdict(list)
    for pod_id, hall_id, code in session.execute(
        sa.select(Pod.id, Pod.hall_id, Pod.code).order_by(Pod.position, Pod.id)
    ):
        found[hall_id].append({"id": code, "racks": racks[pod_id]})
    return found


def _outages(session: Session, codes: Codes, today: dt.date) -> Iterator[Entry]:
    left = sa.or_(Outage.end.is_(None), Outage.end > today)
    rows = sa.select(Outage.rack_id, Outage.start, Outage.end, Outage.kind)
    for rack_id, start, end, kind in session.execute(rows.where(left).order_by(Outage.start, Outage.id)):
        yield {
            "rack": codes.racks[rack_id],
            "start": start.isoformat(),
            "end": end.isoformat() if end else None,
            "kind": kind.value,
        }


def _tenants(session: Session) -> Iterator[Entry]:
    rows = sa.select(Tenant.public_id, Tenant.name, Tenant.max_gpus).order_by(Tenant.id)
    for public_id, name, max_gpus in session.execute(rows):
        yield {"id": public_id, "name": name, "max_gpus": max_gpus}


def _contracts(session: Session, codes: Codes) -> Iterator[Entry]:
    loaded = sa.select(Contract).options(selectinload(Contract.commitment_steps), selectinload(Contract.notices))
    for contract in session.scalars(loaded.order_by(Contract.id)):
        yield {
            "id": contract.public_id,
            "tenant": codes.tenants[contract.tenant_id],
            "start": contract.start.isoformat(),
            "end": contract.end.isoformat(),
            "lock_in_until": contract.lock_in_until.isoformat(),
            "notice_days": contract.notice_days,
            "notice_given_on": contract.notice.given_on.isoformat() if contract.notice else None,
            "booking_lead_days": contract.booking_lead_days,
            "overage": contract.overage,
            "site": codes.site(contract.site_id),
            "commitments": [
                {"start": step.start.isoformat(), "end": step.end.isoformat(), "gpus": step.gpus}
                for step in contract.commitment_steps
            ],
        }
