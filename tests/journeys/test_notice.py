"""A tenant's owner gives notice; what it frees is there for the next plan."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from portal.models.contracts import Contract
from portal.models.reservations import Reservation
from tests.journeys.building import TODAY
from tests.journeys.conftest import Opens
from tests.journeys.installation import Installation
from tests.journeys.steps import publish, run_solver

pytestmark = pytest.mark.browser

END = TODAY + dt.timedelta(60)  # Aurora's contract has 60 days' notice
BEYOND = {"days": "30", "earliest_start": "2027-01-25", "latest_start": "2027-01-25"}


def test_what_a_notice_frees_is_planned_next(installation: Installation, open_tab: Opens) -> None:
    """2,304 GPUs fit from the end of Aurora's 576 on, and not before the notice."""
    installation.start("worker")
    tenant = open_tab("owner@cirrus.example")
    tenant.go("/requests/new").fill(gpus="2304", **BEYOND)
    expect(tenant.page.locator("#fit .fit-no")).to_be_visible()
    tenant.press("Send the request").expects("the next plan decides").look()
    request = tenant.path
    reservation = _reservation(installation)

    owner = open_tab("owner@aurora.example")
    owner.go("/contracts/aurora-2026/notice")
    owner.expects("1 reservation ends earlier", reservation, "20 Jan 2027").fill(confirmation="aurora")
    owner.press("Give notice").expects("Type aurora-2026").look()
    assert _contract_end(installation) == dt.date(2028, 7, 1)
    owner.fill(confirmation="aurora-2026").press("Give notice").expects("Notice is given", "20 Jan 2027").look()
    owner.go(f"/reservations/{reservation}").expects("20 Jan 2027", "First promised to")
    assert _contract_end(installation) == END

    approver = open_tab("approver@berth.example")
    run_solver(approver)
    approver.expects("takes 1 of 1 request")
    publish(approver)
    tenant.go(request).expects("Accepted:", "25 Jan 2027")
    _ends_with_the_contract(installation)


def _reservation(installation: Installation) -> str:
    with installation.rows() as rows:
        return rows.scalars(sa.select(Reservation.public_id).where(Reservation.gpus == 576)).one()


def _contract_end(installation: Installation) -> dt.date:
    with installation.rows() as rows:
        contract = rows.scalars(sa.select(Contract).where(Contract.public_id == "aurora-2026")).one()
        return contract.terms.effective_end


def _ends_with_the_contract(installation: Installation) -> None:
    """Shortened, not moved; the promise as it was is kept; nothing is placed beyond the end."""
    with installation.rows() as rows:
        row = rows.scalars(sa.select(Reservation).where(Reservation.gpus == 576)).one()
        assert (row.end, row.original_end) == (END, TODAY + dt.timedelta(400))
        assert {placement.end for placement in row.placements} == {END}
