"""What differs between plans, and what each difference is worth: by hand."""

from __future__ import annotations

from typing import Any

from solver import files
from solver.compare.answer import Comparison, Decision, Differences
from solver.compare.differences import compare
from solver.compare.text import tables
from solver.plan import Plan
from solver.scenarios.reading import changed_by
from solver.snapshot import Loaded, Snapshot
from tests.solver.building import contract, landlord, request, reservation
from tests.solver.naive import on
from tests.solver.test_offers_command import plan


def day(offset: int) -> str:
    return on(offset).isoformat()


def accepted(name: str, usd: float, start: int = 2, gpus: int = 144) -> dict[str, Any]:
    days = {"start": on(start), "end": on(start + 3)}
    return {"request": name, "gpus": gpus, "value_usd": usd, "racks": {f"a{i}": 72 for i in range(gpus // 72)}} | days


def declined(name: str) -> dict[str, Any]:
    reason = {"code": "hold", "text": "Held.", "start": None, "short": [], "holders": [], "price_to_win_usd": None}
    return {"request": name, "reason": reason, "counter_offers": []}


def tier(value: float, bound: float, number: int = 0) -> dict[str, Any]:
    return {"tier": number, "value_usd": value, "bound_usd": bound, "gap": (bound - value) / bound}


def move(name: str, racks: dict[str, int]) -> dict[str, Any]:
    return {"reservation": name, "forced": True, "placement": [{"start": on(0), "end": on(10), "racks": racks}]}


def compared(snapshot: Snapshot, base: dict[str, Any], other: dict[str, Any], *changes: dict[str, Any]) -> Comparison:
    """The comparison of two plans by hand: of the snapshot, and of what the changes make of it."""
    scenarios = changed_by([{"name": "what if", "changes": [*changes]}], snapshot)
    plans: list[Plan | None] = [plan(snapshot, **base), plan(scenarios[0].loaded.snapshot, **other)]
    loaded = Loaded(snapshot, files.sha256(files.dump(snapshot)))
    return compare(loaded, scenarios, plans, seed=0, seconds=1.0)


def differences(snapshot: Snapshot, base: dict[str, Any], other: dict[str, Any], *changes: Any) -> Differences:
    found = compared(snapshot, base, other, *changes).scenarios[0].differences
    assert found is not None
    return found


def test_equal_plans_differ_in_nothing() -> None:
    same = {"accepted": [accepted("q", 5.0)], "tiers": [tier(5.0, 6.0)]}
    found = differences(landlord(requests=[request()]), same, same)

    assert [(each.value_usd, each.bound_usd) for each in found.tiers] == [(0.0, 0.0)]
    rest = [found.requests, found.moves, found.recalls, found.shortfalls, found.hold_shortfalls, found.ended]
    assert rest == [[]] * 6


def test_value_and_bound_are_compared_tier_by_tier_also_where_only_one_plan_has_the_tier() -> None:
    base = {"tiers": [tier(5.0, 6.0), tier(3.0, 4.0, 1)]}
    found = differences(landlord(), base, {"tiers": [tier(4.0, 8.0), tier(2.0, 2.0, 2)]})

    assert [(each.tier, each.value_usd, each.bound_usd) for each in found.tiers] == [
        (0, -1.0, 2.0),
        (1, -3.0, -4.0),
        (2, 2.0, 2.0),
    ]


def test_requests_decided_otherwise_and_what_that_is_worth() -> None:
    wishes = [request(id=name) for name in ("same", "lost", "won", "shifted", "smaller")]
    base = {
        "accepted": [
            accepted("same", 9.0),
            accepted("lost", 5.0),
            accepted("shifted", 3.0),
            accepted("smaller", 8.0),
        ],
        "declined": [declined("won")],
    }
    other = {
        "accepted": [
            accepted("same", 9.0),
            accepted("won", 7.0),
            accepted("shifted", 3.0, 4),
            accepted("smaller", 4.0, gpus=72),
        ],
        "declined": [declined("lost")],
    }
    found = differences(landlord(requests=wishes), base, other)

    worth = {item.request: item.value_usd for item in found.requests}
    assert worth == {"lost": -5.0, "won": 7.0, "shifted": 0.0, "smaller": -4.0}
    lost = found.requests[0]
    assert lost.base == Decision(accepted=True, gpus=144, start=on(2), end=on(5), value_usd=5.0, reason=None, text=None)
    assert lost.scenario == Decision(
        accepted=False, gpus=0, start=None, end=None, value_usd=0.0, reason="hold", text="Held."
    )


def test_a_request_that_only_the_scenario_has_differs_whatever_becomes_of_it() -> None:
    snapshot = landlord(requests=[request()])
    new = {"request": snapshot.requests[0].model_dump(mode="json") | {"id": "new"}}
    base = {"declined": [declined("q")]}
    found = differences(snapshot, base, {"declined": [declined("q"), declined("new")]}, new)

    assert [(item.request, item.base, item.value_usd) for item in found.requests] == [("new", None, 0.0)]


def test_a_move_counts_the_gpus_on_racks_that_the_snapshot_does_not_give_the_reservation() -> None:
    booked = [reservation(name, {f"a{i}": 72, f"b{i}": 72}) for i, name in enumerate(("r", "s"))]
    base = {"moves": [move("s", {"a1": 72, "a3": 72})]}
    other = {"moves": [move("r", {"a2": 72, "b2": 72})]}
    found = differences(landlord(reservations=booked), base, other)

    moved = [(item.reservation, item.base_gpus, item.scenario_gpus, item.gpus) for item in found.moves]
    assert moved == [("s", 72, 0, -72), ("r", 0, 144, 144)]


def test_recalled_and_short_gpu_days_cost_their_share_of_the_value() -> None:
    booked = [
        reservation("i", {"a0": 72, "a1": 72}, interruptible=True, recall_notice_days=2, value_usd=1000.0),
        reservation("f", {"b0": 72, "b1": 72}, value_usd=1000.0),
    ]
    base = {"recalls": [{"reservation": "i", "end": on(8)}]}
    other = {
        "recalls": [{"reservation": "i", "end": on(5)}],
        "shortfalls": [
            {"reservation": "f", "start": on(2), "end": on(4), "gpus": 72},
            {"reservation": "f", "start": on(6), "end": on(7), "gpus": 144},
        ],
    }
    found = differences(landlord(reservations=booked), base, other)

    assert [(r.reservation, r.gpu_days, r.value_usd) for r in found.recalls] == [("i", 3 * 144, -300.0)]
    assert [(r.reservation, r.gpu_days, r.value_usd) for r in found.shortfalls] == [("f", 2 * 144, -200.0)]


def test_holds_that_are_less_short_count_below_zero() -> None:
    short = {"contract": "k", "start": on(4), "end": on(6)}
    base = {"hold_shortfalls": [short | {"gpus": 144}]}
    found = differences(landlord(contracts=[contract()]), base, {"hold_shortfalls": [short | {"gpus": 72}]})

    assert [(k.contract, k.gpu_days) for k in found.hold_shortfalls] == [("k", -144)]


def test_what_a_notice_ends_is_given_up_from_its_end_on() -> None:
    """Notice takes 7 days: of 10 days of the one 3 are given up, of the other all 2."""
    booked = [
        reservation("across", {"a0": 72}, 0, 10, contract="k", value_usd=1000.0),
        reservation("later", {"a1": 72}, 8, 10, contract="k", value_usd=50.0),
    ]
    snapshot = landlord(contracts=[contract()], reservations=booked)
    found = differences(snapshot, {}, {}, {"notice": {"contract": "k", "on": day(0)}})

    given_up = [(item.reservation, item.end, item.gpu_days, item.value_usd) for item in found.ended]
    assert given_up == [("across", on(7), 216, -300.0), ("later", None, 144, -50.0)]


def test_days_before_today_are_no_loss() -> None:
    """A notice long ago: the contract has ended, what is left of the reservation from today on goes."""
    terms = contract(lock_in_until=on(-30), notice_days=7)
    block = reservation("r", {"a0": 72}, -4, 6, contract="k", value_usd=100.0)
    snapshot = landlord(contracts=[terms], reservations=[block])
    [item] = differences(snapshot, {}, {}, {"notice": {"contract": "k", "on": day(-9)}}).ended

    assert (item.end, item.gpu_days, item.value_usd) == (on(-2), 6 * 72, -60.0)


def test_without_a_plan_of_its_own_a_scenario_has_no_figures_and_without_the_first_no_differences() -> None:
    snapshot = landlord()
    scenarios = changed_by([{"name": name, "changes": []} for name in ("one", "two")], snapshot)
    found = compare(Loaded(snapshot, "0" * 64), scenarios, [None, plan(snapshot), None], seed=0, seconds=1.0)

    assert found.base is None
    assert [(each.plan is None, each.differences) for each in found.scenarios] == [(False, None), (True, None)]


def text_of(comparison: Comparison) -> dict[str, list[list[str]]]:
    """By title the rows of each table."""
    found = {}
    for table in tables(comparison):
        columns = [[*column.cells] for column in table.columns]
        found[str(table.title)] = [[str(cell) for cell in row] for row in zip(*columns, strict=True)]
    return found


def test_people_see_all_plans_in_one_table_and_the_dearest_differences_first() -> None:
    wishes = [request(id=f"q{i}") for i in range(3)]
    base = {"accepted": [accepted("q0", 5.0)], "declined": [declined("q1"), declined("q2")], "tiers": [tier(5.0, 9.0)]}
    other = {
        "accepted": [accepted("q0", 5.0, 3), accepted("q1", 6.0), accepted("q2", 7.0)],
        "tiers": [tier(18.0, 20.0)],
    }
    found = text_of(compared(landlord(requests=wishes), base, other))

    assert found["Plans side by side"][:4] == [
        ["tier 0, value in USD", "5", "18"],
        ["tier 0, bound in USD", "9", "20"],
        ["tier 0, gap", "44.44%", "10.00%"],
        ["requests accepted", "1", "3"],
    ]
    rows = found["what if: requests decided otherwise"]
    assert [row[0] for row in rows] == ["q2", "q1", "1 on other days"]
    assert rows[0][3:] == ["declined: hold", "144 GPUs, 24 Nov 2026 to 26 Nov 2026", "+7"]


def test_people_are_told_where_nothing_differs_and_how_many_rows_are_left_out() -> None:
    assert "what if: nothing differs" in text_of(compared(landlord(), {}, {}))

    wishes = [request(id=f"q{i}") for i in range(25)]
    lost = {"declined": [declined(f"q{i}") for i in range(25)]}
    won = {"accepted": [accepted(f"q{i}", 5.0) for i in range(25)]}
    rows = text_of(compared(landlord(requests=wishes), lost, won))["what if: requests decided otherwise"]
    assert (len(rows), rows[-1][0]) == (21, "5 more")
