"""How schema.json says what a value is: the words of JSON Schema that it is written in."""

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
BOOLEAN: Schema = {"type": "boolean"}
ARN: Schema = {"type": "string", "pattern": "^arn:"}
ANYTHING: Schema = {}
"""A policy document as IAM has it, or a setting."""

DATA: Schema = {"$ref": "#/$defs/DataStatus"}
TIME: Schema = {"$ref": "#/$defs/time"}
VERSION: Schema = {"$ref": "#/$defs/version"}
"""Definitions of their own: `build_schema.py` has the last two, the encoder lists the class of the first."""


def some(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def named(schema: Schema) -> Schema:
    """Return the schema of an object whose keys are names."""
    return {"type": "object", "additionalProperties": schema}


def either(*schemas: Schema) -> Schema:
    """Return the schema of a value that has one of these."""
    flat: list[Schema] = []
    for schema in schemas:
        flat += [part for part in schema.get("anyOf", [schema]) if part not in flat]
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def none_or(schema: Schema) -> Schema:
    """Return the schema of a value that may be null."""
    return either(schema, {"type": "null"})


def record(about: str = "", optional: Mapping[str, Schema] | None = None, /, **fields: Schema) -> Schema:
    """Return the schema of an object that has all of these fields, and may have the optional ones."""
    words = {"description": about} if about else {}
    return {
        "type": "object", **words, "properties": {**fields, **(optional or {})}, "required": list(fields)
    }  # fmt: skip


def is_a(form: str) -> Schema:
    """Return a reference to a class, or a form of one, that the encoder lists; the form stands without its class."""
    return {"$ref": f"#/$defs/{form.rpartition('.')[2]}"}


TEXTS = some(STRING)
COMMANDS: Schema = {
    "description": "Commands, each as its arguments, to be run in this order; ekstui runs none of them. A shell variable "
    "that has to be set first stands as ${NAME:?}.",
    **some(TEXTS),
}
