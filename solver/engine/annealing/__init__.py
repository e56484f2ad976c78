"""Annealing: ruin and recreate in compiled code, where the cluster is small; see ``docs/model.md``.

Numba keeps what it has compiled, and knows it by the file of the compiled function. Tables and rules that are compiled
together must change together, so here it is known by both files. Where nobody may write beside them, it goes to the
user's own cache: whoever can write there decides what is run, so it is no folder that others share.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_HERE = Path(__file__).parent


def place_of_compiled_code() -> Path:
    """The folder for what was compiled from these sources."""
    sources = b"".join((_HERE / name).read_bytes() for name in ("places.py", "rounds.py", "tables.py"))
    name = f"annealing-{hashlib.sha256(sources).hexdigest()[:16]}"
    beside = _HERE / "__pycache__"
    if os.access(beside if beside.exists() else _HERE, os.W_OK):
        return beside / name
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "berth" / name


os.environ.setdefault("NUMBA_CACHE_DIR", str(place_of_compiled_code()))
