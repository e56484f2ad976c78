"""Perfect packings from a seed: a sheet of racks by days, cut from edge to edge until it is in pieces.

Everything fits, exactly: the best plan accepts every request.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from bench.dates import TODAY, day
from bench.sizes import Sheet
from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the sheet, in racks and days."""

    racks: int
    days: int


def snapshot(sheet: Sheet, *, seed: int) -> dict[str, Any]:
    """A snapshot as JSON content: one pod, one request for each piece, free to start on any day."""
    chance = random.Random(seed)  # noqa: S311  # chance for a benchmark, no secret
    racks = [f"r{number:03}" for number in range(sheet.racks)]
    halls = [{"id": "h", "spare_racks": 0, "pods": [{"id": "p", "racks": racks}]}]
    cut = pieces(sheet, chance)
    return {
        "format": "berth.snapshot/1",
        "today": TODAY.isoformat(),
        "horizon_end": day(sheet.days),
        "product": "gb300-nvl72",
        "gpus_per_rack": GPUS_PER_RACK,
        "gpus_per_tray": GPUS_PER_TRAY,
        "rack_kw": 140.0,
        "sites": [{"id": "s", "power_limits": [], "halls": halls}],
        "outages": [],
        "tenants": [{"id": "t", "name": "T", "max_gpus": None}],
        "contracts": [],
        "reservations": [],
        "requests": [_request(number, piece, sheet) for number, piece in enumerate(cut)],
    }


def pieces(sheet: Sheet, chance: random.Random) -> list[Piece]:
    """Cut one of the larger pieces in two, along or across, until there are as many as the sheet wants."""
    whole = [Piece(sheet.racks, sheet.days)]
    while len(whole) < sheet.pieces:
        larger = sorted(whole, key=lambda piece: piece.racks * piece.days)[len(whole) // 2 :]
        piece = chance.choice([piece for piece in larger if max(piece.racks, piece.days) > 1])
        whole.remove(piece)
        whole += _halves(piece, chance)
    chance.shuffle(whole)
    return whole


def _halves(piece: Piece, chance: random.Random) -> tuple[Piece, Piece]:
    across = piece.racks > 1 and (piece.days == 1 or chance.random() < piece.racks / (piece.racks + piece.days))
    if across:
        cut = chance.randint(1, piece.racks - 1)
        return Piece(cut, piece.days), Piece(piece.racks - cut, piece.days)
    cut = chance.randint(1, piece.days - 1)
    return Piece(piece.racks, cut), Piece(piece.racks, piece.days - cut)


def _request(number: int, piece: Piece, sheet: Sheet) -> dict[str, Any]:
    gpus = GPUS_PER_RACK * piece.racks
    return {
        "id": f"q{number:03}",
        "tenant": "t",
        "contract": None,
        "tier": 0,
        "value_usd": float(gpus * piece.days),
        "gpus": gpus,
        "min_gpus": gpus,
        "earliest_start": TODAY.isoformat(),
        "latest_start": day(sheet.days - piece.days),
        "days": piece.days,
        "scope": "any",
        "site": None,
        "interruptible": False,
        "recall_notice_days": None,
        "extends": None,
        "submitted_at": "2027-01-02T09:00:00Z",
    }
