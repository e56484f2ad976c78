"""Reasons: each code, number and name is checked by asking the slow count again with the obstacle gone."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from solver import cluster, reasons
from solver.decisions import Decisions
from solver.engine.explain import explain
from solver.plan import Declined, Holder, Reason
from solver.snapshot import Request, Snapshot
from tests.solver.building import DAYS, contract, landlord, request, reservation, site
from tests.solver.naive import Landlord, is_sound, on, span, wish
from tests.solver.random_landlords import random_landlord

Seeds = tuple[int, int]
SEEDS = pytest.mark.parametrize(
    "seeds", [pytest.param((100, 180), id="some"), pytest.param((1000, 2000), id="many", marks=pytest.mark.slow)]
)
STAGES = ("contract", "quota", "capacity", "topology", "hold", "outbid")


def explained(snapshot: Snapshot, decisions: Decisions | None = None) -> list[Declined]:
    decisions = decisions or Decisions()
    taken = {accepted.request for accepted in decisions.accepted}
    declined = [wish for wish in snapshot.requests if wish.id not in taken]
    return explain(snapshot, cluster.build(snapshot), decisions, declined)


def reason_for(snapshot: Snapshot, decisions: Decisions | None = None) -> Reason:
    (only,) = explained(snapshot, decisions)
    return only.reason


def generated(first: int, last: int) -> Iterator[tuple[Snapshot, Decisions, Request, Reason]]:
    """Declined requests of generated landlords that keep the rules with their accepted blocks and without."""
    for seed in range(first, last):
        snapshot, decisions = random_landlord(seed)
        if is_sound(snapshot, decisions) and is_sound(snapshot, alone(decisions)):
            by_id = {wish.id: wish for wish in snapshot.requests}
            for item in explained(snapshot, decisions):
                yield snapshot, decisions, by_id[item.request], item.reason


def alone(decisions: Decisions) -> Decisions:
    return replace(decisions, accepted=())


def test_the_code_is_that_of_the_start_that_comes_furthest_alone() -> None:
    codes: Counter[str] = Counter()
    for snapshot, decisions, asked, reason in generated(0, 60):
        slow = Landlord(snapshot, alone(decisions))
        starts = [
            day
            for day in span(asked.earliest_start, asked.latest_start + dt.timedelta(1))
            if day >= snapshot.today and day + dt.timedelta(asked.days) <= snapshot.horizon_end
        ]
        passed = [stages_passed(slow, asked, day) for day in starts]
        if passed:
            assert (reason.code, reason.start) == (STAGES[max(passed)], starts[passed.index(max(passed))])
        else:
            assert (reason.code, reason.start) == ("window", asked.earliest_start)
        codes[reason.code] += 1
    assert set(codes) == {*STAGES, "window"}, codes
    assert min(codes.values()) >= 3, codes


def stages_passed(slow: Landlord, asked: Request, start: dt.date) -> int:
    """How many rules the smallest block passes, in the order of § 6."""
    nowhere = wish(asked, start, asked.min_gpus, {})
    counted = slow.broken([*slow.blocks, nowhere], nowhere.days)
    anywhere = asked.model_copy(update={"scope": "any"})
    passes = [
        "R6" not in counted,
        "R9" not in counted,
        slow.fits_somewhere(anywhere, start, asked.min_gpus, holds=False),
        slow.fits_somewhere(asked, start, asked.min_gpus, holds=False),
        slow.fits_somewhere(asked, start, asked.min_gpus),
    ]
    return [*passes, False].index(False)


@SEEDS
def test_as_many_gpus_as_are_missing_let_the_block_fit_alone_and_one_rack_fewer_does_not(seeds: Seeds) -> None:
    tried: Counter[str] = Counter()
    for snapshot, decisions, asked, reason in generated(*seeds):
        if reason.code not in ("capacity", "topology", "hold") or asked.gpus < 72 or keeps_spares(snapshot):
            continue
        (unit,) = {short.unit for short in reason.short}
        missing = max(short.gpus for short in reason.short) // 72
        assert fits_alone(snapshot, decisions, asked, reason, unit=unit, more=missing), reason
        assert not fits_alone(snapshot, decisions, asked, reason, unit=unit, more=missing - 1), reason
        tried[reason.code] += 1
    assert min(tried[code] for code in ("capacity", "topology", "hold")) >= 2, tried


def keeps_spares(snapshot: Snapshot) -> bool:
    """New racks would become spares first."""
    return any(hall.spare_racks for place in snapshot.sites for hall in place.halls)


def fits_alone(
    snapshot: Snapshot, decisions: Decisions, asked: Request, reason: Reason, *, unit: str, more: int
) -> bool:
    """Whether the block fits with so many racks more in the unit; over the cluster, in one of the allowed sites."""
    assert reason.start is not None
    sites = [site.id for site in snapshot.sites if bound_site(snapshot, asked) in (None, site.id)]
    larger = [with_racks(snapshot, unit, more, site) for site in (sites if unit == "cluster" else sites[:1])]
    return any(Landlord(each, alone(decisions)).fits_somewhere(asked, reason.start, asked.min_gpus) for each in larger)


def bound_site(snapshot: Snapshot, asked: Request) -> str | None:
    return asked.site or (snapshot.contract_by_id[asked.contract].site if asked.contract else None)


def with_racks(snapshot: Snapshot, unit: str, racks: int, site: str) -> Snapshot:
    """The snapshot with new racks and their power: in the pod itself, in a new pod, or in a new hall of ``site``."""
    content = snapshot.model_dump()
    new = [f"new{i}" for i in range(racks)]
    for place in content["sites"]:
        before = len(str(place))
        for hall in place["halls"]:
            for pod in hall["pods"]:
                pod["racks"] += new if pod["id"] == unit else []
            hall["pods"] += [{"id": "new", "racks": new}] if hall["id"] == unit else []
        if unit == place["id"] or (unit == "cluster" and place["id"] == site):
            place["halls"].append({"id": "new", "spare_racks": 0, "pods": [{"id": "new", "racks": new}]})
        for limit in place["power_limits"] if len(str(place)) > before else []:
            limit["kw"] += racks * snapshot.rack_kw
    return Snapshot.model_validate(content)


@SEEDS
def test_a_small_block_fits_when_it_is_smaller_by_the_missing_trays_and_not_with_one_tray_more(seeds: Seeds) -> None:
    tried = 0
    for snapshot, decisions, asked, reason in generated(*seeds):
        if reason.code not in ("capacity", "topology", "hold") or asked.gpus >= 72:
            continue
        assert reason.start is not None
        slow = Landlord(snapshot, alone(decisions))
        fitting = asked.min_gpus - max(short.gpus for short in reason.short)
        assert fitting == 0 or slow.fits_somewhere(asked, reason.start, fitting), reason
        assert not slow.fits_somewhere(asked, reason.start, fitting + 4), reason
        tried += fitting > 0
    assert tried >= 1


def test_without_the_named_holders_the_block_fits() -> None:
    """Reservations gone, racks repaired, spares for sale, power unlimited: as the holders say."""
    tried: Counter[str] = Counter()
    for snapshot, decisions, asked, reason in generated(200, 260):
        if reason.code not in ("capacity", "topology") or reason.start is None or not reason.holders:
            continue
        freed = without(snapshot, reason.holders)
        slow = Landlord(freed, alone(decisions))
        if enough_racks(slow, asked, reason):
            assert slow.fits_somewhere(asked, reason.start, asked.min_gpus, holds=False), reason
            tried.update(holder.kind for holder in reason.holders)
    assert min(tried[kind] for kind in ("reservation", "outage", "spare", "power")) >= 3, tried


def enough_racks(slow: Landlord, asked: Request, reason: Reason) -> bool:
    unit = reason.short[0].unit
    racks = [r for r in slow.site_of if unit in ("cluster", slow.pod_of[r], slow.hall_of[r], slow.site_of[r])]
    return len([r for r in racks if bound_site(slow.snapshot, asked) in (None, slow.site_of[r])]) * 72 >= asked.min_gpus


def without(snapshot: Snapshot, holders: list[Holder]) -> Snapshot:
    gone = {kind: {h.id for h in holders if h.kind == kind} for kind in ("reservation", "outage", "spare", "power")}
    content = snapshot.model_dump()
    hall_of = Landlord(snapshot).hall_of
    content["reservations"] = [r for r in content["reservations"] if r["id"] not in gone["reservation"]]
    content["outages"] = [o for o in content["outages"] if hall_of[o["rack"]] not in gone["outage"]]
    for place in content["sites"]:
        if place["id"] in gone["power"]:
            place["power_limits"] = []
        for hall in place["halls"]:
            if hall["id"] in gone["spare"]:
                hall["spare_racks"] = 0
    return Snapshot.model_validate(content)


def test_without_the_named_holds_the_block_fits() -> None:
    tried = 0
    for snapshot, decisions, asked, reason in generated(300, 420):
        if reason.code != "hold" or reason.start is None or {h.kind for h in reason.holders} != {"hold"}:
            continue
        names = {holder.id for holder in reason.holders}
        content = snapshot.model_dump()
        for terms in content["contracts"]:
            if terms["id"] in names:
                terms["commitments"] = []
        released = Landlord(Snapshot.model_validate(content), alone(decisions))
        assert released.fits_somewhere(asked, reason.start, asked.min_gpus), reason
        tried += 1
    assert tried >= 20


def test_every_reason_that_is_not_the_window_says_what_is_missing_and_when() -> None:
    for _, _, asked, reason in generated(500, 530):
        if reason.code in ("contract", "quota", "capacity", "topology", "hold"):
            assert reason.start is not None
            assert reason.short, reason
            for short in reason.short:
                assert reason.start <= short.start < short.end <= reason.start + dt.timedelta(asked.days)
                assert 0 < short.gpus <= asked.min_gpus
        sizes = [holder.gpus for holder in reason.holders]
        assert sizes == sorted(sizes, reverse=True)


def test_a_tenant_is_told_nothing_of_others() -> None:
    for snapshot, _, asked, reason in generated(600, 640):
        sentence = reasons.for_tenant(asked, reason, reasons.names_of(snapshot))
        numbers = set(re.findall(r"\d(?:[\d,]*\d)?", sentence))
        assert numbers <= own_numbers(snapshot, asked, reason), sentence
        ids = {holder.id for holder in reason.holders} | {tenant.name for tenant in snapshot.tenants}
        assert not any(re.search(rf"\b{re.escape(name)}\b", sentence) for name in ids), sentence


def own_numbers(snapshot: Snapshot, asked: Request, reason: Reason) -> set[str]:
    """The request's own numbers and days, its contract's, its tenant's quota, and the last day of planning."""
    days = {asked.earliest_start, asked.latest_start, snapshot.horizon_end - dt.timedelta(1)}
    gpus = {asked.min_gpus, asked.days, *(t.max_gpus for t in snapshot.tenants if t.id == asked.tenant and t.max_gpus)}
    for terms in (c.terms for c in snapshot.contracts if c.id == asked.contract):
        days |= {terms.start, terms.effective_end - dt.timedelta(1), *(short.start for short in reason.short)}
        gpus |= {terms.committed(short.start) for short in reason.short}
    return {f"{count:,}" for count in gpus} | {part for day in days for part in reasons.date(day).split()}


