"""The plan's answers to requests: reservations for those accepted, a reason and counter-offers for the others."""

from __future__ import annotations

from fractions import Fraction

import sqlalchemy as sa

from portal.domain.money import to_cents
from portal.domain.reasons import by_plan
from portal.domain.requests import state_after_decline
from portal.domain.states import RequestState, check_transition
from portal.models.placements import Placement
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.models.settings import Settings
from portal.plans import placing
from portal.plans.segments import Stretch
from portal.plans.work import Work
from solver.plan import Accepted, Declined
from solver.reasons import for_tenant, names_of

_SAME_TERMS = ("contract_id", "scope", "site_id", "tier", "rate", "interruptible", "recall_notice_days")


def accept(work: Work) -> None:
    """Each accepted block becomes a reservation, or lengthens the one that it extends."""
    requests = _requests(work, [item.request for item in work.plan.accepted])
    on_demand_days = work.session.scalars(sa.select(Settings.on_demand_move_notice_days)).one()
    made: dict[str, Reservation] = {}
    for item in work.plan.accepted:
        request = requests[item.request]
        made[item.request] = _lengthened(work, request, item) or _new(work, request, item, on_demand_days)
    work.session.add_all(made.values())
    work.session.flush()
    placing.put(work.session, [(made[item.request], _stretches(item)) for item in work.plan.accepted], work.racks)
    for item in work.plan.accepted:
        _note_accepted(work, requests[item.request], made[item.request], item)


def decline(work: Work) -> None:
    """Each declined request is declined, or waits where its tenant wanted that and it still can."""
    requests = _requests(work, [item.request for item in work.plan.declined])
    asked, names = {request.id: request for request in work.files.snapshot.requests}, names_of(work.files.snapshot)
    for item in work.plan.declined:
        sentence = for_tenant(asked[item.request], item.reason, names)
        _note_declined(work, requests[item.request], item, sentence)


def _requests(work: Work, ids: list[str]) -> dict[str, Request]:
    rows = work.session.scalars(sa.select(Request).where(Request.public_id.in_(ids)))
    return {request.public_id: request for request in rows} if ids else {}


def _new(work: Work, request: Request, item: Accepted, on_demand_days: int) -> Reservation:
    return Reservation(
        tenant_id=request.tenant_id,
        contract_id=request.contract_id,
        gpus=item.gpus,
        scope=request.scope,
        site_id=request.site_id,
        interruptible=request.interruptible,
        recall_notice_days=request.recall_notice_days,
        tier=request.tier,
        value_usd=to_cents(Fraction(request.value_usd) * item.gpus / request.gpus),
        rate=request.rate,
        rate_id=request.rate_id,
        request_id=request.id,
        plan_id=work.plan_id,
        extends_id=request.extends_id,
        start=item.start,
        end=item.end,
        move_notice_days=request.contract.move_notice_days if request.contract else on_demand_days,
        created_at=work.moment.now,
    )


def _lengthened(work: Work, request: Request, item: Accepted) -> Reservation | None:
    """The extended reservation, lengthened, where the block goes on on the same racks and terms; else nothing."""
    if request.extends_id is None:
        return None
    extended = work.session.get_one(Reservation, request.extends_id)
    if extended.ended_as is not None or extended.end != item.start or extended.gpus != item.gpus:
        return None
    if any(getattr(extended, name) != getattr(request, name) for name in _SAME_TERMS):
        return None
    if _racks_at_end(work, extended) != {work.racks[rack]: gpus for rack, gpus in item.racks.items()}:
        return None
    extended.end = item.end
    extended.value_usd += to_cents(Fraction(request.value_usd) * item.gpus / request.gpus)
    return extended


def _racks_at_end(work: Work, reservation: Reservation) -> dict[int, int]:
    own = Placement.reservation_id == reservation.id, Placement.end == reservation.end
    rows = work.session.execute(sa.select(Placement.rack_id, Placement.gpus).where(*own))
    return dict(rows.all())


def _stretches(item: Accepted) -> list[Stretch]:
    return [Stretch(rack, item.start, item.end, gpus) for rack, gpus in item.racks.items()]


def _note_accepted(work: Work, request: Request, reservation: Reservation, item: Accepted) -> None:
    request.state = check_transition(request.state, RequestState.ACCEPTED)
    request.decided_at, request.decided_by_id = work.moment.now, work.moment.by.user_id
    request.reason, request.counter_offers = None, []
    block = {"gpus": item.gpus, "start": item.start.isoformat(), "end": item.end.isoformat()}
    names = {"request": request.public_id, "reservation": reservation.public_id}
    work.tell("request_accepted", request.tenant_id, **names, **block)
    work.audit("accepted", f"request {request.public_id}", request.tenant_id, {**names, **block})


def _note_declined(work: Work, request: Request, item: Declined, sentence: str) -> None:
    following = state_after_decline(
        wants_waitlist=request.wants_waitlist, latest_start=request.latest_start, today=work.moment.today
    )
    if following is not request.state:  # one that waits may go on waiting
        request.state = check_transition(request.state, following)
    request.decided_at, request.decided_by_id = work.moment.now, work.moment.by.user_id
    request.reason = by_plan(item.reason.model_dump(mode="json"), sentence)
    request.counter_offers = [offer.model_dump(mode="json") for offer in item.counter_offers]
    kind = "request_waitlisted" if following is RequestState.WAITLISTED else "request_declined"
    work.tell(kind, request.tenant_id, request=request.public_id, code=item.reason.code)
    after = {"state": following, "code": item.reason.code}
    work.audit(following.value, f"request {request.public_id}", request.tenant_id, after)
