"""The pages of bookings: what each role may do, what stays hidden, and forms that keep what was typed."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from portal.bookings import request_actions
from portal.domain.states import OfferState, RequestState, Role
from portal.models.offers import Offer
from portal.models.placements import Placement
from portal.models.requests import Request
from portal.models.reservations import Reservation
from tests.portal import factories
from tests.portal.bookings.landlord import Landlord, offered, reserved, terms
from tests.portal.factories import NOW, TODAY
from tests.portal.web.fixtures import Enter
from tests.portal.web.visitor import Visitor

ASKED = {
    "gpus": "144",
    "earliest_start": "2027-01-01",
    "latest_start": "2027-01-15",
    "days": "30",
    "scope": "any",
    "site": "",
    "contract": "",
}
FEATURES = ("overview.", "requests.", "reservations.", "offers.")


@pytest.fixture
def booker(enter: Enter, web_town: Landlord) -> Visitor:
    return enter(web_town.booker_row)


@pytest.fixture
def stranger(enter: Enter, web_town: Landlord) -> Visitor:
    return enter(web_town.stranger_row)


def now_in(rows: Session, what: sa.Select[Any]) -> sa.ScalarResult[Any]:
    """What the portal has written by now: a reading transaction that began earlier does not see it."""
    rows.rollback()
    return rows.scalars(what)


def request_of(rows: Session, town: Landlord, state: RequestState = RequestState.SUBMITTED) -> str:
    row = request_actions.submit_new(rows, terms=terms(town.booker), by=town.booker, now=NOW, today=TODAY)
    row.state = state
    row.reason = {"code": "capacity", "text": "R-SECRET of Borealis AI", "for_tenant": "Other commitments are there."}
    row.counter_offers = [{"kind": "later", "gpus": 72, "start": "2027-03-01", "end": "2027-03-31", "scope": "any"}]
    rows.commit()
    return row.public_id


def things(rows: Session, town: Landlord) -> dict[str, str]:
    """One of each kind, all of them the booker's."""
    return {
        "requests": request_of(rows, town),
        "reservations": reserved(rows, town).public_id,
        "offers": offered(rows, town).public_id,
    }


def test_a_person_finds_capacity_asks_and_withdraws(booker: Visitor, rows: Session) -> None:
    page = booker.get("/requests/new")
    page = booker.press(page, "Check", **ASKED)
    assert "144 GPUs (2 racks) fit from 1 Jan 2027, as asked." in page.text
    assert "USD 311,040" in page.text  # 144 x 30 x 24 x 3

    page = booker.press(page, "Send the request")
    assert page.heading == "144 GPUs (2 racks) for 30 days"
    page = booker.press(page, "Withdraw it")
    assert "You took this request back." in page.text
    assert now_in(rows, sa.select(Request.state)).one() is RequestState.WITHDRAWN


def test_a_draft_is_kept_changed_and_sent(booker: Visitor, rows: Session) -> None:
    page = booker.press(booker.get("/requests/new"), "Keep as a draft", **ASKED)
    assert "A draft" in page.text
    public_id = now_in(rows, sa.select(Request.public_id)).one()
    rows.rollback()

    page = booker.press(booker.get(f"/requests/{public_id}/edit"), "Keep as a draft", gpus="288")
    page = booker.press(page, "Send the request")

    assert page.heading == "288 GPUs (4 racks) for 30 days"
    row = now_in(rows, sa.select(Request)).one()
    assert (row.gpus, row.state) == (288, RequestState.SUBMITTED)


def test_the_answer_needs_no_script_and_no_form(booker: Visitor) -> None:
    """The terms stand in the address; what it does not name has its first meaning."""
    page = booker.get("/requests/new?gpus=144&days=30&earliest_start=2027-01-01")

    assert "144 GPUs (2 racks) fit from 1 Jan 2027" in page.text


def test_tenants_read_neither_tier_nor_value(booker: Visitor, rows: Session, web_town: Landlord) -> None:
    ids = things(rows, web_town)

    for path in (
        "/overview",
        "/requests/new?gpus=72&days=30&earliest_start=2027-01-01",
        *(f"/{kind}/{public_id}" for kind, public_id in ids.items()),
    ):
        text = booker.get(path).text
        assert not re.search(r"\b(Tier|Value)\b", text), path
        assert "Borealis" not in text
        assert "R-SECRET" not in text