def test_a_tenant_is_told_the_same_whatever_is_known_of_others() -> None:
    for snapshot, _, asked, reason in generated(600, 640):
        names = reasons.names_of(snapshot)
        own = replace(
            names,
            tenants={},
            quotas={asked.tenant: names.quotas[asked.tenant]},
            contracts={name: terms for name, terms in names.contracts.items() if name == asked.contract},
        )
        unnamed = reason.model_copy(update={"text": "", "price_to_win_usd": None})
        assert reasons.for_tenant(asked, reason, names) == reasons.for_tenant(asked, unnamed, own)


def test_the_planner_reads_who_holds_what() -> None:
    held = contract("refl-1", 504, booking_lead_days=0, commitments=[{"start": on(2), "end": on(4), "gpus": 504}])

    reason = reason_for(
        landlord(contracts=[held], requests=[request(earliest_start=on(1), latest_start=on(1), days=5)])
    )

    assert (reason.code, reason.start) == ("hold", on(1))
    assert [(short.unit, short.start, short.end, short.gpus) for short in reason.short] == [
        ("cluster", on(2), on(4), 72)
    ]
    assert reason.holders == [Holder(kind="hold", id="refl-1", gpus=504)]
    assert reason.text == "72 GPUs are missing from 24 Nov 2026 to 25 Nov 2026: the commitment of refl-1 holds 504."


