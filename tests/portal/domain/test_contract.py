"""What contracts are worth, by the figures of the product's description and by hand-made months."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from portal.domain import contract
from portal.domain.contract import Agreement, Fee, MonthFee
from portal.domain.states import Party
from solver.terms import Commitment, Terms

START, END = dt.date(2026, 7, 1), dt.date(2030, 1, 1)
SEED = Agreement(
    terms=Terms(
        start=START,
        end=END,
        lock_in_until=dt.date(2026, 10, 1),
        notice_days=90,
        notice_given_on=None,
        booking_lead_days=14,
        commitments=(Commitment(START, END, 43_200),),
    ),
    fees=(Fee(START, END, Decimal(150_000_000)),),
    notice_by=Party.EITHER,
)
"""Reflection AI: USD 150 million a month from 2026-07-01 through 2029-12-31, 90 days' notice from 2026-10-01."""


def with_notice(given_on: dt.date) -> Agreement:
    return replace(SEED, terms=replace(SEED.terms, notice_given_on=given_on))


def for_notice_by(party: Party) -> Agreement:
    return replace(SEED, notice_by=party)


class TestTheSeedContract:
    def test_its_full_term_is_42_months(self):
        assert contract.full_term_value(SEED) == Decimal("6300000000.00")
        assert len(list(contract.month_fees(SEED.fees, START, END))) == 42

    def test_notice_can_first_be_given_after_three_months_and_first_ends_it_90_days_later(self):
        assert contract.first_notice_date(SEED, Party.TENANT, START) == dt.date(2026, 10, 1)
        assert contract.first_effective_end(SEED, Party.PROVIDER, START) == dt.date(2026, 12, 30)

    def test_its_value_on_2026_11_22(self):
        value = contract.value_on(SEED, dt.date(2026, 11, 22))

        assert value == contract.Value(
            full_term=Decimal("6300000000.00"),
            firm_until=dt.date(2027, 2, 20),
            firm=Decimal("1151785714.29"),
            payable=Decimal("446785714.29"),
            at_risk=Decimal("5148214285.71"),
        )

    def test_its_firm_value_on_its_first_day(self):
        value = contract.value_on(SEED, START)

        assert value.firm_until == dt.date(2026, 12, 30)
        assert value.firm == value.payable == Decimal("890322580.65")


class TestMonthFees:
    def test_a_month_in_part_is_charged_by_its_days(self):
        fees = (Fee(START, END, Decimal(3_000)),)

        months = list(contract.month_fees(fees, dt.date(2026, 11, 22), dt.date(2027, 1, 11)))

        assert months == [
            MonthFee(dt.date(2026, 11, 1), 9, Decimal("900.00")),  # 3000 x 9 / 30
            MonthFee(dt.date(2026, 12, 1), 31, Decimal("3000.00")),
            MonthFee(dt.date(2027, 1, 1), 10, Decimal("967.74")),  # 3000 x 10 / 31 = 967.7419
        ]

    def test_a_step_in_the_middle_of_a_month_is_rounded_once(self):
        middle = dt.date(2027, 1, 11)
        fees = (Fee(START, middle, Decimal("100.00")), Fee(middle, END, Decimal("0.05")))

        # (100 x 10 + 0.05 x 21) / 31 = 32.29193; rounded apart it would be 32.26 + 0.03 as well, but not 32.26 + 0.04
        assert contract.fees_between(fees, dt.date(2027, 1, 1), dt.date(2027, 2, 1)) == Decimal("32.29")

    @pytest.mark.parametrize(("monthly", "half_up_would_differ"), [("0.05", "0.02"), ("0.07", "0.04")])
    def test_half_a_cent_goes_to_the_even_cent(self, monthly, half_up_would_differ):
        fees = (Fee(START, END, Decimal(monthly)),)

        # 14 of February's 28 days: 0.025 becomes 0.02, 0.035 becomes 0.04
        assert contract.fees_between(fees, dt.date(2027, 2, 1), dt.date(2027, 2, 15)) == Decimal(half_up_would_differ)

    def test_days_without_a_fee_step_cost_nothing(self):
        fees = (Fee(dt.date(2027, 1, 1), dt.date(2027, 2, 1), Decimal(31)),)

        assert contract.fees_between(fees, dt.date(2026, 12, 1), dt.date(2027, 1, 3)) == Decimal("2.00")

    def test_no_days_cost_nothing(self):
        assert contract.fees_between(SEED.fees, END, END) == 0

    def test_the_months_of_a_december_go_on_in_january(self):
        months = contract.month_fees(SEED.fees, dt.date(2026, 12, 31), dt.date(2027, 1, 2))

        assert [month.month for month in months] == [dt.date(2026, 12, 1), dt.date(2027, 1, 1)]


