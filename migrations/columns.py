"""Column types as the migrations write them down. Applied migrations read this file: add to it, never change it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


def one_of(*values: str, name: str) -> sa.Enum:
    """A word out of a closed list, checked by a constraint of this name."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def json() -> sa.types.TypeEngine[Any]:
    """JSON, in PostgreSQL's binary form there."""
    return sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
