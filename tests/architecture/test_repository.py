"""The repository itself: short files, nothing left lying about, tests that run, documentation that is complete."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from portal.cli import main
from solver.commands.group import cli as solver_cli

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 400
LEFT_BEHIND = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
THIS_MACHINE = re.compile(r"/(?:home|root|Users|work)/\w")
INDEX_HOST = re.compile(
    r"https?://\S*(?:pypi|pythonhosted|simple/|artifactory|nexus|devpi)|--(?:extra-)?index-url", re.I
)
TEXTS = (
    ".py",
    ".html",
    ".css",
    ".js",
    ".svg",
    ".toml",
    ".json",
    ".md",
    ".txt",
    ".ini",
    ".mako",
    ".yml",
    ".yaml",
    ".sh",
)
TOOLS_OWN = {
    ".git",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    "__pycache__",
    "var",
    "build",
    "node_modules",
}
HELP = {"--help", "--version"}


def files(*endings: str) -> list[Path]:
    """The repository's texts with these endings (by default, all of them), without what tools put beside them."""
    wanted = endings or TEXTS
    found = (path for path in ROOT.rglob("*") if path.suffix in wanted or path.name in {"Makefile", "run"})
    inside = (path for path in found if path.is_file() and not TOOLS_OWN & set(path.relative_to(ROOT).parts[:-1]))
    return sorted(path for path in inside if not endings or path.suffix in endings)


def test_no_file_is_too_long() -> None:
    """A file beyond 400 lines wants to be two."""
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(".py")}

    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_nothing_is_left_for_later() -> None:
    """What is missing is an issue, not a comment."""
    own = Path(__file__)
    found = [
        f"{name(path)}:{number}"
        for path in files(".py", ".html", ".css", ".js", ".toml", ".md")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if path != own and LEFT_BEHIND.search(line)
    ]

    assert found == []


def test_nothing_is_printed() -> None:
    """Commands speak through click and rich, processes through their log."""
    found = [
        f"{name(path)}:{node.lineno}"
        for path in files(".py")
        if "bench" not in path.relative_to(ROOT).parts
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "breakpoint"}
    ]

    assert found == []


def test_no_test_is_passed_over() -> None:
    """A function with an assertion that is no test, no fixture and called by nobody would never run."""
    idle = []
    for path in files(".py"):
        if path.name.startswith("test_") and "tests" in path.relative_to(ROOT).parts:
            text = path.read_text(encoding="utf-8")
            idle += [f"{name(path)}: {function}" for function in never_run(text)]

    assert idle == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def tst_sum():\n    assert 1 + 1 == 2\n", ["tst_sum"]),
        ("def check():\n    assert True\n\ndef test_it():\n    check()\n", []),
        ("class Sums:\n    def test_sum(self):\n        assert True\n", ["Sums.test_sum"]),
        ("def test_sum():\n    assert True\n\ndef test_sum():\n    assert True\n", ["test_sum, twice"]),
    ],
)
def test_what_is_passed_over_is_found(text: str, expected: list[str]) -> None:
    """The search itself, on what it is to find."""
    assert list(never_run(text)) == expected


def test_every_test_file_is_collected() -> None:
    """A file with tests whose name pytest does not know would never run."""
    found = [
        name(path)
        for path in files(".py")
        if "tests" in path.relative_to(ROOT).parts and not path.name.startswith("test_")
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]

    assert found == []


def test_no_test_is_skipped() -> None:
    """A test that cannot run here is left out by a rule that says so; none is skipped by hand."""
    found = [
        f"{name(path)}:{node.lineno}"
        for path in files(".py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "xfail", "importorskip"}
        if isinstance(node.value, ast.Name | ast.Attribute) and ast.unparse(node.value) in {"pytest", "pytest.mark"}
    ]

    assert found == []


def test_no_silence_without_a_reason() -> None:
    """`noqa` and `type: ignore` name their rule and say why."""
    found = []
    for path in files(".py"):
        for comment, number in comments(path):
            bare = re.search(r"(?:noqa|type: ignore)(?!(?::\s?|\[)[A-Za-z]+\d*)", comment)
            if bare:
                found.append(f"{name(path)}:{number}")

    assert found == []


def test_no_path_of_a_machine_and_no_package_index() -> None:
    """Whoever clones this has other folders and maybe another index."""
    own = Path(__file__)
    found = [
        f"{name(path)}:{number}: {line.strip()[:80]}"
        for path in files()
        if path != own
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if THIS_MACHINE.search(line) or INDEX_HOST.search(line)
    ]

    assert found == []


@pytest.mark.parametrize(("program", "command"), [("berth", main), ("python -m solver", solver_cli)])
def test_every_command_and_option_is_documented(program: str, command: click.Group) -> None:
    """In the README or under docs/, by the name that one types."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in pages)

    missing = [words for words in typed(program, command) if not re.search(rf"{words}(?![\w-])", text)]

    assert missing == []


def typed(words: str, command: click.Command) -> Iterator[str]:
    """Each command by its full name, and its options; Flask's own commands are Flask's to document."""
    for parameter in command.params:
        options = {option for option in parameter.opts if option.startswith("--")} - HELP
        if parameter.param_type_name == "option" and words != "berth":
            yield from sorted(options)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for part in command.list_commands(context):
            found = command.get_command(context, part)
            if found and found.callback and found.callback.__module__.startswith(("portal.", "solver.")):
                yield f"{words} {part}"
                yield from typed(f"{words} {part}", found)


def never_run(text: str) -> Iterator[str]:
    """The functions of a test module that assert something and that neither pytest nor the module itself calls."""
    module = ast.parse(text)
    used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    seen: set[str] = set()
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("Test"):
            tests = (part for part in node.body if isinstance(part, ast.FunctionDef) and part.name.startswith("test_"))
            yield from (f"{node.name}.{part.name}" for part in tests)
        if isinstance(node, ast.FunctionDef):
            if node.name in seen:
                yield f"{node.name}, twice"
            seen.add(node.name)
            is_called = node.name.startswith("test_") or node.name in used or is_fixture(node)
            if not is_called and any(isinstance(part, ast.Assert) for part in ast.walk(node)):
                yield node.name


def is_fixture(function: ast.FunctionDef) -> bool:
    return any("fixture" in ast.unparse(each) for each in function.decorator_list)


def comments(path: Path) -> Iterator[tuple[str, int]]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT:
            yield token.string, token.start[0]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
