"""Where a block may stand and where it appeals: compiled code that counts blocks in and out."""

from __future__ import annotations

import numpy as np
from numba import njit

from solver.engine.annealing.tables import ROUND, TOUCHED, Ground, Ints, State, Wishes
from solver.terms import GPUS_PER_RACK

Span = tuple[int, int]
"""Days ``[first, end)``."""
Place = tuple[int, int, int]
"""Racks, start and choice of a wish."""
Asked = tuple[int, int, int, int, int]
"""Number of a wish, its first and last start, one of its choices or -1, and its fewest racks."""

SNUG, EARLY, ANY = 0, 1, 2
"""Ways to choose a place: beside others, early, any; a fourth leaves the least room in the unit."""
WAYS = 4
_UNBOUNDED = 1 << 40


@njit(cache=True, nogil=True)
def enter(wishes: Wishes, ground: Ground, state: State, number: int, sign: int) -> None:
    """Count the block of a wish in (``sign`` 1) or out (-1)."""
    days = (state.start[number], state.start[number] + wishes.days[number])
    _enter_racks(ground, state, state.share[number], days, sign)
    _enter_gpus(wishes, ground, state, number, days, sign)


@njit(cache=True, nogil=True)
def _enter_racks(ground: Ground, state: State, share: Ints, days: Span, sign: int) -> None:
    start, end = days
    for cell in range(len(share)):
        if share[cell]:
            for day in range(start, end):
                state.free[cell, day] -= sign * share[cell]
    for unit in range(len(ground.inside)):
        here = 0
        for cell in range(len(share)):
            if ground.inside[unit, cell]:
                here += share[cell]
        if here:
            for day in range(start, end):
                state.left[unit, day] -= sign * here


@njit(cache=True, nogil=True)
def _enter_gpus(wishes: Wishes, ground: Ground, state: State, number: int, days: Span, sign: int) -> None:
    start, end = days
    gpus = sign * GPUS_PER_RACK * state.racks[number]
    contract, limits = wishes.contract[number], wishes.limits[state.choice[number]]
    for item in range(wishes.limit_from[limits], wishes.limit_from[limits + 1]):
        limit = wishes.limit[item]
        if wishes.relieved[item]:  # what is booked is no longer held
            for day in range(start, end):
                beyond = state.booked[contract, day] - ground.held[contract, day]
                state.slack[limit, day] -= max(0, beyond + gpus) - max(0, beyond)
        else:
            for day in range(start, end):
                state.slack[limit, day] -= gpus
    if contract >= 0:
        for day in range(start, end):
            state.booked[contract, day] += gpus


@njit(cache=True, nogil=True)
def _allow(wishes: Wishes, ground: Ground, state: State, who: tuple[int, int], days: Span, allowed: Ints) -> None:
    """``allowed``: GPUs that limits leave on each of the days for whom has this contract and set of limits."""
    (contract, limits), (first, end) = who, days
    allowed[first:end] = _UNBOUNDED
    for item in range(wishes.limit_from[limits], wishes.limit_from[limits + 1]):
        slack = state.slack[wishes.limit[item]]
        if wishes.relieved[item]:
            held, booked = ground.held[contract], state.booked[contract]
            for day in range(first, end):
                allowed[day] = min(allowed[day], slack[day] + max(0, held[day] - booked[day]))
        else:
            for day in range(first, end):
                allowed[day] = min(allowed[day], slack[day])


@njit(cache=True, nogil=True)
def _room(ground: Ground, state: State, unit: int, start: int, end: int) -> int:
    """Racks of a unit that are free on all of ``[start, end)``."""
    room = 0
    for item in range(ground.cell_from[unit], ground.cell_from[unit + 1]):
        free = state.free[ground.cell[item]]
        least = free[start]
        for day in range(start + 1, end):
            least = min(least, free[day])
        room += least
    return room


@njit(cache=True, nogil=True)
def _appeal(state: State, unit: int, days: Span, racks: int, room: int, way: int) -> float:
    """How much is to be said for a place; more racks are always better."""
    start, end = days
    if way == EARLY:
        appeal = -start + 0.5 * np.random.random()
    elif way == ANY:
        appeal = np.random.random()
    elif way == SNUG:  # others end where it begins, and begin where it ends
        left = state.left[unit]
        before = after = racks
        if start > 0:
            before = min(max(left[start] - left[start - 1], 0), racks)
        if end < len(left):
            after = min(max(left[end - 1] - left[end], 0), racks)
        appeal = (before + after) / racks - 0.15 * (room - racks) + 0.5 * np.random.random()
    else:
        appeal = racks - room + 0.5 * np.random.random()
    return appeal + 1000.0 * racks


