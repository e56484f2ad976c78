"""Builds the relaxation of one tier from a snapshot: choices, holds and limits by day, then cut into spans."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from solver.cluster import Cluster
from solver.decisions import Decisions
from solver.engine.relaxation import limits as rows
from solver.engine.relaxation.choices import Way, recalls, requests
from solver.engine.relaxation.problem import Columns, Hold, Indices, Limit, Missing, Problem
from solver.engine.relaxation.scene import Scene, due, scene_of
from solver.snapshot import Snapshot

SLACK = 1e-9  # of a value reached above: its sum may round differently here


def build(
    snapshot: Snapshot, cluster: Cluster, decisions: Decisions, *, tier: int, reached: Mapping[int, float]
) -> Problem:
    """The relaxation of ``tier`` with the tiers above at the values ``reached`` (USD; a tier not named is free)."""
    above = kept_above(reached, tier)
    scene = scene_of(snapshot, cluster, decisions, tier, frozenset([*above, tier]))
    held = [(contract, gpus) for contract in snapshot.contracts if (gpus := due(contract, scene)).any()]
    holds = [Hold(contract.id, gpus.astype(np.float64)) for contract, gpus in held]
    ways = [*requests(scene), *recalls(scene)]
    limits = [*rows.capacity(scene, held), *rows.racks(scene), *rows.contracts(scene), *rows.quotas(scene)]
    binding = [limit for limit in limits if _can_bind(limit, holds, ways, scene)]
    return _in_spans(scene, ways, holds, binding, list(rows.missing(scene)), above)


def kept_above(reached: Mapping[int, float], tier: int) -> dict[int, float]:
    """The values that the tiers above ``tier`` have to keep, in USD."""
    return {number: value - SLACK * abs(value) for number, value in reached.items() if number < tier}


def _can_bind(limit: Limit, holds: list[Hold], ways: list[Way], scene: Scene) -> bool:
    """Whether all requests together, each on every day of its window, could break the limit at all."""
    change = np.zeros(scene.cluster.days + 1)
    for way in ways:
        if way.choice.gpus > 0 and way.choice.meters & limit.meters:
            change[way.starts[0]] += way.choice.gpus
            change[way.ends[-1]] -= way.choice.gpus
    load = np.cumsum(change)[:-1]
    held = sum((holds[number].due for number in limit.holds), np.zeros(scene.cluster.days))
    return bool((load + held > limit.right).any())


def _in_spans(
    scene: Scene,
    ways: list[Way],
    holds: list[Hold],
    limits: list[Limit],
    missing: list[Missing],
    reached: Mapping[int, float],
) -> Problem:
    """Cut time at the days on which anything starts, ends or changes; a recall pays only at one of them."""
    profiles = [*(h.due for h in holds), *(limit.right for limit in limits), *(m.most for m in missing)]
    changes = [np.flatnonzero(np.diff(profile)) + 1 for profile in profiles]
    starts = [way.starts[:1] if way.choice.request is None else way.starts for way in ways]
    ends = [way.ends for way in ways]
    spans = np.unique(np.concatenate([np.array([0, scene.cluster.days]), *changes, *starts, *ends]))
    firsts = spans[:-1]
    return Problem(
        tier=scene.tier,
        spans=spans,
        choices=tuple(way.choice for way in ways),
        columns=_columns(ways, spans),
        holds=tuple(Hold(hold.contract, hold.due[firsts]) for hold in holds),
        limits=tuple(Limit(limit.rule, limit.meters, limit.holds, limit.right[firsts]) for limit in limits),
        missing=tuple(Missing(m.budget, m.most[firsts], m.meters) for m in missing),
        reached=reached,
    )


def _columns(ways: list[Way], spans: Indices) -> Columns:
    none = np.zeros(0, dtype=np.int64)
    starts = np.concatenate([none, *(way.starts for way in ways)])
    ends = np.concatenate([none, *(way.ends for way in ways)])
    choice = np.repeat(np.arange(len(ways)), [len(way.starts) for way in ways])
    first = np.searchsorted(spans, starts)
    on_event = spans[first] == starts
    return Columns(
        choice=choice[on_event],
        start=starts[on_event],
        first=first[on_event],
        last=np.searchsorted(spans, ends)[on_event],
        value=np.concatenate([np.zeros(0), *(way.values for way in ways)])[on_event],
    )
