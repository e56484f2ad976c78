"""Ctrl-C and SIGTERM ask a plan for the best it has so far, from the process's first moment to its last.

They are held from before anything is imported until there is somebody to hear them.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_INTERRUPTS = frozenset({signal.SIGINT, signal.SIGTERM})
_PATIENCE_SECONDS = 3.0
"""A Ctrl-C so long after the first interrupt ends the process at once: it should have ended by itself."""
_ENDED_BY_CTRL_C = 130


def hold() -> None:
    """Let interrupts wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)


def release() -> None:
    """Let interrupts through, those that waited as well."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)


@contextmanager
def heard(interrupt: Callable[[], None]) -> Iterator[None]:
    """Call ``interrupt`` for every Ctrl-C and SIGTERM in the block; one that is repeated soon says nothing new.

    After the block they are still heard, in vain: what they ask for is written, and the process ends by itself.
    """
    first: list[float] = []

    def ask(number: int, _: object) -> None:
        first.append(time.monotonic())
        if number == signal.SIGINT and first[-1] - first[0] > _PATIENCE_SECONDS:
            os._exit(_ENDED_BY_CTRL_C)
        gc.disable()  # it would take two tenths of a second, and the process is about to end
        interrupt()

    for number in _INTERRUPTS:
        signal.signal(number, ask)
    release()
    yield