@pytest.mark.parametrize("button", ["Check", "Send the request", "Keep as a draft"])
def test_a_wrong_form_keeps_what_was_typed(booker: Visitor, rows: Session, button: str) -> None:
    """422, the message beside its field, every other field as it was."""
    typed = {**ASKED, "gpus": "70", "note": "For the winter run.", "rate": "9.75", "wants_waitlist": "y"}

    page = booker.press(booker.get("/requests/new"), button, status=422, **typed)

    fields = {element["name"]: element for element in page.tree.all("input", "textarea")}
    assert (fields["gpus"]["value"], fields["days"]["value"], fields["rate"]["value"]) == ("70", "30", "9.75")
    assert fields["note"].text == "For the winter run."
    assert "checked" in fields["wants_waitlist"].attributes
    assert fields["gpus"]["aria-invalid"] == "true"
    error = next(each for each in page.tree.all("p") if each["id"] == "gpus-error")
    assert "70 GPUs are no block" in error.text
    assert now_in(rows, sa.select(Request)).all() == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("gpus", "many", "Write a whole number"),
        ("gpus", "", "Write how many GPUs."),
        ("days", "0", "Write 1 to 10,000 days."),
        ("days", "10001", "Write 1 to 10,000 days."),
        ("earliest_start", "tomorrow", "Write a day as YYYY-MM-DD"),
        ("latest_start", "2026-12-24", "The latest start lies before the earliest one."),
        ("rate", "2.99", "The rate card asks USD 3.00 per GPU-hour"),
        ("contract", "C-OTHERS", "This is not in the list. Choose again."),
        ("min_gpus", "100", "must be a multiple of 72"),
    ],
)
def test_each_fault_is_named_beside_its_field(booker: Visitor, field: str, value: str, said: str) -> None:
    page = booker.post("/requests/new", {**ASKED, "wanted": "submit", field: value}, status=422)

    error = next(each for each in page.tree.all("p") if each["id"] == f"{field}-error")
    assert said in error.text


def test_a_change_to_an_old_version_is_refused(booker: Visitor, rows: Session, web_town: Landlord) -> None:
    public_id = request_of(rows, web_town)
    page = booker.get(f"/requests/{public_id}/edit")
    booker.press(page, "Keep the change", gpus="144")

    page = booker.press(page, "Keep the change", gpus="288", status=409)

    assert "Someone changed this while you were editing" in page.text


def test_a_declined_request_is_a_door(booker: Visitor, rows: Session, web_town: Landlord) -> None:
    public_id = request_of(rows, web_town, RequestState.DECLINED)

    page = booker.get(f"/requests/{public_id}")
    assert "Other commitments are there." in page.text
    assert "72 GPUs (1 rack), 1 – 30 Mar 2027" in page.text
    page = booker.press(page, "Request this instead")

    assert "the next plan decides" in page.text
    assert {row.state for row in now_in(rows, sa.select(Request))} == {RequestState.DECLINED, RequestState.SUBMITTED}


def test_an_offer_is_taken_and_its_reservation_cancelled(booker: Visitor, rows: Session, web_town: Landlord) -> None:
    public_id = offered(rows, web_town, gpus=144).public_id
    assert "1 offer stands for your answer" in booker.get("/offers").text

    page = booker.press(booker.get(f"/offers/{public_id}"), "Take the offer")
    assert "Starts 1 Jan 2027" in page.text
    assert "144 GPUs (2 racks)" in page.text
    page = booker.press(page, "Cancel the reservation")

    assert "It was cancelled as of 22 Nov 2026" in page.text
    assert now_in(rows, sa.select(Placement)).all() == []


def test_an_offer_is_refused(booker: Visitor, rows: Session, web_town: Landlord) -> None:
    public_id = offered(rows, web_town).public_id

    booker.press(booker.get(f"/offers/{public_id}"), "Refuse the offer")

    assert now_in(rows, sa.select(Offer.state)).one() is OfferState.REFUSED
    assert "no longer stands" in booker.post(f"/offers/{public_id}/take", status=409).text


def test_an_offer_that_is_gone_stands_beside_what_fits(booker: Visitor, rows: Session, web_town: Landlord) -> None:
    """Every rack of its days fails but one: the block is gone, a smaller one is named."""
    public_id = offered(rows, web_town, gpus=144).public_id
    for rack in web_town.cluster.racks[:-1]:
        factories.outage(rows, rack)
    rows.commit()

    page = booker.post(f"/offers/{public_id}/take", status=409)

    assert "The offered block can no longer be had." in page.text
    assert "72 GPUs (1 rack), 1 – 30 Jan 2027" in page.text
    assert now_in(rows, sa.select(Reservation)).all() == []


