"""How large the generated instances are, by name, and how they grow."""

from __future__ import annotations

from dataclasses import dataclass, replace

_LONGEST_DAYS = 180


@dataclass(frozen=True, slots=True)
class Size:
    """A landlord of ``sites`` (halls in each) for ``days`` days.

    ``asked`` is what all requests ask for, as a multiple of the cluster's GPU-days; as reservations and commitments
    take their part of those, it is two to three times that of what is free. ``time_limits``: seconds of each run.
    """

    sites: tuple[int, ...]
    pods_per_hall: int
    days: int
    requests: int
    asked: float
    reservations: int
    contracts: int
    tenants: int
    time_limits: tuple[float, ...]
    racks_per_pod: int = 8
    spare_racks: int = 2

    @property
    def longest_days(self) -> int:
        """Of a request."""
        return min(_LONGEST_DAYS, self.days // 2)

    @property
    def racks_per_hall(self) -> int:
        return self.pods_per_hall * self.racks_per_pod

    @property
    def racks(self) -> int:
        return sum(self.sites) * self.racks_per_hall


@dataclass(frozen=True, slots=True)
class Sheet:
    """A rectangle of racks by days that ``pieces`` requests fill exactly."""

    racks: int
    days: int
    pieces: int
    time_limits: tuple[float, ...]


TINY = Size(
    sites=(1,),
    pods_per_hall=2,
    racks_per_pod=3,
    days=12,
    requests=9,
    asked=1.2,
    reservations=1,
    contracts=1,
    tenants=3,
    time_limits=(2.0,),
    spare_racks=1,
)
HALL = Size(
    sites=(1,),
    pods_per_hall=8,
    days=180,
    requests=150,
    asked=2.7,
    reservations=9,
    contracts=3,
    tenants=9,
    time_limits=(60.0,),
)
COLOSSUS = Size(
    sites=(8, 4),
    pods_per_hall=32,
    days=365,
    requests=2440,
    asked=1.7,
    reservations=260,
    contracts=6,
    tenants=40,
    time_limits=(15.0, 60.0),
    spare_racks=4,
)
YEARS = replace(COLOSSUS, days=1135, requests=6100, asked=1.3, time_limits=(180.0,))

LANDLORDS = {"tiny": TINY, "hall": HALL, "colossus": COLOSSUS, "years": YEARS}
SHEETS = {
    "perfect-small": Sheet(20, 20, 16, (10.0,)),
    "perfect-middle": Sheet(60, 30, 28, (15.0,)),
    "perfect-large": Sheet(60, 90, 73, (60.0,)),
}


def more_requests(requests: int) -> Size:
    """Colossus, the same demand cut into more or fewer requests."""
    return replace(COLOSSUS, requests=requests)


def more_racks(halls: int) -> Size:
    """Colossus's requests and days on another number of halls of 256 racks, two thirds of them at the first site."""
    first = max(1, round(halls * 2 / 3))
    sites = (first, halls - first) if halls > first else (first,)
    return replace(COLOSSUS, sites=sites, reservations=max(1, round(halls * COLOSSUS.reservations / 12)))


def more_days(days: int) -> Size:
    """Colossus's racks and requests over another number of days."""
    return replace(COLOSSUS, days=days)


def more_of_all(times: float) -> Size:
    """Colossus with ``times`` its racks and its requests, down to one hall."""
    return replace(more_racks(max(1, round(12 * times))), requests=round(COLOSSUS.requests * times))


LARGEST = replace(more_racks(48), requests=10_000)
