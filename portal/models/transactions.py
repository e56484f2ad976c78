"""The ways to begin a transaction, the same on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

BEGIN_MODE = "berth_begin"
"""The execution option that tells a SQLite connection how to begin: DEFERRED (unless given) or IMMEDIATE."""
_WRITTEN = "berth_written"
_TOO_LATE = "a transaction begins before its first change: commit or roll back first"


def begin_write(session: Session) -> None:
    """Begin a transaction that will write, on SQLite as the only writer (``BEGIN IMMEDIATE``).

    A SQLite transaction that began by reading cannot become a writer once another one wrote in between, so a write
    starts here and not after its first read. Ends a reading transaction of the session and forgets what was loaded;
    does nothing where the session has begun to write already. Raises `RuntimeError` where unsaved
    changes would be lost.
    """
    _refuse_unsaved(session)
    if session.info.get(_WRITTEN):
        return
    session.rollback()
    session.connection(execution_options={BEGIN_MODE: "IMMEDIATE"})
    session.info[_WRITTEN] = True


def begin_read(session: Session) -> None:
    """Begin a transaction whose reads all see the same moment, whatever others commit meanwhile.

    Ends a reading transaction of the session. Raises `RuntimeError` where changes would be lost.
    """
    _refuse_unsaved(session)
    if session.info.get(_WRITTEN):
        raise RuntimeError(_TOO_LATE)
    session.rollback()
    options = {"isolation_level": "REPEATABLE READ"} if session.get_bind().dialect.name == "postgresql" else {}
    session.connection(execution_options=options)


def _refuse_unsaved(session: Session) -> None:
    if session.new or session.dirty or session.deleted:
        raise RuntimeError(_TOO_LATE)


@event.listens_for(Session, "after_flush")
def _note_flush(session: Session, _context: Any) -> None:
    session.info[_WRITTEN] = True


@event.listens_for(Session, "do_orm_execute")
def _note_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        state.session.info[_WRITTEN] = True


@event.listens_for(Session, "after_transaction_end")
def _forget_writes(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_WRITTEN, None)
