"""The timeline: who is where, when, as bars of the gantt chart; the largest ones where they are too many for a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from portal.cluster.blocks import Block, Placed, Standing
from portal.cluster.outages import Event
from portal.domain.states import OutageKind
from portal.models.cluster import Outage, PowerLimit, Site
from portal.web.charts.axis import Window
from portal.web.charts.gantt import GanttBar
from portal.web.format import counted_text, gpus_racks_text, gpus_text, number_text, words

MOST_BARS = 150
"""So many bars, with their table, keep a page below 150 KB."""
Address = Callable[[Block], str]


@dataclass(frozen=True, slots=True)
class Sized:
    """A bar, the row that it belongs to, and the GPUs by which it is chosen; what is lost is always shown."""

    row: str
    bar: GanttBar
    gpus: int | None


def block_bars(
    stands: Iterable[Standing], row: Callable[[Standing], str], colours: Mapping[int, int], address: Address
) -> list[Sized]:
    """One bar for each block, hall and set of days, in the row that ``row`` says; it need not say what the row does."""
    return [
        Sized(
            row(each),
            GanttBar(
                start=each.start,
                end=each.end,
                label=_label(each, row(each)),
                href=address(each.block),
                detail=block_words(each.block, each.gpus),
                colour=colours[each.block.tenant_id],
                is_tentative=each.block.is_offer,
            ),
            each.gpus,
        )
        for each in stands
    ]


def rack_bars(stands: Iterable[Placed], colours: Mapping[int, int], address: Address) -> list[Sized]:
    """The same for one rack."""
    return [
        Sized(
            "Blocks",
            GanttBar(
                start=each.start,
                end=each.end,
                label=f"{each.block.tenant}, {gpus_text(each.gpus)}",
                href=address(each.block),
                detail=block_words(each.block, each.gpus),
                colour=colours[each.block.tenant_id],
                is_tentative=each.block.is_offer,
            ),
            each.gpus,
        )
        for each in stands
    ]


def event_bars(events: Iterable[Event], halls: Mapping[int, str], address: Callable[[int], str]) -> list[Sized]:
    """One bar for each outage and hall; ``halls`` are the rows by rack id, of those halls that are shown."""
    bars = []
    for event in events:
        racks: dict[str, int] = defaultdict(int)
        for rack_id in event.rack_ids:
            if rack_id in halls:
                racks[halls[rack_id]] += 1
        for row, count in racks.items():
            label = f"{counted_text(count, 'rack')} {_OUT[event.kind]}"
            detail = event.note or words(event.kind)
            bar = GanttBar(event.start, event.end, label, address(event.id), detail, is_outage=True)
            bars.append(Sized(row, bar, None))
    return bars


def outage_bars(outages: Iterable[Outage], address: Callable[[int], str]) -> list[Sized]:
    """One bar for each outage of a rack."""
    return [
        Sized(
            "Outages",
            GanttBar(each.start, each.end, words(each.kind), address(each.id), each.note or "no note", is_outage=True),
            None,
        )
        for each in outages
    ]


def limit_bars(limits: Iterable[PowerLimit], powered: Callable[[float], int], address: str) -> list[Sized]:
    """One bar for each power limit, in its site's row."""
    return [
        Sized(
            power_row(each.site),
            GanttBar(
                each.start,
                each.end,
                f"{number_text(each.kw)} kW: {counted_text(powered(each.kw), 'rack')}",
                address,
                each.note or "power limit",
                is_outage=True,
            ),
            None,
        )
        for each in limits
    ]


def power_row(site: Site) -> str:
    """The row of a site's power limits."""
    return f"{site.name} power"


def largest(bars: Sequence[Sized], window: Window, most: int = MOST_BARS) -> tuple[list[Sized], int]:
    """The bars in the window, the largest blocks where there are too many, and how many there are in all."""
    shown = [each for each in bars if window.shows(each.bar.start, each.bar.end)]
    if len(shown) <= most:
        return shown, len(shown)
    by_size = sorted(shown, key=lambda each: (each.gpus is not None, -(each.gpus or 0)))
    return by_size[:most], len(shown)


def by_row(bars: Iterable[Sized]) -> dict[str, list[GanttBar]]:
    """The bars of each row."""
    found: dict[str, list[GanttBar]] = defaultdict(list)
    for each in bars:
        found[each.row].append(each.bar)
    return found


def block_words(block: Block, gpus: int) -> str:
    """R-7GK2QX4M, 8,640 GPUs (120 racks) here, interruptible."""
    kind = "an offer" if block.is_offer else "interruptible" if block.interruptible else "firm"
    here = gpus_racks_text(gpus) + (" here" if gpus != block.gpus else "")
    return f"{block.public_id}, {here}, {kind}"


_OUT = {OutageKind.FAILURE: "failed", OutageKind.MAINTENANCE: "in maintenance", OutageKind.ABSENT: "absent"}


def _label(each: Standing, row: str) -> str:
    size = _size(each.gpus, each.racks)
    return size if row == each.block.tenant else f"{each.block.tenant}, {size}"


def _size(gpus: int, racks: int) -> str:
    return gpus_text(gpus) if gpus < 72 else counted_text(racks, "rack")
