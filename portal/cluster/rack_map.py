"""A hall on one day: its pods as rows, its racks as cells, each with its state and who is on it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.cluster.blocks import Block, Placed
from portal.domain.states import OutageKind
from portal.models.cluster import Hall, Outage, Pod, Rack
from portal.web.format import counted_text, day_range_text, gpus_text, initials, words

_BRACKETS = re.compile(r"\s*\(.*?\)")
_WORST_FIRST = (OutageKind.FAILURE, OutageKind.MAINTENANCE, OutageKind.ABSENT)


class RackState(StrEnum):
    """What a rack is on a day; an outage counts before any use of it."""

    FREE = "free"
    FIRM = "firm"
    INTERRUPTIBLE = "interruptible"
    OFFERED = "offered"
    SHARED = "shared"
    FAILURE = "failure"
    MAINTENANCE = "maintenance"
    ABSENT = "absent"


OUT = frozenset({RackState.FAILURE, RackState.MAINTENANCE, RackState.ABSENT})


@dataclass(frozen=True, slots=True)
class Cell:
    """A rack; ``mark`` is what is written on it, ``colour`` 0 to 7 its tenant's, null without one."""

    code: str
    label: str
    state: RackState
    mark: str
    colour: int | None
    tip: str
    said: str


@dataclass(frozen=True, slots=True)
class PodRow:
    code: str
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class BlockHere:
    """A block with the racks and GPUs that it has in the hall on the day; ``out`` of the racks are out of use."""

    block: Block
    colour: int
    racks: int
    out: int
    gpus: int
    pods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RackMap:
    """What `rack_map` draws, and what the page says of it."""

    pods: tuple[PodRow, ...]
    counts: Mapping[RackState, int]
    blocks: tuple[BlockHere, ...]

    @property
    def racks(self) -> int:
        return sum(self.counts.values())

    @property
    def free(self) -> int:
        return self.counts[RackState.FREE]

    @property
    def out(self) -> int:
        return sum(self.counts[state] for state in OUT)

    @property
    def booked(self) -> int:
        """Racks in use; those that are out count as out."""
        return self.racks - self.free - self.out

    @property
    def short(self) -> Sequence[BlockHere]:
        """The blocks that stand on racks out of use."""
        return [here for here in self.blocks if here.out]


def rack_map(
    hall: Hall, stands: Iterable[Placed], outages: Mapping[int, Sequence[Outage]], colours: Mapping[int, int]
) -> RackMap:
    """The hall's racks with what ``stands`` on them and which are out on the day; ``colours`` are by tenant id."""
    on: dict[int, list[Placed]] = defaultdict(list)
    for each in stands:
        on[each.rack_id].append(each)
    counts = dict.fromkeys(RackState, 0)
    pods = []
    for pod in hall.pods:
        cells = [_cell(pod, rack, on[rack.id], outages.get(rack.id, ()), colours) for rack in pod.racks]
        for cell in cells:
            counts[cell.state] += 1
        pods.append(PodRow(pod.code, short_code(pod.code, hall.code), tuple(cells)))
    return RackMap(tuple(pods), counts, tuple(_blocks(hall, on, outages.keys(), colours)))


def short_code(code: str, within: str) -> str:
    """A unit's code without that of the unit around it: ``m-h01-p03`` in ``m-h01`` is ``p03``."""
    return code.removeprefix(within).lstrip("-") or code


def state_of(on: Sequence[Placed], outages: Sequence[Outage]) -> RackState:
    """What a rack is with these blocks and in these outages."""
    if outages:
        kinds = {outage.kind for outage in outages}
        return RackState(next(kind.value for kind in _WORST_FIRST if kind in kinds))
    if not on:
        return RackState.FREE
    if len(on) > 1:
        return RackState.SHARED
    block = on[0].block
    if block.is_offer:
        return RackState.OFFERED
    return RackState.INTERRUPTIBLE if block.interruptible else RackState.FIRM


def _cell(pod: Pod, rack: Rack, on: Sequence[Placed], outages: Sequence[Outage], colours: Mapping[int, int]) -> Cell:
    state = state_of(on, outages)
    lines = [*(_outage_words(outage) for outage in outages), *(_use_words(each) for each in on)]
    tenants = dict.fromkeys(each.block.tenant_id for each in on)
    return Cell(
        code=rack.code,
        label=short_code(rack.code, pod.code),
        state=state,
        mark="" if state in OUT or not on else _mark(on),
        colour=colours[next(iter(tenants))] if len(tenants) == 1 else None,
        tip="|".join((rack.code, *(lines or ["free"]))),
        said=f"{rack.code}: {', '.join((words(state), *dict.fromkeys(each.block.tenant for each in on)))}",
    )


def _mark(on: Sequence[Placed]) -> str:
    """The tenant's initials, without what stands in brackets; of a shared rack the number of blocks."""
    return initials(_BRACKETS.sub("", on[0].block.tenant)) if len(on) == 1 else str(len(on))


def _outage_words(outage: Outage) -> str:
    return f"{words(outage.kind)}, {day_range_text(outage.start, outage.end)}"


def _use_words(each: Placed) -> str:
    kind = "offer " if each.block.is_offer else "interruptible, " if each.block.interruptible else ""
    days = day_range_text(each.start, each.end)
    return f"{each.block.tenant}, {gpus_text(each.gpus)}, {kind}{each.block.public_id}, {days}"


def _blocks(
    hall: Hall, on: Mapping[int, Sequence[Placed]], out: Collection[int], colours: Mapping[int, int]
) -> list[BlockHere]:
    found: dict[Block, list[tuple[str, int, Placed]]] = defaultdict(list)
    for pod in hall.pods:
        for rack in pod.racks:
            for each in on.get(rack.id, ()):
                found[each.block].append((short_code(pod.code, hall.code), rack.id, each))
    here = [
        BlockHere(
            block=block,
            colour=colours[block.tenant_id],
            racks=len(racks),
            out=sum(rack_id in out for _, rack_id, _ in racks),
            gpus=sum(each.gpus for _, _, each in racks),
            pods=tuple(dict.fromkeys(pod for pod, _, _ in racks)),
        )
        for block, racks in found.items()
    ]
    return sorted(here, key=lambda each: (-each.gpus, each.block.public_id))


def pods_text(pods: Sequence[str]) -> str:
    """The pods by name where they are few, else their number."""
    return ", ".join(pods) if len(pods) <= 4 else f"{counted_text(len(pods), 'pod')}, {pods[0]} to {pods[-1]}"
