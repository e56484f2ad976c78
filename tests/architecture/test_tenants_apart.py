"""Every address of the portal, tried by a rival's owner: what is not theirs does not exist for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from portal.domain.permissions import PERMISSIONS
from portal.domain.states import Role
from portal.web.permissions import PUBLIC, access_of
from tests.architecture.rivals import Belongings, Rivals, rivals, secrets_of
from tests.portal.web.fixtures import Enter
from tests.portal.web.visitor import Visitor

EVERYONE_S = {"/static/"}
MISSING = {int: 999_999, str: "no-such-thing-00"}
"""An id that nothing has; 16 characters, as the key of a session."""


@pytest.fixture
def landlord(rows: Session) -> Rivals:
    """Two tenants with one of everything."""
    return rivals(rows)


@pytest.fixture
def rival(landlord: Rivals, enter: Enter) -> Visitor:
    """The owner of Tamarack, who may do whatever a tenant's person may."""
    return enter(landlord.tamarack.owner)


def test_every_address_with_an_id_is_tried(app: Flask, landlord: Rivals) -> None:
    """A new kind of address needs a thing in `Rivals.ids`."""
    kinds = {kind_of(rule) for rule in with_ids(app)}

    assert kinds - landlord.ids.keys() == set(), "say in tests/architecture/rivals.py what stands here"
    assert landlord.ids.keys() - kinds == set(), "these addresses are gone"


def test_the_things_that_are_tried_exist(app: Flask, landlord: Rivals, enter: Enter) -> None:
    """Their owner reads each of them, or else the admin does: a 404 below means that it was hidden."""
    owner, admin = enter(landlord.quillon.owner), enter(landlord.admin)

    for rule in with_ids(app, "GET"):
        reader = owner if is_open(app, rule, Role.OWNER) else admin
        assert reader.client.get(asking(rule, landlord.ids)).status_code == 200, rule.rule


def test_a_rival_reads_nothing(app: Flask, landlord: Rivals, rival: Visitor) -> None:
    """404 for a tenant's things, as for a thing that there is not; 403 for the provider's pages."""
    for rule in with_ids(app, "GET"):
        there, nowhere = (rival.client.get(each) for each in both(rule, landlord))
        expected = 404 if is_open(app, rule, Role.OWNER) else 403
        assert (there.status_code, nowhere.status_code) == (expected, expected), rule.rule
        assert comparable(there.text, rule, landlord) == comparable(nowhere.text, rule, landlord), rule.rule


def test_a_rival_changes_nothing(app: Flask, landlord: Rivals, rival: Visitor, rows: Session) -> None:
    """The same for every form that is sent to such an address, with a good token."""
    before = everything_of(landlord.quillon, rows)

    for rule in with_ids(app, "POST"):
        expected = 404 if is_open(app, rule, Role.OWNER) else 403
        there, nowhere = (rival.post(each, filled(landlord), status=expected) for each in both(rule, landlord))
        told, untold = (comparable(page.response.text, rule, landlord) for page in (there, nowhere))
        assert told == untold, rule.rule

    assert everything_of(landlord.quillon, rows) == before


def test_no_page_of_a_tenant_names_its_rival(app: Flask, landlord: Rivals, rival: Visitor) -> None:
    """Lists, own things, and own reasons and offers behind which the rival's blocks stand."""
    hidden = secrets_of(landlord.quillon) | {"987,654", "987654"}
    own = own_ids(landlord.tamarack)
    pages = [rule.rule for rule in without_ids(app) if is_open(app, rule, Role.OWNER)]
    pages += [asking(rule, own) for rule in with_ids(app, "GET") if kind_of(rule) in own]
    pages += [f"/requests/{landlord.tamarack.declined.public_id}"]

    for page in pages:
        answer = rival.client.get(page, follow_redirects=True)
        assert answer.status_code == 200, page
        named = {secret for secret in hidden if secret.lower() in answer.text.lower()}
        assert named == set(), f"{page} tells a rival"


def test_a_rival_s_thing_named_in_an_address_or_a_form_stays_unknown(landlord: Rivals, rival: Visitor) -> None:
    """A contract, a reservation, a tenant as arguments: nothing of them is shown, nothing is made for them."""
    quillon = landlord.quillon
    for arguments in ({"contract": quillon.contract.public_id}, {"extends": quillon.reservation.public_id}):
        wish = {"gpus": "72", "days": "30", "earliest_start": "2027-03-01", "scope": "any", **arguments}
        asked = rival.client.get("/requests/new", query_string=wish)
        sent = rival.post("/requests/new", {"contract": "", **wish, "wanted": "submit"}, status=422)
        for shown in (asked.text, sent.response.text):
            assert quillon.tenant.name not in shown
            assert "fit-yes" not in shown
    assert rival.client.get(f"/offers/new?tenant={quillon.tenant.public_id}").status_code == 403


def with_ids(app: Flask, method: str = "") -> list[Rule]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.arguments and kind_of(rule) not in EVERYONE_S]
    return [rule for rule in rules if not method or method in (rule.methods or ())]


def without_ids(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if (
            not rule.arguments
            and "GET" in (rule.methods or ())
            and access_of(app.view_functions[rule.endpoint]) != PUBLIC
        ):
            yield rule


def kind_of(rule: Rule) -> str:
    """What stands before the id says what kind of thing it names."""
    return rule.rule[: rule.rule.index("<")]


def address(rule: Rule, ids: dict[str, Any]) -> str:
    start = kind_of(rule)
    assert len(rule.arguments) == 1, f"{rule.rule}: an address names one thing"
    return f"{start}{ids[start]}{rule.rule[rule.rule.index('>') + 1 :]}"


def asking(rule: Rule, ids: dict[str, Any]) -> str:
    """The address with what its page asks for."""
    return address(rule, ids) + ("?day=2027-03-01" if rule.rule.endswith("/notice-check") else "")


def both(rule: Rule, landlord: Rivals) -> tuple[str, str]:
    """The address of Quillon's thing, and of one that there is not."""
    missing = {kind: MISSING[type(found)] for kind, found in landlord.ids.items()}
    return address(rule, landlord.ids), address(rule, missing)


def comparable(text: str, rule: Rule, landlord: Rivals) -> str:
    """The answer without its form tokens, and as if it had been asked for the thing that there is not."""
    there, nowhere = both(rule, landlord)
    return re.sub(r'name="csrf_token" value="[^"]*"', "", text).replace(there, nowhere)


def is_open(app: Flask, rule: Rule, role: Role) -> bool:
    access = access_of(app.view_functions[rule.endpoint])
    return isinstance(access, frozenset) and (not access or bool(access & PERMISSIONS[role]))


def own_ids(whose: Belongings) -> dict[str, Any]:
    return {
        "/requests/": whose.request.public_id,
        "/reservations/": whose.reservation.public_id,
        "/offers/": whose.offer.public_id,
        "/contracts/": whose.contract.public_id,
    }


def filled(landlord: Rivals) -> dict[str, str]:
    """What the forms behind these addresses need, so that none stops at an empty field."""
    day = "2027-03-01"
    block = {"gpus": "72", "days": "30", "scope": "any", "earliest_start": day, "latest_start": day, "version": "1"}
    return {
        **block,
        "contract": "",
        "site": "",
        "wanted": "submit",
        "confirmation": landlord.quillon.contract.public_id,
    }


def everything_of(whose: Belongings, rows: Session) -> list[Any]:
    rows.rollback()
    things = (whose.request, whose.offer, whose.reservation, whose.contract, whose.tenant, whose.owner)
    return [(thing.version, getattr(thing, "state", None)) for thing in things]
