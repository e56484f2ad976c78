"""What happens to a landlord after a plan was published: one change, drawn with dice, to the content of a snapshot."""

from __future__ import annotations

from collections.abc import Callable

from tests.solver.reference import build
from tests.solver.reference.build import Content
from tests.solver.reference.generate import SCOPES, Dice


def dead_rack(content: Content, dice: Dice) -> Content:
    """A rack fails, most often one that carries something."""
    used = [rack for reservation in content["reservations"] for s in reservation["placement"] for rack in s["racks"]]
    return _out(content, [dice.choice(sorted(used) or _racks(content))], dice)


def dark_pod(content: Content, dice: Dice) -> Content:
    """Every rack of a pod is out for some days."""
    return _out(content, dice.choice([pod["racks"] for pod in _pods(content)]), dice)


def notice(content: Content, dice: Dice) -> Content:
    """One side of a contract gives notice today, where no notice runs."""
    contracts = [dict(contract) for contract in content["contracts"]]
    running = [contract for contract in contracts if contract["notice_given_on"] is None]
    if running:
        given = {"lock_in_until": build.day(0), "notice_given_on": build.day(0), "notice_days": dice.randint(0, 3)}
        dice.choice(running).update(given)
    return content | {"contracts": contracts}


def new_request(content: Content, dice: Dice) -> Content:
    """One more request, of the first tier or the next; above a rack, below one, or an extension."""
    earliest = dice.randint(0, 4)
    gpus = dice.choice([24, 72, 72, 144])
    extended = [reservation["id"] for reservation in content["reservations"] if reservation["gpus"] == gpus]
    request = build.request(
        "new",
        gpus=gpus,
        earliest=earliest,
        latest=earliest + dice.randint(0, 2),
        days=dice.randint(1, 3),
        scope=dice.choice(SCOPES),
        tier=dice.randint(0, 1),
        value_usd=dice.value(),
        extends=dice.choice([None, *extended]),
    )
    return content | {"requests": [*content["requests"], request]}


CHANGES: dict[str, Callable[[Content, Dice], Content]] = {
    change.__name__: change for change in (dead_rack, dark_pod, notice, new_request)
}


def _out(content: Content, racks: list[str], dice: Dice) -> Content:
    start = dice.randint(0, 3)
    end = dice.choice([None, start + dice.randint(1, 4)])
    return content | {"outages": [*content["outages"], *(build.outage(rack, start, end) for rack in racks)]}


def _pods(content: Content) -> list[Content]:
    return [pod for site in content["sites"] for hall in site["halls"] for pod in hall["pods"] if pod["racks"]]


def _racks(content: Content) -> list[str]:
    return [rack for pod in _pods(content) for rack in pod["racks"]]
