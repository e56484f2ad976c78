"""Which process carries out a run, and whether it still lives. A reused process id is not mistaken for it."""

from __future__ import annotations

import datetime as dt
import os
import socket
from dataclasses import dataclass

import psutil

HEARTBEAT_LOST_AFTER = dt.timedelta(seconds=90)
"""A run on another host counts as crashed when it was silent for so long; here its process itself is looked at."""
_SAME_START_S = 0.1  # one process's start as two others read it; a reused id starts later than that


@dataclass(frozen=True, slots=True)
class Identity:
    """A process for all time: its host, its id, and when it started (seconds since 1970)."""

    host: str
    pid: int
    started_at: float


def own_identity() -> Identity:
    """This process."""
    pid = os.getpid()
    return Identity(socket.gethostname(), pid, psutil.Process(pid).create_time())


def is_alive(identity: Identity, *, heartbeat_at: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether the process still runs; of one on another host only its heartbeat can tell."""
    if identity.host != socket.gethostname():
        return heartbeat_at is not None and now - heartbeat_at < HEARTBEAT_LOST_AFTER
    try:
        process = psutil.Process(identity.pid)
        if abs(process.create_time() - identity.started_at) > _SAME_START_S:
            return False
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
