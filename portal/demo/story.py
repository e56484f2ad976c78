"""The demo's story as values: its days, its people, and what they asked for."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from portal.domain.states import Role, Scope

FOLDER = Path(__file__).parent
LANDLORD = FOLDER / "landlord.toml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Person(_Part):
    """A login. ``tenant`` is set exactly for tenant roles."""

    email: str
    name: str
    role: Annotated[Role, BeforeValidator(Role)]
    tenant: str | None = None


class Wish(_Part):
    """A request; ``latest`` none: it starts on ``earliest``; ``min_gpus`` none: all or nothing."""

    tenant: str
    contract: str | None = None
    gpus: int
    min_gpus: int | None = None
    earliest: dt.date
    latest: dt.date | None = None
    days: int
    scope: Annotated[Scope, BeforeValidator(Scope)]
    recall_notice_days: int | None = None
    waitlist: bool = False
    note: str = ""


class Story(_Part):
    """``before`` was planned and published on ``first_day``; ``open`` was asked for on ``today`` and is not decided."""

    first_day: dt.date
    today: dt.date
    password: str
    people: list[Person]
    before: list[Wish]
    open_: list[Wish] = Field(alias="open")


def story() -> Story:
    """The story beside this module."""
    content: dict[str, Any] = tomllib.loads((FOLDER / "story.toml").read_text(encoding="utf-8"))
    return Story.model_validate(content)
