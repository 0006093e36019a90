"""A policy document from a file or standard input, bare or in the wrappers that `aws iam` prints around it."""

import json
from pathlib import Path
from urllib.parse import unquote

from ekstui import paths
from ekstui.core.document import MAX_BYTES, Document, broken_rules, broken_trust_rules, load_json, parse
from ekstui.errors import DocumentError, InputError

_WRAPPERS = ("PolicyVersion", "Document", "PolicyDocument", "Role", "AssumeRolePolicyDocument")

_DEPTH = 4
"""PolicyVersion or Role, the document, a string in it, and one to spare."""


def read_document(path: Path, *, trust: bool = False) -> Document:
    """Return the policy in a file; InputError names the file and what is wrong (see `document_of`)."""
    if paths.is_served():
        raise InputError(
            "In a browser, ekstui does not read files of the server.", "Name a policy, or paste what a command printed."
        )
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError:  # a name that no file can have
        raise InputError(f"{path} is not the name of a file.") from None
    return document_of(text, str(path), trust=trust)


def document_of(text: str | bytes, label: str, *, trust: bool = False) -> Document:
    """Return the identity policy or the trust policy in a text; DocumentError if IAM would reject it.

    The error starts with `label`, which says where the text is from.
    """
    try:
        document = parse(unwrapped(load_json(text)))
        for broken in broken_trust_rules(document) if trust else broken_rules(document):
            raise broken
        return document
    except DocumentError as error:
        raise DocumentError(f"{label}: {error.message}") from None


def unwrapped(value: object) -> object:
    """Return the policy document inside what `get-policy-version`, `get-role-policy` or `get-role` prints, else the value itself.

    IAM's API gives documents URL-encoded, and so do tools that store its answers as they come.
    """
    for _ in range(_DEPTH):
        if isinstance(value, str):
            value = load_json(value if value.lstrip().startswith("{") else unquote(value))
        elif isinstance(value, dict) and "Statement" not in value and (key := _wrapper(value)):
            value = value[key]
        else:
            break
    return value


def text_of(document: object) -> bytes:
    """Return a document's JSON as the cache stores it; InputError for a lone surrogate, which UTF-8 cannot encode."""
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise InputError("The document contains a lone surrogate, which is not text.") from None


def _wrapper(fields: dict[str, object]) -> str | None:
    return next((key for key in _WRAPPERS if key in fields), None)
