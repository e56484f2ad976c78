"""A snapshot and a plan laid out for the rules: each rule is a function of one `Case`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from solver.plan import Move, Plan
from solver.snapshot import Request, Reservation, Segment, Snapshot
from solver.verify import blocks, ground, stretches
from solver.verify.blocks import Block, Use
from solver.verify.ground import Ground
from solver.verify.stretches import Stretches


@dataclass(frozen=True, slots=True)
class Case:
    """``everything`` is what all blocks use, ``reserved`` what the reservations use by themselves, as the plan leaves
    them; ``stood`` what they use where the snapshot has them. ``ends`` is when each reservation ends under the plan.
    """

    snapshot: Snapshot
    plan: Plan
    stretches: Stretches
    ground: Ground
    blocks: tuple[Block, ...]
    everything: Use
    reserved: Use
    stood: Use
    requests: dict[str, Request]
    reservations: dict[str, Reservation]
    ends: dict[str, dt.date]

    @property
    def decided(self) -> slice:
        """The stretches before the horizon."""
        return slice(0, self.stretches.decided)

    def remaining(self, move: Move) -> list[Segment]:
        """The segments of a move with a day that is neither history nor after a recall."""
        end = self.ends[move.reservation]
        return [s for s in move.placement if s.end > self.snapshot.today and s.start < end]


def lay_out(snapshot: Snapshot, plan: Plan) -> Case:
    """The case of a plan whose ids all exist in the snapshot."""
    days = stretches.cut(snapshot, plan)
    land = ground.survey(snapshot, days)
    standing = tuple(blocks.standing(snapshot, plan, land, days))
    nothing = plan.model_copy(update={"accepted": [], "moves": [], "recalls": []})
    return Case(
        snapshot=snapshot,
        plan=plan,
        stretches=days,
        ground=land,
        blocks=standing,
        everything=blocks.use_of(standing, land, len(days)),
        reserved=blocks.use_of([block for block in standing if not block.accepted], land, len(days)),
        stood=blocks.use_of([*blocks.standing(snapshot, nothing, land, days)], land, len(days)),
        requests={request.id: request for request in snapshot.requests},
        reservations={reservation.id: reservation for reservation in snapshot.reservations},
        ends=blocks.ends_of(snapshot, plan),
    )
