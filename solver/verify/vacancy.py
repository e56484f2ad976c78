"""Where a promise could stand: racks that carry no other reservation. Accepted blocks give way to promises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solver.snapshot import Reservation
from solver.terms import GPUS_PER_RACK
from solver.verify.case import Case
from solver.verify.courses import Course
from solver.verify.ground import Ints
from solver.verify.stretches import Flags


@dataclass(frozen=True, slots=True)
class Vacancy:
    """Room over a range of stretches beside some reservations.

    ``load`` (stretches x racks) is their GPUs, ``free`` marks racks that are healthy and carry none of them throughout,
    ``power`` (stretches x sites) is the racks that each site can still power.
    """

    load: Ints
    healthy: Flags
    free: Flags
    power: Ints


def vacancy(case: Case, span: slice, without: Course | None = None) -> Vacancy:
    """The room in ``span`` beside all reservations, or beside all but one."""
    load, carrying = case.reserved.load[span], case.reserved.racks_in_site[span]
    if without is not None:
        load = load.copy()
        first, last = max(span.start, without.first), min(span.stop, without.last)
        own = without.new[first - without.first : last - without.first]
        load[first - span.start : last - span.start, without.racks] -= own
        carrying = case.ground.sites.counts(load > 0)
    healthy = np.logical_and.reduce(case.ground.healthy[span], axis=0)
    return Vacancy(load, healthy, healthy & (load == 0).all(axis=0), case.ground.power[span] - carrying)


def has_room(case: Case, room: Vacancy, reservation: Reservation) -> bool:
    """R10: whether the reservation could stand in this room for all of it, in its scope and site."""
    in_site = _in_site(case, reservation)
    if reservation.gpus < GPUS_PER_RACK:
        fits = room.healthy & (room.load <= GPUS_PER_RACK - reservation.gpus).all(axis=0)
        powered = (room.load > 0) | (room.power > 0)[:, case.ground.sites.of_rack]
        return bool((fits & powered.all(axis=0) & in_site).any())
    racks = reservation.gpus // GPUS_PER_RACK
    if reservation.scope == "any":
        by_site = np.minimum(case.ground.sites.counts(room.free & in_site), _powered(room))
        return int(by_site.sum()) >= racks
    return bool(units_with(case, room, reservation, racks).any())


def units_with(case: Case, room: Vacancy, reservation: Reservation, racks: int) -> Flags:
    """The units of the reservation's scope in which as many racks are free and powered throughout, in its site."""
    units = case.ground.units(reservation.scope)
    free = units.counts(room.free & _in_site(case, reservation))
    enough: Flags = np.zeros(len(units.ids), dtype=np.bool_)
    for unit in np.flatnonzero(free >= racks):
        site = case.ground.sites.of_rack[units.edges[unit]]
        enough[unit] = _powered(room)[site] >= racks
    return enough


def free_rack(case: Case, room: Vacancy, reservation: Reservation) -> str | None:
    """R11: a rack in the reservation's site that is healthy, within power and carries no reservation; None: none is."""
    powered = (_powered(room) > 0)[case.ground.sites.of_rack]
    racks = np.flatnonzero(room.free & powered & _in_site(case, reservation))
    return case.ground.racks[racks[0]] if len(racks) else None


def _powered(room: Vacancy) -> Ints:
    racks: Ints = np.maximum(0, room.power.min(axis=0))
    return racks


def _in_site(case: Case, reservation: Reservation) -> Flags:
    bound = case.snapshot.site_of(reservation)
    if bound is None:
        return np.ones(len(case.ground.racks), dtype=np.bool_)
    flags: Flags = case.ground.sites.of_rack == case.ground.site_number[bound]
    return flags
