"""What forms do while someone fills them in: the answer in sight, errors in reach, nothing sent twice."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from portal.models.requests import Request
from tests.journeys.conftest import Opens
from tests.journeys.installation import Installation
from tests.journeys.tab import PHONE

pytestmark = pytest.mark.browser

_TERMS = {"gpus": "288", "days": "30", "earliest_start": "2026-12-07", "latest_start": "2026-12-14"}


def test_on_a_phone_the_answer_stays_in_sight_of_every_field(open_tab: Opens) -> None:
    tenant = open_tab("owner@cirrus.example", PHONE)
    tenant.go("/requests/new").fill(**_TERMS)

    answer = tenant.page.locator("#fit .fit-yes")
    expect(answer).to_contain_text("288 GPUs")
    for field in ("gpus", "site", "note"):
        tenant.page.focus(f"#{field}")
        expect(answer).to_be_in_viewport(ratio=1)
    tenant.look()


def test_a_refused_form_leads_to_the_wrong_field_and_drops_the_error_when_it_changes(open_tab: Opens) -> None:
    """What was typed stays; what was wrong with 70 is not said of 72."""
    tenant = open_tab("owner@cirrus.example", PHONE)
    tenant.go("/requests/new").fill(**_TERMS | {"gpus": "70"}).press("Send the request")

    wrong = tenant.page.locator("#gpus")
    expect(wrong).to_be_focused()
    expect(wrong).to_be_in_viewport()
    expect(wrong).to_have_value("70")
    tenant.look().fill(gpus="72")
    expect(tenant.page.locator("#gpus-error")).to_have_count(0)
    expect(tenant.page.locator("#fit .fit-yes")).to_contain_text("72 GPUs")


def test_two_presses_send_one_request(installation: Installation, open_tab: Opens) -> None:
    tenant = open_tab("owner@cirrus.example")
    tenant.go("/requests/new").fill(**_TERMS | {"note": "pressed twice"})
    tenant.page.get_by_role("button", name="Send the request").evaluate("button => { button.click(); button.click(); }")
    tenant.expects("the next plan decides").look()

    with installation.rows() as rows:
        assert rows.scalar(sa.select(sa.func.count()).where(Request.note == "pressed twice")) == 1
