"""Every model, imported: ``METADATA`` is the whole schema but for the triggers, which the migrations add."""

from __future__ import annotations

from portal.models import (  # noqa: F401  # importing a model registers its table
    audit,
    capacity,
    cluster,
    contracts,
    offers,
    outbox,
    placements,
    plans,
    rates,
    requests,
    reservations,
    settings,
    tenants,
    users,
)
from portal.models.base import Base

METADATA = Base.metadata
