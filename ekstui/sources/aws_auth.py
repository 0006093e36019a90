"""The lines of the ConfigMap aws-auth, from the JSON or YAML text in it.

Of YAML only what tools and people write there is read: lists of mappings whose values are plain or quoted words on one
line, or lists of those. Anything else is refused, so that no line is half read. Source: aws-iam-authenticator, "Full
Configuration Format"; EKS User Guide, "Grant IAM users access to Kubernetes with a ConfigMap".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from ekstui.eks.pods import AuthMapping
from ekstui.errors import InputError

_MOST_CHARACTERS = 2_000_000
"""A ConfigMap has at most a megabyte."""

_ARN = re.compile(r"arn:aws[a-z-]{0,10}:(?:iam|sts)::[0-9]{12}:[a-z-]+/[\w+=,.@/!-]{1,600}", re.ASCII)
_KEYS: Mapping[str, tuple[Literal["role", "user"], str]] = {
    "mapRoles": ("role", "rolearn"),
    "mapUsers": ("user", "userarn"),
}
_ACCOUNT = re.compile(r"[0-9]{12}")

_LINE = re.compile(
    r"(?P<indent> *)(?P<dash>- +)?(?:(?P<key>\"[^\"\\]+\"|'[^']+'|[A-Za-z]\w*) *:(?: +|$))?(?P<value>.*)"
)
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_QUOTED = re.compile(r"\"(?P<double>[^\"\\]*)\"|'(?P<single>[^']*)'")
_PLAIN = re.compile(r"[\w.+~/][^\"'\[\]#&*!|>%`]*")


def parse_aws_auth(data: object) -> tuple[AuthMapping, ...]:
    """Return the lines of the `data` of aws-auth in order; InputError for one that cannot be read."""
    fields = data if isinstance(data, Mapping) else {}
    mappings: list[AuthMapping] = []
    for name, (kind, arn) in _KEYS.items():
        mappings += [_mapping(entry, kind, arn, name) for entry in _entries(fields.get(name), name)]
    for entry in _entries(fields.get("mapAccounts"), "mapAccounts"):
        if not isinstance(entry, str) or not _ACCOUNT.fullmatch(entry):
            raise _unreadable("mapAccounts", "one is not an account's number")
        mappings.append(AuthMapping("account", entry))
    return tuple(mappings)


def _mapping(entry: object, kind: Literal["role", "user"], arn: str, name: str) -> AuthMapping:
    fields = {key.lower(): value for key, value in entry.items()} if isinstance(entry, dict) else {}
    principal, username, groups = fields.get(arn), fields.get("username", ""), fields.get("groups") or []
    if not isinstance(principal, str) or not _ARN.fullmatch(principal):
        raise _unreadable(name, f"one has no {arn}")
    if (
        not isinstance(username, str)
        or not isinstance(groups, list)
        or not all(isinstance(group, str) for group in groups)
    ):
        raise _unreadable(name, "a user name or group is not text")
    return AuthMapping(kind, principal, username, tuple(groups))


def _entries(text: object, name: str) -> list[Any]:
    if not isinstance(text, str) or not text.strip():
        return []
    if len(text) > _MOST_CHARACTERS:
        raise _unreadable(name, "it is too long")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = _of_yaml(text, name)
    if not isinstance(value, list):
        raise _unreadable(name, "it is not a list")
    return value


def _of_yaml(text: str, name: str) -> list[Any]:
    """Return a list of words, or of mappings to words and lists of words."""
    entries: list[Any] = []
    outer: int | None = None
    column = 0  # where the keys of the current mapping begin
    words: list[str] | None = None  # the list of the last key, if its words follow
    for number, line in _lines(text):
        match = _LINE.fullmatch(line)
        if match is None:
            raise _not_understood(name, number)
        indent, dash, key, value = len(match["indent"]), match["dash"] or "", match["key"], match["value"]
        outer = indent if outer is None else outer
        if dash and indent == outer:
            column, words = indent + len(dash), None
            entries.append({} if key else _word(value, name, number))
        elif dash and words is not None and key is None and indent >= column:
            words.append(_word(value, name, number))
            continue
        if key is None and dash:
            continue
        fields = entries[-1] if entries else None
        label = (key or "").strip("\"'")
        if not isinstance(fields, dict) or not label or label in fields or indent + len(dash) != column:
            raise _not_understood(name, number)
        words = None
        if value:
            fields[label] = _value(value, name, number)
        else:
            words = fields[label] = []
    return entries


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        line_without_comment = line if _QUOTED.search(line) and "#" in line else _COMMENT.sub("", line)
        if line_without_comment.strip() and line_without_comment.strip() != "---":
            yield number, line_without_comment.rstrip()


def _value(text: str, name: str, number: int) -> str | list[str]:
    if text.startswith("[") and text.endswith("]"):
        return [_word(part.strip(), name, number) for part in text[1:-1].split(",") if part.strip()]
    return _word(text, name, number)


def _word(text: str, name: str, number: int) -> str:
    """Return a scalar on one line."""
    if match := _QUOTED.fullmatch(text):
        return match["double"] if match["double"] is not None else match["single"]
    if not _PLAIN.fullmatch(text) or ": " in text or text.endswith(":"):
        raise _not_understood(name, number)
    return text


def _not_understood(name: str, number: int) -> InputError:
    return _unreadable(name, f"line {number} is not understood")


def _unreadable(name: str, reason: str) -> InputError:
    return InputError(f"{name} of the ConfigMap aws-auth cannot be read: {reason}.", "Its lines are not judged.")
