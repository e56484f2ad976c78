"""R10 and R11: replacements for racks that were taken, in scope where that is possible, and no rack idle beside a short
reservation.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from solver.engine.repair_chain import GuardedChain, Link, guarded_link, longest_chain
from solver.engine.repair_ground import Part
from solver.engine.repair_timeline import Mask, lowest, pieces_of, ranges, runs
from solver.engine.repair_yard import Fate, Yard
from solver.terms import GPUS_PER_RACK

Step = tuple[int, Mask]
MOST_GUARDED = 8000
"""Links times pieces up to which the best chain that leaves no range open is looked for, not one link alone."""
FEW_RANGES = 12
"""Up to so many lost ranges of a lot are replaced in both orders."""


def replace_lost(yard: Yard, fate: Fate) -> None:
    """Replace every rack that the lot lost, range by range; what nothing replaces is short.

    Longest ranges first, or shortest first where that leaves less short.
    """
    lost_ranges = [*fate.lost, *(run for mask in fate.dark.values() for run in ranges(mask))]
    if not lost_ranges or fate.moved:
        return
    lost_ranges.sort(key=yard.problem.timeline.days, reverse=True)
    before = fate.standing()
    if (short := _replace_all(yard, fate, lost_ranges)) and 1 < len(lost_ranges) <= FEW_RANGES:
        _undo(yard, fate, before)
        if _replace_all(yard, fate, lost_ranges[::-1]) >= short:
            _undo(yard, fate, before)
            _replace_all(yard, fate, lost_ranges)


def _replace_all(yard: Yard, fate: Fate, lost_ranges: Sequence[Mask]) -> int:
    """Replace one range after the other; answers the GPU-days that stay short."""
    replacing = _Replacing(yard, fate)
    for lost in lost_ranges:
        parts = yard.lift_parts(fate, lost)
        chain = replacing.chain(lost)
        if fate.lot.gpus < GPUS_PER_RACK:
            chain, parts = replacing.more_gpus(lost, chain, parts)
        for rack, mask in chain:
            yard.put(fate, rack, mask)
            lost &= ~mask
        for part in parts:
            yard.put_part(fate, part)
        fate.short += _still_short(fate, lost)
    return sum(gpus * yard.problem.timeline.days(mask) for mask, gpus in fate.short)


def _undo(yard: Yard, fate: Fate, before: Sequence[Part]) -> None:
    yard.lift_all(fate)
    yard.put_back(fate, before)
    fate.short = []


def _still_short(fate: Fate, rest: Mask) -> Iterator[tuple[Mask, int]]:
    for _, mask, gpus in fate.parts:
        yield from ((run, fate.lot.gpus - gpus) for run in ranges(mask & rest))
        rest &= ~mask
    yield from ((run, fate.lot.gpus) for run in ranges(rest))


def _unlike(links: list[Link]) -> list[Link]:
    """The links without those to which another one is as good on every day: only one stands in at a time."""
    first: dict[tuple[Mask, Mask, int | None], Link] = {}
    for link in links:
        first.setdefault((link.mask, link.home, link.taken), link)
    kept: list[Link] = []
    for link in sorted(first.values(), key=lambda link: -link.mask.bit_count()):
        if not any(link.taken == k.taken and not link.mask & ~k.mask and not link.home & ~k.home for k in kept):
            kept.append(link)
    order = {id(link): place for place, link in enumerate(links)}
    return sorted(kept, key=lambda link: order[id(link)])


class _Replacing:
    def __init__(self, yard: Yard, fate: Fate) -> None:
        self.yard = yard
        self.fate = fate
        self.timeline = yard.problem.timeline
        self.of_rack = yard.problem.units(fate.lot).of_rack.tolist()
        self.known = {*fate.racks, *fate.lot.own, *(rack for rack, _, _ in fate.lot.parts)}
        self.pod_of = yard.problem.cluster.pods.of_rack.tolist()
        self.distances: dict[int, int] = {}
        self.home = self._home()
        self.idle: set[Mask] | None = None

    def chain(self, lost: Mask) -> list[Step]:
        """R10: one replacement for the taken rack, and one more each time that is taken in turn. R11: none that leaves
        a range short on which another rack could stand in by itself.
        """
        steps = self._steps(lost)
        perfect = [rack for rack, mask in steps if mask == lost and not lost & ~self.home[self.of_rack[rack]]]
        if perfect:
            return [(min(perfect, key=self._strangeness), lost)]
        self.idle = {mask for _, mask in steps} if self.fate.lot.gpus == GPUS_PER_RACK else None
        steps = self._promising(self._apart(steps, lost), lost)
        links = _unlike([link for step in steps for link in self._links(lost, step)])
        chain = longest_chain(links, lost, self.timeline)
        if not lost & ~self._covered(chain):
            return self._chain_at_home(links, lost, chain)
        if not any(self._is_open(mask) for mask in ranges(lost & ~self._covered(chain))):
            return chain
        if len(links) * lost.bit_count() > MOST_GUARDED:
            return guarded_link(links, lost, self.timeline, self._is_open)
        return GuardedChain(links, lost, self.timeline, self._is_open).best()

    def _apart(self, steps: list[Step], lost: Mask) -> list[Step]:
        """Of whole racks that nothing tells apart the first: one stands in at a time."""
        if self.fate.lot.gpus < GPUS_PER_RACK:
            return steps
        ground, during = self.yard.ground, self.timeline.between(lowest(lost), lost.bit_length() + 1)
        of_pod = {self.pod_of[rack]: rack for rack, _ in steps}
        where = {
            pod: (ground.site_of[rack], self.home[self.of_rack[rack]], self._distance(rack))
            for pod, rack in of_pod.items()
        }
        first: dict[tuple[object, ...], Step] = {}
        for rack, mask in steps:
            first.setdefault(
                (mask, ground.dead[rack] & during, where[self.pod_of[rack]], rack in self.known), (rack, mask)
            )
        return list(first.values())

    def _chain_at_home(self, links: list[Link], lost: Mask, chain: list[Step]) -> list[Step]:
        """A chain that covers all of ``lost`` as ``chain`` does, but in scope where power does not take it in turn; it
        comes back afterwards. ``chain`` where there is none.
        """
        days_of: Counter[int] = Counter()  # the rack that is there most is the one that can come back
        for link in links:
            days_of[link.rack] += self.timeline.days(link.home)
        homely = sorted((link for link in links if link.home), key=lambda link: -days_of[link.rack])
        at_home = longest_chain([link._replace(mask=link.home) for link in homely], lost, self.timeline)
        for gap in ranges(lost & ~self._covered(at_home)):
            at_home += longest_chain([link._replace(mask=link.mask & gap) for link in links], gap, self.timeline)
        is_better = not lost & ~self._covered(at_home) and self._days_at_home(at_home) > self._days_at_home(chain)
        return at_home if is_better and self._is_backed(at_home) else chain

    def _is_backed(self, chain: list[Step]) -> bool:
        """R10: whether each rack that begins to stand in follows one that was taken."""
        seen: set[int] = set()
        may_begin = 1
        for _, last, rack in sorted((first, last, rack) for rack, mask in chain for first, last in runs(mask)):
            may_begin -= rack not in seen
            if may_begin < 0:
                return False
            seen.add(rack)
            may_begin += self._is_taken(rack, last)
        return True

    def _is_taken(self, rack: int, piece: int) -> bool:
        """R10: whether a replacement is taken by the piece after its last one: by an outage or a full site, but not
        where the rack is the lot's own from there on.
        """
        own = self.fate.racks.get(rack, 0) & self.fate.lot.own.get(rack, 0)
        return not (self.yard.ground.alive(rack, self.fate.lot.gpus) | own) >> piece & 1

    def _days_at_home(self, chain: list[Step]) -> int:
        return sum(self.timeline.days(mask & self.home[self.of_rack[rack]]) for rack, mask in chain)

    def _covered(self, chain: list[Step]) -> Mask:
        covered = 0
        for _, mask in chain:
            covered |= mask
        return covered

    def _promising(self, steps: list[Step], lost: Mask) -> list[Step]:
        """The steps without those that neither are in scope nor cover more than the best one that is not."""
        whole = [step for step in steps if step[1] == lost]
        if not whole:
            return sorted(steps, key=lambda step: self._strangeness(step[0]))
        best = min(whole, key=lambda step: self._strangeness(step[0]))
        chosen = [step for step in steps if step[1] & self.home[self.of_rack[step[0]]] or step == best]
        return sorted(chosen, key=lambda step: self._strangeness(step[0]))

    def more_gpus(self, lost: Mask, chain: list[Step], parts: list[Part]) -> tuple[list[Step], list[Part]]:
        """For a lot that shares a rack the most GPU-days: where it stood with some of its GPUs, the rack with most GPUs
        free on all of ``lost``, or ``chain``.
        """
        if self._covered(chain) == lost:
            return chain, []
        ground, days = self.yard.ground, self.timeline.days
        racks = (rack for site in self.yard.problem.sites(self.fate.lot) for rack in ground.racks_of[site])
        most, _, rack = max(((ground.spare_gpus(rack, lost), -rack, rack) for rack in racks), default=(0, 0, 0))
        if most * days(lost) > sum(gpus * days(mask) for _, mask, gpus in parts):
            parts = [(rack, lost, most)]
        if days(self._covered(chain)) * self.fate.lot.gpus > sum(gpus * days(mask) for _, mask, gpus in parts):
            return chain, []
        return [], parts

    def _steps(self, lost: Mask) -> list[Step]:
        """The racks on which the lot may stand in, with the pieces of ``lost`` on which they are free."""
        steps = self.yard.openings(self.fate, lost)
        if self.fate.lot.gpus == GPUS_PER_RACK:
            return steps
        own = self.fate.racks
        return [(rack, other) for rack, mask in steps if (other := mask & ~own.get(rack, 0))]

    def _links(self, lost: Mask, step: Step) -> Iterator[Link]:
        """A rack's free pieces between the outages and full sites that would take it in turn, and when one does."""
        rack, mask = step
        ground, between = self.yard.ground, self.timeline.between
        end = lost.bit_length()
        for first, last in runs(between(lowest(lost), end) & ground.alive(rack, self.fate.lot.gpus)):
            if use := mask & between(first, last):
                by_outage, in_use = ground.dead[rack] >> last & 1, use >> (last - 1) & 1
                taken = last if last < end and (by_outage or (in_use and self._is_taken(rack, last))) else None
                yield Link(rack, use, use & self.home[self.of_rack[rack]], taken)

    def _strangeness(self, rack: int) -> tuple[bool, int, bool, int]:
        """The less, the better a replacement: its own rack, one in the same pod, then hall, then site; one that carries
        others already.
        """
        return rack not in self.known, self._distance(rack), not self.yard.ground.shared[rack], rack

    def _distance(self, rack: int) -> int:
        """How far the pod of the rack is from the lot's own racks."""
        pod = self.pod_of[rack]
        if pod not in self.distances:
            self.distances[pod] = self.yard.problem.distance(self.fate.lot, rack)
        return self.distances[pod]

    def _is_open(self, mask: Mask) -> bool:
        """R11: whether some rack is idle on all of ``mask``; for whole racks the steps at hand tell."""
        if self.idle is not None:
            return any(not mask & ~free for free in self.idle)
        return self.yard.has_idle_rack(self.fate, mask)

    def _home(self) -> dict[int, Mask]:
        """By unit of scope the pieces on which a replacement should be there: where most racks that the lot keeps are;
        where it keeps none, in the unit with most room.
        """
        home: dict[int, Mask] = defaultdict(int)
        kept: dict[int, list[Mask]] = defaultdict(list)
        standing = 0
        for rack, mask in self.fate.racks.items():
            kept[self.of_rack[rack]].append(mask)
            standing |= mask
        for piece in pieces_of(standing) if len(kept) > 1 else ():
            racks = Counter({unit: sum(mask >> piece & 1 for mask in masks) for unit, masks in kept.items()})
            home[racks.most_common(1)[0][0]] |= 1 << piece
        if len(kept) == 1:
            home[next(iter(kept))] = standing
        for bare in ranges(self.fate.span & ~standing):
            home[self._roomiest(bare)] |= bare
        return home

    def _roomiest(self, mask: Mask) -> int:
        """The unit with room for the whole lot on all of ``mask`` and most racks that it knows, of these the nearest,
        then the one with least room to spare; where there is none, the one with room for most of it.
        """
        days = self.timeline.days
        rooms: dict[int, list[int]] = defaultdict(list)
        known: Counter[int] = Counter()
        distance: dict[int, int] = {}
        steps = self._steps(mask)
        days_of = {free: days(free) for free in {free for _, free in steps}}
        for rack, free in steps:
            distance[self.of_rack[rack]] = self._distance(rack)
            rooms[self.of_rack[rack]].append(days_of[free])
            known[self.of_rack[rack]] += free == mask and rack in self.known
        needed, whole = self.fate.lot.racks, days(mask)

        def rank(unit: int) -> tuple[bool, int, int, int, int]:
            surplus = sum(room == whole for room in rooms[unit]) - needed
            most = sum(sorted(rooms[unit], reverse=True)[:needed])
            if surplus < 0:
                return True, -known[unit], -most, distance[unit], unit
            return False, -known[unit], distance[unit], surplus, unit

        return min(rooms, key=rank, default=-1)
