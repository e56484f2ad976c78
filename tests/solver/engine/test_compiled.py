"""The compiled code of annealing: loaded when asked for, kept where one may write, left out where it can't be had."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from solver.engine import admission, annealing
from solver.engine.annealing import compiled, rounds
from solver.engine.annealing.places import enter
from solver.engine.annealing.search import Annealing
from tests.solver.engine.markets import market
from tests.solver.engine.test_annealing import board_of


def asked_in_a_new_process(code: str, **environment: str) -> str:
    lines = ["from solver.engine.annealing import compiled", *code.splitlines()]
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_it_is_ready_for_whoever_waits_for_it() -> None:
    assert compiled.is_ready(wait=True)
    assert compiled.is_ready(wait=False)


def test_every_board_is_computed_by_what_was_compiled_at_set_up() -> None:
    """Numba compiles once more for tables of another type, which would take a leg its seconds."""
    assert compiled.is_ready(wait=True)
    board = board_of(market(1))
    for tier in board.values():
        admission.fill(board, tier, admission.by_price, admission.earliest)
    Annealing(board, random.Random(1)).run(lambda done: done > 0, lambda _: 0.5)
    assert [len(function.signatures) for function in (rounds.sow, rounds.anneal, enter)] == [1, 1, 1]


def test_where_it_can_not_be_compiled_nobody_gets_it_and_the_log_says_why() -> None:
    code = """
def fails():
    raise RuntimeError("no place for it")
compiled.warm = fails
print(compiled.is_ready(wait=True), compiled.is_ready(wait=False))
"""
    answer = asked_in_a_new_process(code)
    assert "False False" in answer
    assert "annealing is left out, its code can't be compiled here: no place for it" in answer


def test_asking_for_it_loads_no_compiler_before_it_is_asked_for() -> None:
    assert asked_in_a_new_process("import sys\nprint('numba' in sys.modules)").strip() == "False"


def test_it_is_kept_beside_its_sources_or_in_the_cache_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    assert annealing.place_of_compiled_code().parent == Path(annealing.__file__).parent / "__pycache__"
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert annealing.place_of_compiled_code().parent == Path.home() / ".cache" / "berth"
    monkeypatch.setenv("XDG_CACHE_HOME", "/a/cache")
    assert annealing.place_of_compiled_code().parent == Path("/a/cache/berth")
