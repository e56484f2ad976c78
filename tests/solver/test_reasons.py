"""Sentences: what the provider reads and what the tenant reads, code by code."""

from __future__ import annotations

from typing import Any

import pytest

from solver import reasons
from solver.plan import Holder, Reason, Shortage
from solver.snapshot import Request
from tests.solver.building import contract, landlord, request, site
from tests.solver.naive import on

TERMS = contract(start=on(2), end=on(40), commitments=[{"start": on(2), "end": on(20), "gpus": 144}])
TESS = {"id": "tess", "name": "Tess", "max_gpus": 1440}
NAMES = reasons.names_of(landlord(sites=[site("a")], tenants=[TESS], contracts=[TERMS]))
WISH = Request.model_validate(request(gpus=720, min_gpus=288, contract="k", days=19, scope="hall"))
MISSING = Shortage(unit="cluster", start=on(10), end=on(29), gpus=288)
IN_HALL = MISSING.model_copy(update={"unit": "a-h"})


def reason(code: str, **changes: Any) -> Reason:
    content = {"code": code, "text": "", "start": on(5), "short": [], "holders": [], "price_to_win_usd": None}
    return Reason.model_validate(content | changes)


CASES = [
    (
        reason("window", start=None),
        "No start on 24 Nov 2026 leaves 19 days before planning ends on 1 Dec 2026.",
        "No start on 24 Nov 2026 leaves 19 days before planning ends on 1 Dec 2026.",
    ),
    (
        reason("quota", short=[MISSING], holders=[Holder(kind="reservation", id="r1", gpus=1296)]),
        (
            "288 GPUs are missing from 2 Dec 2026 to 20 Dec 2026: the quota of Tess is 1,440, of which "
            "reservation r1 has 1,296."
        ),
        "Even 288 GPUs for 19 days in this window would take you above the 1,440 GPUs agreed for you.",
    ),
    (
        reason("contract", short=[MISSING], holders=[Holder(kind="reservation", id="r1", gpus=72)]),
        (
            "288 GPUs are missing from 2 Dec 2026 to 20 Dec 2026: contract k commits 144 GPUs on 2 Dec 2026, of which "
            "reservation r1 has 72."
        ),
        "Your contract commits 144 GPUs on 2 Dec 2026, too few for 288 GPUs for 19 days beside what is booked on it.",
    ),
    (
        reason("contract", short=[MISSING]),
        "288 GPUs are missing from 2 Dec 2026 to 20 Dec 2026: contract k commits 144 GPUs on 2 Dec 2026.",
        "Your contract commits 144 GPUs on 2 Dec 2026, too few for 288 GPUs for 19 days.",
    ),
    (
        reason(
            "capacity",
            short=[IN_HALL],
            holders=[
                Holder(kind="outage", id="a-h", gpus=144),
                Holder(kind="spare", id="a-h", gpus=144),
                Holder(kind="power", id="a", gpus=72),
                Holder(kind="reservation", id="r1", gpus=72),
                Holder(kind="reservation", id="r2", gpus=72),
            ],
        ),
        (
            "288 GPUs are missing in hall a-h from 2 Dec 2026 to 20 Dec 2026: outages in hall a-h "
            "take 144, hall a-h keeps 144 spare, the power limit of site a takes 72 and 2 others have the rest."
        ),
        "There is no room for even 288 GPUs for 19 days in this window: other commitments and maintenance come first.",
    ),
    (
        reason("topology", short=[IN_HALL], holders=[Holder(kind="reservation", id="r1", gpus=72)]),
        (
            "288 GPUs are missing in hall a-h from 2 Dec 2026 to 20 Dec 2026, though the cluster has room; no other "
            "hall comes closer: reservation r1 has 72."
        ),
        "There is room for 288 GPUs for 19 days in this window, but other commitments leave too little in one hall.",
    ),
    (
        reason(
            "hold",
            short=[MISSING],
            holders=[Holder(kind="hold", id="refl-1", gpus=7200), Holder(kind="hold", id="anth-1", gpus=720)],
        ),
        (
            "288 GPUs are missing from 2 Dec 2026 to 20 Dec 2026: the commitment of refl-1 holds 7,200 and the "
            "commitment of anth-1 holds 720."
        ),
        "Other commitments leave no room for even 288 GPUs for 19 days in this window.",
    ),
    (
        reason(
            "outbid",
            short=[IN_HALL],
            holders=[Holder(kind="accepted", id="q7", gpus=144)],
            price_to_win_usd=81526596.1,
        ),
        (
            "By itself it would fit, starting on 27 Nov 2026, but 288 GPUs are missing in hall a-h from 2 Dec 2026 to "
            "20 Dec 2026: request q7 takes 144; about USD 81.6 million would have won it."
        ),
        "Other commitments leave no room for even 288 GPUs for 19 days in this window.",
    ),
    (
        reason("outbid", holders=[Holder(kind="accepted", id="q7", gpus=144)]),
        (
            "By itself it would fit, starting on 27 Nov 2026, but others took the room: request q7 takes 144; a higher "
            "tier decides."
        ),
        "Other commitments leave no room for even 288 GPUs for 19 days in this window.",
    ),
]


