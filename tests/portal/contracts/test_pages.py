"""The pages of contracts as people of both sides see them."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import NoticeState, Party, Role
from portal.models.contracts import Contract, Notice
from portal.models.reservations import Reservation
from portal.models.users import User
from tests.portal import factories
from tests.portal.contracts import scene
from tests.portal.contracts.scene import END
from tests.portal.web.fixtures import Enter
from tests.portal.web.visitor import Page, Visitor


def owner_of(rows: Session, enter: Enter, contract: Contract) -> Visitor:
    user = factories.user(rows, Role.OWNER, tenant_id=contract.tenant_id)
    rows.commit()
    return enter(rows.get_one(User, user.id))


def said(page: Page) -> str:
    """What the page says, without the spaces that elements leave before punctuation."""
    return re.sub(r" ([,.;])", r"\1", page.text)


def seed(rows: Session, **terms: object) -> Contract:
    """The seed contract of the product page."""
    tenant = factories.tenant(rows, public_id="reflection", name="Reflection AI")
    contract = factories.contract(
        rows, tenant=tenant, public_id="reflection-2026", gpus=43_200, fee=150_000_000, assumption="The size.", **terms
    )
    rows.commit()
    return contract


def test_a_contract_opens_with_its_answer(rows: Session, enter: Enter) -> None:
    """When it ends, who may leave, and what leaving today means."""
    page = owner_of(rows, enter, seed(rows)).get("/contracts/reflection-2026")

    assert "In force until 31 Dec 2029; either party may give notice." in said(page)
    assert "If given today, it ends on 19 Feb 2027 (last day) and USD 446,785,714 is payable from today." in said(page)
    assert "Assumed: The size." in page.text


def test_money_is_exact_on_hover(rows: Session, enter: Enter) -> None:
    """Full term, firm value, payable, at risk: the product page's cents."""
    seed(rows)
    page = enter(Role.OPERATOR).get("/contracts/reflection-2026")

    kpis = {kpi.one("dt").text: next(kpi.all("data"))["title"] for kpi in page.tree.all("dl") if kpi["class"] == "kpi"}
    assert kpis == {
        "Full term": "USD 6,300,000,000.00",
        "Firm value today": "USD 1,151,785,714.29",
        "Payable from today": "USD 446,785,714.29",
        "At risk": "USD 5,148,214,285.71",
    }


def test_the_chart_draws_commitment_against_bookings(rows: Session, enter: Enter) -> None:
    """The table beside it has a row for every stretch on which nothing changes."""
    at = scene.make(rows)
    page = owner_of(rows, enter, at.contract).get("/contracts/acme-2026")

    table = next(t for t in page.tree.all("table") if t.one("caption").text == "GPUs committed and booked by day")
    found = [[cell.text for cell in row.all("th", "td")] for row in list(table.all("tr"))[1:]]
    assert found[:4] == [
        ["1 – 31 Jul 2026", "360", "0"],
        ["1 Aug – 30 Sep 2026", "360", "72"],
        ["1 Oct 2026 – 31 Jan 2027", "360", "144"],
        ["1 – 28 Feb 2027", "360", "72"],
    ]


def test_key_dates_come_in_their_order(rows: Session, enter: Enter) -> None:
    page = owner_of(rows, enter, seed(rows)).get("/contracts/reflection-2026")

    (timeline,) = (each for each in page.tree.all("ol") if each["class"] == "timeline")
    assert [item.text.split(" · ")[0] for item in timeline.all("li")] == [
        "Contract starts 1 Jul 2026",
        "First day on which notice can be given 1 Oct 2026",
        "Earliest last day 19 Feb 2027",
        "Last day on which notice ends it early 2 Oct 2029",
        "Last day of the term 31 Dec 2029",
    ]


def test_the_provider_sees_every_contract_with_what_is_firm_and_at_risk(rows: Session, enter: Enter) -> None:
    seed(rows)
    page = enter(Role.AUDITOR).get("/contracts")

    assert "USD 1,151,785,714 is firm, USD 5,148,214,286 at risk" in page.text
    assert "Reflection AI" in page.text
    assert "The size." in page.text