def test_racks_that_are_free_every_day_but_never_the_same_are_missing_for_the_whole_window() -> None:
    first = reservation("r1", {"a0": 72, "a1": 72, "a2": 72}, 0, 3)
    second = reservation("r2", {"a3": 72}, 3, 6)
    sites = [site("a")]

    wished = request(gpus=72, min_gpus=72, earliest_start=on(1), latest_start=on(1), days=4)
    reason = reason_for(landlord(sites=sites, reservations=[first, second], requests=[wished]))

    assert reason.code == "capacity"
    assert [(short.start, short.end, short.gpus) for short in reason.short] == [(on(1), on(5), 72)]
    assert {holder.id for holder in reason.holders} == {"r1", "r2"}


def test_a_cluster_without_racks_lacks_them_all() -> None:
    for scope in ("pod", "hall", "site", "any"):
        reason = reason_for(landlord(sites=[], requests=[request(scope=scope)]))
        assert (reason.code, reason.short[0].unit, reason.short[0].gpus) == ("capacity", "cluster", 144)
        assert reason.holders == []


def test_outages_spares_and_power_are_named_by_hall_and_site() -> None:
    outage = {"rack": "a0", "start": on(0), "end": None, "kind": "failure"}
    limit = {"start": on(0), "end": on(DAYS), "kw": 140.0}
    sites = [site("a", spare_racks=2), site("b", power_limits=[limit])]

    wished = request(gpus=288, min_gpus=288)
    reason = reason_for(landlord(sites=sites, outages=[outage], requests=[wished]))

    assert reason.code == "capacity"
    assert [(holder.kind, holder.id, holder.gpus) for holder in reason.holders] == [
        ("power", "b", 216),
        ("spare", "a-h", 144),
        ("outage", "a-h", 72),
    ]
