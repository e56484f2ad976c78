"""Pictures from a small result: an SVG that says what it shows."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from bench import picture
from bench.chart import Label, Scale, spread

SVG = "{http://www.w3.org/2000/svg}"


def row(seed: int, reached: float, *, limit: float = 60.0) -> dict[str, Any]:
    return {
        "group": "hall",
        "seed": seed,
        "time_limit": limit,
        "requests": 150,
        "racks": 64,
        "days": 180,
        "tiers": {"0": {"value": reached * 200.0, "bound": 200.0}, "1": {"value": 0.0, "bound": 0.0}},
        "baselines": {
            "by_price": {"values": {"0": 180.0, "1": 0.0}},
            "first_come": {"values": {"0": 100.0, "1": 0.0}},
        },
        "course": [{"seconds": 1.0, "ratios": {"0": 0.9}}, {"seconds": 10.0, "ratios": {"0": reached}}],
    }


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  # written by this program


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter(f"{SVG}text")]


def test_a_group_shows_its_median_beside_the_baselines_and_the_bound() -> None:
    svg = picture.pictures({"value": [row(0, 0.96), row(1, 0.98), row(2, 0.99)]})["hall.svg"]

    said = texts(svg)
    assert said[0] == "hall: 150 requests, 64 racks, 180 days, 3 seeds"
    assert {"Berth 0.980", "by price 0.900", "first come 0.500", "bound 1"} <= set(said)


def test_a_tier_in_which_nothing_is_to_be_had_has_no_panel() -> None:
    said = texts(picture.pictures({"value": [row(0, 0.96)]})["hall.svg"])

    assert "tier 0" in said
    assert "tier 1" not in said


def test_only_the_longest_limit_is_drawn() -> None:
    svg = picture.pictures({"value": [row(0, 0.91, limit=15.0), row(0, 0.98)]})["hall.svg"]

    assert "Berth 0.980" in texts(svg)
    assert "1 seed" in texts(svg)[0]


def test_the_band_reaches_from_the_worst_seed_to_the_best() -> None:
    svg = picture.pictures({"value": [row(0, 0.95), row(1, 0.99)]})["hall.svg"]

    corners = next(parsed(svg).iter(f"{SVG}polygon")).attrib["points"].split()
    heights = {float(corner.split(",")[1]) for corner in corners if corner.startswith("250,")}
    scale = Scale(0.002, 1.0, 0, 220)
    assert heights == {scale.at(0.05), scale.at(0.01)}


def test_growth_is_drawn_beside_what_is_allowed() -> None:
    grown = [
        {"family": "racks", "extent": extent, "course": [{"seconds": seconds, "ratios": {"0": 0.95, "1": 0.91}}]}
        for extent, seconds in ((100, 2.0), (200, 4.0))
    ]

    said = texts(picture.pictures({"growth": grown})["growth.svg"])

    assert {"racks", "100", "200", "to 0.90", "2.5 per doubling"} <= set(said)


def test_a_picture_is_readable_on_dark_paper_and_by_those_who_do_not_see_it() -> None:
    svg = picture.pictures({"value": [row(0, 0.96)]})["hall.svg"]

    assert "prefers-color-scheme: dark" in svg
    assert "Berth 0.960" in (parsed(svg).findtext(f"{SVG}desc") or "")


def test_a_scale_cuts_off_what_lies_outside() -> None:
    scale = Scale(1.0, 100.0, 0, 200)

    assert [scale.at(value) for value in (0.1, 1.0, 10.0, 1000.0)] == [0.0, 0.0, 100.0, 200.0]


def test_labels_keep_apart() -> None:
    labels = [Label("ours", 20.0, "b"), Label("price", 18.0, "a"), Label("come", 90.0, "c")]

    assert [(label.text, label.at) for label in spread(labels)] == [("a", 18.0), ("b", 32.0), ("c", 90.0)]


def test_files_are_written_where_they_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"value": [row(0, 0.96)]}))

    assert picture.main([str(tmp_path / "results.json"), "-o", str(tmp_path / "drawn")]) == 0

    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["hall.svg"]
    assert capsys.readouterr().out == "hall.svg\n"
