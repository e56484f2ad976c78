"""What blocks lose when racks go out of use: listed before it is recorded, told to their tenants after."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from portal.cluster.blocks import Block, Placed

FOREVER = dt.date.max


@dataclass(frozen=True, slots=True, order=True)
class Days:
    """The days ``[start, end)``."""

    start: dt.date
    end: dt.date

    @classmethod
    def of(cls, start: dt.date, end: dt.date | None) -> Days:
        """Open at the end where ``end`` is null."""
        return cls(start, end or FOREVER)

    def without(self, others: Iterable[Days]) -> list[Days]:
        """What is left of these days, in order; others that hold no day take nothing."""
        left, start = [], self.start
        for other in sorted(other for other in others if other.start < other.end):
            if other.start > start:
                left.append(Days(start, min(other.start, self.end)))
            start = max(start, other.end)
        left.append(Days(start, self.end))
        return [days for days in left if days.start < days.end]


@dataclass(frozen=True, slots=True)
class Loss:
    """A block that misses GPUs on some days from ``start`` on, on none from ``end`` on, at most ``gpus`` on a day."""

    block: Block
    racks: int
    gpus: int
    start: dt.date
    end: dt.date

    def is_within_notice(self, today: dt.date) -> bool:
        """Whether it begins within the block's move notice: before that, the block can be moved in good time."""
        return self.start < today + dt.timedelta(self.block.move_notice_days)


def losses(
    stands: Iterable[Placed], gone: Mapping[int, Sequence[Days]], already: Mapping[int, Sequence[Days]]
) -> list[Loss]:
    """What the blocks lose when their racks are ``gone`` (days by rack), but for what is lost ``already``; by start."""
    lost: dict[Block, list[tuple[int, Days, int]]] = defaultdict(list)
    for each in stands:
        for days in gone.get(each.rack_id, ()):
            start, end = max(days.start, each.start), min(days.end, each.end)
            if start < end:
                left = Days(start, end).without(already.get(each.rack_id, ()))
                lost[each.block] += [(each.rack_id, part, each.gpus) for part in left]
    found = [_loss(block, parts) for block, parts in lost.items() if parts]
    return sorted(found, key=lambda loss: (loss.start, -loss.gpus, loss.block.public_id))


def _loss(block: Block, parts: Sequence[tuple[int, Days, int]]) -> Loss:
    return Loss(
        block=block,
        racks=len({rack for rack, _, _ in parts}),
        gpus=_most_on_a_day([(days, gpus) for _, days, gpus in parts]),
        start=min(days.start for _, days, _ in parts),
        end=max(days.end for _, days, _ in parts),
    )


def _most_on_a_day(parts: Sequence[tuple[Days, int]]) -> int:
    changes: dict[dt.date, int] = defaultdict(int)
    for days, gpus in parts:
        changes[days.start] += gpus
        changes[days.end] -= gpus
    return max(accumulate(changes[day] for day in sorted(changes)))
