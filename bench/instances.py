"""What is measured: instances that the bench makes from seeds, and snapshots in a folder."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench import landlord, perfect, traces
from bench.sizes import LANDLORDS, SHEETS, Size
from solver import snapshot as snapshots
from solver.snapshot import Loaded

SEED_OF_FILES = 0


@dataclass(frozen=True, slots=True)
class Instance:
    """A snapshot as JSON bytes. ``seed`` is the solver's, and the generator's where the bench made it.

    Instances of one ``group`` are drawn together; ``time_limits`` in seconds, one run for each.
    """

    name: str
    group: str
    seed: int
    data: bytes
    time_limits: tuple[float, ...]

    def loaded(self) -> Loaded:
        return snapshots.parse(self.data, self.name)

    def within(self, seconds: float) -> Instance:
        """The same, to be run once, with this limit."""
        return replace(self, time_limits=(seconds,))


def made(name: str, *, seed: int) -> Instance:
    """The generated instance of a named size."""
    if name in SHEETS:
        sheet = SHEETS[name]
        return Instance(f"{name}-{seed}", name, seed, _bytes(perfect.snapshot(sheet, seed=seed)), sheet.time_limits)
    return of_size(LANDLORDS[name], name, seed=seed)


def of_size(size: Size, name: str, *, seed: int) -> Instance:
    """The generated instance of any size."""
    data = _bytes(landlord.snapshot(size, seed=seed))
    return Instance(f"{name}-{seed}", name, seed, data, size.time_limits)


def in_folder(folder: Path, *, seeds: int, time_limits: tuple[float, ...]) -> Iterator[Instance]:
    """The snapshots in the folder, each with several seeds of the solver."""
    for path in sorted(folder.glob("*.json.gz")):
        name, data = path.name.removesuffix(".json.gz"), gzip.decompress(path.read_bytes())
        for seed in range(seeds):
            yield Instance(name, name, seed, data, time_limits)


def of_traces(folder: Path, *, seeds: int, time_limits: tuple[float, ...]) -> Iterator[Instance]:
    """The traces in the folder as snapshots, each with several seeds of the solver."""
    for path in traces.trace_files(folder):
        name, data = traces.name_of(path), _bytes(traces.snapshot(traces.read(path), seed=SEED_OF_FILES))
        for seed in range(seeds):
            yield Instance(name, name, seed, data, time_limits)


def _bytes(content: dict[str, object]) -> bytes:
    return json.dumps(content).encode()
