"""What a result depends on besides the instance: the machine, the versions, the commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

_LIBRARIES = "ortools", "numpy", "pydantic"


def facts() -> dict[str, object]:
    """Cores, memory, versions and the commit; no names and no paths."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
        "commit": _commit(),
    }


def _commit() -> str | None:
    """The commit, with ``+`` where the solver has changes that are not in it; None outside a checkout."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "--", "solver") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*words: str) -> str:
    root = Path(__file__).parent
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)  # noqa: S607  # git is where it is
    return done.stdout.strip()
