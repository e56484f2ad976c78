"""Two processes that both put a block on one rack: the database lets one of them, even without the capacity lock."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa

from portal.models.engine import make_engine
from portal.models.placements import Placement
from tests.portal import factories

# Both insert before either commits: they meet at a line on standard input.
PLACE = """
import sys
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from portal.models.engine import make_engine
from portal.models.placements import Placement
from portal.models.reservations import Reservation

url, reservation_id, rack_id = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
engine = make_engine(url)
with Session(engine) as session:
    block = session.get_one(Reservation, reservation_id)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        placement = Placement(rack_id=rack_id, start=block.start, end=block.end, gpus=block.gpus)
        placement.reservation_id = block.id
        session.add(placement)
        session.flush()
        print("placed", flush=True)
        sys.stdin.readline()
        session.commit()
        print("committed", flush=True)
    except IntegrityError as error:
        print("refused", flush=True)
engine.dispose()
"""


@pytest.mark.parametrize("gpus", [72, 40])
def test_the_second_waits_for_the_first_and_is_refused(session, postgresql_race, gpus):
    first, second = postgresql_race(gpus)

    assert first.ask() == "placed"
    second.tell()  # it waits for the first one's end
    assert first.ask() == "committed"

    assert second.answer() == "refused"
    assert session.scalar(sa.select(sa.func.sum(Placement.gpus))) == gpus


def test_two_that_fit_together_are_both_placed(session, postgresql_race):
    first, second = postgresql_race(32)

    assert first.ask() == "placed"
    second.tell()
    assert first.ask() == "committed"

    assert second.answer() == "placed"
    assert second.ask() == "committed"
    assert session.scalar(sa.select(sa.func.sum(Placement.gpus))) == 64


class Process:
    """One racer, driven line by line."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PLACE, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.answer() == "ready"

    def tell(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        return self.process.stdout.readline().strip()

    def ask(self) -> str:
        self.tell()
        return self.answer()


@pytest.fixture
def session(postgresql_url):
    """SQLite has one writer at a time, so there is no race to be had."""
    engine = make_engine(postgresql_url)
    with sa.orm.Session(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def postgresql_race(session, postgresql_url):
    started = []

    def start(gpus: int) -> list[Process]:
        rack = factories.cluster(session).racks[0]
        blocks = [factories.reservation(session, gpus=gpus) for _ in range(2)]
        session.commit()
        url = postgresql_url.render_as_string(hide_password=False)
        started.extend(Process(url, str(block.id), str(rack.id)) for block in blocks)
        session.rollback()
        return started

    yield start
    for racer in started:
        racer.process.communicate(timeout=30)
