"""The bench's own command, on snapshots in a folder."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import perfect
from bench.sizes import Sheet


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two snapshots under two names."""
    data = json.dumps(perfect.snapshot(Sheet(2, 2, 2, ()), seed=0)).encode()
    (tmp_path / "this.json.gz").write_bytes(gzip.compress(data))
    (tmp_path / "that.json.gz").write_bytes(gzip.compress(data))
    return tmp_path


def test_a_snapshot_in_a_folder_is_measured_and_written_down(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = folder / "results.json"
    words = ["--only", "value", "--instances", str(folder), "--named", "this", "--seeds", "1", "--limit", "2"]

    assert bench.main([*words, "--workers", "1", "-o", str(written)]) == 0

    results = json.loads(written.read_text())
    assert [row["instance"] for row in results["value"]] == ["this"]
    assert results["value"][0]["tiers"]["0"] == {"value": 288.0, "bound": 288.0}
    assert results["machine"]["cores"] >= 1
    assert str(folder) not in written.read_text()
    assert "this" in capsys.readouterr().out


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        bench.main(["--only", "speed"])

    assert "speed: choose from value, growth" in capsys.readouterr().err
