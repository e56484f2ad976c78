"""Which databases Berth knows."""

from __future__ import annotations

import pytest

from portal.models.engine import database_url, make_engine


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_write_postgresql_means_psycopg_3(scheme):
    assert database_url(f"{scheme}://desk@db/berth").drivername == "postgresql+psycopg"


def test_sqlite_stays_as_it_is():
    assert str(database_url("sqlite:///berth.db")) == "sqlite:///berth.db"


@pytest.mark.parametrize("url", ["mysql://db/berth", "postgresql+asyncpg://db/berth"])
def test_another_database_or_driver_is_refused(url):
    with pytest.raises(ValueError, match="not supported"):
        make_engine(url)
