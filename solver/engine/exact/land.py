"""The land by piece: which racks are in order, what halls may sell, what sites can power (R1 to R3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solver.cluster import Cluster
from solver.engine.exact.pieces import Pieces
from solver.snapshot import Scope, Snapshot


@dataclass(frozen=True, slots=True)
class Land:
    """``healthy`` is racks x pieces; ``sale`` (halls x pieces) and ``power`` (sites x pieces) count racks, ``capacity``
    (sites x pieces) GPUs, all three for the pieces that the plan decides.
    """

    names: tuple[str, ...]
    number: dict[str, int]
    pod: Sequence[int]
    hall: Sequence[int]
    site: Sequence[int]
    site_number: dict[str, int]
    healthy: Sequence[Sequence[bool]]
    sale: Sequence[Sequence[int]]
    power: Sequence[Sequence[int]]
    capacity: Sequence[Sequence[int]]

    def unit(self, scope: Scope, rack: int) -> int:
        """The unit of this scope in which the rack is; for ``any`` there is one only."""
        return 0 if scope == "any" else {"pod": self.pod, "hall": self.hall, "site": self.site}[scope][rack]

    @property
    def racks(self) -> range:
        return range(len(self.names))

    @property
    def sites(self) -> range:
        return range(len(self.power))


def survey(snapshot: Snapshot, cluster: Cluster, pieces: Pieces) -> Land:
    """The land of ``snapshot``."""
    days = pieces.cuts[: pieces.decided]
    return Land(
        names=cluster.rack_ids,
        number=cluster.rack_number,
        pod=cluster.pods.of_rack.tolist(),
        hall=cluster.halls.of_rack.tolist(),
        site=cluster.sites.of_rack.tolist(),
        site_number={name: s for s, name in enumerate(cluster.sites.ids)},
        healthy=_healthy(snapshot, cluster, pieces),
        sale=cluster.sale[:, days].tolist(),
        power=cluster.power[:, days].tolist(),
        capacity=cluster.capacity[:, days].tolist(),
    )


def _healthy(snapshot: Snapshot, cluster: Cluster, pieces: Pieces) -> list[list[bool]]:
    """Beyond the horizon too: an outage without an end lasts for good."""
    healthy = [[True] * len(pieces) for _ in cluster.rack_ids]
    for outage in snapshot.outages:
        first = pieces.at(pieces.number(outage.start))
        last = len(pieces) if outage.end is None else pieces.at(pieces.number(outage.end))
        row = healthy[cluster.rack_number[outage.rack]]
        row[first:last] = [False] * max(0, last - first)
    return healthy
