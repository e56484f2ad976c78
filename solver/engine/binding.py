"""Binding racks: which racks of a pod a block gets, decided last and decided anew whenever that helps.

Inside a pod blocks are intervals and racks are colours: taken in order of start, each block on free racks, they always
fit when on every day they need no more racks than there are. Only racks that are blocked on some days (outages,
reservations, shared racks) can spoil that. Days of a rack are bits of one integer: bit ``t`` is day ``t``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Mask = int


def mask_of(start: int, end: int) -> Mask:
    """The days ``[start, end)`` as bits."""
    return ((1 << (end - start)) - 1) << start


@dataclass(slots=True, eq=False)
class Share:
    """The part of one whole-rack block that lies in one pod: ``len(racks)`` racks on ``[start, end)``."""

    start: int
    end: int
    mask: Mask
    racks: list[int]
    pinned: bool = False


Saved = tuple[list[Mask], list[Mask], list[tuple[Share, list[int]]]]
"""A pod's blocked and taken days, and its shares with their racks."""


@dataclass(slots=True)
class PodRacks:
    """The racks ``[first, last)`` of one pod: ``blocked`` days (outages, reservations, shared racks), ``taken`` days
    (whole-rack blocks of the plan), and the blocks' shares.
    """

    first: int
    last: int
    blocked: list[Mask]
    taken: list[Mask]
    shares: list[Share] = field(default_factory=list)

    def free_racks(self, mask: Mask) -> list[int]:
        """The pod's racks that are free on all days of ``mask``, as offsets from ``first``."""
        blocked, taken = self.blocked, self.taken
        return [i for i in range(self.last - self.first) if not ((blocked[i] | taken[i]) & mask)]

    def bind(self, share: Share, racks: int) -> bool:
        """Give ``share`` as many racks, moving other shares inside the pod where that is needed. False: it can't."""
        free = self.free_racks(share.mask)
        if len(free) < racks:
            return self._recolour(share, racks)
        self._put(share, sorted(free, key=lambda i: self._gap(i, share))[:racks])
        self.shares.append(share)
        return True

    def bind_to(self, share: Share, racks: list[int]) -> bool:
        """Give ``share`` exactly these racks (cluster numbers) for good. False: one of them is not free."""
        offsets = [rack - self.first for rack in racks]
        if any((self.blocked[i] | self.taken[i]) & share.mask for i in offsets):
            return False
        self._put(share, offsets)
        self.shares.append(share)
        return True

    def release(self, share: Share) -> None:
        """Take the share out."""
        for rack in share.racks:
            self.taken[rack - self.first] ^= share.mask
        self.shares.remove(share)

    def save(self) -> Saved:
        """Everything that `restore` needs to undo what happens from now on."""
        return self.blocked[:], self.taken[:], [(share, share.racks) for share in self.shares]

    def restore(self, saved: Saved) -> None:
        self.blocked, self.taken, shares = saved
        self.shares = [share for share, _ in shares]
        for share, racks in shares:
            share.racks = racks

    def _put(self, share: Share, offsets: list[int]) -> None:
        for i in offsets:
            self.taken[i] |= share.mask
        share.racks = [self.first + i for i in offsets]

    def _gap(self, rack: int, share: Share) -> int:
        """Idle days that the share would leave around itself on the rack: the fewer, the tighter it fits."""
        busy = self.blocked[rack] | self.taken[rack]
        after = busy >> share.end
        gap = (after & -after).bit_length() if after else _FAR
        before = busy & ((1 << share.start) - 1)
        return gap + share.start - before.bit_length()

    def _recolour(self, new: Share, racks: int) -> bool:
        """Bind all shares of the pod anew in order of start, the new one among them."""
        taken = [0] * (self.last - self.first)
        for share in self.shares:
            if share.pinned:
                for rack in share.racks:
                    taken[rack - self.first] |= share.mask
        movable = [(share, len(share.racks)) for share in self.shares if not share.pinned] + [(new, racks)]
        movable.sort(key=lambda item: (item[0].start, -item[0].end))
        chosen: list[tuple[Share, list[int]]] = []
        for share, count in movable:
            free = [i for i in range(len(taken)) if not ((self.blocked[i] | taken[i]) & share.mask)]
            if len(free) < count:
                return False
            if len(free) > count:
                free.sort(key=lambda i: self._until_blocked(i, share.end, taken[i]))
                free = free[:count]
            for i in free:
                taken[i] |= share.mask
            chosen.append((share, free))
        self.taken = taken
        for share, offsets in chosen:
            share.racks = [self.first + i for i in offsets]
        self.shares.append(new)
        return True

    def _until_blocked(self, rack: int, end: int, taken: Mask) -> int:
        after = (self.blocked[rack] | taken) >> end
        return (after & -after).bit_length() if after else _FAR


_FAR = 10**9
