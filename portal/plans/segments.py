"""Placements as rows (one rack, one interval) and as segments of a file (one interval, all racks), and back."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from solver.snapshot import Segment


class Stretch(NamedTuple):
    """``gpus`` GPUs of one rack on each day of ``[start, end)``."""

    rack: str
    start: dt.date
    end: dt.date
    gpus: int


@dataclass(frozen=True, slots=True)
class _Piece:
    start: dt.date
    end: dt.date
    racks: dict[str, int]


def segments_of(stretches: Iterable[Stretch], start: dt.date, end: dt.date) -> list[dict[str, Any]]:
    """The stretches within ``[start, end)`` as segments of a snapshot: as few as will do, none without racks."""
    cut = [_cut(stretch, start, end) for stretch in stretches]
    kept = [stretch for stretch in cut if stretch.start < stretch.end]
    return [
        {"start": piece.start.isoformat(), "end": piece.end.isoformat(), "racks": piece.racks}
        for piece in _joined(_pieces(kept))
        if piece.racks
    ]


def stretches_of(segments: Iterable[Segment], start: dt.date, end: dt.date) -> Iterator[Stretch]:
    """The segments within ``[start, end)`` as one stretch per rack and unbroken interval with the same GPUs."""
    open_stretches: dict[str, Stretch] = {}
    for segment in sorted(segments, key=lambda segment: segment.start):
        for rack, gpus in segment.racks.items():
            new = _cut(Stretch(rack, segment.start, segment.end, gpus), start, end)
            if new.start >= new.end:
                continue
            before = open_stretches.get(rack)
            if before is not None and (before.end, before.gpus) == (new.start, new.gpus):
                new = new._replace(start=before.start)
            elif before is not None:
                yield before
            open_stretches[rack] = new
    yield from open_stretches.values()


def _cut(stretch: Stretch, start: dt.date, end: dt.date) -> Stretch:
    return stretch._replace(start=max(stretch.start, start), end=min(stretch.end, end))


def _pieces(stretches: list[Stretch]) -> Iterator[_Piece]:
    """One piece between each two neighbouring days on which something starts or ends."""
    days = sorted({day for stretch in stretches for day in (stretch.start, stretch.end)})
    for start, end in itertools.pairwise(days):
        racks = {s.rack: s.gpus for s in stretches if s.start <= start and s.end >= end}
        yield _Piece(start, end, racks)


def _joined(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    last: _Piece | None = None
    for piece in pieces:
        if last is not None and last.end == piece.start and last.racks == piece.racks:
            last = _Piece(last.start, piece.end, last.racks)
            continue
        if last is not None:
            yield last
        last = piece
    if last is not None:
        yield last
