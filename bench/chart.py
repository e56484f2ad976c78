"""Charts as SVG: scales, panels, and the template that draws them. Readable on light and on dark paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jinja2

Style = Literal["ours", "price", "come", "bound"]
XY = tuple[float, float]

WIDTH, HEIGHT = 250, 220
_LEFT, _TOP, _BETWEEN, _RIGHT, _BOTTOM = 52, 66, 172, 124, 48
_LEAST_BETWEEN_LABELS = 14
_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)


@dataclass(frozen=True, slots=True)
class Scale:
    """A logarithmic scale from ``low`` at pixel ``first`` to ``high`` at pixel ``last``; what is outside is cut off."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        share = math.log(min(max(value, self.low), self.high) / self.low) / math.log(self.high / self.low)
        return round(self.first + share * (self.last - self.first), 1)


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """``points`` as SVG writes them."""

    style: Style
    points: str


@dataclass(frozen=True, slots=True)
class Label:
    """A line's name, to the right of the panel at pixel ``at``."""

    style: Style
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes with what is drawn between them; ``number`` counts from the left."""

    number: int
    title: str
    x_title: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    lines: Sequence[Line]
    labels: Sequence[Label]
    band: str = ""

    @property
    def left(self) -> int:
        return _LEFT + self.number * (WIDTH + _BETWEEN)

    @property
    def top(self) -> int:
        return _TOP

    @property
    def width(self) -> int:
        return WIDTH

    @property
    def height(self) -> int:
        return HEIGHT


def points(pixels: Iterable[XY]) -> str:
    """Pixels as SVG writes them."""
    return " ".join(f"{x:g},{y:g}" for x, y in pixels)


def spread(labels: Sequence[Label]) -> list[Label]:
    """The labels from the top down, each far enough below the one before to be read."""
    result: list[Label] = []
    for label in sorted(labels, key=lambda label: label.at):
        at = max(label.at, result[-1].at + _LEAST_BETWEEN_LABELS) if result else label.at
        result.append(Label(label.style, at, label.text))
    return result


def draw(title: str, summary: str, panels: Sequence[Panel]) -> str:
    """The chart as an SVG file's text."""
    width = panels[-1].left + WIDTH + _RIGHT
    height = _TOP + HEIGHT + _BOTTOM
    template = _TEMPLATES.get_template("picture.svg.jinja")
    return template.render(title=title, summary=summary, panels=panels, width=width, height=height)
