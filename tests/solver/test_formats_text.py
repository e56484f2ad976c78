"""Files that are no JSON, no UTF-8 or no gzip: refused with the place, never with another exception."""

from __future__ import annotations

import gzip
import io
import sys
import time
from pathlib import Path

import pytest

from solver import files, plan, snapshot
from solver.files import BadFile
from tests.solver.reference import broken, build

GOOD = build.encode(broken.example_snapshot())


def refused(data: bytes) -> tuple[str, ...]:
    with pytest.raises(BadFile) as snapshot_refused:
        snapshot.parse(data)
    with pytest.raises(BadFile) as plan_refused:
        plan.parse(data)
    assert snapshot_refused.value.faults == plan_refused.value.faults
    return snapshot_refused.value.faults


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        (" ", 1, 2),
        ("\n", 2, 1),
        ("{", 1, 2),
        ("[1, 2", 1, 6),
        ('{"a": 1,}', 1, 9),
        ('{"a": 1,\n "b" 2}', 2, 6),
        ("{'a': 1}", 1, 2),
        ('{"a": tru}', 1, 7),
        ('{"a": True}', 1, 7),
        ('{"a": None}', 1, 7),
        ('{"a": 01}', 1, 8),
        ('{"a": +1}', 1, 7),
        ('{"a": .5}', 1, 7),
        ('{"a": 1.}', 1, 8),
        ('{"a": 0x10}', 1, 8),
        ('{"a": 1_000}', 1, 8),
        ('{"a": "tab\there"}', 1, 11),
        ('{"a": "\\x41"}', 1, 8),
        ('{"a": "\\u12"}', 1, 9),
        ('{"a": "open', 1, 7),
        ('{"a": 1} {"b": 2}', 1, 10),
        ('{"a": 1}]', 1, 9),
        ("// comment\n{}", 1, 1),
        ('{\n "a": [1,\n 2,,]}', 3, 4),
        ("format: berth.snapshot/1", 1, 1),
        ("<html></html>", 1, 1),
        ("\ufeff{}", 1, 1),
        ("\x00", 1, 1),
    ],
)
def test_text_that_is_no_json_is_refused_with_line_and_column(text: str, line: int, column: int) -> None:
    (fault,) = refused(text.encode())

    assert fault.startswith(f"line {line}, column {column}: no JSON")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"a": NaN}', 1, 7),
        ('{"a": Infinity}', 1, 7),
        ('{"a": -Infinity}', 1, 7),
        ('{"NaN": "NaN",\n  "b": [1, NaN]}', 2, 12),
        ('{"a \\" NaN": "\\\\",\n"b": Infinity}', 2, 6),
    ],
)
def test_nan_and_infinity_are_no_json(text: str, line: int, column: int) -> None:
    (fault,) = refused(text.encode())

    assert fault.startswith(f"line {line}, column {column}: no JSON")


@pytest.mark.parametrize("cut", range(1, len(GOOD), 97))
def test_a_file_cut_short_is_refused_with_line_and_column(cut: int) -> None:
    (fault,) = refused(GOOD[:cut])

    assert fault.startswith("line 1, column ")


@pytest.mark.parametrize(
    "data", [b"\xff", b'{"a": "\xc3"}', b'{"a": "\xed\xa0\x80"}', "{}".encode("utf-16"), b"\x80abc"]
)
def test_bytes_that_are_no_utf8_are_refused_with_their_place(data: bytes) -> None:
    (fault,) = refused(data)

    assert fault.startswith("byte ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1, "a": 1}', "a: the key stands twice in one object"),
        ('{"b": [{"x": 1}, {"y": 1, "y": 2}]}', "b[1].y: the key stands twice in one object"),
        ('{"racks": {"r 1": 72, "r 1": 72}}', 'racks["r 1"]: the key stands twice in one object'),
        ('{"id": "\\ud800"}', 'id: "\\ud800" holds half of a surrogate pair'),
        ('{"\\udc00": 1}', '["\\udc00"]: "\\udc00" holds half of a surrogate pair'),
        ('{"a": ["\\ude00\\ud83d"]}', 'a[0]: "\\ude00\\ud83d" holds half of a surrogate pair'),
    ],
)
def test_text_that_reads_in_two_ways_or_in_none_is_named(text: str, fault: str) -> None:
    assert refused(text.encode()) == (fault,)


def test_all_keys_that_stand_twice_are_listed() -> None:
    text = '{"a": 1, "a": 2, "b": {"c": 1, "d": 1, "c": 1, "d": 1, "c": 1}}'

    assert [fault.partition(":")[0] for fault in refused(text.encode())] == ["a", "b.c", "b.d"]


