"""JSON Schemas of both file formats, written to ``docs/`` by ``python -m solver.schema``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from solver.plan import Plan
from solver.snapshot import Snapshot

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DOCS = Path(__file__).parent.parent / "docs"
MODELS: dict[str, type[BaseModel]] = {"snapshot.schema.json": Snapshot, "plan.schema.json": Plan}


def schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of one format: fields, types and ranges; what needs two fields at once it can't say."""
    return {"$schema": DIALECT, **model.model_json_schema()}


def text(model: type[BaseModel]) -> str:
    """The schema as the file that is checked in."""
    return json.dumps(schema(model), indent=2, ensure_ascii=False) + "\n"


def write(directory: Path = DOCS) -> None:
    """Write both schemas, replacing the ones that are there."""
    for name, model in MODELS.items():
        (directory / name).write_text(text(model), encoding="utf-8")


if __name__ == "__main__":
    write()
