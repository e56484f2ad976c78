"""Tables from results: medians, the worst seed, and baselines beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import table
from tests.bench.test_picture import row


def test_a_group_is_one_line_for_each_limit() -> None:
    rows = [
        row(0, 0.96) | {"peak_mib": 300},
        row(1, 0.98) | {"peak_mib": 1200},
        row(0, 0.9, limit=5.0) | {"peak_mib": 1},
    ]

    lines = list(table.values(rows))[2:]

    assert lines == [
        "| `hall` | 2 | 60 | 0.970 (0.960), 0.900, 0.500 |  | 1,200 |",
        "| `hall` | 1 | 5 | 0.900 (0.900), 0.900, 0.500 |  | 1 |",
    ]


def test_memory_and_offers_are_told_below(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    largest = {"requests": 10_000, "racks": 12_288, "peak_mib": 1500}
    asked = {"instance": "colossus-0", "median_ms": 1.5, "questions": 2000}
    (tmp_path / "results.json").write_text(json.dumps({"memory": [largest], "offers": [asked]}))

    assert table.main([str(tmp_path / "results.json")]) == 0

    said = capsys.readouterr().out
    assert "- 10,000 requests on 12,288 racks: at most 1,500 MiB" in said
    assert "- offers on `colossus-0`: 1.5 ms in the median of 2,000" in said
