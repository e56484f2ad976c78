"""Whether a plan is stale: whether what it was made from still is so.

A fingerprint is taken from a snapshot's content when the plan is made, and again when it is to be published. It holds
what makes a plan stale: the day, contracts with their notices, reservations, standing offers, outages, power limits,
spare racks and quotas. Requests are not in it: those submitted since wait for the next run.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from portal.domain.days import day_text


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Per kind of thing what it is, as one line of text per id. ``offers`` are the standing offers among the blocks."""

    today: str
    contracts: Mapping[str, str]
    notices: Mapping[str, str]
    reservations: Mapping[str, str]
    offers: Mapping[str, str]
    outages: Mapping[str, str]
    power_limits: Mapping[str, str]
    spare_racks: Mapping[str, str]
    quotas: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Fingerprint:
        """Read what `to_json` wrote."""
        return cls(**content)


def fingerprint(snapshot: Mapping[str, Any], offers: Collection[str]) -> Fingerprint:
    """The fingerprint of a snapshot's JSON content; ``offers`` are the ids of the offers among its reservations."""
    blocks = {block["id"]: _line(block) for block in snapshot["reservations"]}
    halls = [hall for site in snapshot["sites"] for hall in site["halls"]]
    return Fingerprint(
        today=snapshot["today"],
        contracts={c["id"]: _line({**c, "notice_given_on": None}) for c in snapshot["contracts"]},
        notices={c["id"]: c["notice_given_on"] for c in snapshot["contracts"] if c["notice_given_on"]},
        reservations={name: line for name, line in blocks.items() if name not in offers},
        offers={name: line for name, line in blocks.items() if name in offers},
        outages=_lines_by((outage["rack"], outage) for outage in snapshot["outages"]),
        power_limits=_lines_by((site["id"], limit) for site in snapshot["sites"] for limit in site["power_limits"]),
        spare_racks={hall["id"]: str(hall["spare_racks"]) for hall in halls},
        quotas={tenant["id"]: _line(tenant["max_gpus"]) for tenant in snapshot["tenants"]},
    )


def changes(
    then: Fingerprint,
    now: Fingerprint,
    *,
    taken: Mapping[str, str] | None = None,
    moved_offers: Collection[str] = (),
) -> tuple[str, ...]:
    """What changed since, as sentences for the provider; empty: the plan is not stale.

    ``taken`` maps the offers taken since to the reservations that they became. An offer that is gone counts only where
    the plan moves it (``moved_offers``); a reservation that is the block which an offer held does not count.
    """
    became = {new: then.offers.get(old) for old, new in (taken or {}).items()}
    arrived = {name: line for name, line in now.reservations.items() if not _same_block(became.get(name), line)}
    gone = {name: line for name, line in then.offers.items() if name not in now.offers and name not in moved_offers}
    standing = {name: line for name, line in then.offers.items() if name not in gone}
    return (
        *_day(then.today, now.today),
        *_differences("Contract", then.contracts, now.contracts),
        *_notices(then.notices, now.notices),
        *_differences("Reservation", then.reservations, arrived),
        *_differences("Offer", standing, now.offers),
        *_changed("The outages of rack", then.outages, now.outages),
        *_changed("The power limits of site", then.power_limits, now.power_limits),
        *_changed("The number of spare racks of hall", then.spare_racks, now.spare_racks),
        *_changed("The quota of tenant", then.quotas, now.quotas),
    )


def _day(then: str, now: str) -> list[str]:
    return [] if then == now else [f"The day is {_said(now)}; the plan was made on {_said(then)}."]


def _notices(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    given = [
        f"Notice of contract {name} was given on {_said(now[name])}." for name in now if then.get(name) != now[name]
    ]
    withdrawn = [f"The notice of contract {name} was withdrawn." for name in then if name not in now]
    return given + withdrawn


def _said(day: str) -> str:
    return day_text(dt.date.fromisoformat(day))


def _differences(kind: str, then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    added = [f"{kind} {name} is new." for name in now if name not in then]
    ended = [f"{kind} {name} has ended." for name in then if name not in now]
    edited = [f"{kind} {name} has changed." for name in now if name in then and now[name] != then[name]]
    return added + ended + edited


def _changed(what: str, then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    names = [*now, *(name for name in then if name not in now)]
    return [f"{what} {name} changed." for name in names if then.get(name) != now.get(name)]


def _same_block(offer: str | None, reservation: str) -> bool:
    """Whether a reservation has the GPUs, days and racks of an offer."""
    if offer is None:
        return False
    held, has = json.loads(offer), json.loads(reservation)
    return all(held[key] == has[key] for key in ("gpus", "start", "end", "placement"))


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _lines_by(pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """One line per id for all its things, whatever their order."""
    lines: dict[str, list[str]] = {}
    for name, thing in pairs:
        lines.setdefault(name, []).append(_line(thing))
    return {name: " ".join(sorted(things)) for name, things in lines.items()}
