"""What may exist once, and whose things may refer to whose."""

from __future__ import annotations

import datetime as dt

from portal.domain.states import NoticeState, PlanState, RequestState, Role, RunState, Scope
from portal.models.contracts import CommitmentStep, FeeStep
from tests.portal import factories
from tests.portal.factories import NOW
from tests.portal.models.refusals import refused

JANUARY, FEBRUARY, MARCH = dt.date(2027, 1, 1), dt.date(2027, 2, 1), dt.date(2027, 3, 1)


class TestOnlyOne:
    def test_email_address(self, session):
        factories.user(session, email="a@example.com")

        with refused(session, "uq_users_email"):
            factories.user(session, email="a@example.com")

    def test_rate_of_a_scope_and_interruptibility_from_one_day_on(self, session):
        factories.rate(session, scope=Scope.POD)
        factories.rate(session, scope=Scope.HALL)
        factories.rate(session, scope=Scope.POD, interruptible=True)

        with refused(session, "uq_rates_scope_interruptible_start"):
            factories.rate(session, scope=Scope.POD, usd_per_gpu_hour=4)

    def test_running_run(self, session):
        factories.run(session, RunState.QUEUED)
        factories.run(session, RunState.QUEUED)
        factories.run(session, RunState.RUNNING)

        with refused(session, "uq_runs_one_running"):
            factories.run(session, RunState.RUNNING)

    def test_proposed_plan_beside_the_published_one(self, session):
        by = factories.user(session)
        factories.plan(session, state=PlanState.PUBLISHED, published_at=NOW, published_by=by)
        factories.plan(session, state=PlanState.DISCARDED, closed_at=NOW)
        factories.plan(session, state=PlanState.DISCARDED, closed_at=NOW)
        factories.plan(session)

        with refused(session, "uq_plans_one_proposed_one_published"):
            factories.plan(session)

    def test_published_plan(self, session):
        by = factories.user(session)
        factories.plan(session, state=PlanState.PUBLISHED, published_at=NOW, published_by=by)

        with refused(session, "uq_plans_one_proposed_one_published"):
            factories.plan(session, state=PlanState.PUBLISHED, published_at=NOW, published_by=by)

    def test_plan_of_a_run(self, session):
        first = factories.plan(session, state=PlanState.DISCARDED, closed_at=NOW)

        with refused(session, "uq_plans_run_id"):
            factories.plan(session, run_id=first.run_id)

    def test_notice_of_a_contract_that_was_not_withdrawn(self, session):
        contract, by = factories.contract(session), factories.user(session)
        factories.notice(session, contract, state=NoticeState.WITHDRAWN, withdrawn_at=NOW, withdrawn_by_id=by.id)
        factories.notice(session, contract)
        factories.notice(session, factories.contract(session))

        with refused(session, "uq_notices_one_per_contract"):
            factories.notice(session, contract)

    def test_reservation_of_an_offer(self, session):
        offer = factories.offer(session)
        factories.reservation(session, offer=offer, tenant=offer.tenant)

        with refused(session, "uq_reservations_offer_id"):
            factories.reservation(session, offer=offer, tenant=offer.tenant)


class TestStepsOfASchedule:
    def test_steps_may_touch(self, session):
        contract = factories.contract(session, start=JANUARY, end=FEBRUARY, lock_in_until=JANUARY)
        contract.commitment_steps.append(CommitmentStep(start=FEBRUARY, end=MARCH, gpus=72))
        contract.fee_steps.append(FeeStep(start=FEBRUARY, end=MARCH, monthly_fee=1))
        factories.contract(session, start=JANUARY, end=FEBRUARY, lock_in_until=JANUARY)

        session.flush()

    def test_commitment_steps_never_overlap(self, session):
        contract = factories.contract(session, start=JANUARY, end=FEBRUARY, lock_in_until=JANUARY)

        with refused(session, "ex_commitment_steps_overlap"):
            contract.commitment_steps.append(CommitmentStep(start=dt.date(2027, 1, 31), end=MARCH, gpus=72))

    def test_fee_steps_never_overlap(self, session):
        contract = factories.contract(session, start=JANUARY, end=FEBRUARY, lock_in_until=JANUARY)
        step = FeeStep(start=FEBRUARY, end=MARCH, monthly_fee=1)
        contract.fee_steps.append(step)
        session.flush()

        with refused(session, "ex_fee_steps_overlap"):
            step.start = dt.date(2027, 1, 31)


class TestTenantsThings:
    """A row that belongs to a tenant refers to this tenant's rows only."""

    def test_a_request_draws_on_its_tenants_own_contract(self, session):
        contract = factories.contract(session)
        factories.request(session, contract=contract, tenant=contract.tenant)

        with refused(session, "fk_requests_contract_id_tenant_id"):
            factories.request(session, contract=contract, tenant=factories.tenant(session))

    def test_an_offer_answers_its_tenants_own_request(self, session):
        request = factories.request(session)
        factories.offer(session, request=request, tenant=request.tenant)

        with refused(session, "fk_offers_request_id_tenant_id"):
            factories.offer(session, request=request, tenant=factories.tenant(session))

    def test_a_reservation_comes_from_its_tenants_own_request(self, session):
        request = factories.request(session)
        factories.reservation(session, request=request, tenant=request.tenant)

        with refused(session, "fk_reservations_request_id_tenant_id"):
            factories.reservation(session, request=request, tenant=factories.tenant(session))

    def test_a_request_extends_its_tenants_own_reservation(self, session):
        reservation = factories.reservation(session)
        factories.request(session, extends_id=reservation.id, tenant=reservation.tenant)

        with refused(session, "fk_requests_extends_id_tenant_id"):
            factories.request(session, extends_id=reservation.id, tenant=factories.tenant(session))


def test_a_user_with_a_tenants_role_belongs_to_it(session):
    booker = factories.user(session, Role.BOOKER)

    assert booker.tenant is not None
    with refused(session, "ck_users_tenant_role_has_tenant"):
        booker.role = Role.ADMIN


def test_public_ids_are_random_and_named_after_the_kind_of_thing(session):
    request, offer, reservation = (
        factories.submitted_request(session),
        factories.offer(session),
        factories.reservation(session),
    )

    assert request.state is RequestState.SUBMITTED
    assert [row.public_id[:2] for row in (request, offer, reservation)] == ["Q-", "O-", "R-"]
