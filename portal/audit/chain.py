"""The hash chain: each entry's hash covers everything it says and the hash of the one before."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import PurePath
from typing import Any

from portal.models.audit import AuditEntry

FIRST = "0" * 64
"""What the first entry carries as the hash before it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the chain holds: `entries` checked, and the id of the first that does not fit, null where all do."""

    entries: int
    broken_at: int | None

    @property
    def holds(self) -> bool:
        return self.broken_at is None


def hash_of(entry: AuditEntry) -> str:
    """SHA-256 over the entry's fields as canonical JSON, in hexadecimal digits."""
    said = {
        "at": entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        "actor_id": entry.actor_id,
        "actor": entry.actor,
        "origin": entry.origin,
        "action": entry.action,
        "thing": entry.thing,
        "tenant_id": entry.tenant_id,
        "before": entry.before,
        "after": entry.after,
        "previous_hash": entry.previous_hash,
    }
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def verify(entries: Iterable[AuditEntry]) -> Verdict:
    """Check entries given in the order in which they were written, from the first one on."""
    previous, count = FIRST, 0
    for entry in entries:
        count += 1
        if entry.previous_hash != previous or entry.hash != hash_of(entry):
            return Verdict(entries=count, broken_at=entry.id)
        previous = entry.hash
    return Verdict(entries=count, broken_at=None)


def plain(value: Any) -> Any:
    """`value` as JSON that every database gives back unchanged: numbers that are not whole become text."""
    if value is None or isinstance(value, bool | int) or type(value) is str:
        return value
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, str | float | Decimal | PurePath):
        return str(value)
    if isinstance(value, dt.date | dt.datetime | dt.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    raise TypeError(f"{type(value).__name__} cannot stand in the audit trail")
