"""The one row that every change of capacity locks first."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.models.base import Base
from portal.models.transactions import begin_write

ONLY_ID = 1


class Capacity(Base):
    """Its ``version`` counts the changes of capacity. Migrations put the row there."""

    __tablename__ = "capacity"
    __table_args__ = (sa.CheckConstraint(f"id = {ONLY_ID}", name="only_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=ONLY_ID)
    version: Mapped[int] = mapped_column(default=0)


def lock_capacity(session: Session) -> Capacity:
    """Lock the row until this transaction ends, raise its version and return it.

    Call it before anything else in a transaction: what was read earlier may be old, so it ends the session's
    reading transaction and forgets what was loaded. Raises `RuntimeError` where the session holds unsaved changes.
    """
    begin_write(session)
    capacity = session.scalars(sa.select(Capacity).where(Capacity.id == ONLY_ID).with_for_update()).one()
    session.expire_all()
    capacity.version += 1
    session.flush()
    return capacity
