"""A tenant asks for a block, an approver has it planned and publishes the plan, the tenant sees its racks."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from portal.models.reservations import Reservation
from tests.journeys.conftest import Opens
from tests.journeys.installation import Installation
from tests.journeys.steps import publish, run_solver

pytestmark = pytest.mark.browser


def test_a_request_travels_from_its_form_to_its_racks(installation: Installation, open_tab: Opens) -> None:
    """The form says that it fits before it is sent; the plan is published by a typed word only."""
    installation.start("worker")
    tenant = open_tab("owner@cirrus.example")

    tenant.go("/requests/new")
    tenant.fill(gpus="288", days="30", earliest_start="2026-12-07", latest_start="2026-12-14", scope="hall", rate="")
    expect(tenant.page.locator("#fit .fit-yes")).to_contain_text("288 GPUs")
    tenant.press("Send the request").expects("the next plan decides").look()
    request = tenant.path
    assert re.fullmatch(r"/requests/\S+", request)

    approver = open_tab("approver@berth.example")
    approver.go("/approvals").expects("Cirrus Models, 288 GPUs", "not planned yet")
    run_solver(approver)
    approver.expects("takes 1 of 1 request", "Cirrus Models")
    approver.fill(confirmation="yes").press("Approve and publish").expects("Type publish").look()
    tenant.go(request).expects("the next plan decides")
    publish(approver)

    tenant.go(request).expects("Accepted:", "are yours", "7 Dec 2026")
    tenant.press("Look").expects("Starts 7 Dec 2026", "in order").look()
    with installation.rows() as rows:
        made = rows.scalars(sa.select(Reservation).where(Reservation.gpus == 288)).one()
        assert tenant.path == f"/reservations/{made.public_id}"
        racks = [placement.rack.code for placement in made.placements]
    assert len(racks) == 4
    tenant.page.locator("summary", has_text="Its racks").click()
    tenant.expects(*racks).look()
