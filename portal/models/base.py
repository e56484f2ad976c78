"""The base of all models: stable constraint names, enums by value, aware instants, exact money, versions."""

from __future__ import annotations

import datetime as dt
import decimal
from enum import StrEnum
from typing import Annotated, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from portal.models.types import ExactDecimal, UtcDateTime

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

Money = Annotated[decimal.Decimal, mapped_column(ExactDecimal(18, 2))]
"""US dollars, exact to the cent."""
HourlyRate = Annotated[decimal.Decimal, mapped_column(ExactDecimal(12, 6))]
"""US dollars per GPU-hour."""
_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
Json = Annotated[Any, mapped_column(_JSON)]


class Base(DeclarativeBase):
    """Strings are bounded by the database where a length is given; every enum is stored by its value."""

    metadata = sa.MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {
        dt.datetime: UtcDateTime(),
        StrEnum: sa.Enum(
            StrEnum,
            native_enum=False,
            create_constraint=True,
            length=32,
            values_callable=lambda members: [member.value for member in members],
        ),
    }


class Versioned:
    """A row that two people may edit: an update of an older version raises ``StaleDataError``."""

    version: Mapped[int] = mapped_column(sa.Integer, nullable=False)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


def paired(name: str) -> sa.CheckConstraint:
    """``NAME_at`` and ``NAME_by_id`` are both set or both null."""
    return sa.CheckConstraint(f"({name}_at IS NULL) = ({name}_by_id IS NULL)", name=f"{name}_at_and_by")


def interval() -> sa.CheckConstraint:
    """``[start, end)`` holds at least one day; an open end (null) is always after the start."""
    return sa.CheckConstraint('"end" > start', name="end_after_start")