def test_a_whole_surrogate_pair_is_text_like_any_other() -> None:
    data = GOOD.replace(b'"T1"', b'"\\ud83d\\ude80"')

    assert snapshot.parse(data).snapshot.tenants[0].name == "\U0001f680"


@pytest.mark.parametrize("depth", [500, 1_000, 2_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_deep_nesting_is_refused(opening: str, closing: str, depth: int) -> None:
    for parse in (snapshot.parse, plan.parse):
        with pytest.raises(BadFile):
            parse((opening * depth + "1" + closing * depth).encode())


@pytest.mark.parametrize("depth", [500, 1_000, 100_000])
def test_deep_nesting_inside_a_field_is_refused(depth: int) -> None:
    data = GOOD.replace(b'"T1"', b"[" * depth + b"]" * depth)

    with pytest.raises(BadFile):
        snapshot.parse(data)


def test_a_whole_number_of_many_digits_is_refused() -> None:
    assert len(refused(b'{"a": ' + b"9" * 5000 + b"}")) == 1


def test_a_long_wrong_value_is_quoted_in_part() -> None:
    data = GOOD.replace(b'"failure"', b'"' + b"x" * 100_000 + b'"')

    with pytest.raises(BadFile) as error:
        snapshot.parse(data)

    assert len(error.value.faults[0]) < 200


def test_a_fault_is_one_line_whatever_the_ids_hold() -> None:
    content = broken.with_value(broken.example_snapshot(), "outages[0].rack", "a\nb\x1b[31m")

    (fault,) = broken.snapshot_faults(content)

    assert fault.isprintable()


PACKED = gzip.compress(GOOD, mtime=0)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PACKED[:-20], "ends too early"),
        (PACKED[:5], "ends too early"),
        (b"\x1f\x8b", "ends too early"),
        (GOOD, "cannot be read"),
        (b"BZh91AY&SY", "cannot be read"),
        (PACKED + b"rubbish", "cannot be read"),
        (PACKED[:-8] + bytes(8), "cannot be read"),
        (PACKED[:30] + b"\xff" * 60 + PACKED[90:], "damaged"),
    ],
)
def test_a_broken_compressed_file_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "snapshot.json.gz"
    path.write_bytes(data)

    with pytest.raises(BadFile, match=words):
        snapshot.load(str(path))


@pytest.mark.parametrize("name", ["empty.json", "empty.json.gz"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")

    with pytest.raises(BadFile, match="line 1, column 1"):
        snapshot.load(str(tmp_path / name))


def test_a_file_that_is_not_there_and_a_directory_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(BadFile, match="cannot be read"):
            snapshot.load(str(path))


def test_the_digest_is_that_of_the_json_bytes_compressed_or_not(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(GOOD)
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(GOOD))

    plain, packed = (snapshot.load(str(tmp_path / name)) for name in ("a.json", "a.json.gz"))

    assert plain.sha256 == packed.sha256 == files.sha256(GOOD)
    assert plain.snapshot == packed.snapshot


@pytest.mark.parametrize("data", [GOOD, gzip.compress(GOOD)])
def test_standard_input_may_be_compressed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    assert snapshot.load("-").sha256 == files.sha256(GOOD)


def test_a_bad_file_on_standard_input_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{")))

    with pytest.raises(BadFile, match="standard input is refused"):
        snapshot.load("-")


def test_a_written_file_reads_back_compressed_or_not(tmp_path: Path) -> None:
    for name in ("plan.json", "plan.json.gz"):
        files.write_bytes(str(tmp_path / name), GOOD)

        assert files.read_bytes(str(tmp_path / name)) == GOOD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.json", "plan.json.gz"]
    assert (tmp_path / "plan.json.gz").read_bytes()[:2] == b"\x1f\x8b"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(b"old")

    def fail(*paths: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(files.BadFile, match="it cannot be written: no space left"):
        files.write_bytes(str(path), b"new")

    assert path.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [path]


def test_a_large_snapshot_loads_in_seconds() -> None:
    requests = [build.request(f"q{i}", latest=5) for i in range(6_000)]
    data = build.encode(build.snapshot(requests=requests))

    began = time.perf_counter()
    snapshot.parse(data)

    assert time.perf_counter() - began < 3


def test_a_large_snapshot_of_nothing_but_faults_is_refused_in_seconds() -> None:
    requests = [build.request(f"q{i}", gpus=70, tier=True, contract="k9", extends="v9") for i in range(6_000)]
    data = build.encode(build.snapshot(requests=requests, tenants=[]))

    began = time.perf_counter()
    with pytest.raises(BadFile) as error:
        snapshot.parse(data)

    assert len(error.value.faults) == 6_000 * 6  # type; tenant, contract, extends unknown; gpus and min_gpus
    assert time.perf_counter() - began < 10
