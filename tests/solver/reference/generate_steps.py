"""More families of tiny snapshots, about the later steps of § 5 and about requests that are worth nothing."""

from __future__ import annotations

from collections.abc import Callable

from tests.solver.reference import build
from tests.solver.reference.build import Content
from tests.solver.reference.generate import Dice


def snapshot(family: str, seed: int) -> Content:
    """The snapshot of this family and seed."""
    return FAMILIES[family](Dice(f"{family}-{seed}"))


def extensions(dice: Dice) -> Content:
    """Step 4: requests that extend what stands, what may be moved, recalled or has ended."""
    reservations = _reservations(dice)
    requests = [_request(dice, i, extends=dice.choice(["v1", "v2", "v2", None])) for i in range(3)]
    return build.snapshot(days=8, sites=_sites(dice, 4), reservations=reservations, requests=requests)


def scattered(dice: Dice) -> Content:
    """Step 5: blocks that halls and pods leave little room, of sizes that may vary and are worth the same."""
    reservations = [build.reservation(racks={f"r{dice.randint(1, 6)}": 72}, start=dice.randint(0, 3))]
    requests = [_request(dice, i, value_usd=dice.choice([0.0, 360.0, 360.0]), racks=4) for i in range(3)]
    return build.snapshot(
        days=7, sites=_sites(dice, 6), reservations=reservations[: dice.randint(0, 1)], requests=requests
    )


def worthless(dice: Dice) -> Content:
    """R13: requests that no value accepts, beside some that are worth something."""
    requests = [_request(dice, i, value_usd=dice.choice([0.0, 0.0, 72.0, 144.0])) for i in range(4)]
    if dice.chance(0.3):
        requests[0] |= {"gpus": 40, "min_gpus": dice.choice([8, 40])}
    return build.snapshot(days=6, sites=_sites(dice, 3), reservations=_reservations(dice)[:1], requests=requests)


def leaving(dice: Dice) -> Content:
    """Steps 2 and 3: recalls that cost nothing, moves that make room, ties between the two."""
    reservations = _reservations(dice)
    for reservation in reservations:
        reservation |= {"value_usd": dice.choice([0.0, 100.0]), "tier": dice.randint(0, 1)}
    requests = [_request(dice, i, value_usd=dice.choice([72.0, 144.0])) for i in range(3)]
    return build.snapshot(days=7, sites=_sites(dice, 4), reservations=reservations, requests=requests)


FAMILIES: dict[str, Callable[[Dice], Content]] = {
    family.__name__: family for family in (extensions, scattered, worthless, leaving)
}


def _sites(dice: Dice, racks: int) -> list[Content]:
    """One site with halls of one or two pods of one or two racks."""
    halls = dice.chunks(dice.chunks([f"r{i + 1}" for i in range(racks)], 2), 2)
    return [
        build.site(
            halls=[
                build.hall(f"h{h + 1}", pods={f"h{h + 1}p{p + 1}": pod for p, pod in enumerate(hall)})
                for h, hall in enumerate(halls)
            ]
        )
    ]


def _reservations(dice: Dice) -> list[Content]:
    """``v1`` may have ended; ``v2`` is frozen, may be moved, or be recalled."""
    start = dice.randint(-3, 0)
    first = build.reservation("v1", start=start, end=start + dice.randint(2, 4), racks={"r1": 72})
    kind = dice.choice(["frozen", "movable", "recallable", "both"])
    fields: Content = {"move_notice_days": 0 if kind in ("movable", "both") else 1000}
    if kind in ("recallable", "both"):
        fields |= {"interruptible": True, "recall_notice_days": dice.randint(0, 3), "value_usd": 36.0}
    racks = dict.fromkeys(dice.choice([["r2"], ["r3"], ["r2", "r3"]]), 72)
    start = dice.randint(0, 3)
    return [first, build.reservation("v2", start=start, end=start + dice.randint(2, 4), racks=racks, **fields)]


def _request(dice: Dice, number: int, *, racks: int = 2, **fields: object) -> Content:
    count, earliest = dice.randint(1, racks), dice.randint(-1, 4)
    return build.request(
        f"q{number + 1}",
        gpus=72 * count,
        min_gpus=72 * (count if dice.chance(0.6) else dice.randint(1, count)),
        earliest=earliest,
        latest=earliest + dice.choice([0, 1, 2]),
        days=dice.randint(1, 3),
        **({"scope": dice.choice(["pod", "hall", "any", "any"]), "value_usd": dice.value()} | fields),
    )