@pytest.mark.parametrize(("given", "planner", "tenant"), CASES)
def test_each_reason_has_a_sentence_for_the_planner_and_one_for_the_tenant(
    given: Reason, planner: str, tenant: str
) -> None:
    assert reasons.for_planner(WISH, given, NAMES) == planner
    assert reasons.for_tenant(WISH, given, NAMES) == tenant


def test_a_single_day_is_named_once() -> None:
    one_day = reason("quota", short=[MISSING.model_copy(update={"end": on(11)})])
    assert reasons.for_planner(WISH, one_day, NAMES).startswith("288 GPUs are missing on 2 Dec 2026:")


def test_days_that_lack_in_turn_are_one_range_with_the_most_that_is_missing() -> None:
    fewer = MISSING.model_copy(update={"start": on(29), "end": on(31), "gpus": 72})

    sentence = reasons.for_planner(WISH, reason("quota", short=[MISSING, fewer]), NAMES)

    assert sentence.startswith("Up to 288 GPUs are missing from 2 Dec 2026 to 22 Dec 2026:")


def test_days_with_gaps_between_them_are_counted() -> None:
    later = MISSING.model_copy(update={"start": on(35), "end": on(36)})

    sentence = reasons.for_planner(WISH, reason("quota", short=[MISSING, later]), NAMES)

    assert sentence.startswith("288 GPUs are missing on 20 days from 2 Dec 2026 to 27 Dec 2026:")


def test_a_window_that_is_past_is_told_from_one_that_ends_too_late() -> None:
    past = WISH.model_copy(update={"earliest_start": on(-9), "latest_start": on(-1)})
    late = WISH.model_copy(update={"latest_start": on(3)})

    assert reasons.for_tenant(past, reason("window"), NAMES) == "The last start asked for, 21 Nov 2026, has passed."
    assert reasons.for_tenant(late, reason("window"), NAMES) == (
        "No start from 24 Nov 2026 to 25 Nov 2026 leaves 19 days before planning ends on 1 Dec 2026."
    )


@pytest.mark.parametrize(("start", "cause"), [(0, "begins on 24 Nov 2026"), (22, "ends on 31 Dec 2026")])
@pytest.mark.parametrize("short", [[], [MISSING]], ids=["in a hurry", "with numbers"])
def test_a_block_outside_its_contract_is_told_the_day(start: int, cause: str, short: list[Shortage]) -> None:
    """Whatever else is booked on it: the days are the reason. The contract's last day is day 39."""
    holders = [Holder(kind="reservation", id="r1", gpus=72)] if short else []
    given = reason("contract", start=on(start), short=short, holders=holders)

    assert reasons.for_planner(WISH, given, NAMES).endswith(f": contract k {cause}.")
    assert reasons.for_tenant(WISH, given, NAMES) == (
        f"Your contract {cause}, and 288 GPUs for 19 days in this window would lie outside it."
    )


