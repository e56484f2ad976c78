"""The JSON Schemas in docs/ are those of the models, and say what a reader needs."""

import json

import pytest

from solver import schema


@pytest.mark.parametrize("name", schema.MODELS)
def test_checked_in_schema_is_the_one_of_the_model(name: str) -> None:
    """Run ``python -m solver.schema`` after changing a format."""
    assert (schema.DOCS / name).read_text(encoding="utf-8") == schema.text(schema.MODELS[name])


def test_write_puts_both_schemas_into_the_directory(tmp_path) -> None:
    schema.write(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"snapshot.schema.json", "plan.schema.json"}


@pytest.mark.parametrize("name", schema.MODELS)
def test_every_object_of_a_schema_is_closed_and_needs_all_its_fields(name: str) -> None:
    content = json.loads((schema.DOCS / name).read_text(encoding="utf-8"))

    for definition in [content, *content["$defs"].values()]:
        assert definition["additionalProperties"] is False
        assert set(definition["required"]) == set(definition["properties"])
