"""The pages on a cluster as large as the demo's: few queries whatever its size, and small pages."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from portal.domain.states import Role
from portal.models.placements import Placement
from portal.web.database import db
from tests.portal import factories
from tests.portal.factories import NOW, TODAY
from tests.portal.web.fixtures import Enter
from tests.portal.web.visitor import Visitor

LARGEST_PAGE = 150_000
PAGES = (
    "/cluster",
    "/cluster?days=365",
    "/cluster/halls/s1-h1",
    "/cluster/racks/s1-h1-p1-r1",
    "/timeline",
    "/timeline?days=365",
    "/timeline?hall=s1-h1",
    "/outages",
)
MOST_QUERIES = 24


@pytest.fixture
def operator(enter: Enter, rows: Session) -> Visitor:
    """12 halls of 256 racks, 300 reservations that come and go, some racks out."""
    racks = factories.cluster(rows, sites=2, halls=6, pods=32, racks=8).racks
    tenants = [factories.tenant(rows, name=f"Tenant number {number} (invented)") for number in range(8)]
    random_ = random.Random(7)
    placements = []
    first = 0
    while first < len(racks) - 40:
        size, day = random_.choice([4, 8, 16, 24, 32, 40]), TODAY - dt.timedelta(random_.randint(0, 40))
        for _ in range(3):
            end = day + dt.timedelta(random_.choice([20, 30, 60, 90]))
            row = factories.reservation(
                rows, tenant=random_.choice(tenants), gpus=72 * size, start=day, end=end, created_at=NOW
            )
            block = {"reservation_id": row.id, "offer_id": None, "start": day, "end": end, "gpus": 72}
            placements += [{**block, "rack_id": rack.id} for rack in racks[first : first + size]]
            day = end + dt.timedelta(random_.choice([0, 0, 7]))
        first += size
    rows.execute(sa.insert(Placement), placements)
    for rack in random_.sample(racks, 30):
        factories.outage(rows, rack, start=TODAY - dt.timedelta(random_.randint(0, 9)), note="Coolant pump")
    rows.commit()
    return enter(Role.OPERATOR)


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that the portal sends meanwhile."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield statements
    sa.event.remove(engine, "before_cursor_execute", note)


def test_large_pages_are_small_and_ask_little(app: Flask, operator: Visitor) -> None:
    for address in PAGES:
        operator.get(address)  # the cluster is read once for all pages that look
        with counted(app) as statements:
            page = operator.get(address)
        size = len(page.response.data)
        elements = sum(1 for svg in page.tree.all("svg") for _ in svg.all())

        assert size < LARGEST_PAGE, f"{address} has {size:,} bytes"
        assert elements < 6_000, f"{address} has {elements:,} elements in its drawings"
        assert len(statements) <= MOST_QUERIES, f"{address} asks {len(statements)} times: " + "\n".join(statements)


def test_the_consequences_of_a_whole_hall_are_read_in_few_queries(app: Flask, operator: Visitor) -> None:
    page = operator.get("/outages/new?unit=s1-h1")

    with counted(app) as statements:
        seen = operator.press(page, "See what follows")

    assert "blocks lose racks" in seen.text
    assert len(statements) <= MOST_QUERIES
    assert len(seen.response.data) < LARGEST_PAGE
