"""The approver's queue: each open request with the solver's verdict, and what can be decided before a run."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.reasons import for_tenant
from portal.domain.states import RequestState, Role
from portal.models.audit import AuditEntry
from portal.models.outbox import OutboxMessage
from portal.models.requests import Request
from tests.portal import factories
from tests.portal.factories import NOW
from tests.portal.plans.building import accept, propose
from tests.portal.web.fixtures import Enter


def submitted(rows: Session, **values: object) -> Request:
    row = factories.submitted_request(rows, **values)
    rows.commit()
    return row


def test_an_empty_queue_says_so(enter: Enter) -> None:
    assert "Nothing waits for a decision." in enter(Role.APPROVER).get("/approvals").text


def test_without_a_plan_the_queue_offers_to_run_the_solver(enter: Enter, rows: Session) -> None:
    submitted(rows, tenant=factories.tenant(rows, name="Alpha"), gpus=144)
    approver = enter(Role.APPROVER)

    page = approver.get("/approvals")

    assert "1 request waits for a decision." in page.text
    assert "Alpha, 144 GPUs (2 racks)" in page.text
    assert "not planned yet" in page.text
    assert approver.press(page, "Run the solver now").heading.startswith("Run S-")


def test_each_request_stands_with_the_verdict_of_the_proposed_plan(enter: Enter, rows: Session) -> None:
    racks = factories.cluster(rows, racks=1).racks
    taken = factories.submitted_request(rows)
    factories.submitted_request(rows, gpus=144)
    propose(rows, accepted=[accept(taken, racks[0], start=dt.date(2027, 1, 1))])
    factories.submitted_request(rows)
    rows.commit()

    text = enter(Role.APPROVER).get("/approvals").text

    assert "takes 1 " in text
    assert "72 GPUs (1 rack) from 1 Jan 2027" in text
    assert "no: capacity" in text
    assert "72 GPUs are missing: rsv-1 of a rival is in the way." in text
    assert "Sent after the plan was made; the next run decides." in text


def test_a_request_shows_who_stands_in_the_way_and_what_fits_instead(enter: Enter, rows: Session) -> None:
    factories.cluster(rows, racks=1)
    holder = factories.reservation(rows, public_id="rsv-1", tenant=factories.tenant(rows, name="Beta"))
    request = factories.submitted_request(rows, gpus=144)
    propose(rows)

    text = enter(Role.APPROVER).get(f"/approvals/{request.public_id}").text

    assert f"reservation {holder.public_id} of Beta" in text
    assert "Later, anywhere" in text
    assert "72 GPUs for 30 days from 1 Mar 2027" in text


def test_a_held_request_is_out_of_the_way_until_it_is_approved(enter: Enter, rows: Session) -> None:
    request = submitted(rows)
    approver = enter(Role.APPROVER)

    held = approver.press(approver.get("/approvals"), "Hold")
    rows.rollback()
    assert (request.held_at, request.approved_at) == (NOW, None)
    assert "It stays out of plans until someone approves it." in held.text

    approver.press(held, "Approve")
    rows.rollback()
    assert (request.held_at, request.approved_at) == (None, NOW)


def test_a_declined_request_tells_its_tenant_the_reason_that_was_written(enter: Enter, rows: Session) -> None:
    request = submitted(rows)
    approver = enter(Role.APPROVER)
    page = approver.get(f"/approvals/{request.public_id}")

    approver.press(page, "Decline the request", text="We stop selling parts of racks.")

    rows.rollback()
    told = for_tenant(request.reason)
    assert request.state is RequestState.DECLINED
    assert told is not None
    assert (told.code, told.sentence) == ("provider", "We stop selling parts of racks.")
    assert rows.scalars(sa.select(OutboxMessage.kind)).all() == ["request_declined"]
    assert rows.scalars(sa.select(AuditEntry.action)).all() == ["declined"]


def test_a_decline_without_a_reason_is_refused_and_nothing_is_lost(enter: Enter, rows: Session) -> None:
    request = submitted(rows)
    approver = enter(Role.APPROVER)
    page = approver.get(f"/approvals/{request.public_id}")

    again = approver.press(page, "Decline the request", text="", status=422)

    assert "Write the reason: the tenant will read it." in again.text
    rows.rollback()
    assert request.state is RequestState.SUBMITTED


def test_what_is_decided_already_is_not_decided_again(enter: Enter, rows: Session) -> None:
    request = submitted(rows)
    approver = enter(Role.APPROVER)
    page = approver.get("/approvals")
    request.state, request.withdrawn_at, request.withdrawn_by_id = RequestState.WITHDRAWN, NOW, request.submitted_by_id
    rows.commit()

    assert "This request is withdrawn already." in approver.press(page, "Hold", status=409).text


def test_the_tier_is_set_by_the_provider(enter: Enter, rows: Session) -> None:
    request = submitted(rows)
    approver = enter(Role.APPROVER)
    page = approver.get(f"/approvals/{request.public_id}")

    approver.press(page, "Set the tier", tier="0")
    rows.rollback()
    assert request.tier == 0

    assert "A tier is a number from 0 to 9." in approver.press(page, "Set the tier", tier="12", status=422).text


def test_a_draft_is_its_tenants_alone(enter: Enter, rows: Session) -> None:
    draft = factories.request(rows)
    rows.commit()

    enter(Role.ADMIN).get(f"/approvals/{draft.public_id}", status=404)


def test_the_auditor_looks_and_decides_nothing(enter: Enter, rows: Session) -> None:
    request = submitted(rows)
    auditor = enter(Role.AUDITOR)

    auditor.get(f"/approvals/{request.public_id}")
    auditor.post(f"/approvals/{request.public_id}/hold", status=403)


def test_the_navigation_counts_what_waits(enter: Enter, rows: Session) -> None:
    submitted(rows)
    submitted(rows, held_at=NOW, held_by_id=factories.user(rows).id)

    page = enter(Role.APPROVER).get("/plans")

    assert {each.text for each in page.tree.all("span") if each["class"] == "nav-count"} == {"1 waiting"}


def test_a_counter_offer_can_be_made_an_offer(enter: Enter, rows: Session) -> None:
    factories.cluster(rows, racks=1)
    factories.rate(rows)
    request = factories.submitted_request(rows, gpus=144)
    propose(rows)
    approver = enter(Role.APPROVER)

    page = approver.get(f"/approvals/{request.public_id}")
    address = next(link["href"] for link in page.tree.all("a") if link.text == "Offer it…")

    assert request.tenant.name in approver.get(address).text
    assert "gpus=72&start=2027-03-01&days=30&scope=any" in address
