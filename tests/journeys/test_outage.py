"""A rack in use fails: its tenant sees it short, the repair run that follows moves the block, the move is published."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from portal.models.plans import Plan
from portal.models.reservations import Reservation
from tests.journeys.building import TODAY
from tests.journeys.conftest import Opens
from tests.journeys.installation import Installation
from tests.journeys.steps import publish

pytestmark = pytest.mark.browser


def test_a_lost_rack_is_replaced_by_a_published_move(installation: Installation, open_tab: Opens) -> None:
    """What follows is shown before it is recorded; nobody asks for the repair run."""
    reservation, racks = _aurora_s(installation)
    lost = min(racks)
    operator = open_tab("operator@berth.example")
    operator.go("/outages/new").fill(units=lost, note="Coolant pump").press("See what follows")
    operator.expects("1 block loses racks.", reservation).look()
    operator.press("Record the outage").expects("a repair run is queued", lost).look()

    tenant = open_tab("owner@aurora.example")
    tenant.go(f"/reservations/{reservation}").expects("72 GPUs (1 rack) short today", lost, "failure")
    tenant.go("/overview").expects("72 GPUs (1 rack) short today")

    installation.start("worker")
    plan = installation.eventually(lambda: _proposed(installation), "the repair run proposes a plan")
    approver = open_tab("approver@berth.example")
    approver.go(f"/plans/{plan}").expects("moves 1 block", reservation, "racks were lost")
    publish(approver)

    tenant.go(f"/reservations/{reservation}").expects("in order")
    expect(tenant.main).not_to_contain_text("short today")
    _, replaced = _aurora_s(installation)
    assert lost not in replaced
    assert len(replaced) == len(racks) == 8
    assert {rack.split("-")[0] for rack in replaced} == {rack.split("-")[0] for rack in racks}, "it stays in its hall"


def _aurora_s(installation: Installation) -> tuple[str, set[str]]:
    """The reservation and the racks that it has today."""
    with installation.rows() as rows:
        row = rows.scalars(sa.select(Reservation).where(Reservation.gpus == 576)).one()
        return row.public_id, {p.rack.code for p in row.placements if p.start <= TODAY < p.end}


def _proposed(installation: Installation) -> str | None:
    with installation.rows() as rows:
        return rows.scalar(sa.select(Plan.public_id).where(Plan.state == "proposed"))