def test_a_block_that_ends_with_its_contract_lies_within_it() -> None:
    given = reason("contract", start=on(21), short=[MISSING])

    assert reasons.for_planner(WISH, given, NAMES).endswith(": contract k commits 144 GPUs on 2 Dec 2026.")


def test_a_contract_that_commits_nothing_says_so() -> None:
    given = reason("contract", short=[MISSING.model_copy(update={"start": on(20)})])

    assert reasons.for_planner(WISH, given, NAMES).endswith(": contract k commits no GPUs on 12 Dec 2026.")


def test_holders_that_have_as_much_are_named_together() -> None:
    alike = [Holder(kind="accepted", id=name, gpus=576) for name in ("q1", "q2")]
    more = [Holder(kind="accepted", id=name, gpus=72) for name in ("q3", "q4")]

    sentence = reasons.for_planner(WISH, reason("outbid", holders=[*alike, *more]), NAMES, is_priced=False)

    assert sentence == (
        "By itself it would fit, starting on 27 Nov 2026, but others took the room: requests q1 and q2 take 576 each "
        "and requests q3 and q4 take 72 each."
    )


def test_blocks_that_fill_a_quota_in_turn_are_given_with_what_each_has_at_the_most() -> None:
    holders = [Holder(kind="reservation", id="r1", gpus=1296), Holder(kind="accepted", id="q1", gpus=288)]

    sentence = reasons.for_planner(WISH, reason("quota", short=[MISSING], holders=holders), NAMES)

    assert sentence.endswith(
        ": the quota of Tess is 1,440, of which reservation r1 has up to 1,296 and request q1 has up to 288."
    )


def test_of_more_than_four_holders_three_are_named() -> None:
    holders = [Holder(kind="reservation", id=f"r{size}", gpus=size) for size in (360, 288, 216, 144, 72)]

    sentence = reasons.for_planner(WISH, reason("hold", short=[MISSING], holders=holders), NAMES)

    assert sentence.endswith(
        ": reservation r360 has 360, reservation r288 has 288, reservation r216 has 216 and 2 others have the rest."
    )


def test_rivals_that_the_reason_lists_only_in_part_are_not_counted() -> None:
    holders = [Holder(kind="accepted", id=f"q{size}", gpus=4 * size) for size in range(reasons.MOST_RIVALS, 0, -1)]

    sentence = reasons.for_planner(WISH, reason("outbid", short=[MISSING], holders=holders), NAMES, is_priced=False)

    assert sentence.endswith(
        ": request q20 takes 80, request q19 takes 76, request q18 takes 72 and many others have the rest."
    )


def test_without_rivals_of_its_own_tier_there_is_no_price() -> None:
    sentence = reasons.for_planner(WISH, reason("outbid", short=[MISSING], price_to_win_usd=0.0), NAMES)

    assert sentence.endswith("; only lower tiers stand in its way.")


def test_a_tenant_that_takes_no_less_is_told_of_all_it_asked_for() -> None:
    firm = WISH.model_copy(update={"min_gpus": 720})

    assert reasons.for_tenant(firm, reason("hold"), NAMES) == (
        "Other commitments leave no room for 720 GPUs for 19 days in this window."
    )


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0.4, "1"), (999.0, "999"), (38210.65, "38,300"), (999_500.0, "1 million"), (8_885_315.2, "8.89 million")],
)
def test_a_price_has_three_digits_and_is_never_rounded_down(usd: float, text: str) -> None:
    sentence = reasons.for_planner(WISH, reason("outbid", price_to_win_usd=usd), NAMES)

    assert sentence.endswith(f"; about USD {text} would have won it.")


@pytest.mark.parametrize("code", ["contract", "quota", "capacity", "topology", "hold", "outbid"])
def test_a_reason_in_a_hurry_has_a_sentence_without_numbers(code: str) -> None:
    sentence = reasons.for_planner(WISH, reason(code), NAMES, is_priced=False)

    assert sentence.startswith(
        (
            "Room is missing for a start on 27 Nov 2026",
            "By itself it would fit, starting on 27 Nov 2026, but others took the room",
        )
    )
    assert sentence.endswith(".")
