"""Migrations: up, down, once, together, and to the schema that the models describe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from migrations import triggers
from portal.models import migrate
from portal.models.engine import make_engine
from portal.models.metadata import METADATA
from tests.portal import factories

UPGRADE = "import sys; from portal.models import migrate; migrate.upgrade(sys.argv[1])"


def tables_of(url: sa.URL) -> set[str]:
    engine = make_engine(url)
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return names


def test_the_migrated_schema_is_that_of_the_models(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})

        assert compare_metadata(context, METADATA) == []


def test_the_migrated_checks_are_those_of_the_models(engine):
    """Alembic does not compare checks, so their names are compared here."""
    inspector = sa.inspect(engine)
    migrated = {
        str(check["name"]) for name in inspector.get_table_names() for check in inspector.get_check_constraints(name)
    }
    modelled = {
        str(constraint.name)
        for table in METADATA.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }

    assert migrated == modelled


def test_up_and_down_and_up_again(empty_database_url):
    migrate.upgrade(empty_database_url)
    assert set(METADATA.tables) <= tables_of(empty_database_url)

    migrate.downgrade(empty_database_url)
    assert tables_of(empty_database_url) == {"alembic_version"}

    migrate.upgrade(empty_database_url)
    assert set(METADATA.tables) <= tables_of(empty_database_url)


def test_down_with_rows_that_refer_to_each_other(empty_database_url):
    migrate.upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    with sa.orm.Session(engine) as session:
        reservation = factories.reservation(session, racks=factories.cluster(session).racks[:1])
        factories.request(session, extends_id=reservation.id, tenant=reservation.tenant)
        session.commit()
    engine.dispose()

    migrate.downgrade(empty_database_url)

    assert tables_of(empty_database_url) == {"alembic_version"}


def test_each_step_goes_down_alone(empty_database_url):
    migrate.upgrade(empty_database_url)
    steps = [script.revision for script in ScriptDirectory(str(Path(triggers.__file__).parent)).walk_revisions()]

    for revision in steps[1:]:
        migrate.downgrade(empty_database_url, revision)
        engine = make_engine(empty_database_url)
        assert migrate.current(engine) == revision
        engine.dispose()


def test_up_at_the_head_changes_nothing(engine, database_url):
    with sa.orm.Session(engine) as session:
        factories.tenant(session, name="Stays")
        session.commit()

    migrate.upgrade(database_url)

    with sa.orm.Session(engine) as session:
        assert session.scalar(sa.text("SELECT name FROM tenants")) == "Stays"
    assert migrate.current(engine) == migrate.head()


def test_a_database_without_migrations_is_at_no_revision(empty_database_url):
    engine = make_engine(empty_database_url)

    assert migrate.current(engine) is None
    engine.dispose()


def test_the_revisions_form_one_numbered_line():
    revisions = [script.revision for script in ScriptDirectory(str(Path(triggers.__file__).parent)).walk_revisions()]

    assert revisions == [f"{number:04d}" for number in range(len(revisions), 0, -1)]
    assert migrate.head() == revisions[0]


def test_a_migration_that_fails_leaves_nothing_behind(empty_database_url, monkeypatch):
    def fail(_table: str) -> None:
        raise RuntimeError("out of disk")

    monkeypatch.setattr(triggers, "forbid_changes", fail)

    with pytest.raises(RuntimeError, match="out of disk"):
        migrate.upgrade(empty_database_url)

    assert tables_of(empty_database_url) == set()


def test_two_at_once_from_another_directory_wait_for_each_other(empty_database_url, tmp_path):
    url = empty_database_url.render_as_string(hide_password=False)
    both = [
        subprocess.Popen([sys.executable, "-c", UPGRADE, url], cwd=tmp_path, stderr=subprocess.PIPE) for _ in range(2)
    ]

    errors = [process.communicate(timeout=60)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0], errors
    assert set(METADATA.tables) <= tables_of(empty_database_url)
