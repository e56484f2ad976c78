"""A request is declined; an approver offers what fits, which holds its racks; the tenant takes it. Also by thumb."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from portal.models.offers import Offer
from portal.models.reservations import Reservation
from tests.journeys.building import TENANTS
from tests.journeys.conftest import Opens
from tests.journeys.installation import Installation
from tests.journeys.steps import publish, run_solver
from tests.journeys.tab import DESKTOP, PHONE, Tab

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("landlord_url", "width"), [("sqlite", PHONE), ("postgresql", DESKTOP)], indirect=["landlord_url"]
)
def test_a_refusal_leads_to_an_offer_that_holds_its_racks(
    installation: Installation, open_tab: Opens, width: int
) -> None:
    """2,304 GPUs are asked for and 1,728 are free; the tenant reads why without a rival's name."""
    installation.start("worker")
    tenant = open_tab("owner@cirrus.example", width)
    _ask_for_too_much(tenant)
    request = tenant.path

    approver = open_tab("approver@berth.example", width)
    run_solver(approver)
    approver.expects("takes 0 of 1 request", "Cirrus Models", "capacity")
    publish(approver)

    tenant.go(request).expects("It did not fit.", "other commitments", "Request this instead")
    _names_no_rival(tenant)

    approver.go(request).press("Make an offer").expects("It answers request").look()
    approver.fill(gpus="1728", rate="5")
    expect(approver.page.locator("#fit .fit-yes")).to_contain_text("1,728 GPUs")
    approver.press("Make the offer").expects("Held for Cirrus Models").look()
    offered = approver.path

    racks = _racks_of(installation, Offer, offered)
    assert len(racks) == 24
    _nothing_is_left(open_tab("owner@aurora.example", width))

    tenant.go("/offers").expects("1 offer stands for your answer").press("Look and answer").expects("Held for you")
    tenant.look().press("Take the offer").expects("this is your reservation", "1,728 GPUs (24 racks)").look()
    made = tenant.path.rsplit("/", 1)[1]
    assert _racks_of(installation, Reservation, tenant.path) == racks
    shown = " ".join(tenant.page.locator(".racks").all_text_contents())
    assert {rack for rack in racks if rack in shown} == racks
    _names_no_rival(tenant)
    tenant.go(request).expects("What came of it", made, "taken")


def _ask_for_too_much(tenant: Tab) -> None:
    tenant.go("/requests/new")
    tenant.fill(gpus="2304", days="30", earliest_start="2026-12-06", latest_start="2026-12-20")
    expect(tenant.page.locator("#fit .fit-no")).to_be_visible()
    tenant.look().press("Send the request").expects("the next plan decides").look()


def _names_no_rival(tenant: Tab) -> None:
    shown = tenant.page.content()
    for code, name in TENANTS.items():
        if code != "cirrus":
            assert name not in shown
            assert code not in shown


def _nothing_is_left(other: Tab) -> None:
    """What the offer holds fits nobody else on the same days."""
    other.go("/requests/new?gpus=72&days=30&earliest_start=2026-12-06&latest_start=2026-12-06")
    expect(other.page.locator("#fit .fit-no")).to_be_visible()


def _racks_of(installation: Installation, kind: type[Offer | Reservation], address: str) -> set[str]:
    """The racks of the offer or reservation at this address."""
    named = sa.select(kind).where(kind.public_id == address.rsplit("/", 1)[1])
    with installation.rows() as rows:
        return {placement.rack.code for placement in rows.scalars(named).one().placements}