def test_a_tenant_sees_its_own_contracts_and_no_others(rows: Session, enter: Enter) -> None:
    """Not in the list, and 404 under every address."""
    seed(rows)
    own = factories.contract(rows, public_id="own-2026")
    person = owner_of(rows, enter, own)

    assert "own-2026" in person.get("/contracts").text
    assert "reflection" not in person.get("/contracts").response.text.lower()
    for path in ("", "/notice", "/notice-check?day=2027-01-01"):
        person.get(f"/contracts/reflection-2026{path}", status=404)
    person.post("/contracts/reflection-2026/notice", {"confirmation": "reflection-2026"}, status=404)
    person.post("/contracts/reflection-2026/notice/ask-to-withdraw", status=404)
    person.post("/contracts/reflection-2026/notice/consent", status=404)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BOOKER, Role.OPERATOR, Role.APPROVER, Role.AUDITOR])
def test_only_owners_and_admins_give_notice(rows: Session, enter: Enter, role: Role) -> None:
    """Others see the contract without the button, and the page is closed to them."""
    contract = seed(rows)
    values = {"tenant_id": contract.tenant_id} if role.is_tenant_role else {}
    user = factories.user(rows, role, **values)
    rows.commit()
    person = enter(user)

    assert "Give notice" not in person.get("/contracts/reflection-2026").text
    person.get("/contracts/reflection-2026/notice", status=403)
    person.post("/contracts/reflection-2026/notice", {"confirmation": "reflection-2026"}, status=403)


def test_the_owner_reads_what_follows_types_the_id_and_gives_notice(rows: Session, enter: Enter) -> None:
    """What the page listed has happened."""
    at = scene.make(rows)
    person = owner_of(rows, enter, at.contract)
    page = person.get("/contracts/acme-2026/notice")
    for listed in (at.across, at.beyond, at.offer, at.reaching):
        assert listed.public_id in page.text
    for other in (at.within, at.fitting):
        assert other.public_id not in page.text

    done = person.press(page, "Give notice", confirmation="acme-2026")

    assert "Notice is given. acme-2026 is in force until 19 Feb 2027." in done.text
    assert "Ends after 19 Feb 2027" in done.text
    rows.rollback()
    assert rows.get_one(Reservation, at.across.id).end == END


def test_without_the_typed_id_nothing_happens(rows: Session, enter: Enter) -> None:
    """422, and what was typed stays."""
    at = scene.make(rows)
    person = owner_of(rows, enter, at.contract)

    page = person.press(person.get("/contracts/acme-2026/notice"), "Give notice", confirmation="acme", status=422)

    assert "Type acme-2026 to confirm." in page.text
    assert {each["value"] for each in page.tree.all("input") if each["name"] == "confirmation"} == {"acme"}
    assert rows.scalars(sa.select(Notice)).all() == []


def test_a_list_that_has_changed_is_shown_again(rows: Session, enter: Enter) -> None:
    """Who confirms has seen what happens."""
    at = scene.make(rows)
    person = owner_of(rows, enter, at.contract)
    page = person.get("/contracts/acme-2026/notice")
    new = scene.reserve(rows, at.contract, at.racks[4], dt.date(2027, 4, 1), dt.date(2027, 5, 1))
    rows.commit()

    again = person.press(page, "Give notice", confirmation="acme-2026", status=422)

    assert "has changed since you read it" in again.text
    assert new.public_id in again.text
    assert "Notice is given." in person.press(again, "Give notice", confirmation="acme-2026").text


def test_the_admin_enters_an_earlier_day_with_its_document(rows: Session, enter: Enter) -> None:
    at = scene.make(rows)
    admin = enter(Role.ADMIN)
    page = admin.get("/contracts/acme-2026/notice?party=provider&given_on=2026-11-12")
    assert "9 Feb 2027" in page.text

    refused = admin.press(page, "Give notice", confirmation="acme-2026", status=422)
    assert "needs the document" in refused.text
    admin.press(refused, "Give notice", confirmation="acme-2026", document="Courier 4711")

    rows.rollback()
    notice = rows.scalars(sa.select(Notice)).one()
    assert (notice.party, notice.given_on, notice.document) == (Party.PROVIDER, dt.date(2026, 11, 12), "Courier 4711")
    assert at.contract.id == notice.contract_id


