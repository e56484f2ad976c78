"""Templates, style sheets and scripts as files: named alike, nothing unused, readable in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portal.domain import states
from portal.web.assets import STATIC, load_assets
from portal.web.looks import SHAPES, TONES, look_of

TEMPLATES = STATIC.parent / "templates"
COMPONENTS = TEMPLATES / "components"
STYLES = sorted(STATIC.rglob("*.css"))
PAGES = sorted(TEMPLATES.rglob("*.html"))
FORMATS = STATIC.parent / "web" / "format.py"
SHELL = "shell"  # its styles are the layout's


def names(folder: Path, suffix: str) -> set[str]:
    return {path.stem for path in folder.glob(f"*{suffix}")}


def test_each_component_has_a_style_sheet_of_its_name() -> None:
    """So that one leads to the other."""
    assert names(COMPONENTS, ".html") - {SHELL} <= names(STATIC / "css" / "components", ".css")


@pytest.mark.parametrize("path", sorted((STATIC / "css" / "components").glob("*.css")), ids=lambda path: path.name)
def test_every_class_of_a_style_sheet_is_used(path: Path) -> None:
    """By a template or a script, whole or as a stem: `chip-{{ tone }}`. A rule for nothing misleads."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    used = "".join(each.read_text(encoding="utf-8") for each in (*PAGES, *STATIC.rglob("*.js"), FORMATS))

    selectors = " ".join(re.findall(r"([^{};]+)\{", text))
    for name in set(re.findall(r"\.([a-z][\w-]*)", selectors)):
        stem = re.escape(re.sub(r"(?<=-)\w+$|\d$", "", name))
        assert re.search(rf"\b{name}\b", used) or re.search(rf"\b{stem}(\{{\{{|['\"] ~)", used), f".{name} is not used"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_uses_every_macro_that_it_imports(path: Path) -> None:
    """An import that nothing uses misleads the next reader."""
    text = path.read_text(encoding="utf-8")

    for line in re.findall(r"{%-? from \"[^\"]+\" import ([^%]+?) -?%}", text):
        for name in (part.split(" as ")[-1].strip() for part in line.split(",")):
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{name} is imported and not used"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_template_has_nothing_inline(path: Path) -> None:
    """The policy would refuse it, and a page that no test fetches would break."""
    text = re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert not re.search(r"\sstyle=|<style|\son[a-z]+=\"|javascript:|data:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert "| safe" not in text or path.stem == "chip", "only the chip's own shapes are trusted markup"


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_a_style_sheet_loads_nothing_and_names_its_colours_by_token(path: Path) -> None:
    """Colours live in tokens.css, so that each has its value for both themes."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert "url(" not in text
    assert "@import" not in text
    if path.name not in {"tokens.css", "print.css"}:
        assert re.findall(r"#[0-9a-f]{3,8}\b", text) == []
    assert text.count("{") == text.count("}")


def test_every_token_that_is_used_is_defined() -> None:
    """A mistyped custom property fails silently in a browser."""
    text = "".join(path.read_text(encoding="utf-8") for path in STYLES)

    used = set(re.findall(r"var\((--[\w-]+)", text))
    assert used <= set(re.findall(r"(--[\w-]+):", text))


def test_the_pages_files_are_small() -> None:
    """First paint under 300 ms: styles and scripts together stay below 60 KB before compression."""
    assert sum(len(asset.content) for asset in load_assets().values()) < 60_000


TOKENS = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
PAIRS = [
    ("--ink", "--canvas"),
    ("--ink", "--surface"),
    ("--ink-2", "--canvas"),
    ("--ink-2", "--surface"),
    ("--ink-2", "--sunken"),
    ("--ink-2", "--raised"),
    ("--ink-3", "--surface"),
    ("--ink-3", "--canvas"),
    ("--ink-3", "--sunken"),
    ("--ink-3", "--raised"),
    ("--accent", "--surface"),
    ("--accent", "--canvas"),
    ("--accent", "--accent-soft"),
    ("--accent-ink", "--accent"),
    ("--ok", "--ok-soft"),
    ("--wait", "--wait-soft"),
    ("--bad", "--bad-soft"),
    ("--bad", "--surface"),
    ("--bad", "--raised"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_is_readable_in_both_themes(ink: str, ground: str, theme: str) -> None:
    """WCAG AA: 4.5 to 1."""
    assert contrast(colour(ink, theme), colour(ground, theme)) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["--surface", "--raised"])
def test_the_edge_of_a_field_is_visible_in_both_themes(ground: str, theme: str) -> None:
    """WCAG AA for what is not text: 3 to 1."""
    assert contrast(colour("--field-line", theme), colour(ground, theme)) >= 3


@pytest.mark.parametrize(
    "state",
    [
        state
        for cycle in (
            states.RequestState,
            states.OfferState,
            states.ReservationState,
            states.NoticeState,
            states.RunState,
            states.PlanState,
            states.OutageKind,
        )
        for state in cycle
    ],
    ids=lambda state: f"{type(state).__name__}.{state.name}",
)
def test_every_state_has_a_look(state: object) -> None:
    """A word, a known tone and a known shape."""
    look = look_of(state)  # type: ignore[arg-type]  # every state is an enum of text

    assert look.word == str(state).replace("_", " ")
    assert look.tone in TONES
    assert look.shape in SHAPES


def test_states_of_one_kind_differ_in_more_than_colour() -> None:
    """Two states of the same tone that can stand side by side are told apart by shape or by word."""
    for cycle in (states.RequestState, states.ReservationState, states.RunState, states.PlanState):
        looks = [look_of(state) for state in cycle]
        assert len({(look.word, look.shape) for look in looks}) == len(looks)


def colour(token: str, theme: str) -> tuple[float, float, float]:
    """The linear red, green and blue of a token."""
    match = re.search(rf"{token}: light-dark\(#(\w{{6}}), #(\w{{6}})\)", TOKENS)
    assert match, f"{token} is not a pair of colours"
    code = match[1 if theme == "light" else 2]
    red, green, blue = (linear(int(code[index : index + 2], 16) / 255) for index in (0, 2, 4))
    return red, green, blue


def linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """WCAG's contrast ratio."""
    lights = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)
