"""What is readable of a file that is refused, so that one wrong field does not hide the faults of the others."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

M = TypeVar("M", bound=BaseModel)


def read(model: type[M], content: Any) -> M:
    """The fields of ``content`` that are right by themselves; reading one of the others raises AttributeError."""
    if not isinstance(content, dict):
        return model.model_construct()
    values = {}
    for name in model.model_fields.keys() & content.keys():
        try:
            values[name] = _value(model, name, content[name])
        except ValidationError:
            continue
    return model.model_construct(**values)


def is_whole(item: BaseModel) -> bool:
    """Whether every field of the item could be read."""
    return len(item.model_fields_set) == len(type(item).model_fields)


def _value(model: type[BaseModel], name: str, content: Any) -> Any:
    annotation = model.model_fields[name].annotation
    inner = get_args(annotation)[0] if get_origin(annotation) is list else None
    if isinstance(content, list) and isinstance(inner, type) and issubclass(inner, BaseModel):
        return [read(inner, item) for item in content]
    return _adapter(model, name).validate_python(content)


@cache
def _adapter(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = model.model_fields[name]
    annotation: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(annotation, config=ConfigDict(strict=True))
