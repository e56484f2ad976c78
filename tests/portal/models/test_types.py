"""Instants and exact decimals come back from either database as they went in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import StatementError

from portal.domain.states import OutageKind, Party, Scope
from portal.models.contracts import Contract, FeeStep
from portal.models.outbox import OutboxMessage
from portal.models.rates import Rate
from portal.models.requests import Request
from portal.models.users import User
from tests.portal import factories


class TestInstants:
    def test_come_back_aware_in_utc_to_the_microsecond(self, session):
        memphis = dt.timezone(dt.timedelta(hours=-6))
        given = dt.datetime(2026, 11, 22, 3, 4, 5, 678_901, tzinfo=memphis)
        user = factories.user(session, created_at=given)
        session.commit()

        assert user.created_at == given
        assert user.created_at.utcoffset() == dt.timedelta(0)

    def test_are_compared_in_the_database(self, session):
        nine = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
        factories.user(session, created_at=nine)
        ten_in_berlin = dt.datetime(2026, 11, 22, 10, tzinfo=dt.timezone(dt.timedelta(hours=1)))

        assert session.scalar(sa.select(sa.func.count()).where(User.created_at == ten_in_berlin)) == 1

    def test_without_a_time_zone_are_refused(self, session):
        with pytest.raises(StatementError, match="no time zone"):
            factories.user(session, created_at=dt.datetime(2026, 11, 22, 9))  # noqa: DTZ001  # this is the test


class TestExactDecimals:
    @pytest.mark.parametrize("fee", ["0.01", "150000000.00", "6300000000.07", "9999999999999999.99"])
    def test_money_comes_back_to_the_cent(self, session, fee):
        factories.contract(session, fee=Decimal(fee))
        session.commit()

        found = session.scalars(sa.select(FeeStep.monthly_fee)).one()
        assert (type(found), str(found)) == (Decimal, fee)

    def test_sums_are_exact(self, session):
        for _ in range(10):
            factories.contract(session, fee=Decimal("0.10"))

        assert session.scalar(sa.select(sa.func.sum(FeeStep.monthly_fee))) == Decimal("1.00")

    def test_rates_have_six_places(self, session):
        factories.rate(session, "2.750001")
        session.commit()

        assert session.scalars(sa.select(Rate.usd_per_gpu_hour)).one() == Decimal("2.750001")
        assert session.scalar(sa.select(sa.func.count()).where(Rate.usd_per_gpu_hour > Decimal("2.75"))) == 1

    def test_parts_of_a_cent_are_refused(self, session):
        with pytest.raises(StatementError, match="more than 2 decimal places"):
            factories.contract(session, fee=Decimal("0.001"))

    def test_floats_are_refused(self, session):
        step = factories.contract(session).fee_steps[0]
        step.monthly_fee = 0.5

        with pytest.raises(StatementError, match="is a float"):
            session.flush()

    def test_nothing_stays_nothing(self, session):
        contract = factories.contract(session)
        session.commit()

        assert contract.overage_rate is None


class TestJson:
    def test_comes_back(self, session):
        payload = {"text": "72 GPUs – free", "list": [1, 2.5, None], "nested": {"yes": True}}
        session.add(OutboxMessage(kind="test", payload=payload, created_at=factories.NOW))
        session.commit()

        assert session.scalars(sa.select(OutboxMessage.payload)).one() == payload

    def test_none_is_null(self, session):
        factories.request(session, reason=None)

        assert session.scalar(sa.select(sa.func.count()).where(Request.reason.is_(None))) == 1


def test_words_are_stored_by_their_value(session):
    contract = factories.contract(session, notice_by=Party.PROVIDER)
    rack = factories.cluster(session).racks[0]
    outage = factories.outage(session, rack, kind=OutageKind.MAINTENANCE)
    factories.rate(session, scope=Scope.HALL)
    session.commit()

    assert session.scalar(sa.text("SELECT notice_by FROM contracts")) == "provider"
    assert session.scalar(sa.text("SELECT scope FROM rates")) == "hall"
    assert contract.notice_by is Party.PROVIDER
    assert outage.kind is OutageKind.MAINTENANCE


def test_a_contract_row_knows_its_terms_and_its_value(session):
    fees = [FeeStep(start=dt.date(2026, 7, 1), end=dt.date(2030, 1, 1), monthly_fee=Decimal(150_000_000))]
    contract = factories.contract(session, gpus=43_200, fee_steps=fees)
    session.commit()
    found = session.get_one(Contract, contract.id)

    assert found.terms.committed(dt.date(2026, 11, 22)) == 43_200
    assert found.agreement.fees[0].monthly == Decimal(150_000_000)
    assert found.notice is None

    factories.notice(session, found)
    session.expire_all()

    assert found.terms.effective_end == dt.date(2027, 2, 20)
