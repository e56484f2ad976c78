"""A snapshot while its parts are replaced, change by change."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, TypeVar

from solver.snapshot import Contract, Hall, Model, Outage, Request, Reservation, Site, Snapshot

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Ended:
    """A reservation that a notice ends early: on ``end``, or not begun at all where that is null."""

    reservation: Reservation
    end: dt.date | None


@dataclass(slots=True)
class Draft:
    """The parts of a snapshot that changes touch. ``requested`` says which change each new request comes from."""

    snapshot: Snapshot
    sites: list[Site]
    outages: list[Outage]
    contracts: dict[str, Contract]
    reservations: list[Reservation]
    requests: list[Request]
    requested: dict[int, str] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Draft:
        return cls(
            snapshot=snapshot,
            sites=[*snapshot.sites],
            outages=[*snapshot.outages],
            contracts={contract.id: contract for contract in snapshot.contracts},
            reservations=[*snapshot.reservations],
            requests=[*snapshot.requests],
        )

    @property
    def halls(self) -> list[Hall]:
        return [hall for site in self.sites for hall in site.halls]

    def racks_of(self, unit: str) -> set[tuple[str, ...]]:
        """The racks of each rack, pod, hall and site that is called ``unit``."""
        found: list[list[str]] = []
        for site in self.sites:
            pods = [pod for hall in site.halls for pod in hall.pods]
            if site.id == unit:
                found.append([rack for pod in pods for rack in pod.racks])
            found += [[rack for pod in hall.pods for rack in pod.racks] for hall in site.halls if hall.id == unit]
            found += [pod.racks for pod in pods if pod.id == unit]
            found += [[unit] for pod in pods if unit in pod.racks]
        return {tuple(racks) for racks in found}

    def done(self) -> Snapshot:
        """The snapshot with its new parts. They are not checked here: requests may have been read in part only."""
        parts = {
            "sites": self.sites,
            "outages": self.outages,
            "contracts": [*self.contracts.values()],
            "reservations": self.reservations,
            "requests": self.requests,
        }
        return Snapshot.model_construct(**(fields(self.snapshot) | parts))


def fields(model: Model) -> dict[str, Any]:
    """The fields of a model as they are, without what was worked out from them."""
    return {name: getattr(model, name) for name in type(model).model_fields}


def changed(model: M, **changes: Any) -> M:
    """A new model with some fields replaced. Raises pydantic's `ValidationError`."""
    return type(model).model_validate(fields(model) | changes)
