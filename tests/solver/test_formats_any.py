"""Whatever stands in a file: it loads or it is refused as a whole, and nothing else happens."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from solver import plan, snapshot
from tests.solver.reference import broken, build

EXAMPLES = {"snapshot": broken.example_snapshot(), "plan": broken.example_plan()}
PATHS = [(kind, path) for kind, content in EXAMPLES.items() for path, _ in broken.fields(content)]
PARSE = {"snapshot": snapshot.parse, "plan": plan.parse}

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["r1", "s1", "t1", "k1", "v1", "q1", "2027-03-01", "9999-12-31", "0001-01-01", 72, 10**9]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(["r1", "start"]), inner),
    max_leaves=6,
)


def loads_or_is_refused(kind: str, data: bytes) -> None:
    assert all(fault.isprintable() for fault in broken.faults_of(PARSE[kind], data))


@given(edits=st.lists(st.tuples(st.sampled_from(PATHS), values), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_values_in_any_fields(edits: list[tuple[tuple[str, str], Any]]) -> None:
    for (kind, path), value in edits:
        content = EXAMPLES[kind]
        for (other_kind, other), more in edits:
            if other_kind == kind and not other.startswith(path) and not path.startswith(other):
                content = _edited(content, other, more)

        loads_or_is_refused(kind, build.encode(_edited(content, path, value)))


def _edited(content: Any, path: str, value: Any) -> Any:
    """The content with this value at the path, or as it is where another edit took the place away."""
    try:
        return broken.with_value(content, path, value)
    except (TypeError, KeyError, IndexError):
        return content


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_bytes(data: bytes) -> None:
    for kind in PARSE:
        loads_or_is_refused(kind, data)


@given(data=st.data(), kind=st.sampled_from(["snapshot", "plan"]))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_a_good_file_with_some_bytes_changed(data: st.DataObject, kind: str) -> None:
    good = bytearray(json.dumps(EXAMPLES[kind]).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(good) - 1))
        good[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))

    loads_or_is_refused(kind, bytes(good))
