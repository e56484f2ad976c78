"""One page of a long list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request, url_for

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Page `number` (from 1) of `total` items, `size` to a page."""

    items: Sequence[Item]
    number: int
    size: int
    total: int

    @staticmethod
    def clamp(number: int, *, size: int, total: int) -> int:
        """The nearest page that exists."""
        return max(1, min(number, -(-total // size)))

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1 if self.total else 0

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.total)

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.last < self.total else None


def page_of(items: Sequence[Item], *, size: int) -> Page[Item]:
    """The requested page (`?page=`) of a list that is small enough to be read as a whole."""
    number = Page.clamp(requested_page(), size=size, total=len(items))
    return Page(items=items[(number - 1) * size : number * size], number=number, size=size, total=len(items))


def requested_page() -> int:
    """The page that the address asks for; anything strange means the first."""
    text = request.args.get("page", "1")
    return int(text) if text.isdecimal() and len(text) < 9 and int(text) else 1


def with_args(**changes: object) -> str:
    """This page's address with some arguments changed; None removes one."""
    kept = {name: values for name, values in request.args.lists() if name not in changes}
    changed = {name: value for name, value in changes.items() if value is not None}
    return url_for(request.endpoint or "pages.home", **{**(request.view_args or {}), **kept, **changed})
