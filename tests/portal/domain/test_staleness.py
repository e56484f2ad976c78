"""What makes a plan stale, and what does not."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from portal.domain.staleness import Fingerprint, changes, fingerprint

BLOCK: dict[str, Any] = {"gpus": 72, "start": "2027-01-01", "end": "2027-02-01", "placement": [{"racks": {"r1": 72}}]}
SNAPSHOT: dict[str, Any] = {
    "today": "2026-11-22",
    "sites": [
        {
            "id": "memphis",
            "power_limits": [{"start": "2027-03-01", "end": "2027-06-01", "kw": 100.0}],
            "halls": [{"id": "h1", "spare_racks": 1, "pods": []}],
        }
    ],
    "outages": [{"rack": "r9", "start": "2026-12-01", "end": None, "kind": "failure"}],
    "tenants": [{"id": "acme", "name": "Acme", "max_gpus": None}],
    "contracts": [{"id": "c1", "notice_given_on": None, "notice_days": 90}],
    "reservations": [{"id": "R-1", **BLOCK}, {"id": "O-1", **BLOCK}],
    "requests": [{"id": "Q-1"}],
}
OFFERS = {"O-1"}


def print_of(change=None, offers=OFFERS) -> Fingerprint:
    snapshot = copy.deepcopy(SNAPSHOT)
    if change is not None:
        change(snapshot)
    return fingerprint(snapshot, offers)


def drop(name: str):
    def change(snapshot: dict[str, Any]) -> None:
        snapshot["reservations"] = [block for block in snapshot["reservations"] if block["id"] != name]

    return change


def test_nothing_changed():
    assert changes(print_of(), print_of()) == ()


def add_outage(s):
    s["outages"].append({"rack": "r2", "start": "2026-11-22", "end": None, "kind": "failure"})


def end_outage(s):
    s["outages"].clear()


def second_limit(s):
    s["sites"][0]["power_limits"].append({"start": "2028-03-01", "end": "2028-06-01", "kw": 1.0})


CHANGES = {
    "the day": (lambda s: s.update(today="2026-11-23"), "The day is 23 Nov 2026; the plan was made on 22 Nov 2026."),
    "a contract": (lambda s: s["contracts"][0].update(notice_days=30), "Contract c1 has changed."),
    "a new contract": (
        lambda s: s["contracts"].append({"id": "c2", "notice_given_on": None}),
        "Contract c2 is new.",
    ),
    "a notice": (
        lambda s: s["contracts"][0].update(notice_given_on="2026-11-22"),
        "Notice of contract c1 was given on 22 Nov 2026.",
    ),
    "a reservation": (lambda s: s["reservations"][0].update(end="2027-01-15"), "Reservation R-1 has changed."),
    "a new reservation": (
        lambda s: s["reservations"].append({"id": "R-2", **BLOCK}),
        "Reservation R-2 is new.",
    ),
    "an ended reservation": (drop("R-1"), "Reservation R-1 has ended."),
    "an offer": (lambda s: s["reservations"][1].update(gpus=144), "Offer O-1 has changed."),
    "an outage": (add_outage, "The outages of rack r2 changed."),
    "an ended outage": (end_outage, "The outages of rack r9 changed."),
    "a power limit": (second_limit, "The power limits of site memphis changed."),
    "a spare rack": (
        lambda s: s["sites"][0]["halls"][0].update(spare_racks=2),
        "The number of spare racks of hall h1 changed.",
    ),
    "a quota": (lambda s: s["tenants"][0].update(max_gpus=720), "The quota of tenant acme changed."),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_of_these_makes_a_plan_stale_and_is_named(name):
    change, sentence = CHANGES[name]

    assert changes(print_of(), print_of(change)) == (sentence,)


def test_a_withdrawn_notice_makes_a_plan_stale():
    noticed = print_of(lambda s: s["contracts"][0].update(notice_given_on="2026-11-01"))

    assert changes(noticed, print_of()) == ("The notice of contract c1 was withdrawn.",)


def test_a_new_offer_makes_a_plan_stale():
    now = print_of(lambda s: s["reservations"].append({"id": "O-2", **BLOCK}), {"O-1", "O-2"})

    assert changes(print_of(), now) == ("Offer O-2 is new.",)


def test_requests_submitted_since_wait_for_the_next_run():
    assert changes(print_of(), print_of(lambda s: s["requests"].append({"id": "Q-2"}))) == ()


def test_a_tenants_new_name_changes_nothing():
    assert changes(print_of(), print_of(lambda s: s["tenants"][0].update(name="Acme Ltd"))) == ()


def test_the_order_of_outages_and_limits_changes_nothing():
    both = print_of(add_outage)
    turned = print_of(lambda s: (add_outage(s), s["outages"].reverse(), s["sites"][0]["power_limits"].reverse()))

    assert changes(both, turned) == ()


class TestOffersThatAreGone:
    def test_one_that_the_plan_leaves_in_place_does_not_count(self):
        assert changes(print_of(), print_of(drop("O-1"), set())) == ()

    def test_one_that_the_plan_moves_counts(self):
        assert changes(print_of(), print_of(drop("O-1"), set()), moved_offers={"O-1"}) == ("Offer O-1 has ended.",)

    def test_the_reservation_that_one_became_does_not_count(self):
        def take(snapshot):
            snapshot["reservations"][1]["id"] = "R-7"

        assert changes(print_of(), print_of(take, set()), taken={"O-1": "R-7"}) == ()
        assert changes(print_of(), print_of(take, set())) == ("Reservation R-7 is new.",)

    def test_the_reservation_that_one_became_counts_where_it_was_changed_since(self):
        def take_and_shorten(snapshot):
            snapshot["reservations"][1].update(id="R-7", end="2027-01-15")

        now = print_of(take_and_shorten, set())

        assert changes(print_of(), now, taken={"O-1": "R-7"}) == ("Reservation R-7 is new.",)

    def test_the_terms_of_the_reservation_that_one_became_do_not_count(self):
        def take(snapshot):
            snapshot["reservations"][1].update(id="R-7", move_notice_days=14)

        assert changes(print_of(), print_of(take, set()), taken={"O-1": "R-7"}) == ()


def test_a_fingerprint_survives_its_file():
    taken = print_of(add_outage)

    assert Fingerprint.from_json(json.loads(json.dumps(taken.to_json()))) == taken
