"""``python -m solver verify SNAPSHOT PLAN``"""

from __future__ import annotations

import sys

import click

from solver import plan as plans
from solver import snapshot as snapshots
from solver.commands.refusal import refusing, snapshot_and_plan_differ
from solver.verify.check import broken_rules

BROKEN = 1


@click.command("verify")
@click.argument("snapshot")
@click.argument("plan")
def command(snapshot: str, plan: str) -> None:
    """Say which rules PLAN breaks on SNAPSHOT: exit code 0 for none, 1 for any."""
    snapshot_and_plan_differ(snapshot, plan)
    with refusing():
        loaded = snapshots.load(snapshot)
        made = plans.load(plan)
        plans.belongs_to(made, loaded.snapshot, loaded.sha256, plan)
        broken = broken_rules(loaded.snapshot, made)
        for fault in broken:
            click.echo(f"{fault.rule}: {fault.text}")
        if broken:
            sys.exit(BROKEN)
        click.echo(f"The plan keeps every rule: {len(made.accepted):,} accepted, {len(made.declined):,} declined.")
