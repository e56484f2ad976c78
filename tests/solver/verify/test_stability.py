"""R10: a frozen reservation stays where it is, history stays as it is, and `forced` says what is no choice."""

from __future__ import annotations

import pytest

from tests.solver.reference.build import (
    Content,
    outage,
    segment,
)
from tests.solver.verify.build import (
    frozen,
    judge,
    land,
    movable,
    move,
    rules,
)


class TestFrozen:
    """A frozen reservation keeps its racks on every remaining day."""

    @pytest.mark.parametrize(("notice", "broken"), [(3, []), (4, ["R10"])])
    def test_frozen_is_what_starts_before_the_end_of_its_notice(self, notice: int, broken: list[str]) -> None:
        stands = movable(move_notice_days=notice)

        assert rules(land(stands), moves=[move("v1", (3, 8, {"b1": 72}), forced=False)])[:1] == broken

    @pytest.mark.parametrize("notice", [0, 1])
    def test_what_starts_today_is_frozen_by_any_notice(self, notice: int) -> None:
        stands = frozen(move_notice_days=notice)

        broken = rules(land(stands), moves=[move("v1", (0, 10, {"b1": 72}), forced=False)])

        assert broken == (["R10"] if notice else [])

    @pytest.mark.parametrize("forced", [True, False])
    def test_nothing_took_its_rack(self, forced: bool) -> None:
        broken = judge(land(frozen()), moves=[move("v1", (0, 10, {"b1": 72}), forced=forced)])

        assert {b.rule for b in broken} == {"R10"}
        assert any("a1" in b.ids for b in broken)

    @pytest.mark.parametrize(
        "segments", [[(0, 9, {"a1": 72}), (9, 10, {"b1": 72})], [(0, 1, {"b1": 72}), (1, 10, {"a1": 72})]]
    )
    def test_not_even_for_a_day(self, segments: list[tuple[int, int, dict[str, int]]]) -> None:
        assert rules(land(frozen()), moves=[move("v1", *segments)]) == ["R10"]

    def test_not_even_beyond_the_horizon(self) -> None:
        moved = move("v1", (0, 20, {"a1": 72}), (20, 30, {"b1": 72}))

        assert rules(land(frozen(end=30)), moves=[moved]) == ["R10"]

    def test_one_rack_of_two(self) -> None:
        stands = frozen(racks={"a1": 72, "a2": 72})

        assert rules(land(stands), moves=[move("v1", (0, 10, {"a1": 72, "a3": 72}))]) == ["R10"]

    def test_a_small_block(self) -> None:
        assert rules(land(frozen(racks={"a1": 8})), moves=[move("v1", (0, 10, {"a2": 8}))]) == ["R10"]

    def test_a_move_that_changes_nothing(self) -> None:
        same = move("v1", (0, 4, {"a1": 72}), (4, 10, {"a1": 72}), forced=False)

        assert rules(land(frozen()), moves=[same]) == []


class TestHistory:
    """Days before today stay as they are, and a move's placement keeps to the reservation's interval."""

    def stands(self) -> Content:
        history = [segment(-4, -2, {"a2": 72}), segment(-2, 10, {"a1": 72})]
        return frozen(start=-4, racks={"a1": 72}, placement=history)

    def dead(self) -> Content:
        return land(self.stands(), outages=[outage("a1", 0, None)])

    def test_history_is_kept(self) -> None:
        kept = move("v1", (-4, -2, {"a2": 72}), (-2, 0, {"a1": 72}), (0, 10, {"b1": 72}))

        assert rules(self.dead(), moves=[kept]) == []

    @pytest.mark.parametrize(
        "segments",
        [
            [(0, 10, {"b1": 72})],
            [(-4, 0, {"a1": 72}), (0, 10, {"b1": 72})],
            [(-4, -2, {"a2": 72}), (-2, -1, {"a1": 72}), (-1, 10, {"b1": 72})],
            [(-4, -2, {"a2": 72}), (-2, 0, {"a1": 36}), (0, 10, {"b1": 72})],
        ],
    )
    def test_history_is_not_rewritten(self, segments: list[tuple[int, int, dict[str, int]]]) -> None:
        assert rules(self.dead(), moves=[move("v1", *segments)]) == ["R10"]

    def test_segments_that_join_are_the_same_history(self) -> None:
        cut = move("v1", (-4, -3, {"a2": 72}), (-3, -2, {"a2": 72}), (-2, 0, {"a1": 72}), (0, 10, {"b1": 72}))

        assert rules(self.dead(), moves=[cut]) == []

    @pytest.mark.parametrize(
        "segments",
        [
            [(2, 8, {"b1": 72})],
            [(3, 9, {"b1": 72})],
            [(3, 8, {"b1": 72}), (5, 5, {"b1": 72})],
            [(3, 8, {"b1": 72}), (7, 6, {"b1": 72})],
        ],
    )
    def test_no_segment_outside_the_interval(self, segments: list[tuple[int, int, dict[str, int]]]) -> None:
        assert rules(land(movable()), moves=[move("v1", *segments, forced=False)]) == ["R10"]

    def test_no_two_segments_on_one_day(self) -> None:
        twice = move("v1", (3, 6, {"b1": 72}), (5, 8, {"b1": 72}), forced=False)

        assert "R10" in rules(land(movable()), moves=[twice])


class TestForced:
    """``forced`` marks a move that is allowed only because racks were taken."""

    def test_a_frozen_reservation_moves_by_force_only(self) -> None:
        dead = land(frozen(), outages=[outage("a1", 0, None)])

        (broken,) = judge(dead, moves=[move("v1", (0, 10, {"b1": 72}), forced=False)])

        assert (broken.rule, broken.ids) == ("R10", ("v1",))

    def test_a_move_without_a_taken_rack_is_not_forced(self) -> None:
        assert rules(land(frozen()), moves=[move("v1", (0, 10, {"a1": 72}), forced=True)]) == ["R10"]
