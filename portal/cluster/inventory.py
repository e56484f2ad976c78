"""The racks with the units around them: what a typed code means, and how many racks are said in few words."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.models.cluster import Hall, Pod, Rack, Site

_SEPARATORS = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class RackPlace:
    """One rack, with the codes of its pod, hall and site."""

    id: int
    code: str
    pod: str
    hall: str
    site: str


class Inventory:
    """Every rack, in the order of the halls."""

    def __init__(self, racks: Iterable[RackPlace]) -> None:
        self.racks = tuple(racks)

    def named(self, code: str) -> Sequence[RackPlace]:
        """The racks of the rack, pod, hall or site of this code; none where nothing has it."""
        return self._by_code.get(code, ())

    def resolve(self, codes: Iterable[str]) -> tuple[list[RackPlace], list[str]]:
        """The racks that these codes name, each once and in order, and the codes that name nothing."""
        wanted: set[int] = set()
        unknown = []
        for code in codes:
            found = self.named(code)
            wanted.update(rack.id for rack in found)
            if not found:
                unknown.append(code)
        return self.of(wanted), unknown

    def of(self, ids: Collection[int]) -> list[RackPlace]:
        """The racks with these ids, in order."""
        wanted = frozenset(ids)
        return [rack for rack in self.racks if rack.id in wanted]

    def summary(self, ids: Collection[int]) -> list[str]:
        """The fewest codes that name these racks and no others: a hall or pod where all of it is meant."""
        left = {rack.id: rack for rack in self.of(ids)}
        named = []
        for level in ("site", "hall", "pod"):
            for code in dict.fromkeys(getattr(rack, level) for rack in left.values()):
                racks = self.named(code)
                if len(racks) > 1 and all(rack.id in left for rack in racks):
                    named.append((racks[0].id, code))
                    for rack in racks:
                        del left[rack.id]
        named += [(rack.id, rack.code) for rack in left.values()]
        order = {rack.id: index for index, rack in enumerate(self.racks)}
        return [code for _, code in sorted(named, key=lambda each: order[each[0]])]

    @cached_property
    def _by_code(self) -> dict[str, list[RackPlace]]:
        found: dict[str, list[RackPlace]] = defaultdict(list)
        for rack in self.racks:
            for code in {rack.code, rack.pod, rack.hall, rack.site}:
                found[code].append(rack)
        return found


def inventory(session: Session) -> Inventory:
    """All racks in one read."""
    rows = (
        sa.select(Rack.id, Rack.code, Pod.code, Hall.code, Site.code)
        .join(Rack.pod)
        .join(Pod.hall)
        .join(Hall.site)
        .order_by(Site.position, Site.id, Hall.position, Hall.id, Pod.position, Pod.id, Rack.position, Rack.id)
    )
    return Inventory(RackPlace(*row) for row in session.execute(rows))


def codes_in(text: str) -> list[str]:
    """The codes in a text, each once: they are separated by commas, spaces or lines."""
    return list(dict.fromkeys(code for code in _SEPARATORS.split(text) if code))