@njit(cache=True, nogil=True)
def find(wishes: Wishes, ground: Ground, state: State, asked: Asked, way: int, allowed: Ints) -> Place:
    """The place with most appeal; 0 racks: there is none."""
    number, first, last, only, fewest = asked
    days = wishes.days[number]
    limits = -1
    best = (0, -1, -1)
    most_appeal = -np.inf
    for choice in range(wishes.choice_from[number], wishes.choice_from[number + 1]):
        unit = wishes.unit[choice]
        if only >= 0 and choice != only:
            continue
        if limits != wishes.limits[choice]:
            limits = wishes.limits[choice]
            _allow(wishes, ground, state, (wishes.contract[number], limits), (first, last + days), allowed)
        start = first
        while start <= last:
            day = start + days - 1
            gpus = _UNBOUNDED
            while day >= start and state.left[unit, day] >= fewest and allowed[day] >= GPUS_PER_RACK * fewest:
                gpus = min(gpus, allowed[day])
                day -= 1
            if day >= start:  # no start up to this day has room
                start = day + 1
                continue
            room = _room(ground, state, unit, start, start + days)
            racks = min(min(wishes.most[number], room), gpus // GPUS_PER_RACK)
            if racks >= fewest:
                appeal = _appeal(state, unit, (start, start + days), racks, room, way)
                if appeal > most_appeal:
                    most_appeal = appeal
                    best = (racks, start, choice)
            start += 1
    return best


@njit(cache=True, nogil=True)
def _spread(ground: Ground, state: State, number: int, unit: int, end: int) -> None:
    """Which cells of the unit the block of the wish uses, whose start and racks are known: the emptiest or fullest pods
    first, or any; in a pod what is open on fewest days.
    """
    start, need = state.start[number], state.racks[number]
    cells = ground.cell[ground.cell_from[unit] : ground.cell_from[unit + 1]]
    free = np.zeros(len(cells), np.int64)
    by_pod = np.zeros(ground.pod.max() + 1, np.int64)
    for item in range(len(cells)):
        least = state.free[cells[item], start]
        for day in range(start + 1, end):
            least = min(least, state.free[cells[item], day])
        free[item] = least
        by_pod[ground.pod[cells[item]]] += least
    sense = np.random.randint(-1, 2)
    chance = np.random.random(len(by_pod))
    turn = np.zeros(len(cells))
    for item in range(len(cells)):
        pod = ground.pod[cells[item]]
        turn[item] = 1e6 * sense * by_pod[pod] + 1e5 * chance[pod] + ground.open_days[cells[item]]
    state.share[number] = 0
    for item in np.argsort(turn):
        here = min(need, free[item])
        state.share[number, cells[item]] = here
        need -= here
        if need == 0:
            break


@njit(cache=True, nogil=True)
def _touch(state: State, number: int) -> None:
    """Remember how it was before the round."""
    if state.seen[number] != state.counters[ROUND]:
        state.seen[number] = state.counters[ROUND]
        state.touched[state.counters[TOUCHED]] = number
        state.counters[TOUCHED] += 1
        state.old_start[number] = state.start[number]
        state.old_choice[number] = state.choice[number]
        state.old_racks[number] = state.racks[number]
        state.old_share[number] = state.share[number]


@njit(cache=True, nogil=True)
def remove(wishes: Wishes, ground: Ground, state: State, number: int) -> None:
    """Its block leaves."""
    _touch(state, number)
    enter(wishes, ground, state, number, -1)
    state.start[number] = -1


@njit(cache=True, nogil=True)
def put(wishes: Wishes, ground: Ground, state: State, number: int, place: Place) -> None:
    """It gets a block in this place."""
    _touch(state, number)
    racks, start, choice = place
    state.start[number] = start
    state.choice[number] = choice
    state.racks[number] = racks
    _spread(ground, state, number, wishes.unit[choice], start + wishes.days[number])
    enter(wishes, ground, state, number, 1)
