"""Reading and writing the two files: plain or gzip, a path or ``-`` for standard input and output."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable
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
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise BadFile(name, [f"the compressed file is damaged: {error}"]) from None
        raise


def write_bytes(path: str, data: bytes) -> None:
    """Write all of ``data`` or nothing: into a neighbour first, then renamed over ``path``."""
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
    """Strict JSON (RFC 8259): no NaN, no Infinity, no key twice. Raises `BadFile` with line and column."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadFile(name, [f"byte {error.start} is no UTF-8 text"]) from None
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise BadFile(name, [f"line {error.lineno}, column {error.colno}: no JSON: {error.msg}"]) from None
    except _NotJson as error:
        raise BadFile(name, [_constant_place(text, error.constant)]) from None
    except _DuplicateKey as error:
        raise BadFile(name, [f"the key {error.key!r} stands twice in one object"]) from None
    except RecursionError:
        raise BadFile(name, ["the JSON is nested too deeply"]) from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise BadFile(name, [f"a number is too long: {error}"]) from None


def validation_faults(error: ValidationError) -> list[str]:
    """pydantic's errors as sentences that open with the JSON path: ``requests[3].gpus: ...``."""
    return [f"{json_path(item['loc'])}: {_sentence(item)}" for item in error.errors(include_url=False)]


def json_path(parts: Iterable[str | int]) -> str:
    """``("requests", 3, "gpus")`` as ``requests[3].gpus``."""
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else str(part))
    return path or "the file"


def dump(model: BaseModel) -> bytes:
    """The model as JSON text, one line a top-level entry's worth of nesting, ending in a newline."""
    return (model.model_dump_json(indent=1) + "\n").encode()


class _NotJson(Exception):
    def __init__(self, constant: str) -> None:
        self.constant = constant


class _DuplicateKey(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _refuse_constant(constant: str) -> Any:
    raise _NotJson(constant)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _DuplicateKey(next(key for key in keys if keys.count(key) > 1))
    return result


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


_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is no field of this format",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number, without a fraction or exponent",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
}


def _sentence(item: Any) -> str:
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    message = _SENTENCES.get(item["type"]) or str(item["msg"])
    if item["type"] in ("missing", "extra_forbidden") or isinstance(item["input"], dict | list):
        return message
    return f"{json.dumps(item['input'], default=str)} {message}" if message.startswith("must") else message


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
