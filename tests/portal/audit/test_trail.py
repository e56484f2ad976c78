"""The audit trail's page."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit import chain, queries
from portal.audit.actions import record
from portal.clock import FixedClock
from portal.domain.states import Role
from portal.web.actor import process_actor
from tests.portal.web.fixtures import Enter


def fill(rows: Session, clock: FixedClock, count: int) -> None:
    for number in range(count):
        record(rows, by=process_actor("berth test"), action="counted", thing=f"number {number}", now=clock.now())
    rows.commit()


def test_the_auditor_reads_who_did_what(enter: Enter, rows: Session, clock: FixedClock) -> None:
    """Newest first, with the verdict on the chain."""
    fill(rows, clock, 2)

    page = enter(Role.AUDITOR).get("/audit")

    assert "All 2 entries are as they were written." in page.text
    assert page.text.index("number 1") < page.text.index("number 0")


def test_long_trails_have_pages_and_can_be_searched(enter: Enter, rows: Session, clock: FixedClock) -> None:
    """50 to a page; a search stays when the page turns. "%" is a sign like any other."""
    fill(rows, clock, 60)
    auditor = enter(Role.AUDITOR)

    assert "51–60 of 60 entries" in auditor.get("/audit?page=2").text
    found = auditor.press(auditor.get("/audit"), "Search", words="number 5")
    assert "1–11 of 11 entries" in found.text
    assert "Nothing matches." in auditor.get("/audit?words=%25").text


def test_a_broken_chain_is_said_first(
    enter: Enter, rows: Session, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses to change entries, so the page is shown a chain that breaks."""
    fill(rows, clock, 1)
    broken = rows.scalars(sa.select(queries.AuditEntry.id)).one()
    monkeypatch.setattr(queries, "verify", lambda _: chain.Verdict(entries=1, broken_at=broken))

    page = enter(Role.ADMIN).get("/audit")

    assert "The trail was changed after it was written." in page.text
    assert f"The chain of hashes breaks at entry {broken}" in page.text


@pytest.mark.parametrize("role", [Role.OWNER, Role.APPROVER, Role.OPERATOR])
def test_others_may_not_read_it(enter: Enter, role: Role) -> None:
    """Auditor and admin only."""
    enter(role).get("/audit", status=403)