def test_a_lost_rack_shows_on_the_day_it_is_lost(booker: Visitor, rows: Session, web_town: Landlord) -> None:
    row = reserved(rows, web_town, gpus=576, earliest_start=TODAY)
    public_id = row.public_id
    factories.outage(rows, web_town.cluster.racks[0])
    rows.commit()

    assert "72 GPUs (1 rack) short today" in booker.get("/overview").text
    assert "72 GPUs (1 rack) are short today" in booker.get("/reservations").text
    assert "1 rack out of use" in booker.get(f"/reservations/{public_id}").text


def test_an_approver_makes_and_withdraws_an_offer(enter: Enter, rows: Session, web_town: Landlord) -> None:
    approver = enter(Role.APPROVER)
    public_id = request_of(rows, web_town, RequestState.DECLINED)

    page = approver.get(f"/offers/new?tenant=aurora&request={public_id}&kind=later")
    assert {e["name"]: e["value"] for e in page.tree.all("input")}["start"] == "2027-03-01"
    page = approver.press(page, "Make the offer")
    assert "Held for Aurora Labs" in page.text
    page = approver.press(page, "Withdraw the offer")

    assert now_in(rows, sa.select(Offer.state)).one() is OfferState.WITHDRAWN


def test_an_offer_that_does_not_fit_keeps_the_form_and_names_what_does(
    enter: Enter, rows: Session, web_town: Landlord
) -> None:
    reserved(rows, web_town, to=web_town.stranger, gpus=360)
    data = {**ASKED, "gpus": "288", "start": "2027-01-01", "hours": "24", "tenant": "aurora", "wanted": "make"}

    page = enter(Role.APPROVER).post("/offers/new", data, status=409)

    assert "Other commitments have taken this capacity." in page.text
    assert "216 GPUs (3 racks)" in page.text
    assert {e["name"]: e["value"] for e in page.tree.all("input")}["gpus"] == "288"


def test_provider_pages_name_tenants_and_leave_drafts_alone(enter: Enter, rows: Session, web_town: Landlord) -> None:
    ids = things(rows, web_town)
    draft = request_actions.draft(
        rows, terms=terms(web_town.booker), by=web_town.booker, now=NOW, today=TODAY
    ).public_id
    rows.commit()

    auditor = enter(Role.AUDITOR)
    for kind, public_id in ids.items():
        assert "Aurora Labs" in auditor.get(f"/{kind}").text
        assert "Aurora Labs" in auditor.get(f"/{kind}/{public_id}").text
    auditor.get(f"/requests/{draft}", status=404)


def test_every_address_of_another_tenant_is_404(
    app: Flask, stranger: Visitor, rows: Session, web_town: Landlord
) -> None:
    """Reading or writing, for each route that takes an id: as if the thing did not exist."""
    ids = things(rows, web_town)
    routes = [r for r in app.url_map.iter_rules() if r.endpoint.startswith(FEATURES) and "public_id" in r.arguments]
    assert len(routes) >= 12

    for rule in routes:
        if rule.endpoint == "offers.withdraw":  # the provider's alone: 403 for every tenant
            continue
        path = rule.rule.replace("<string:public_id>", ids[rule.endpoint.split(".")[0]])
        if "POST" in (rule.methods or ()):
            stranger.post(path, {**ASKED, "wanted": "submit", "kind": "later"}, status=404)
        else:
            stranger.get(path, status=404)
    for path in ("/requests", "/reservations", "/offers", "/overview"):
        assert not any(public_id in stranger.get(path).text for public_id in ids.values())


@pytest.mark.parametrize("role", list(Role))
def test_each_write_is_open_to_its_roles_alone(enter: Enter, rows: Session, web_town: Landlord, role: Role) -> None:
    """403 wherever the role does not include it, before anything is looked up."""
    person = enter(factories.user(rows, role, tenant=web_town.tenant) if role.is_tenant_role else role)
    books = {"/requests/new", "/requests/Q-X/withdraw", "/requests/Q-X/submit", "/requests/Q-X/edit"}
    books |= {"/requests/Q-X/instead", "/offers/O-X/take", "/offers/O-X/refuse", "/reservations/R-X/cancel"}
    offers = {"/offers/new", "/offers/O-X/withdraw"}

    for path in books | offers:
        allowed = role in {Role.BOOKER, Role.OWNER} if path in books else role in {Role.APPROVER, Role.ADMIN}
        token = person.post(path, status=404 if allowed and "X" in path else person_status(allowed, path))
        assert token is not None


def person_status(allowed: bool, path: str) -> int:
    """What an empty form is answered: refused by role, by its faults, or for a tenant that is not there."""
    if not allowed:
        return 403
    return 422 if path == "/requests/new" else 404
