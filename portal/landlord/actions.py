"""Recording a landlord file in the database: what is new is added, what is there already is named and refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.actions import record
from portal.domain.errors import Invalid
from portal.landlord import file
from portal.models.capacity import lock_capacity
from portal.models.cluster import Hall, Outage, Pod, PowerLimit, Rack, Site
from portal.models.contracts import CommitmentStep, Contract, FeeStep
from portal.models.rates import Rate
from portal.models.settings import Settings
from portal.models.tenants import Tenant
from portal.web.actor import Actor


@dataclass(frozen=True, slots=True)
class Imported:
    """How much a file brought."""

    racks: int
    tenants: int
    contracts: int
    rates: int


def import_landlord(session: Session, landlord: file.Landlord, *, by: Actor, now: dt.datetime) -> Imported:
    """Record everything in ``landlord``, or nothing. Raises `Invalid`, naming what is there already or missing.

    Tenants, sites and racks that contracts and outages name may stand in the file or in the database already.
    """
    lock_capacity(session)
    _refuse_known(session, landlord)
    if landlord.sites:
        settings = session.scalars(sa.select(Settings)).one()
        settings.product, settings.rack_kw = landlord.product, landlord.rack_kw
    racks = _add_sites(session, landlord.sites, now=now)
    session.add_all(Tenant(public_id=t.id, name=t.name, kind=t.kind, max_gpus=t.max_gpus) for t in landlord.tenants)
    session.flush()
    _add_outages(session, landlord.outages, by=by, now=now)
    _add_contracts(session, landlord.contracts)
    session.add_all(Rate(**rate.model_dump(), created_at=now) for rate in landlord.rates)
    session.flush()
    done = Imported(racks, len(landlord.tenants), len(landlord.contracts), len(landlord.rates))
    after = {"racks": done.racks, "tenants": done.tenants, "contracts": done.contracts, "rates": done.rates}
    record(session, by=by, action="imported", thing="landlord file", after=after, now=now)
    return done


def _refuse_known(session: Session, landlord: file.Landlord) -> None:
    halls = [hall.id for site in landlord.sites for hall in site.halls]
    found = [
        *_known(session, "site", Site.code, [site.id for site in landlord.sites]),
        *_known(session, "hall", Hall.code, halls),
        *_known(session, "tenant", Tenant.public_id, [tenant.id for tenant in landlord.tenants]),
        *_known(session, "contract", Contract.public_id, [contract.id for contract in landlord.contracts]),
    ]
    if found:
        raise Invalid(f"Recorded already: {', '.join(found)}. Take them out of the file; nothing was imported.")


def _known(session: Session, kind: str, column: sa.orm.InstrumentedAttribute[str], ids: list[str]) -> list[str]:
    return [f"{kind} {code}" for code in session.scalars(sa.select(column).where(column.in_(ids)).order_by(column))]


def _add_sites(session: Session, sites: Iterable[file.Site], *, now: dt.datetime) -> int:
    racks = 0
    for position, described in enumerate(sites):
        site = Site(code=described.id, name=described.name, position=position)
        site.power_limits = [
            PowerLimit(start=limit.start, end=limit.end, kw=limit.kw, note=limit.note, recorded_at=now)
            for limit in described.power_limits
        ]
        site.halls = [_hall(number, hall) for number, hall in enumerate(described.halls)]
        session.add(site)
        racks += sum(len(pod.racks) for hall in site.halls for pod in hall.pods)
    return racks


def _hall(position: int, described: file.Hall) -> Hall:
    hall = Hall(code=described.id, name=described.name, position=position, spare_racks=described.spare_racks)
    hall.pods = [
        Pod(code=pod, position=i, racks=[Rack(code=rack, position=j) for j, rack in enumerate(racks)])
        for i, (pod, racks) in enumerate(described.racks_by_pod().items())
    ]
    return hall


def _add_outages(session: Session, outages: Iterable[file.Outage], *, by: Actor, now: dt.datetime) -> None:
    for described in outages:
        racks = _racks_of(session, described.unit)
        if not racks:
            raise Invalid(f"The outage of {described.unit!r} names no rack, pod or hall. Nothing was imported.")
        session.add_all(
            Outage(
                rack_id=rack,
                start=described.start,
                end=described.end,
                kind=described.kind,
                note=described.note,
                recorded_at=now,
                recorded_by_id=by.user_id,
            )
            for rack in racks
        )


def _racks_of(session: Session, unit: str) -> list[int]:
    query = sa.select(Rack.id).join(Rack.pod).join(Pod.hall)
    return list(session.scalars(query.where(sa.or_(Rack.code == unit, Pod.code == unit, Hall.code == unit))))


def _add_contracts(session: Session, contracts: Iterable[file.Contract]) -> None:
    tenants = dict(session.execute(sa.select(Tenant.public_id, Tenant.id)).all())
    sites = dict(session.execute(sa.select(Site.code, Site.id)).all())
    for described in contracts:
        if described.tenant not in tenants:
            raise Invalid(f"Contract {described.id}: {described.tenant!r} names no tenant. Nothing was imported.")
        if described.site is not None and described.site not in sites:
            raise Invalid(f"Contract {described.id}: {described.site!r} names no site. Nothing was imported.")
        site_id = None if described.site is None else sites[described.site]
        session.add(_contract(described, tenant_id=tenants[described.tenant], site_id=site_id))


def _contract(described: file.Contract, *, tenant_id: int, site_id: int | None) -> Contract:
    terms = described.model_dump(exclude={"id", "tenant", "site", "commitments", "fees"})
    contract = Contract(
        public_id=described.id,
        tenant_id=tenant_id,
        site_id=site_id,
        overage=described.overage_rate is not None,
        **terms,
    )
    contract.commitment_steps = [CommitmentStep(start=s.start, end=s.end, gpus=s.gpus) for s in described.commitments]
    contract.fee_steps = [FeeStep(start=s.start, end=s.end, monthly_fee=s.usd_per_month) for s in described.fees]
    return contract