def test_a_tenant_cannot_choose_the_day_or_the_side(rows: Session, enter: Enter) -> None:
    """Whatever the form says, it is the tenant's notice of today."""
    at = scene.make(rows)
    person = owner_of(rows, enter, at.contract)
    page = person.get("/contracts/acme-2026/notice?party=provider&given_on=2026-11-12")

    person.press(page, "Give notice", confirmation="acme-2026", party="provider", given_on="2026-11-12")

    rows.rollback()
    notice = rows.scalars(sa.select(Notice)).one()
    assert (notice.party, notice.given_on) == (Party.TENANT, scene.TODAY)


def test_a_refusal_stands_beside_the_first_day(rows: Session, enter: Enter) -> None:
    """The lock-in holds until March."""
    page = owner_of(rows, enter, seed(rows, lock_in_until=dt.date(2027, 3, 1))).get("/contracts/reflection-2026/notice")

    assert "Notice cannot be given today." in page.text
    assert "The first day on which the tenant can give it is 1 Mar 2027" in page.text


def test_the_simulator_looks_and_writes_nothing(rows: Session, enter: Enter) -> None:
    at = scene.make(rows)
    person = owner_of(rows, enter, at.contract)

    page = person.get("/contracts/acme-2026/notice-check?day=2026-12-01")

    assert "Given on 1 Dec 2026, notice ends the contract on 28 Feb 2027" in said(page)
    assert at.across.public_id in page.text
    assert rows.scalars(sa.select(Notice)).all() == []


def test_the_simulator_asks_for_a_real_day_and_names_the_first_one(rows: Session, enter: Enter) -> None:
    person = owner_of(rows, enter, seed(rows, lock_in_until=dt.date(2027, 3, 1)))

    assert (
        "Write a day as YYYY-MM-DD" in person.get("/contracts/reflection-2026/notice-check?day=soon", status=422).text
    )
    assert "from 1 Mar 2027 on" in person.get("/contracts/reflection-2026/notice-check?day=2027-01-01").text
    far = person.get("/contracts/reflection-2026/notice-check?day=2029-12-01")
    assert "the contract ends after 31 Dec 2029 anyway" in far.text


def test_withdrawal_is_asked_for_by_one_side_and_consented_to_by_the_other(rows: Session, enter: Enter) -> None:
    at = scene.make(rows)
    owner, admin = owner_of(rows, enter, at.contract), enter(Role.ADMIN)
    owner.press(owner.get("/contracts/acme-2026/notice"), "Give notice", confirmation="acme-2026")
    assert "Consent to the withdrawal" not in admin.get("/contracts/acme-2026").text

    owner.press(owner.get("/contracts/acme-2026"), "Ask to withdraw it")
    done = admin.press(admin.get("/contracts/acme-2026"), "Consent to the withdrawal")

    assert "The notice is withdrawn. acme-2026 runs its full term again." in done.text
    rows.rollback()
    assert rows.scalars(sa.select(Notice.state)).all() == [NoticeState.WITHDRAWN]


def test_a_withdrawal_that_no_longer_fits_names_days_and_gpus(rows: Session, enter: Enter) -> None:
    at = scene.make(rows)
    owner, admin = owner_of(rows, enter, at.contract), enter(Role.ADMIN)
    owner.press(owner.get("/contracts/acme-2026/notice"), "Give notice", confirmation="acme-2026")
    owner.press(owner.get("/contracts/acme-2026"), "Ask to withdraw it")
    rows.rollback()
    factories.reservation(rows, racks=[at.racks[1]], start=dt.date(2027, 3, 1), end=dt.date(2027, 4, 1))
    rows.commit()

    page = admin.press(admin.get("/contracts/acme-2026"), "Consent to the withdrawal")

    assert "Missing are 72 GPUs on 20 Feb – 31 May 2027." in page.text
    assert "Notice runs" in page.text


def test_where_one_side_may_never_leave_the_page_says_when_the_other_can(rows: Session, enter: Enter) -> None:
    """The provider's page names the tenant's first day."""
    seed(rows, notice_by=Party.TENANT, lock_in_until=dt.date(2027, 3, 1))

    page = enter(Role.ADMIN).get("/contracts/reflection-2026/notice")

    assert "the provider may not give notice" in page.text
    assert "The first day on which the tenant can give it is 1 Mar 2027" in page.text
