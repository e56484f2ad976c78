"""Annealing: ruin and recreate in compiled code, where the cluster is small; see ``docs/model.md``.

Numba keeps what it has compiled, and knows it by the file of the compiled function. Tables and rules that are compiled
together must change together, so here it is known by both files; where nobody may write beside them, it goes to the
user's folder of temporary files.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent


def _place_of_compiled_code() -> Path:
    sources = b"".join((_HERE / name).read_bytes() for name in ("places.py", "rounds.py", "tables.py"))
    name = f"annealing-{hashlib.sha256(sources).hexdigest()[:16]}"
    beside = _HERE / "__pycache__"
    if os.access(beside if beside.exists() else _HERE, os.W_OK):
        return beside / name
    return Path(tempfile.gettempdir()) / f"berth-{os.getuid()}" / name


os.environ.setdefault("NUMBA_CACHE_DIR", str(_place_of_compiled_code()))
