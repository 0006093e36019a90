"""Answers in IAM's XML, written directly.

moto's serialiser asks the service model about every field and takes a second for 1,500 policies.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape


def iam_answer(operation: str, result: Mapping[str, Any]) -> str:
    """Return `result` as the answer to an operation of IAM, whose lists are all of `member`; None is left out."""
    return (
        f'<{operation}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        f"<{operation}Result>{_text(result)}</{operation}Result>"
        f"<ResponseMetadata><RequestId>rig</RequestId></ResponseMetadata></{operation}Response>"
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return "".join(f"<{key}>{_text(one)}</{key}>" for key, one in value.items() if one is not None)
    if isinstance(value, list):
        return "".join(f"<member>{_text(one)}</member>" for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)
