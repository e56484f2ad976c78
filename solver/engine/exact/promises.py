"""What R10 and R11 demand of reservations that bend: no new placement exists, and none is short beside an idle rack.

Every group is a single rack here (`solver.engine.exact.groups`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from solver.cluster import UNLIMITED
from solver.engine.exact.courses import Course
from solver.engine.exact.model import Model, Sum, Use, Var, is_certain, total
from solver.engine.exact.wants import Field
from solver.terms import GPUS_PER_RACK

Standing = dict[tuple[int, int], list[Use]]  # reservations' uses by rack and piece


class Promises:
    """The rows of R10 and R11 for courses that may bend, beside what reservations use."""

    def __init__(self, model: Model, ground: Field, courses: Sequence[Course]) -> None:
        self.model = model
        self.ground = ground
        self.bending = [course for course in courses if course.may_bend]
        self.standing: Standing = defaultdict(list)
        self._powered_out: dict[tuple[int, int], Var] = {}
        for use in model.uses if self.bending else ():
            for piece in use.pieces if not use.owner.accepted else ():
                self.standing[ground.groups[use.group].racks[0], piece].append(use)

    def serve(self) -> None:
        """R10: a slot does without its rack, or the one that stands in, only where there is no room or power."""
        for course in self.bending:
            for (slot, piece, rack), var in course.serves.items():
                if course.lot.own_rack(slot, piece) == rack:
                    self._give_up_in_need(course, rack, piece, var)
            for key, var in course.assigned.items():
                self._serve(course, key, var)

    def _give_up_in_need(self, course: Course, rack: int, piece: int, back: Var | None) -> None:
        out = self._no_power(self.ground.land.site[rack], piece)
        present = course.present[piece]
        if back is not None and back is not present:
            literals = [back] if present is None else [back, present.negated()]
            self.model.some(literals if out is None else [*literals, out])

    def _serve(self, course: Course, key: tuple[int, int, int], assigned: Var) -> None:
        _, piece, rack = key
        hindrances = self._hindrances(course, rack, piece) if key in course.serves else [None]
        if is_certain(hindrances):
            return
        literals = [assigned.negated(), course.serves[key], *hindrances]
        if (out := self._no_power(self.ground.land.site[rack], piece)) is not None:
            literals.append(out)
        if (present := course.present[piece]) is not None:
            literals.append(present.negated())
        self.model.some(var for var in literals if var is not None)

    def no_idle_racks(self) -> None:
        """R11: no rack in its site is healthy, within power and without reservation on all of a range."""
        for course in self.bending:
            pieces = [piece for piece in course.present if self.model.most(course.short(piece)) > 0]
            if pieces:
                self._no_idle_racks(course, range(pieces[0], pieces[-1] + 1))

    def _no_idle_racks(self, course: Course, pieces: range) -> None:
        model, short = self.model, {piece: course.short(piece) for piece in pieces}
        goes_on = {p: model.same(short[p - 1], short[p]) for p in pieces[1:]}
        ends_short = {}
        for piece in pieces:
            ends_short[piece] = model.boolean()
            model.at_most(short[piece].plus(Sum([(ends_short[piece], len(course.lot.slots))]), -1), 0)
        for rack in self._racks(course):
            seen: Var | None = None
            for piece in pieces:
                seen = self._seen_busy(rack, piece, seen, goes_on.get(piece))
                literals = [seen, ends_short[piece].negated()]
                model.some([*literals, goes_on[piece + 1]] if piece + 1 in goes_on else literals)

    def _seen_busy(self, rack: int, piece: int, before: Var | None, goes_on: Var | None) -> Var:
        """1 only if the rack was not idle on a piece of the range that reaches ``piece``."""
        model, seen = self.model, self.model.boolean()
        if not self.ground.land.healthy[rack][piece]:
            return seen
        busy = [use.present for use in self.standing[rack, piece]]
        if is_certain(busy):
            return seen
        literals = [var for var in busy if var is not None]
        powered_out = self._no_power(self.ground.land.site[rack], piece)
        if powered_out is not None:
            literals.append(powered_out)
        if before is not None and goes_on is not None:
            again = model.boolean()
            model.cp.add_implication(again, before)
            model.cp.add_implication(again, goes_on)
            literals.append(again)
        model.some([seen.negated(), *literals])
        return seen

    def _no_power(self, site: int, piece: int) -> Var | None:
        """1 only if reservations use all the racks that the site can power; None where it powers them all."""
        land, model = self.ground.land, self.model
        racks = [rack for rack in land.racks if land.site[rack] == site]
        if piece >= self.ground.pieces.decided or land.power[site][piece] >= len(racks):
            return None
        if (site, piece) not in self._powered_out:
            out = model.boolean()
            used = total((self._used(rack, piece), 1) for rack in racks if self._users(rack, piece))
            model.at_most(Sum([(out, land.power[site][piece])]).plus(used, -1), 0)
            self._powered_out[site, piece] = out
        return self._powered_out[site, piece]

    def _users(self, rack: int, piece: int, but: str = "") -> list[Use]:
        return [use for use in self.standing[rack, piece] if use.owner.id != but]

    def _used(self, rack: int, piece: int, but: str = "") -> Var | None:
        """1 only if a reservation uses the rack, not counting one; None: one does for certain."""
        users = [use.present for use in self._users(rack, piece, but)]
        if is_certain(users):
            return None
        if len(users) == 1:
            return users[0]
        used = self.model.boolean()
        self.model.some([used.negated(), *(var for var in users if var is not None)])
        return used

    def _racks(self, course: Course) -> list[int]:
        land = self.ground.land
        return [rack for rack in land.racks if course.lot.site in (None, land.site[rack])]

    def nowhere_to_go(self) -> None:
        """R10: one that is not frozen bends only where no placement for its whole interval exists beside the others."""
        for course in self.bending:
            if course.bends is not None:
                self._nowhere_to_go(course, course.bends)

    def _nowhere_to_go(self, course: Course, bends: Var) -> None:
        land, needed = self.ground.land, len(course.lot.slots)
        units: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for rack in self._racks(course):
            units[land.unit(course.lot.reservation.scope, rack)][land.site[rack]].append(rack)
        for by_site in units.values():
            room = total((self._room(course, site, racks), 1) for site, racks in by_site.items())
            self.model.at_most(room, needed - 1, only_if=bends)

    def _room(self, course: Course, site: int, racks: list[int]) -> Var:
        """No less than the racks in which the course could stand: those that are free, as far as there is power."""
        model, needed = self.model, len(course.lot.slots)
        room, is_enough, is_all = model.count(needed), model.boolean(), model.boolean()
        free = total((var, 1) for rack in racks if (var := self._free(course, rack)) is not None)
        model.at_most(Sum([(room, -1)]), -needed, only_if=is_enough)
        model.at_most(free.plus(Sum([(room, 1)]), -1), 0, only_if=is_all)
        reasons = [is_enough, is_all]
        for piece in self._limited(course, site):
            dim = model.boolean()
            self._lacks_power(course, site, piece, dim, Sum([(room, 1)]))
            if (keeps := course.keeps[piece]) is not None:
                model.cp.add_implication(dim, keeps)
            reasons.append(dim)
        model.some(reasons)
        return room

    def _free(self, course: Course, rack: int) -> Var | None:
        """1 if the rack has room for the course beside the other reservations while it is there; None: it has none."""
        hindrances = []
        for piece in course.lot.span:
            keeps = course.keeps[piece]
            hindered = self._hindrances(course, rack, piece)
            hindrances += [self.model.both(var, keeps) for var in hindered]
        if is_certain(hindrances):
            return None
        free = self.model.boolean()
        self.model.some([free, *(var for var in hindrances if var is not None)])
        return free

    def _hindrances(self, course: Course, rack: int, piece: int) -> list[Var | None]:
        """Each is 1 only if the course can't be on the rack on this piece; None: it can't for certain."""
        if not self.ground.land.healthy[rack][piece]:
            return [None]
        others = [use for use in self.standing[rack, piece] if use.owner.id != course.lot.reservation.id]
        if course.lot.whole:
            return [use.present for use in others]
        full, load = self.model.boolean(), total((use.amount, -use.factor) for use in others)
        room = GPUS_PER_RACK - course.lot.gpus
        self.model.at_most(load, -room - 1, only_if=full)
        dark = self.model.boolean()
        self.model.at_most(total((use.amount, use.factor) for use in others), 0, only_if=dark)
        self._lacks_power(course, self.ground.land.site[rack], piece, dark, Sum())
        return [full, dark]

    def _limited(self, course: Course, site: int) -> list[int]:
        """Pieces of a course of whole racks on which the site cannot power all of its racks."""
        land, decided = self.ground.land, self.ground.pieces.decided
        size = land.site.count(site)
        return [p for p in course.lot.span if course.lot.whole and p < decided and land.power[site][p] < size]

    def _lacks_power(self, course: Course, site: int, piece: int, dim: Var, room: Sum) -> None:
        """``dim`` is 1 only if the others leave the site power for no more than ``room`` racks."""
        land, name = self.ground.land, course.lot.reservation.id
        power = land.power[site][piece] if piece < self.ground.pieces.decided else UNLIMITED
        used = [rack for rack in land.racks if land.site[rack] == site and self._users(rack, piece, name)]
        carrying = total((self._used(rack, piece, name), -1) for rack in used)
        self.model.at_most(carrying.plus(room, -1), -power, only_if=dim)
