"""How the cluster is used on a day, against numbers counted by hand."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from portal.domain.states import OutageKind
from portal.plans.standing import standing_of
from portal.plans.usage import ClusterUse, HallUse, cluster_use, days_known, hall_uses
from solver import cluster
from solver import standing as standings
from solver.promise_answer import answer
from solver.snapshot import Loaded
from solver.standing import Standing
from tests.portal import factories
from tests.portal.cluster.building import day
from tests.portal.factories import NOW, TODAY
from tests.solver.random_landlords import random_landlord
from tests.solver.test_offers_command import plan


def standing(session: Session) -> Standing:
    return standing_of(session, today=TODAY, now=NOW)


def test_an_empty_cluster_is_all_for_sale_and_free(session: Session) -> None:
    factories.cluster(session, racks=4)

    use = cluster_use(standing(session), TODAY)

    assert use == ClusterUse(
        day=TODAY,
        total=288,
        for_sale=288,
        firm=0,
        interruptible=0,
        held=0,
        free=288,
        lost_to_outages=0,
        lost_to_spares=0,
        lost_to_power=0,
    )


def test_what_is_lost_is_counted_once_outages_first_then_spares_then_power(session: Session) -> None:
    """Of 8 racks 1 failed, 1 is absent, 2 are spares (one of them covers the failure); of the 5 left 3 have power."""
    made = factories.cluster(session, racks=8)
    factories.outage(session, made.racks[0])
    factories.outage(session, made.racks[1], kind=OutageKind.ABSENT)
    made.halls[0].spare_racks = 2
    factories.power_limit(session, made.sites[0], 140.0 * 3, start=TODAY)

    use = cluster_use(standing(session), TODAY)

    assert (use.lost_to_outages, use.lost_to_spares, use.lost_to_power) == (144, 72, 144)
    assert (use.lost, use.for_sale, use.free) == (360, 216, 216)


def test_firm_and_interruptible_blocks_and_holds_take_from_what_is_free(session: Session) -> None:
    """On 20 January: 8 racks, 1 firm, 2 interruptible on top of nothing held, and 3 held for a contract."""
    racks = factories.cluster(session, racks=8).racks
    contract = factories.contract(session, gpus=288)
    factories.reservation(session, racks=racks[:1], contract=contract, tenant=contract.tenant)
    factories.reservation(session, racks=racks[1:3], gpus=144, interruptible=True, recall_notice_days=7)

    use = cluster_use(standing(session), day("01-20", 2027))

    assert (use.firm, use.interruptible, use.held) == (72, 144, 216)
    assert use.booked == 216
    assert (
        use.free == 5 * 72 - 216 + 144
    )  # R7: the hold may lie below the interruptible block; R8: only 5 racks are left


def test_a_hall_by_day_says_what_is_booked_free_and_out(session: Session) -> None:
    made = factories.cluster(session, halls=2, racks=4)
    factories.reservation(session, racks=made.racks[:2], gpus=144, start=TODAY, end=day("11-24"))
    factories.outage(session, made.racks[3], start=day("11-23"), end=day("11-24"))
    made.halls[1].spare_racks = 1

    uses = hall_uses(standing(session), TODAY, day("11-25"))

    assert uses["s1-h1"] == [HallUse(2, 2, 0, False), HallUse(2, 1, 1, False), HallUse(0, 4, 0, False)]
    assert uses["s1-h2"] == [HallUse(0, 3, 0, False)] * 3


def test_power_limits_the_halls_of_its_site_alone(session: Session) -> None:
    made = factories.cluster(session, sites=2, racks=4)
    factories.power_limit(session, made.sites[0], 280.0, start=day("11-23"), end=day("11-24"))

    uses = hall_uses(standing(session), TODAY, day("11-24"))

    assert uses["s1-h1"] == [HallUse(0, 4, 0, False), HallUse(0, 2, 0, True)]
    assert uses["s2-h1"] == [HallUse(0, 4, 0, False)] * 2


def test_a_rack_shared_by_two_blocks_is_booked_once(session: Session) -> None:
    made = factories.cluster(session, racks=2)
    for _ in range(2):
        row = factories.reservation(session, gpus=24, start=TODAY, end=day("11-30"))
        days = {"start": row.start, "end": row.end}
        factories.placement(session, made.racks[0], reservation_id=row.id, gpus=24, **days)

    found = standing(session)

    assert hall_uses(found, TODAY, day("11-23"))["s1-h1"] == [HallUse(1, 1, 0, False)]
    assert (cluster_use(found, TODAY).firm, cluster_use(found, TODAY).free) == (48, 72)


def test_only_days_from_today_to_the_horizon_are_known(session: Session) -> None:
    factories.cluster(session)
    found = standing(session)

    first, end = days_known(found)
    assert (first, (end - first).days) == (TODAY, 1136)
    for other in (first - dt.timedelta(1), end):
        with pytest.raises(ValueError, match="not one of the days"):
            cluster_use(found, other)


def test_the_page_says_of_a_day_what_the_command_promise_says() -> None:
    for seed in range(20):
        snapshot, decisions = random_landlord(seed)
        decided = {"accepted": [*decisions.accepted], "hold_shortfalls": [*decisions.hold_shortfalls]}
        found = standings.of(snapshot, cluster.build(snapshot), decisions)
        for here in answer(Loaded(snapshot, "0" * 64), plan(snapshot, **decided)).cluster:
            use = cluster_use(found, here.start)
            assert (use.for_sale, use.free, use.held) == (here.capacity, here.free, sum(k.gpus for k in here.held))
            assert (use.firm, use.interruptible) == (here.booked.firm, here.booked.interruptible)
            lost = (use.lost_to_outages, use.lost_to_spares, use.lost_to_power)
            assert lost == (here.lost.outage, here.lost.spare, here.lost.power)
