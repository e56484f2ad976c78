"""The ways to begin a transaction."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.exc import StaleDataError

from portal.models.engine import make_engine
from portal.models.tenants import Tenant
from portal.models.transactions import begin_read, begin_write
from tests.portal import factories


def names(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Tenant.name).order_by(Tenant.name)))


@pytest.fixture
def other(engine):
    """A second session beside ``session``."""
    with Session(engine) as other:
        yield other


@pytest.fixture
def sqlite_engine(sqlite_url):
    engine = make_engine(sqlite_url)
    yield engine
    engine.dispose()


def add(session: Session, name: str) -> None:
    factories.tenant(session, name=name)
    session.commit()


class TestBeginWrite:
    def test_a_session_that_has_read_may_write_after_another_one_wrote(self, session, other):
        assert names(session) == []
        add(other, "Other")

        begin_write(session)
        add(session, "Own")

        assert names(session) == ["Other", "Own"]

    def test_without_it_sqlite_refuses_what_was_read_before_another_ones_write(self, sqlite_engine):
        """Why it is there: SQLite calls this "database is locked" at once, however long one would wait."""
        with Session(sqlite_engine) as session, Session(sqlite_engine) as other:
            assert names(session) == []
            add(other, "Other")

            with pytest.raises(OperationalError, match="locked"):
                add(session, "Own")

    def test_it_forgets_what_was_loaded(self, session, other):
        add(session, "Old")
        tenant = session.scalars(sa.select(Tenant)).one()
        session.rollback()
        assert tenant.name == "Old"
        other.execute(sa.update(Tenant).values(name="New"))
        other.commit()

        begin_write(session)

        assert tenant.name == "New"

    def test_it_can_be_said_twice(self, session):
        begin_write(session)
        factories.tenant(session, name="Kept")

        begin_write(session)
        session.commit()

        assert names(session) == ["Kept"]

    def test_it_does_not_lose_what_a_statement_wrote(self, session):
        add(session, "Old")
        session.execute(sa.update(Tenant).values(name="New"))

        begin_write(session)
        session.commit()

        assert names(session) == ["New"]

    def test_unsaved_changes_are_refused(self, session):
        session.add(Tenant(public_id="t", name="Unsaved"))

        with pytest.raises(RuntimeError, match="before its first change"):
            begin_write(session)

    def test_after_a_commit_the_next_transaction_begins_anew(self, session, other):
        begin_write(session)
        session.commit()
        assert names(session) == []
        add(other, "Other")

        begin_write(session)

        assert names(session) == ["Other"]

    def test_a_savepoint_does_not_end_it(self, session):
        begin_write(session)
        with session.begin_nested():
            factories.tenant(session, name="Kept")

        begin_write(session)
        session.commit()

        assert names(session) == ["Kept"]


class TestBeginRead:
    def test_all_its_reads_see_the_same_moment(self, session, other):
        begin_read(session)
        assert names(session) == []

        add(other, "Later")

        assert names(session) == []
        session.rollback()
        assert names(session) == ["Later"]

    def test_unsaved_changes_are_refused(self, session):
        session.add(Tenant(public_id="t", name="Unsaved"))

        with pytest.raises(RuntimeError, match="before its first change"):
            begin_read(session)

    def test_written_changes_are_refused(self, session):
        factories.tenant(session)

        with pytest.raises(RuntimeError, match="before its first change"):
            begin_read(session)


def test_an_update_of_an_older_version_is_refused(session, other):
    add(session, "First")
    mine, theirs = (each.scalars(sa.select(Tenant)).one() for each in (session, other))
    mine_version = mine.version
    session.commit()
    theirs.name = "Theirs"
    other.commit()

    set_committed_value(mine, "version", mine_version)  # as a form that was opened before
    mine.name = "Mine"

    with pytest.raises(StaleDataError):
        session.flush()


def test_sqlite_has_foreign_keys_and_readers_beside_its_writer(sqlite_engine):
    with sqlite_engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
