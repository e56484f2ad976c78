"""Scenarios: named lists of changes, and the snapshots that they lead to. Pure: content and snapshot in, snapshots out.

Changes follow one another, so each is judged by what those before it have left. Nothing is answered where anything is
wrong: `solver.files.BadFile` lists every fault of every scenario by its path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from solver import faults, files, partial
from solver.scenarios.apply import apply
from solver.scenarios.changes import KINDS
from solver.scenarios.draft import Draft, Ended
from solver.snapshot import Id, Loaded, Model, Snapshot


@dataclass(frozen=True, slots=True)
class Changed:
    """The snapshot under a scenario, and the reservations that its notices end early."""

    name: str
    loaded: Loaded
    ended: tuple[Ended, ...]


class _Frame(Model):
    """A scenario but for what its changes are."""

    name: Id
    changes: list[Any]


def load(path: str, snapshot: Snapshot) -> list[Changed]:
    """The snapshot under each scenario of the file at ``path`` (``-``: standard input). Raises `BadFile`."""
    return parse(files.read_bytes(path), snapshot, "standard input" if path == files.STANDARD else path)


def parse(data: bytes, snapshot: Snapshot, name: str = "scenarios") -> list[Changed]:
    """The snapshot under each scenario of these JSON bytes. Raises `BadFile`."""
    return changed_by(files.parse_json(name, data), snapshot, name)


def changed_by(content: Any, snapshot: Snapshot, name: str = "scenarios") -> list[Changed]:
    """The snapshot under each scenario of this content (``[{"name": ..., "changes": [...]}]``). Raises `BadFile`."""
    if not isinstance(content, list):
        raise files.BadFile(name, ["the file: must be a list of scenarios"])
    drafts = [Draft.of(snapshot) for _ in content]
    found = [
        fault
        for number, (scenario, draft) in enumerate(zip(content, drafts, strict=True))
        for fault in _faults(f"[{number}]", scenario, draft)
    ]
    if found:
        raise files.BadFile(name, found)
    return [_changed(scenario["name"], draft) for scenario, draft in zip(content, drafts, strict=True)]


def _changed(name: str, draft: Draft) -> Changed:
    snapshot = draft.done()
    return Changed(name, Loaded(snapshot, files.sha256(files.dump(snapshot))), tuple(draft.ended))


def _faults(at: str, scenario: Any, draft: Draft) -> Iterator[str]:
    """Carry out the scenario's changes on the draft; every fault of theirs, and of what they lead to."""
    if not isinstance(scenario, dict):
        yield f"{at}: must be an object"
        return
    try:
        _Frame.model_validate(scenario)
    except ValidationError as error:
        yield from (_below(at, fault) for fault in files.validation_faults(error))
    changes = scenario.get("changes")
    for number, change in enumerate(changes if isinstance(changes, list) else []):
        yield from _change_faults(f"{at}.changes[{number}]", change, draft)
    for fault in faults.snapshot_faults(draft.done(), partial=True):
        yield _of_request(fault, draft) or f"{at}: under this scenario {fault}"


def _change_faults(at: str, content: Any, draft: Draft) -> Iterator[str]:
    kind, fault = _kind(content)
    if fault is not None:
        yield f"{at}: {fault}"
        return
    here, model = f"{at}.{kind}", KINDS[kind]
    if not isinstance(content[kind], dict):
        yield f"{here}: must be an object"
        return
    try:
        yield from apply(draft, here, model.model_validate(content[kind]))
    except ValidationError as error:
        yield from (_below(here, wrong) for wrong in files.validation_faults(error))
        yield from apply(draft, here, partial.read(model, content[kind]), partial=True)


def _kind(content: Any) -> tuple[str, str | None]:
    """The kind of a change, or why it has none."""
    if not isinstance(content, dict):
        return "", "must be an object"
    unknown = [key for key in content if key not in KINDS]
    if unknown:
        return "", f"{files.quote(unknown[0])} is no change; there are {', '.join(KINDS)}"
    if len(content) != 1:
        return "", f"must name one change, not {len(content)}"
    return next(iter(content)), None


def _below(at: str, fault: str) -> str:
    return f"{at}{fault}" if fault.startswith("[") else f"{at}.{fault}"


def _of_request(fault: str, draft: Draft) -> str | None:
    """The fault of a request that a change brings, under the path of that change."""
    for number, at in draft.requested.items():
        path = f"requests[{number}]"
        if fault.startswith((f"{path}.", f"{path}[")):
            return at + fault.removeprefix(path)
    return None
