"""A solver for tests: takes the real one's command line, accepts requests in the order of the file while they fit.

``FAKE_SOLVER`` says how it behaves: ``sleep`` until told to stop, ``stubborn`` and never stop, ``die``, ``refuse``,
``nonsense`` (no plan), ``cheat`` (a plan that breaks a rule); otherwise it writes a valid plan at once.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sys
import time
from typing import Any

from solver import cluster, files, offers, standing
from solver import plan as plans
from solver import snapshot as snapshots


def main() -> None:
    behaviour = os.environ.get("FAKE_SOLVER", "")
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    loaded = snapshots.parse(sys.stdin.buffer.read())
    for stage in ("admission", "placement"):
        say({"stage": stage, "values": {"1": 5.0}, "bounds": {"1": 10.0}, "gaps": {"1": 0.5}, "seconds": 0.5})
    say("a line for the log")
    if behaviour == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if behaviour == "refuse":
        say("requests[0].gpus: 70 is not a multiple of 4")
        sys.exit(2)
    while behaviour == "stubborn" or (behaviour == "sleep" and not told):
        time.sleep(0.05)
    if behaviour == "nonsense":
        sys.stdout.write("no plan")
        return
    made = plan(loaded, cheat=behaviour == "cheat")
    sys.stdout.buffer.write(files.dump(made))


def say(line: Any) -> None:
    sys.stderr.write((line if isinstance(line, str) else json.dumps(line)) + "\n")
    sys.stderr.flush()


def plan(loaded: snapshots.Loaded, *, cheat: bool = False) -> plans.Plan:
    """Accept what fits at full size on its first start, decline the rest."""
    snapshot = loaded.snapshot
    room = standing.of(snapshot, cluster.build(snapshot))
    accepted, declined, values = [], [], dict.fromkeys(sorted({r.tier for r in snapshot.requests}), 0.0)
    for request in snapshot.requests:
        block = _place(room, request)
        if block is None:
            declined.append(_declined(request.id))
            continue
        room.add_accepted(block)
        values[request.tier] += block.value_usd
        accepted.append(block)
    if cheat and accepted:
        accepted[0] = accepted[0].model_copy(update={"end": accepted[0].end + dt.timedelta(1)})
    return plans.Plan(
        format="berth.plan/1",
        snapshot_sha256=loaded.sha256,
        today=snapshot.today,
        status="optimal",
        seconds=0.5,
        seed=0,
        tiers=[plans.Tier(tier=tier, value_usd=value, bound_usd=value, gap=0.0) for tier, value in values.items()],
        accepted=accepted,
        declined=declined,
        moves=[],
        recalls=[],
        shortfalls=[],
        hold_shortfalls=[],
        prices=[],
    )


def _place(room: standing.Standing, request: snapshots.Request) -> plans.Accepted | None:
    ask = offers.ask_of(request)
    first, last = offers.window(room, request)
    fitting = offers.largest(room, ask, first, last) if first < last else []
    for start, gpus in enumerate(fitting, first):
        if gpus >= request.min_gpus:
            racks = offers.place(room, ask, start, int(gpus))
            assert racks is not None
            return plans.Accepted(
                request=request.id,
                gpus=int(gpus),
                start=room.cluster.date(start),
                end=room.cluster.date(start + request.days),
                value_usd=request.value_usd * int(gpus) / request.gpus,
                racks=racks,
            )
    return None


def _declined(name: str) -> plans.Declined:
    reason = plans.Reason(
        code="capacity", text="It does not fit.", start=None, short=[], holders=[], price_to_win_usd=None
    )
    return plans.Declined(request=name, reason=reason, counter_offers=[])


if __name__ == "__main__":
    main()
