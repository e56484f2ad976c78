"""Binding racks inside one pod."""

from __future__ import annotations

import random

from solver.engine.binding import PodRacks, Share, mask_of


def pod(racks: int, blocked: list[int] | None = None) -> PodRacks:
    return PodRacks(10, 10 + racks, blocked or [0] * racks, [0] * racks)


def share(start: int, end: int) -> Share:
    return Share(start, end, mask_of(start, end), [])


def clashes(racks: PodRacks) -> bool:
    """Whether two shares have one rack on one day, or a share a rack on a day on which it is blocked."""
    seen: set[tuple[int, int]] = set()
    for one in racks.shares:
        for rack in one.racks:
            days = {(rack, day) for day in range(one.start, one.end)}
            if days & seen or racks.blocked[rack - racks.first] & one.mask:
                return True
            seen |= days
    return False


def test_a_share_gets_as_many_racks_as_it_asks_for_by_cluster_number() -> None:
    racks = pod(3)

    assert racks.bind(share(0, 5), 2)

    assert [len(one.racks) for one in racks.shares] == [2]
    assert all(10 <= rack < 13 for rack in racks.shares[0].racks)


def test_a_share_that_needs_more_racks_than_are_free_is_refused_and_changes_nothing() -> None:
    racks = pod(2)
    racks.bind(share(0, 5), 1)
    before = racks.save()

    assert not racks.bind(share(4, 8), 2)

    assert racks.save() == before


def test_others_change_racks_where_that_makes_room() -> None:
    racks = pod(2)
    first, second = share(0, 4), share(4, 8)
    assert racks.bind_to(first, [10])
    assert racks.bind_to(second, [11])

    assert racks.bind(share(0, 8), 1), "with both on one rack the other is free for all eight days"

    assert not clashes(racks)


def test_a_pinned_share_keeps_its_racks_when_others_change_theirs() -> None:
    racks = pod(2)
    first, second = share(0, 4), share(4, 8)
    first.pinned = True
    assert racks.bind_to(first, [10])
    assert racks.bind_to(second, [11])

    assert racks.bind(share(0, 8), 1)

    assert first.racks == [10]


def test_blocked_days_are_left_alone() -> None:
    racks = pod(2, [mask_of(3, 5), 0])

    assert racks.bind(share(2, 4), 1)
    assert not racks.bind(share(3, 4), 1)

    assert not clashes(racks)


def test_intervals_that_never_need_more_racks_than_there_are_always_bind() -> None:
    """Without blocked days binding never fails: intervals are coloured in order of start."""
    for seed in range(200):
        chance = random.Random(seed)
        racks, load = pod(4), [0] * 20
        for _ in range(30):
            start = chance.randrange(19)
            end, count = chance.randint(start + 1, 20), chance.randint(1, 3)
            if max(load[start:end]) + count > 4:
                continue
            assert racks.bind(share(start, end), count)
            for day in range(start, end):
                load[day] += count
        assert not clashes(racks)


def test_restore_undoes_everything_since_save() -> None:
    racks = pod(3)
    racks.bind(share(0, 4), 2)
    before = racks.save()
    kept = [(one, list(one.racks)) for one in racks.shares]

    racks.bind(share(1, 9), 1)
    racks.release(racks.shares[0])
    racks.restore(before)

    assert [(one, list(one.racks)) for one in racks.shares] == kept
    assert not clashes(racks)
