"""Pages about runs and plans."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import PlanState, RequestState, Role, RunState
from portal.models.plans import Plan, Run
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.plans.processes import own_identity
from tests.portal import factories
from tests.portal.plans.building import accept, move, propose
from tests.portal.web.fixtures import Enter

JANUARY = dt.date(2027, 1, 1)


@pytest.fixture
def proposed(rows: Session) -> Plan:
    """A plan that accepts the first request of Alpha, moves a reservation of Beta and declines a request of Gamma."""
    racks = factories.cluster(rows, racks=3).racks
    names = {name: factories.tenant(rows, name=name) for name in ("Alpha", "Beta", "Gamma")}
    standing = factories.reservation(rows, tenant=names["Beta"], racks=[racks[0]])
    taken = factories.submitted_request(rows, tenant=names["Alpha"], gpus=144)
    factories.submitted_request(rows, tenant=names["Gamma"], gpus=288)
    moved = move(standing, (standing.start, standing.end, [racks[2]]))
    return propose(rows, accepted=[accept(taken, racks[0], racks[1], start=JANUARY)], moves=[moved])


def running(rows: Session, **values: object) -> Run:
    own = own_identity()
    process = {"pid": own.pid, "host": own.host, "process_started_at": own.started_at}
    run = factories.run(rows, RunState.RUNNING, **{**process, **values})
    rows.commit()
    return run


def test_the_overview_says_that_nothing_was_planned_yet(enter: Enter) -> None:
    assert "No plan was made yet" in enter(Role.APPROVER).get("/plans").text


def test_the_overview_leads_to_the_plan_that_waits(enter: Enter, proposed: Plan) -> None:
    page = enter(Role.APPROVER).get("/plans")

    assert "waits for your decision" in page.text
    assert any(link["href"] == f"/plans/{proposed.public_id}" for link in page.tree.all("a"))


def test_an_approver_asks_for_a_run_and_follows_it(enter: Enter, rows: Session) -> None:
    approver = enter(Role.APPROVER)

    page = approver.press(approver.get("/plans"), "Run the solver now")

    run = rows.scalars(sa.select(Run)).one()
    assert page.heading == f"Run {run.public_id}"
    assert "It waits for a worker" in page.text
    assert any(section["data-poll"] == "2" for section in page.tree.all("section"))
    assert (run.state, run.time_limit_s) == (RunState.QUEUED, 300.0)


def test_a_run_under_way_says_how_far_it_is(enter: Enter, rows: Session) -> None:
    progress = {
        "stage": "placement",
        "values": {"0": 1000.0},
        "bounds": {"0": 2000.0},
        "gaps": {"0": 0.5},
        "seconds": 9,
    }
    run = running(rows, progress=progress, time_limit_s=60.0)

    text = enter(Role.OPERATOR).get(f"/runs/{run.public_id}").text

    assert "Placement, 9 s of at most 1 min" in text
    assert "USD 1,000" in text
    assert "50.00 %" in text


def test_a_crashed_run_is_shown_as_crashed(enter: Enter, rows: Session) -> None:
    run = running(rows, process_started_at=1.0)
    person = enter(Role.OPERATOR)

    assert "The process that carried it out is gone" in person.get(f"/runs/{run.public_id}").text
    assert "crashed" in person.get("/plans").text


def test_a_run_can_be_cancelled(enter: Enter, rows: Session) -> None:
    run = running(rows)
    approver = enter(Role.APPROVER)

    approver.press(approver.get(f"/runs/{run.public_id}"), "Cancel the run")

    rows.rollback()
    assert run.state is RunState.CANCELLED


def test_a_finished_run_leads_to_its_plan(enter: Enter, proposed: Plan) -> None:
    page = enter(Role.APPROVER).get(f"/runs/{proposed.run.public_id}")

    assert f"It proposed plan {proposed.public_id}" in page.text
    assert any(section["data-poll"] == "" for section in page.tree.all("section"))
    assert "a log" in page.text


def test_the_review_opens_with_what_the_plan_does(enter: Enter, proposed: Plan) -> None:
    page = enter(Role.APPROVER).get(f"/plans/{proposed.public_id}")

    answer = next(each.text for each in page.tree.all("p") if each["class"] == "page-answer")
    assert "takes 1 of 2 requests" in answer
    assert "moves 1 block" in answer
    assert "Alpha" in page.text
    assert "72 GPUs are missing: rsv-1 of a rival is in the way." in page.text


def test_publishing_needs_the_typed_word(enter: Enter, proposed: Plan, rows: Session) -> None:
    approver = enter(Role.APPROVER)
    page = approver.get(f"/plans/{proposed.public_id}")

    again = approver.press(page, "Approve and publish", confirmation="yes", status=422)

    assert "Type publish to confirm." in again.text
    rows.rollback()
    assert proposed.state is PlanState.PROPOSED


def test_an_approver_publishes_a_plan(enter: Enter, proposed: Plan, rows: Session) -> None:
    approver = enter(Role.APPROVER)
    page = approver.get(f"/plans/{proposed.public_id}")

    after = approver.press(page, "Approve and publish", confirmation="publish")

    assert "The plan is published, and everyone it concerns is told." in after.text
    rows.rollback()
    assert proposed.state is PlanState.PUBLISHED
    assert len(rows.scalars(sa.select(Reservation)).all()) == 2


def test_what_is_ticked_is_left_out(enter: Enter, proposed: Plan, rows: Session) -> None:
    taken = rows.scalars(sa.select(Request).where(Request.gpus == 144)).one()
    approver = enter(Role.APPROVER)
    address = f"/plans/{proposed.public_id}/publish"

    after = approver.post(address, {"confirmation": "publish", "left_out": [taken.public_id]})

    assert "1 request waits for the next run" in after.text
    assert "took 0 of 2 requests" in after.text
    rows.rollback()
    assert taken.state is RequestState.SUBMITTED


def test_who_publishes_second_reads_that_it_is_published(enter: Enter, proposed: Plan) -> None:
    """Two people had the same review open."""
    first, second = enter(Role.APPROVER), enter(Role.ADMIN)
    seen_by_second = second.get(f"/plans/{proposed.public_id}")
    first.press(first.get(f"/plans/{proposed.public_id}"), "Approve and publish", confirmation="publish")

    refused = second.press(seen_by_second, "Approve and publish", confirmation="publish", status=409)

    assert "published this plan at" in refused.text


def test_a_stale_plan_says_what_changed_and_offers_to_run_again(enter: Enter, proposed: Plan, rows: Session) -> None:
    approver = enter(Role.APPROVER)
    page = approver.get(f"/plans/{proposed.public_id}")
    rack = rows.scalars(sa.select(Reservation)).one().placements[0].rack
    factories.outage(rows, rack)
    rows.commit()

    refused = approver.press(page, "Approve and publish", confirmation="publish", status=409)

    assert f"The outages of rack {rack.code} changed." in refused.text
    assert "This plan is stale" in refused.text
    assert approver.press(refused, "Run again").heading.startswith("Run S-")


def test_a_plan_can_be_discarded(enter: Enter, proposed: Plan, rows: Session) -> None:
    approver = enter(Role.APPROVER)

    approver.press(approver.get(f"/plans/{proposed.public_id}"), "Discard the plan")

    rows.rollback()
    assert proposed.state is PlanState.DISCARDED


def test_a_plan_that_was_published_is_not_discarded(enter: Enter, proposed: Plan) -> None:
    approver = enter(Role.APPROVER)
    page = approver.get(f"/plans/{proposed.public_id}")
    approver.press(page, "Approve and publish", confirmation="publish")

    assert "published already" in approver.press(page, "Discard the plan", status=409).text


def test_an_operator_reads_a_plan_and_cannot_decide_it(enter: Enter, proposed: Plan) -> None:
    operator = enter(Role.OPERATOR)

    buttons = {button.text for button in operator.get(f"/plans/{proposed.public_id}").tree.all("button")}

    assert "Approve and publish" not in buttons
    operator.post(f"/plans/{proposed.public_id}/publish", {"confirmation": "publish"}, status=403)


def test_the_files_of_a_plan_can_be_had(enter: Enter, proposed: Plan) -> None:
    auditor = enter(Role.AUDITOR)

    plan = json.loads(auditor.get(f"/plans/{proposed.public_id}/plan.json").response.data)
    snapshot = json.loads(auditor.get(f"/plans/{proposed.public_id}/snapshot.json").response.data)

    assert (plan["format"], snapshot["format"]) == ("berth.plan/1", "berth.snapshot/1")


@pytest.mark.parametrize("path", ["/plans/P-NOTHING1", "/runs/S-NOTHING1", "/approvals/Q-NOTHING1"])
def test_what_does_not_exist_is_not_found(enter: Enter, path: str) -> None:
    enter(Role.APPROVER).get(path, status=404)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BOOKER, Role.OWNER])
def test_tenants_see_no_plan_and_no_queue(enter: Enter, proposed: Plan, role: Role) -> None:
    tenant = enter(role)

    for path in ("/plans", f"/plans/{proposed.public_id}", f"/runs/{proposed.run.public_id}", "/approvals"):
        tenant.get(path, status=403)


def test_the_overview_says_since_when_the_published_plan_is_in_effect(enter: Enter, proposed: Plan) -> None:
    approver = enter(Role.APPROVER)
    approver.press(approver.get(f"/plans/{proposed.public_id}"), "Approve and publish", confirmation="publish")

    page = approver.get("/plans")

    assert "The plan published just now is in effect; nothing waits." in page.text


def test_a_run_that_ended_meanwhile_is_not_cancelled(enter: Enter, rows: Session) -> None:
    run = running(rows)
    approver = enter(Role.APPROVER)
    page = approver.get(f"/runs/{run.public_id}")
    run.state, run.finished_at = RunState.FINISHED, run.started_at
    rows.commit()

    assert "The run had ended already." in approver.press(page, "Cancel the run").text


def test_all_requests_of_a_plan_are_a_page_away(enter: Enter, proposed: Plan) -> None:
    operator = enter(Role.OPERATOR)

    accepted = operator.get(f"/plans/{proposed.public_id}/requests").text
    declined = operator.get(f"/plans/{proposed.public_id}/requests?show=declined").text

    assert ("Alpha" in accepted, "Gamma" in accepted) == (True, False)
    assert ("Alpha" in declined, "Gamma" in declined) == (False, True)
