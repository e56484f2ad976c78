"""``python -m solver promise SNAPSHOT [PLAN]``"""

from __future__ import annotations

import click

from solver import files, promise_answer, promise_text
from solver import plan as plans
from solver import snapshot as snapshots
from solver.commands.refusal import refusing, snapshot_and_plan_differ
from solver.commands.tables import show
from solver.plan import Plan
from solver.snapshot import Loaded


@click.command("promise")
@click.argument("snapshot")
@click.argument("plan", required=False)
@click.option("--json", "as_json", is_flag=True, help="The answer as JSON: docs/commands.md names every field.")
def command(snapshot: str, plan: str | None, as_json: bool) -> None:
    """Say what can still be promised on each day, with PLAN carried out if it is named."""
    if plan is not None:
        snapshot_and_plan_differ(snapshot, plan)
    with refusing():
        loaded = snapshots.load(snapshot)
        promise = promise_answer.answer(loaded, None if plan is None else _plan_of(loaded, plan))
        if as_json:
            files.write_bytes(files.STANDARD, files.dump(promise))
        else:
            show(promise_text.tables(promise))


def _plan_of(loaded: Loaded, path: str) -> Plan:
    made = plans.load(path)
    plans.belongs_to(made, loaded.snapshot, loaded.sha256, path)
    return made
