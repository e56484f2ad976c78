"""What blocks cost and what they are worth."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest

from portal.domain import rates
from portal.domain.contract import Agreement, Fee
from portal.domain.errors import Invalid, NoRate
from portal.domain.rates import Block, RateLine
from portal.domain.states import Party, Scope
from solver.terms import Commitment, Terms

YEAR = dt.date(2027, 1, 1)
LINES = [
    RateLine(Scope.ANY, False, dt.date(2026, 1, 1), Decimal("3.00")),
    RateLine(Scope.ANY, False, dt.date(2026, 12, 1), Decimal("2.75")),
    RateLine(Scope.ANY, True, dt.date(2026, 1, 1), Decimal("1.10")),
    RateLine(Scope.POD, False, dt.date(2026, 1, 1), Decimal("3.40")),
]


def agreement(*, gpus: int = 100, end: dt.date = dt.date(2028, 1, 1)) -> Agreement:
    """``gpus`` committed from 2027 on for USD 74,400 a month: USD 1.00 per committed GPU-hour in a month of 31 days."""
    terms = Terms(
        start=YEAR,
        end=end,
        lock_in_until=YEAR,
        notice_days=30,
        notice_given_on=None,
        booking_lead_days=0,
        commitments=(Commitment(YEAR, end, gpus),),
    )
    return Agreement(terms=terms, fees=(Fee(YEAR, end, Decimal(74_400)),), notice_by=Party.EITHER)


def none_booked(_day: dt.date) -> int:
    return 0


class TestRateCard:
    @pytest.mark.parametrize(
        ("day", "rate"),
        [(dt.date(2026, 11, 30), "3.00"), (dt.date(2026, 12, 1), "2.75"), (dt.date(2029, 1, 1), "2.75")],
    )
    def test_the_newest_line_that_has_started_counts(self, day, rate):
        line = rates.line_on(LINES, scope=Scope.ANY, interruptible=False, day=day)

        assert line.usd_per_gpu_hour == Decimal(rate)

    def test_scope_and_interruptibility_have_lines_of_their_own(self):
        day = dt.date(2026, 12, 1)

        assert rates.line_on(LINES, scope=Scope.ANY, interruptible=True, day=day) is LINES[2]
        assert rates.line_on(LINES, scope=Scope.POD, interruptible=False, day=day) is LINES[3]

    @pytest.mark.parametrize(
        ("scope", "interruptible", "day", "said"),
        [
            (Scope.POD, True, dt.date(2027, 1, 1), "1 Jan 2027"),
            (Scope.ANY, False, dt.date(2025, 12, 31), "31 Dec 2025"),
        ],
    )
    def test_without_a_line_there_is_no_quote(self, scope, interruptible, day, said):
        with pytest.raises(NoRate, match=f"scope {scope} on {said}"):
            rates.line_on(LINES, scope=scope, interruptible=interruptible, day=day)


class TestOnDemand:
    def test_a_price_is_gpu_hours_times_rate_rounded_to_the_even_cent(self):
        assert rates.price(72, 30, Decimal("2.75")) == Decimal("142560.00")  # 72 x 720 h x 2.75
        assert rates.price(4, 1, Decimal("0.000156")) == Decimal("0.01")  # 96 h: 0.014976
        assert rates.price(100, 1, Decimal("0.00001")) == Decimal("0.02")  # 2,400 h: 0.024

    def test_without_an_offer_the_card_counts(self):
        assert rates.agreed_rate(None, Decimal("2.75")) == Decimal("2.75")

    @pytest.mark.parametrize("offered", ["2.75", "3.10"])
    def test_the_card_or_more_may_be_offered(self, offered):
        assert rates.agreed_rate(Decimal(offered), Decimal("2.75")) == Decimal(offered)

    def test_less_than_the_card_is_refused(self):
        with pytest.raises(Invalid, match=r"asks 2\.75"):
            rates.agreed_rate(Decimal("2.74"), Decimal("2.75"))


class TestDrawdown:
    def test_the_rate_within_the_commitment_is_the_fee_by_its_gpu_hours(self):
        assert rates.commitment_rate(agreement(), dt.date(2027, 1, 15)) == 1
        assert rates.commitment_rate(agreement(), dt.date(2027, 2, 1)) == Fraction(31, 28)

    def test_a_month_in_part_has_the_fee_and_the_hours_of_its_days_in_force(self):
        """Ten days of January: 74,400 x 10 / 31 over 100 x 240 GPU-hours is 1.00 again."""
        assert rates.commitment_rate(agreement(end=dt.date(2027, 1, 11)), dt.date(2027, 1, 5)) == 1

    def test_days_without_commitment_have_no_rate(self):
        assert rates.commitment_rate(agreement(), dt.date(2026, 12, 31)) == 0

    def test_a_block_within_the_commitment_is_worth_the_fee(self):
        block = Block(72, YEAR, dt.date(2027, 2, 3))  # 31 days of January, 2 of February

        value = rates.drawdown_value(agreement(), block, booked=none_booked, overage_rate=Decimal(9))

        # 72 x 24 x (31 x 1 + 2 x 31 / 28) = 53568 + 3826.2857
        assert value == Decimal("57394.29")

    def test_above_the_commitment_the_overage_rate_counts(self):
        block = Block(72, YEAR, dt.date(2027, 1, 2))

        value = rates.drawdown_value(agreement(), block, booked=lambda _day: 60, overage_rate=Decimal("2.50"))

        assert value == Decimal("2880.00")  # 24 h x (40 x 1.00 + 32 x 2.50)

    def test_above_a_commitment_that_is_booked_out_everything_is_overage(self):
        block = Block(72, YEAR, dt.date(2027, 1, 2))

        value = rates.drawdown_value(agreement(), block, booked=lambda _day: 130, overage_rate=Decimal(2))

        assert value == Decimal("3456.00")  # 24 h x 72 x 2

    def test_without_overage_what_exceeds_the_commitment_is_worth_nothing(self):
        block = Block(144, YEAR, dt.date(2027, 1, 2))

        value = rates.drawdown_value(agreement(), block, booked=none_booked, overage_rate=None)

        assert value == Decimal("2400.00")
