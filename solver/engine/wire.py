"""What goes over the wire to a worker: content that many pieces share, about once per process, and the pieces.

A worker keeps content under its digest. Where a piece comes to a process that does not have its content, the answer is
`Missing`, and the piece is sent again with it: so workers may leave and join at any time, on any kind of executor.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Content = TypeVar("Content")
Piece = TypeVar("Piece")
Result = TypeVar("Result")
Stop = Callable[[], bool]
Work = Callable[[Content, Piece, Stop], Result]
"""Work on one piece of the content; ``stop`` says that whoever waits for it has enough."""

_MOST_KEPT = 3
"""Contents that a process keeps: a worker of a cluster may serve several solves."""


@dataclass(frozen=True, slots=True)
class Parcel(Generic[Content]):
    """Content as bytes, and the digest under which processes keep it."""

    content: Content
    packed: bytes
    key: str


@dataclass(frozen=True, slots=True)
class Finished(Generic[Result]):
    """A piece's result, and the seconds of work that it took, however busy the machine was."""

    result: Result
    seconds: float


@dataclass(frozen=True, slots=True)
class Missing:
    """The process does not have the content."""


def pack(content: Content) -> Parcel[Content]:
    """The content, ready to be sent."""
    packed = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return Parcel(content, packed, hashlib.sha256(packed).hexdigest())


def carry_out(
    work: Work[Content, Piece, Result], key: str, packed: bytes | None, piece: bytes
) -> Finished[Result] | Missing:
    """Do the work on the packed piece in this process, with the content it has under ``key`` or is given."""
    began = time.thread_time()
    content = _kept(key, packed)
    if content is None:
        return Missing()
    done = work(content, pickle.loads(piece), _is_halted)  # noqa: S301  # from our parent
    return Finished(done, time.thread_time() - began)


def measured(function: Callable[..., Result], *arguments: object) -> Finished[Result]:
    """``function(*arguments)`` with the seconds of work that it takes."""
    began = time.thread_time()
    return Finished(function(*arguments), time.thread_time() - began)


def obey(is_halted: Stop) -> None:
    """From now on pieces in this process stop when ``is_halted`` says so. Until then nothing stops them."""
    global _halted  # one process, one who may halt it
    _halted = is_halted


def _is_halted() -> bool:
    return _halted is not None and _halted()


def _kept(key: str, packed: bytes | None) -> Any:
    with _lock:
        if key not in _contents and packed is not None:
            _contents[key] = pickle.loads(packed)  # noqa: S301  # from our parent
        if key in _contents:
            _contents.move_to_end(key)
        while len(_contents) > _MOST_KEPT:
            _contents.popitem(last=False)
        return _contents.get(key)


_halted: Stop | None = None
_contents: OrderedDict[str, object] = OrderedDict()
_lock = threading.Lock()
