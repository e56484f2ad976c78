"""The entries of the navigation: features name theirs, each person sees those that the role may open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import Flask, current_app, request, url_for

from portal.domain.permissions import Permission
from portal.web.actor import Actor
from portal.web.permissions import optional_actor

_EXTENSION = "berth_navigation"
IN_BAR = 4  # entries that fit a phone's bottom bar beside "More"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: `permissions` (any of them), `order` over all features, `count` for a badge of what waits.

    `section` groups entries under a heading on wide screens; the empty one has none and comes first.
    `work_of` are the permissions of those whose own work the page is: they start there. `short` is its name on phones.
    """

    label: str
    endpoint: str
    icon: str
    permissions: tuple[Permission, ...]
    order: int
    section: str = ""
    count: Callable[[], int] | None = None
    work_of: tuple[Permission, ...] = ()
    short: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as this request shows it."""

    label: str
    short: str
    href: str
    icon: str
    section: str
    count: int
    is_current: bool


def init_app(app: Flask, entries: Iterable[Entry]) -> None:
    app.extensions[_EXTENSION] = tuple(sorted(entries, key=lambda entry: entry.order))
    app.jinja_env.globals.update(navigation=links, NAVIGATION_IN_BAR=IN_BAR)


def links() -> list[Link]:
    """The entries for the person who signed in, in order, sections together, the current one marked."""
    actor = optional_actor()
    entries = _visible(actor) if actor else []
    addresses = [url_for(entry.endpoint) for entry in entries]
    current = _current(addresses)
    return [_link(entry, address, current) for entry, address in zip(entries, addresses, strict=True)]


def home_address() -> str:
    """Where a person starts: the first page that is their work, else the first that they see, else their account."""
    actor = optional_actor()
    entries = _visible(actor) if actor else []
    works = [entry for entry in entries if actor and actor.may(*entry.work_of)]
    return url_for((works or entries)[0].endpoint if entries else "auth.account")


def _visible(actor: Actor) -> list[Entry]:
    entries: tuple[Entry, ...] = current_app.extensions[_EXTENSION]
    seen = [entry for entry in entries if actor.may(*entry.permissions)]
    sections = list(dict.fromkeys(sorted((entry.section for entry in seen), key=bool)))
    return sorted(seen, key=lambda entry: sections.index(entry.section))


def _current(addresses: list[str]) -> str:
    """The longest address that the requested one lies under."""
    path = request.path.rstrip("/")
    under = [address for address in addresses if f"{path}/".startswith(f"{address.rstrip('/')}/")]
    return max(under, key=len, default="")


def _link(entry: Entry, address: str, current: str) -> Link:
    return Link(
        label=entry.label,
        short=entry.short or entry.label,
        href=address,
        icon=entry.icon,
        section=entry.section,
        count=entry.count() if entry.count else 0,
        is_current=address == current,
    )