class TestFirmUntil:
    def test_a_running_notice_decides(self):
        noticed = with_notice(dt.date(2026, 11, 1))

        assert contract.firm_until(noticed, dt.date(2026, 11, 22)) == dt.date(2027, 1, 30)
        assert contract.firm_until(noticed, dt.date(2027, 1, 29)) == dt.date(2027, 1, 30)

    @pytest.mark.parametrize("party", [Party.TENANT, Party.EITHER])
    def test_else_it_is_the_end_of_a_notice_of_the_tenant(self, party):
        assert contract.firm_until(for_notice_by(party), dt.date(2026, 11, 22)) == dt.date(2027, 2, 20)

    def test_where_the_tenant_may_not_leave_it_is_the_contracts_end(self):
        value = contract.value_on(for_notice_by(Party.PROVIDER), dt.date(2026, 11, 22))

        assert value.firm_until == END
        assert value.at_risk == 0

    def test_it_is_never_after_the_contracts_end(self):
        assert contract.firm_until(SEED, dt.date(2029, 12, 15)) == END
        assert contract.value_on(SEED, dt.date(2031, 1, 1)).payable == 0

    def test_before_the_contract_starts_everything_firm_is_payable(self):
        value = contract.value_on(SEED, dt.date(2026, 1, 1))

        assert value.payable == value.firm == Decimal("890322580.65")


class TestNoticeDates:
    def test_from_the_lock_in_on_notice_can_be_given_any_day(self):
        assert contract.first_notice_date(SEED, Party.TENANT, dt.date(2026, 11, 22)) == dt.date(2026, 11, 22)

    def test_the_last_notice_ends_the_contract_one_day_early(self):
        last = dt.date(2029, 10, 2)  # 90 days before 2029-12-31

        assert contract.last_notice_date(SEED) == last
        assert contract.first_effective_end(SEED, Party.TENANT, last) == dt.date(2029, 12, 31)
        assert contract.first_effective_end(SEED, Party.TENANT, dt.date(2029, 10, 3)) is None

    def test_a_party_that_may_not_leave_has_no_date(self):
        assert contract.first_notice_date(for_notice_by(Party.PROVIDER), Party.TENANT, START) is None
        assert contract.first_notice_date(for_notice_by(Party.PROVIDER), Party.PROVIDER, START) is not None

    def test_while_a_notice_runs_there_is_no_date(self):
        assert contract.first_notice_date(with_notice(dt.date(2026, 11, 1)), Party.TENANT, START) is None

    @pytest.mark.parametrize(("notice_days", "last"), [(1_187, dt.date(2026, 10, 1)), (1_188, None)])
    def test_a_notice_period_as_long_as_the_rest_of_the_term_leaves_no_day(self, notice_days, last):
        """From 2026-10-01 to 2030-01-01 there are 1,188 days."""
        agreement = replace(SEED, terms=replace(SEED.terms, notice_days=notice_days))

        assert contract.last_notice_date(agreement) == last


class TestEffectOfNotice:
    def test_notice_today_ends_the_contract_after_the_notice_days(self):
        effect = contract.effect_of_notice(SEED, dt.date(2026, 11, 22))

        assert effect.ends_on == dt.date(2027, 2, 20)
        assert effect.last_day == dt.date(2027, 2, 19)
        assert effect.firm == Decimal("1151785714.29")
        assert effect.payable == Decimal("446785714.29")
        assert effect.forgone == Decimal("5148214285.71")

    def test_notice_too_late_to_matter_forgoes_nothing(self):
        effect = contract.effect_of_notice(SEED, dt.date(2029, 12, 1))

        assert effect.ends_on == END
        assert effect.forgone == 0
