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
        "No start from 24 Nov 2026 to 24 Nov 2026 leaves 19 days between today and the end of planning.",
        "No start from 24 Nov 2026 to 24 Nov 2026 leaves 19 days between today and the end of planning.",
    ),
    (
        reason("quota", short=[MISSING], holders=[Holder(kind="reservation", id="r1", gpus=1296)]),
        ("288 GPUs are missing from 2 Dec 2026 to 20 Dec 2026: the quota of Tess is 1,440, of which r1 has 1,296."),
        "288 GPUs for 19 days in this window would take you above the number of GPUs agreed for you.",
    ),
    (
        reason("contract", short=[MISSING], holders=[Holder(kind="reservation", id="r1", gpus=1296)]),
        "288 GPUs are missing from 2 Dec 2026 to 20 Dec 2026: contract k is drawn already: r1 has 1,296.",
        "Your contract does not cover 288 GPUs for 19 days in this window beside what is booked on it.",
    ),
    (
        reason("contract", short=[MISSING]),
        "288 GPUs are missing from 2 Dec 2026 to 20 Dec 2026: contract k commits 144 then.",
        "Your contract does not cover 288 GPUs for 19 days in this window beside what is booked on it.",
    ),
    (
        reason(
            "capacity",
            short=[IN_HALL, IN_HALL],
            holders=[
                Holder(kind="outage", id="a-h", gpus=144),
                Holder(kind="spare", id="a-h", gpus=144),
                Holder(kind="power", id="a", gpus=72),
                Holder(kind="reservation", id="r1", gpus=72),
                Holder(kind="reservation", id="r2", gpus=72),
            ],
        ),
        (
            "288 GPUs are missing in hall a-h from 2 Dec 2026 to 20 Dec 2026 and on other days: outages in hall a-h "
            "take 144, hall a-h keeps 144 spare, the power limit of site a takes 72 and 2 others have the rest."
        ),
        "There is no room for 288 GPUs for 19 days in this window: other commitments and maintenance come first.",
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
        "Other commitments leave no room for 288 GPUs for 19 days in this window.",
    ),
    (
        reason("outbid", holders=[Holder(kind="accepted", id="q7", gpus=144)], price_to_win_usd=81526596.1),
        (
            "It fits by itself from 27 Nov 2026 on, but others took the room: request q7 takes 144; about USD "
            "81.6 million would have won it."
        ),
        "Other commitments leave no room for 288 GPUs for 19 days in this window.",
    ),
    (
        reason("outbid", holders=[Holder(kind="accepted", id="q7", gpus=144)]),
        "It fits by itself from 27 Nov 2026 on, but others took the room: request q7 takes 144; a higher tier decides.",
        "Other commitments leave no room for 288 GPUs for 19 days in this window.",
    ),
]


@pytest.mark.parametrize(("given", "planner", "tenant"), CASES)
def test_each_reason_has_a_sentence_for_the_planner_and_one_for_the_tenant(
    given: Reason, planner: str, tenant: str
) -> None:
    assert reasons.for_planner(WISH, given, NAMES) == planner
    assert reasons.for_tenant(WISH, given) == tenant


def test_a_single_day_is_named_once() -> None:
    one_day = reason("quota", short=[MISSING.model_copy(update={"end": on(11)})])
    assert reasons.for_planner(WISH, one_day, NAMES).startswith("288 GPUs are missing on 2 Dec 2026:")


@pytest.mark.parametrize(
    ("first", "last", "cause"),
    [
        (0, 1, "begins on 24 Nov 2026"),
        (1, 3, "begins on 24 Nov 2026"),
        (10, 12, "commits 144 then"),
        (30, 32, "commits nothing then"),
        (50, 60, "ends on 31 Dec 2026"),
    ],
)
def test_a_contract_that_does_not_cover_the_days_says_why(first: int, last: int, cause: str) -> None:
    short = MISSING.model_copy(update={"start": on(first), "end": on(last)})

    sentence = reasons.for_planner(WISH, reason("contract", short=[short]), NAMES)

    assert sentence.endswith(f": contract k {cause}.")


def test_holders_that_have_as_much_are_named_together() -> None:
    alike = [Holder(kind="accepted", id=name, gpus=576) for name in ("q1", "q2")]
    more = [Holder(kind="accepted", id=name, gpus=72) for name in ("q3", "q4")]

    sentence = reasons.for_planner(WISH, reason("outbid", holders=[*alike, *more]), NAMES, is_priced=False)

    assert sentence == (
        "It fits by itself from 27 Nov 2026 on, but others took the room: requests q1 and q2 take 576 each, request q3 "
        "takes 72 and another has the rest."
    )


def test_blocks_that_fill_a_quota_in_turn_are_given_with_what_each_has_at_the_most() -> None:
    holders = [Holder(kind="reservation", id="r1", gpus=1296), Holder(kind="accepted", id="q1", gpus=288)]

    sentence = reasons.for_planner(WISH, reason("quota", short=[MISSING], holders=holders), NAMES)

    assert sentence.endswith(": the quota of Tess is 1,440, of which r1 has up to 1,296 and q1 has up to 288.")


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

    assert sentence.startswith(("Room is missing", "It fits by itself from 27 Nov 2026 on, but others took the room"))
    assert sentence.endswith(".")
