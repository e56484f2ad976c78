"""Messages to people and machines: written beside the change that causes them, sent after it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from portal.models.outbox import OutboxMessage


def tell(session: Session, kind: str, *, tenant_id: int | None, now: dt.datetime, **payload: Any) -> OutboxMessage:
    """Put a message into the outbox; ``tenant_id`` null: it is for the provider.

    The payload is JSON and may be read by everyone of that tenant: public ids, days, counts and the tenant's own words.
    """
    message = OutboxMessage(kind=kind, tenant_id=tenant_id, payload=payload, created_at=now)
    session.add(message)
    return message
