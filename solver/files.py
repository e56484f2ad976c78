"""Reading and writing the two files: plain or gzip, a path or ``-`` for standard input and output."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

STANDARD = "-"


class BadFile(Exception):
    """A file that is refused as a whole. ``faults`` lists every fault as one sentence, each opening with its path."""

    def __init__(self, name: str, faults: Iterable[str]) -> None:
        self.name = name
        self.faults = tuple(faults)
        super().__init__(f"{name} is refused: " + "; ".join(self.faults))


def read_bytes(path: str) -> bytes:
    """The file's JSON bytes, decompressed where they are gzip. Raises `BadFile` where it can't be read."""
    name = "standard input" if path == STANDARD else path
    try:
        raw = sys.stdin.buffer.read() if path == STANDARD else Path(path).read_bytes()
        return gzip.decompress(raw) if path.endswith(".gz") or raw[:2] == b"\x1f\x8b" else raw
    except OSError as error:  # gzip.BadGzipFile is one
        raise BadFile(name, [f"it cannot be read: {error.strerror or error}"]) from None
    except EOFError as error:
        raise BadFile(name, [f"the compressed file ends too early: {error}"]) from None
    except zlib.error as error:
        raise BadFile(name, [f"the compressed file is damaged: {error}"]) from None


def check_writable(path: str) -> None:
    """Raise `BadFile` where nothing could be written to ``path``: better before hours of work than after."""
    if path == STANDARD:
        return
    target = Path(path)
    if target.is_dir():
        raise BadFile(path, ["it cannot be written: it is a folder"])
    if not target.parent.is_dir():
        raise BadFile(path, [f"it cannot be written: there is no folder {target.parent}"])
    if not os.access(target if target.exists() and not target.is_file() else target.parent, os.W_OK):
        raise BadFile(path, ["it cannot be written: permission denied"])


def write_bytes(path: str, data: bytes) -> None:
    """Write all of ``data`` or nothing: into a neighbour first, then renamed over ``path``.

    Raises `BadFile` where it can't be written.
    """
    try:
        _write(path, data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BadFile(path, [f"it cannot be written: {error.strerror or error}"]) from None


def _write(path: str, data: bytes) -> None:
    if path == STANDARD:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    if target.exists() and not target.is_file():  # a device or a pipe can't be renamed over
        target.write_bytes(data)
        return
    if path.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sha256(data: bytes) -> str:
    """The hex digest by which a plan names its snapshot."""
    return hashlib.sha256(data).hexdigest()


def parse_json(name: str, data: bytes) -> Any:
    """Strict JSON (RFC 8259): no NaN, no Infinity, no key twice, no half of a surrogate pair. Raises `BadFile`."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(name, [f"byte {error.start} is no UTF-8 text"]) from None
    try:
        content = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
        found = list(_text_faults(content, ()))
    except json.JSONDecodeError as error:
        raise BadFile(name, [f"line {error.lineno}, column {error.colno}: no JSON: {error.msg}"]) from None
    except _NotJson as error:
        raise BadFile(name, [_constant_place(text, error.constant)]) from None
    except RecursionError:
        raise BadFile(name, ["the JSON is nested too deeply"]) from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise BadFile(name, [f"a number is too long: {error}"]) from None
    if found:
        raise BadFile(name, found)
    return content


def validation_faults(error: ValidationError) -> list[str]:
    """pydantic's errors as sentences that open with the JSON path: ``requests[3].gpus: ...``."""
    return [f"{json_path(item['loc'])}: {_sentence(item)}" for item in error.errors(include_url=False)]


def json_path(parts: Iterable[str | int]) -> str:
    """``("requests", 3, "gpus")`` as ``requests[3].gpus``."""
    path = ""
    for part in parts:
        if part != "[key]":  # pydantic's mark for a key instead of its value
            path = f"{path}[{part}]" if isinstance(part, int) else child(path, part)
    return path or "the file"


def child(path: str, key: str) -> str:
    """The path of what stands under ``key``: ``path.key``, or ``path["a key"]`` where the key is no plain word."""
    if not _PLAIN_KEY.fullmatch(key):
        return f"{path}[{json.dumps(key)}]"
    return f"{path}.{key}" if path else key


def quote(value: Any) -> str:
    """The value as it stands in the file, in ASCII, cut where it is long."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


def dump(model: BaseModel) -> bytes:
    """The model as JSON text, one line a top-level entry's worth of nesting, ending in a newline."""
    return (model.model_dump_json(indent=1) + "\n").encode()


_PLAIN_KEY = re.compile(r"[\w:+.-]+", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")


class _NotJson(Exception):
    def __init__(self, constant: str) -> None:
        self.constant = constant


class _Repeating(dict[str, Any]):
    """An object of the file in which the keys ``repeated`` stand more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]


def _refuse_constant(constant: str) -> Any:
    raise _NotJson(constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else _Repeating(pairs)


def _text_faults(content: Any, at: tuple[str | int, ...]) -> Iterator[str]:
    """Keys that stand twice in one object, and text that UTF-8 can't hold (``"\\ud800"`` alone)."""
    if isinstance(content, str):
        if _SURROGATE.search(content):
            yield f"{json_path(at)}: {json.dumps(content)} holds half of a surrogate pair"
    elif isinstance(content, list):
        for index, item in enumerate(content):
            yield from _text_faults(item, (*at, index))
    elif isinstance(content, dict):
        if isinstance(content, _Repeating):
            yield from (f"{json_path((*at, key))}: the key stands twice in one object" for key in content.repeated)
        for key, item in content.items():
            yield from _text_faults(key, (*at, key))
            yield from _text_faults(item, (*at, key))


def _constant_place(text: str, constant: str) -> str:
    """Line and column of the first ``constant`` that stands outside a JSON string."""
    in_string = escaped = False
    for index, character in enumerate(text):
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif text.startswith(constant, index):
            line = text.count("\n", 0, index) + 1
            return f"line {line}, column {index - text.rfind(chr(10), 0, index)}: no JSON: {constant} is no number"
    return f"no JSON: {constant} is no number"


_LONGEST_QUOTE = 60
_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is no field of this format",
    "int_type": "must be a whole number",
    "int_parsing_size": "is too large",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must match {pattern}",
    "timezone_aware": "must name its time zone",
}


def _sentence(item: Any) -> str:
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    message = str(_SENTENCES.get(item["type"], item["msg"])).format(**item.get("ctx", {}))
    if item["type"] in ("missing", "extra_forbidden") or isinstance(item["input"], dict | list):
        return message
    return f"{quote(item['input'])} {message}"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
