"""A tier's bound with pods: the program over all ways of all requests, as far as reservations leave them no choice.

Tighter than the relaxation over the cluster where pods and halls are what is short. See ``docs/model.md``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine.board import Board
from solver.engine.programs import solving
from solver.engine.programs.limits import Places
from solver.engine.programs.model import Model
from solver.engine.programs.ways import Surveyor, Way
from solver.plan import Move
from solver.snapshot import Reservation, Segment, Snapshot
from solver.terms import GPUS_PER_RACK

_FEW = 1_500
"""Ways up to which CP-SAT is asked for the whole program first."""
_WORK = 6.0
_MOST = 20_000
"""Ways beyond which the program is not made."""
_SAFETY = 1e-6
"""Of a bound that was found in floating point: added to it, well above the tolerances of the solver."""


@dataclass(frozen=True, slots=True)
class Proof:
    """``bound_usd``: no valid plan that keeps what is reached above is worth more in ``tier``."""

    tier: int
    bound_usd: float


def prove(
    snapshot: Snapshot,
    cluster: Cluster,
    decisions: Decisions,
    *,
    tier: int,
    reached: Mapping[int, float],
    seconds: float | None,
) -> Proof | None:
    """Bound ``tier`` with the tiers above at their ``reached`` value (USD); None where that leads to nothing.

    Where anything is short, what else is allowed depends on who stands where: no bound then. ``seconds`` None: no clock
    is read, the same arguments give the same answer.
    """
    if decisions.shortfalls or decisions.hold_shortfalls or decisions.recalls:
        return None
    began = time.monotonic()
    board, loose = _loosened(snapshot, cluster, decisions)
    empty = board.values()
    model = _model(board, tier, loose)
    if model is None:
        return None
    for other, usd in reached.items():
        if other < tier:
            model.worth_at_least(other, usd - empty.get(other, 0.0))
    objective = _objective(model, None if seconds is None else max(0.0, seconds - (time.monotonic() - began)))
    return None if objective is None else Proof(tier, model.most_usd(objective) + empty.get(tier, 0.0))


def _objective(model: Model, seconds: float | None) -> float | None:
    """No valid plan is worth more: by CP-SAT where it may get to the end, else by the linear program."""
    if len(model.choices) <= _FEW:
        answer = solving.solve(model.rows, {}, solving.Effort(_WORK, seconds))
        if answer is not None and answer.is_optimal:
            return float(sum(worth * answer.values[number] for number, worth in model.rows.objective.items()))
    relaxed = solving.relax(model.rows)
    return None if relaxed is None else relaxed.value + _SAFETY * abs(relaxed.value)


def _model(board: Board, tier: int, loose: frozenset[int]) -> Model | None:
    """All ways of all wishes down to the tier; None where they are too many."""
    surveyor, ways = Surveyor(board, by_counts=loose), list[Way]()
    for wish in board.wishes:
        if wish.reservation is not None and not wish.must_stand:
            ways += surveyor.cut_short(wish, range(board.cluster.days)) if wish.tier <= tier else ()
        elif wish.must_stand or wish.tier <= tier:
            ways += surveyor.ways(wish, range(wish.first_start, wish.last_start + 1))
        if len(ways) > _MOST:
            return None
    return Model(Places(board), ways, tier, frozenset(wish.number for wish in board.movers))


def _loosened(snapshot: Snapshot, cluster: Cluster, decisions: Decisions) -> tuple[Board, frozenset[int]]:
    """An empty board with no more on it than every plan has, and the pods in which a plan may choose other racks.

    A reservation that might stand elsewhere, and is no wish of the board, is left out: what it has is free then, and
    what it has booked is held, so no more is taken than before. Of one with replacements its own racks stay.
    """
    moves = {move.reservation: move for move in decisions.moves}
    staying = [item for item in snapshot.reservations if item.id not in moves or _may_stay(snapshot, item)]
    kept = [_without_replacements(item, moves[item.id]) for item in staying if item.id in moves]
    board = Board(_with(snapshot, staying), cluster, Decisions(moves=tuple(kept)))
    movers = {wish.reservation for wish in board.movers}
    firm = [item for item in staying if item.id in movers or _is_counted(snapshot, item)]
    if len(firm) < len(staying):
        board = Board(_with(snapshot, firm), cluster, Decisions(moves=tuple(kept)))
    board.set_up(())
    racks = {rack for move in kept for segment in move.placement for rack in segment.racks}
    return board, frozenset(int(cluster.pods.of_rack[cluster.rack_number[rack]]) for rack in racks)


def _is_counted(snapshot: Snapshot, reservation: Reservation) -> bool:
    """Whether it stays where it is, or may be recalled as a way of the program: the small ones are none."""
    small = reservation.interruptible and reservation.gpus < GPUS_PER_RACK
    return reservation.frozen(snapshot.today) and not small


def _may_stay(snapshot: Snapshot, reservation: Reservation) -> bool:
    """Whether a reservation with replacements has racks that every plan leaves it, counted by pod."""
    if not reservation.frozen(snapshot.today) or reservation.gpus < GPUS_PER_RACK:
        return False
    return reservation.scope == "pod" or not reservation.interruptible


def _without_replacements(reservation: Reservation, move: Move) -> Move:
    """In a pod, some racks of it replace others; elsewhere only the reservation's own racks are sure."""
    if reservation.scope == "pod":
        return move
    own = {rack for segment in reservation.placement for rack in segment.racks}
    return move.model_copy(update={"placement": [_only(segment, own) for segment in move.placement]})


def _only(segment: Segment, racks: set[str]) -> Segment:
    return segment.model_copy(update={"racks": {rack: n for rack, n in segment.racks.items() if rack in racks}})


def _with(snapshot: Snapshot, reservations: list[Reservation]) -> Snapshot:
    return snapshot.model_copy(update={"reservations": reservations})
