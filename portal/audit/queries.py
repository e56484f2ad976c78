"""Reads of the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audit.chain import Verdict, verify
from portal.models.audit import AuditEntry
from portal.web.paging import Page

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries to list: those whose thing, actor or action contains the words; empty: all."""

    words: str = ""


def entries(session: Session, wanted: Filter, *, page: int, size: int) -> Page[AuditEntry]:
    """One page, the newest entry first."""
    where = _where(wanted)
    total = session.scalar(sa.select(sa.func.count()).select_from(AuditEntry).where(*where)) or 0
    number = Page.clamp(page, size=size, total=total)
    newest_first = sa.select(AuditEntry).where(*where).order_by(AuditEntry.id.desc())
    rows: Sequence[AuditEntry] = session.scalars(newest_first.limit(size).offset((number - 1) * size)).all()
    return Page(items=tuple(rows), number=number, size=size, total=total)


def check_chain(session: Session) -> Verdict:
    """Verify every entry from the first one on."""
    return verify(_all(session))


def _all(session: Session) -> Iterator[AuditEntry]:
    in_order = sa.select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=_BATCH)
    yield from session.scalars(in_order)


def _where(wanted: Filter) -> tuple[sa.ColumnElement[bool], ...]:
    if not wanted.words:
        return ()
    columns = AuditEntry.thing, AuditEntry.actor, AuditEntry.action
    return (sa.or_(*(column.icontains(wanted.words, autoescape=True) for column in columns)),)
