"""What fits on top of a plan: every answer is compared with the slow count over all choices of racks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from solver import cluster, offers, standing
from solver.decisions import Decisions
from solver.offers import Ask, Starts, ask_of
from solver.snapshot import SCOPES, Request, Snapshot
from tests.solver.building import DAYS, contract, landlord, request, reservation, site, stands
from tests.solver.naive import Landlord, is_sound, on, span
from tests.solver.random_landlords import random_landlord

Offer = tuple[str, int, dt.date, dt.date, str]


def sound_landlords(first: int, last: int) -> Iterator[tuple[Snapshot, Decisions]]:
    """The generated landlords whose plans keep the rules by themselves: nearly all."""
    for seed in range(first, last):
        snapshot, decisions = random_landlord(seed)
        if is_sound(snapshot, decisions):
            yield snapshot, decisions


def declined(snapshot: Snapshot, decisions: Decisions) -> list[Request]:
    taken = {accepted.request for accepted in decisions.accepted}
    return [wish for wish in snapshot.requests if wish.id not in taken]


def test_starts_are_those_at_which_some_choice_of_racks_keeps_every_rule() -> None:
    asked = fitting = 0
    for snapshot, decisions in sound_landlords(0, 80):
        slow = Landlord(snapshot, decisions)
        found = standing.of(snapshot, cluster.build(snapshot), decisions)
        for wish in declined(snapshot, decisions):
            want = slow.starts(wish, snapshot.today, snapshot.horizon_end)
            assert offers.starts(found, ask_of(wish), 0, len(want)).tolist() == want, wish
            asked, fitting = asked + len(want), fitting + sum(want)
    assert asked > 5000
    assert asked / 4 < fitting < asked / 2  # neither answer wins by default


def test_racks_are_chosen_where_the_block_fits_and_keep_every_rule() -> None:
    for snapshot, decisions in sound_landlords(200, 240):
        slow = Landlord(snapshot, decisions)
        found = standing.of(snapshot, cluster.build(snapshot), decisions)
        for wish in declined(snapshot, decisions):
            fits = offers.starts(found, ask_of(wish), 0, found.cluster.days)
            for start, fitting in enumerate(fits.tolist()):
                racks = offers.place(found, ask_of(wish), start, wish.min_gpus)
                assert (racks is not None) == fitting
                if racks is not None:
                    assert sum(racks.values()) == wish.min_gpus
                    assert slow.fits(wish, on(start), wish.min_gpus, racks)


def test_the_largest_block_fits_and_the_next_larger_does_not() -> None:
    for snapshot, decisions in sound_landlords(300, 320):
        slow = Landlord(snapshot, decisions)
        found = standing.of(snapshot, cluster.build(snapshot), decisions)
        for wish in declined(snapshot, decisions):
            sizes = offers.largest(found, ask_of(wish), 0, found.cluster.days).tolist()
            assert sizes == [largest(slow, wish, on(start)) for start in range(found.cluster.days)]


def largest(slow: Landlord, wish: Request, start: dt.date) -> int:
    step = 72 if wish.gpus >= 72 else 4
    sizes = range(wish.gpus, wish.min_gpus - 1, -step)
    return next((gpus for gpus in sizes if slow.fits_somewhere(wish, start, gpus)), 0)


def test_counter_offers_are_the_nearest_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "FIRST_STEP", 2)  # so that the search takes several steps in ten days
    kinds: dict[str, int] = {}
    for snapshot, decisions in sound_landlords(400, 430):
        slow = Landlord(snapshot, decisions)
        found = standing.of(snapshot, cluster.build(snapshot), decisions)
        for wish in declined(snapshot, decisions):
            made = [(o.kind, o.gpus, o.start, o.end, o.scope) for o in offers.counter_offers(found, wish)]
            assert made == nearest(slow, wish), wish
            for kind, *_ in made:
                kinds[kind] = kinds.get(kind, 0) + 1
    assert min(kinds.get(kind, 0) for kind in ("earlier", "later", "wider", "smaller", "shorter")) >= 3, kinds


def nearest(slow: Landlord, wish: Request) -> list[Offer]:
    """The five kinds as § 6 of the planning problem says them, by trying everything."""
    today, horizon = slow.snapshot.today, slow.snapshot.horizon_end
    window = [day for day in span(wish.earliest_start, wish.latest_start + dt.timedelta(1)) if day >= today]

    def at(days: list[dt.date], tried: Request) -> dt.date | None:
        return next((day for day in days if slow.fits_somewhere(tried, day, tried.gpus)), None)

    def offer(kind: str, start: dt.date, tried: Request) -> Offer:
        return kind, tried.gpus, start, start + dt.timedelta(tried.days), tried.scope

    found: list[tuple[int, Offer]] = []
    before = at(span(today, wish.earliest_start)[::-1], wish)
    after = at([day for day in span(wish.latest_start + dt.timedelta(1), horizon) if day >= today], wish)
    if before is not None:
        found.append(((wish.earliest_start - before).days, offer("earlier", before, wish)))
    if after is not None:
        found.append(((after - wish.latest_start).days, offer("later", after, wish)))
    result = [made for _, made in sorted(found, key=lambda pair: pair[0])]
    step = 72 if wish.gpus >= 72 else 4
    changed = {
        "wider": [wish.model_copy(update={"scope": s}) for s in SCOPES[SCOPES.index(wish.scope) + 1 :]],
        "smaller": [wish.model_copy(update={"gpus": g}) for g in range(wish.gpus - step, 0, -step)],
        "shorter": [wish.model_copy(update={"days": d}) for d in range(wish.days - 1, 0, -1)],
    }
    for kind, tries in changed.items():
        starts = ((start, tried) for tried in tries if (start := at(window, tried)) is not None)
        result += [offer(kind, start, tried) for start, tried in [next(starts, (None, wish))] if start is not None]
    return result


def ask(gpus: int = 144, days: int = 3, **changes: object) -> Ask:
    terms = {"tenant": "tess", "contract": None, "min_gpus": gpus, "scope": "any", "site": None}
    return Ask(gpus=gpus, days=days, **terms | changes)  # type: ignore[arg-type]  # the test names the right ones


def test_spare_racks_are_not_sold_and_a_hall_that_uses_them_is_closed() -> None:
    sites = [site("a", spare_racks=1)]
    three = stands(landlord(sites=sites))
    used = stands(landlord(sites=sites, reservations=[reservation("r", dict.fromkeys(("a0", "a1", "a2", "a3"), 68))]))

    assert offers.largest(three, ask(288, min_gpus=72), 0, 1).tolist() == [216]
    assert not offers.starts(used, ask(4), 0, 1).any()


def test_a_small_block_opens_no_rack_that_the_hall_or_the_power_does_not_allow_but_may_share_one() -> None:
    limit = {"start": on(0), "end": on(DAYS), "kw": 140.0}
    shared = reservation("r", {"a1": 40})

    found = stands(landlord(sites=[site("a", power_limits=[limit])], reservations=[shared]))

    assert offers.place(found, ask(32), 0, 32) == {"a1": 32}
    assert offers.place(found, ask(36), 0, 36) is None


def test_a_block_lasts_no_longer_than_the_horizon() -> None:
    found = stands(landlord())

    assert offers.starts(found, ask(days=4), 0, DAYS).tolist() == [True] * 7 + [False] * 3
    assert not offers.starts(found, ask(days=DAYS + 1), 0, DAYS).any()


def test_a_hold_is_for_sale_inside_the_booking_lead() -> None:
    found = stands(landlord(contracts=[contract("k", 576, booking_lead_days=3)]))

    assert offers.starts(found, ask(days=2), 0, 4).tolist() == [True, True, False, False]
    assert offers.starts(found, ask(days=2, contract="k"), 0, 4).all()


def test_a_tenant_is_asked_for_its_quota_and_nobody_is_not() -> None:
    found = stands(landlord(tenants=[{"id": "tess", "name": "Tess", "max_gpus": 72}]))

    assert not offers.starts(found, ask(144), 0, 1).any()
    assert offers.starts(found, ask(144, tenant=None), 0, 1).all()


def test_ranges_join_neighbouring_starts() -> None:
    outage = [{"rack": f"a{i}", "start": on(4), "end": on(5), "kind": "failure"} for i in range(4)]

    found = offers.ranges(stands(landlord(sites=[site("a")], outages=outage)), ask(days=2), 1, DAYS)

    assert found == [Starts(on(1), on(3)), Starts(on(5), on(9))]


def two_halls(*, reservations: list[dict[str, object]] | None = None) -> Snapshot:
    """One site; hall x has pods of 2 and 4 racks, hall y pods of 3 and 3."""
    halls = [
        {
            "id": hall,
            "spare_racks": 0,
            "pods": [{"id": f"{hall}{p}", "racks": [f"{hall}{p}{r}" for r in range(n)]} for p, n in enumerate(sizes)],
        }
        for hall, sizes in (("x", (2, 4)), ("y", (3, 3)))
    ]
    return landlord(sites=[{"id": "s", "power_limits": [], "halls": halls}], reservations=reservations or [])


@pytest.mark.parametrize(
    ("racks", "pods"),
    [
        (1, {"x0": 1}),  # the tightest pod
        (2, {"x0": 2}),
        (3, {"y0": 3}),  # a whole pod rather than most of a larger one
        (4, {"x1": 4}),
        (5, {"x1": 4, "x0": 1}),  # one hall, the fewest pods, nothing else broken open
        (6, {"x1": 4, "x0": 2}),
        (8, {"x1": 4, "x0": 2, "y0": 2}),  # two halls
    ],
)
def test_blocks_take_the_fewest_halls_then_pods_then_the_tightest(racks: int, pods: dict[str, int]) -> None:
    found = stands(two_halls())

    chosen = offers.place(found, ask(72 * racks), 0, 72 * racks)

    assert chosen is not None
    assert {pod: sum(rack.startswith(pod) for rack in chosen) for pod in pods} == pods
    assert len(chosen) == racks


def test_a_rack_with_the_shortest_gap_around_the_block_is_taken_first() -> None:
    around = [reservation("r1", {"y01": 72}, 0, 2), reservation("r2", {"y01": 72}, 6, 9)]
    full = reservation("r3", dict.fromkeys(("x00", "x01", "x10", "x11", "x12", "x13"), 72))

    found = stands(two_halls(reservations=[*around, full]))

    assert offers.place(found, ask(72, scope="pod"), 3, 72) == {"y01": 72}


def test_a_small_block_shares_a_rack_rather_than_breaking_a_whole_one_open() -> None:
    found = stands(two_halls(reservations=[reservation("r1", {"y10": 20}), reservation("r2", {"x11": 40})]))

    assert offers.place(found, ask(20), 0, 20) == {"x11": 20}
    assert offers.place(found, ask(48), 0, 48) == {"y10": 48}
    assert offers.place(found, ask(68), 0, 68) == {"x00": 68}


def test_a_window_that_is_past_offers_a_later_start_from_today_on() -> None:
    past = Request.model_validate(request(earliest_start=on(-5), latest_start=on(-3)))

    made = offers.counter_offers(stands(landlord()), past)

    assert [(offer.kind, offer.start) for offer in made] == [("later", on(0))]


def test_a_window_beyond_the_horizon_offers_an_earlier_start() -> None:
    late = Request.model_validate(request(earliest_start=on(40), latest_start=on(50)))

    made = offers.counter_offers(stands(landlord()), late)

    assert [(offer.kind, offer.start) for offer in made] == [("earlier", on(7))]


def test_a_cluster_without_racks_offers_nothing() -> None:
    wish = Request.model_validate(request())
    small = Request.model_validate(request(gpus=4, min_gpus=4, scope="pod"))
    empty = {"id": "h", "spare_racks": 0, "pods": [{"id": "p", "racks": []}]}
    for sites in (
        [],
        [{"id": "s", "power_limits": [], "halls": []}],
        [{"id": "s", "power_limits": [], "halls": [empty]}],
    ):
        found = stands(landlord(sites=sites))
        assert offers.counter_offers(found, wish) == offers.counter_offers(found, small) == []
        assert offers.place(found, ask_of(wish), 0, 144) is None
        assert offers.place(found, ask_of(small), 0, 4) is None
