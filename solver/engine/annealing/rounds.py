"""Ruin and recreate in compiled code: some ten thousand rounds a second where Python makes some hundred.

Heuristic. In a round some blocks leave, they and declined ones are put back one after the other, and what results is
kept if it is worth more, or with ``exp(change / heat)`` as its chance: simulated annealing (Kirkpatrick, Gelatt and
Vecchi 1983).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solver.engine.annealing.places import ANY, WAYS, Span, enter, find, put, remove
from solver.engine.annealing.tables import ABOVE, BEST, LEAST_ABOVE, NOW, ROUND, TOUCHED, Ground, Ints, State, Wishes

_FOR_A_GUEST, _IN_PODS = 0.4, 0.5
"""Rounds that are for one guest; and of the others those that clear days of a pod or two. The rest takes any."""
_MOST_REMOVED = 8
_MOST_DECLINED = 24
_MOST_EJECTED = 6
"""For a guest; where more would have to leave it mostly finds no place even so."""
_SKIPPED = 0.02
"""Chance that somebody is passed over."""
_TWO_PODS = 0.4
_LEAST_DAYS, _MOST_DAYS = 5, 65
_NEARBY_DAYS = 40
_ABOVE_FIRST, _BEHIND_LAST = 50.0, 1e-9
_ORDERS = 4
_NOISE = np.array([0.05, 0.2, 0.5])
_TRIES = 20
_TOLERANCE = 1e-9


@njit(cache=True, nogil=True)
def sow(seed: int) -> None:
    """Chance of compiled code, in this thread."""
    np.random.seed(seed)


@njit(cache=True, nogil=True)
def _stands_in(ground: Ground, state: State, number: int, unit: int) -> bool:
    for item in range(ground.cell_from[unit], ground.cell_from[unit + 1]):
        if state.share[number, ground.cell[item]]:
            return True
    return False


@njit(cache=True, nogil=True)
def _eject_for(wishes: Wishes, ground: Ground, state: State, guest: int, allowed: Ints) -> Span:
    """The guest gets a place in full by chance, and who stands there leaves until it fits; the days of that place."""
    start = wishes.first[guest] + np.random.randint(wishes.last[guest] - wishes.first[guest] + 1)
    end = start + wishes.days[guest]
    choice = np.random.randint(wishes.choice_from[guest], wishes.choice_from[guest + 1])
    unit = wishes.unit[choice]
    if state.start[guest] >= 0:
        remove(wishes, ground, state, guest)
    near = np.zeros(len(wishes.days), np.int64)
    turn = np.zeros(len(near))
    found = 0
    for number in range(len(near)):
        if 0 <= state.start[number] < end and state.start[number] + wishes.days[number] > start:
            near[found] = number
            by_worth = 0.2 + 10.0 * wishes.worth[number] / wishes.days[number]
            turn[found] = np.random.random() * by_worth + (0.0 if _stands_in(ground, state, number, unit) else 1e9)
            found += 1
    leaving = np.argsort(turn[:found])
    asked = (guest, start, start, choice, wishes.most[guest])
    place = find(wishes, ground, state, asked, ANY, allowed)
    item = 0
    while place[0] == 0 and item < min(found, _MOST_EJECTED):
        remove(wishes, ground, state, near[leaving[item]])
        item += 1
        place = find(wishes, ground, state, asked, ANY, allowed)
    if place[0]:
        put(wishes, ground, state, guest, place)
    return start, end


@njit(cache=True, nogil=True)
def _some_guest(wishes: Wishes, state: State) -> int:
    """Somebody who is declined, or smaller than wished; -1: chance found nobody."""
    for _ in range(_TRIES):
        number = np.random.randint(len(wishes.days))
        if state.start[number] < 0 or state.racks[number] < wishes.most[number]:
            return number
    return -1


@njit(cache=True, nogil=True)
def _clear(wishes: Wishes, ground: Ground, state: State) -> Span:
    """Some of those leave who stand on some days, in one pod or two, or anywhere; the days."""
    days = state.free.shape[1]
    first = np.random.randint(days)
    in_pods = np.random.random() < _IN_PODS
    pods = ground.pod.max() + 1
    one = np.random.randint(pods)
    other = np.random.randint(pods) if np.random.random() < _TWO_PODS else one
    end = first + (np.random.randint(_LEAST_DAYS, _MOST_DAYS) if in_pods else 1 + np.random.randint(_NEARBY_DAYS))
    near = np.zeros(len(wishes.days), np.int64)
    found = 0
    for number in range(len(near)):
        if 0 <= state.start[number] < end and state.start[number] + wishes.days[number] > first:
            is_here = not in_pods
            for cell in range(len(ground.pod)):
                if state.share[number, cell] and (ground.pod[cell] == one or ground.pod[cell] == other):
                    is_here = True
            if is_here:
                near[found] = number
                found += 1
    leaving = min(found, _MOST_REMOVED if in_pods else 1 + np.random.randint(_MOST_REMOVED))
    for item in range(leaving):
        drawn = item + np.random.randint(found - item)
        near[item], near[drawn] = near[drawn], near[item]
        remove(wishes, ground, state, near[item])
    return first, end


@njit(cache=True, nogil=True)
def _waiting(wishes: Wishes, state: State, first: int, end: int, waiting: Ints) -> int:
    """Who left, and some who are declined and might stand on the days ``[first, end)``; how many."""
    found = 0
    for item in range(state.counters[TOUCHED]):
        if state.start[state.touched[item]] < 0:
            waiting[found] = state.touched[item]
            found += 1
    left = found
    for number in range(len(wishes.days)):
        if state.start[number] >= 0 or state.seen[number] == state.counters[ROUND]:
            continue
        if wishes.first[number] < end and wishes.last[number] + wishes.days[number] > first:
            waiting[found] = number
            found += 1
    declined = min(_MOST_DECLINED, found - left)
    for item in range(left, left + declined):
        drawn = item + np.random.randint(found - item)
        waiting[item], waiting[drawn] = waiting[drawn], waiting[item]
    return left + declined


@njit(cache=True, nogil=True)
def _recreate(wishes: Wishes, ground: Ground, state: State, first: int, end: int, allowed: Ints) -> None:
    """Put back who left and place others: by worth, by size or by worth of a rack and day, with noise."""
    waiting = np.zeros(len(wishes.days), np.int64)
    found = _waiting(wishes, state, first, end, waiting)
    order = np.random.randint(_ORDERS)
    noise = _NOISE[np.random.randint(len(_NOISE))]
    turn = np.zeros(found)
    for item in range(found):
        number = waiting[item]
        merit = wishes.worth[number]
        if order == 0:
            merit *= wishes.most[number]
        elif order == 1:
            merit = 1.0 * wishes.most[number] * wishes.days[number]
        else:
            merit /= wishes.days[number]
        if wishes.rank[number] < 0:
            merit *= _ABOVE_FIRST
        elif wishes.rank[number] > 0:
            merit *= _BEHIND_LAST
        turn[item] = -merit * (1.0 + noise * (2.0 * np.random.random() - 1.0))
    way = np.random.randint(WAYS)
    for item in np.argsort(turn):
        number = waiting[item]
        if np.random.random() < _SKIPPED:
            continue
        asked = (number, wishes.first[number], wishes.last[number], -1, wishes.fewest[number])
        place = find(wishes, ground, state, asked, way, allowed)
        if place[0]:
            put(wishes, ground, state, number, place)


@njit(cache=True, nogil=True)
def _change(wishes: Wishes, state: State) -> tuple[float, float]:
    """What the round has changed in worth, and in that of tiers above."""
    change = above = 0.0
    for item in range(state.counters[TOUCHED]):
        number = state.touched[item]
        mine = 0.0
        if state.old_start[number] >= 0:
            mine -= wishes.worth[number] * state.old_racks[number]
        if state.start[number] >= 0:
            mine += wishes.worth[number] * state.racks[number]
        change += mine
        if wishes.rank[number] < 0:
            above += mine
    return change, above


@njit(cache=True, nogil=True)
def _undo(wishes: Wishes, ground: Ground, state: State) -> None:
    for item in range(state.counters[TOUCHED]):
        number = state.touched[item]
        if state.start[number] >= 0:
            enter(wishes, ground, state, number, -1)
    for item in range(state.counters[TOUCHED]):
        number = state.touched[item]
        state.start[number] = state.old_start[number]
        state.choice[number] = state.old_choice[number]
        state.racks[number] = state.old_racks[number]
        state.share[number] = state.old_share[number]
        if state.start[number] >= 0:
            enter(wishes, ground, state, number, 1)


@njit(cache=True, nogil=True)
def _keep(state: State, change: float, above: float) -> None:
    """What the round has led to stays."""
    worth = state.worth
    worth[NOW] += change
    worth[ABOVE] += above
    if worth[NOW] > worth[BEST] + _TOLERANCE and worth[ABOVE] >= worth[LEAST_ABOVE] - _TOLERANCE:
        worth[BEST] = worth[NOW]
        state.best_start[:] = state.start
        state.best_racks[:] = state.racks
        state.best_share[:] = state.share


@njit(cache=True, nogil=True)
def anneal(wishes: Wishes, ground: Ground, state: State, rounds: int, heat: float) -> None:
    """So many rounds at one heat: the loss, in worth, that is kept with a chance of 1/e."""
    allowed = np.zeros(state.free.shape[1] + 1, np.int64)
    for _ in range(rounds):
        state.counters[TOUCHED] = 0
        state.counters[ROUND] += 1
        guest = _some_guest(wishes, state) if np.random.random() < _FOR_A_GUEST else -1
        if guest >= 0:
            first, end = _eject_for(wishes, ground, state, guest, allowed)
        else:
            first, end = _clear(wishes, ground, state)
        _recreate(wishes, ground, state, first, end, allowed)
        change, above = _change(wishes, state)
        if change < 0.0 and np.random.random() >= np.exp(change / heat):
            _undo(wishes, ground, state)
            continue
        _keep(state, change, above)
