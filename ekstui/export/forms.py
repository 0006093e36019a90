"""The other forms of an answer's JSON: YAML, and its names alone."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_LISTS = (
    "policies", "changes", "versions", "moved", "roles", "users", "groups", "clusters", "components", "documents",
    "allowed_by", "services", "rules", "added", "removed", "changed", "new_policies", "new_versions", "settings",
    "accounts", "answers",
)  # fmt: skip
"""The fields with the lists that answers are about."""

_NAMED_BY = ("name", "policy", "arn", "service", "cluster", "component", "path", "account")
"""The fields that may name an element of such a list, the first that it has."""

_PLAIN = re.compile(r"(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z_][A-Za-z0-9_-]*", re.IGNORECASE)
"""A key that needs no quotes in YAML."""

_LONGEST_KEY = 1000
"""The longest key, in characters, on one line with its colon; YAML allows 1,024."""

_PAIR = re.compile(r"\\ud([89ab][0-9a-f]{2})\\ud([c-f][0-9a-f]{2})")
"""A surrogate pair in JSON, which is a single escape in YAML."""


def yaml(value: object, indent: str = "") -> Iterator[str]:
    """Yield a JSON value as lines of YAML, in ASCII."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            name = key if _PLAIN.fullmatch(key) else _scalar(key)
            start = f"{indent}{name}:"
            if len(name) > _LONGEST_KEY:
                yield f"{indent}? {name}"
                start = f"{indent}:"
            if isinstance(part, dict | list) and part:
                yield start
                yield from yaml(part, indent + "  ")
            else:
                yield f"{start} {_scalar(part)}"
    elif isinstance(value, list) and value:
        for part in value:
            first, *others = yaml(part, indent + "  ")
            yield f"{indent}- {first.strip()}"
            yield from others
    else:
        yield indent + _scalar(value)


def names(value: object) -> Iterator[str]:
    """Yield the names in an answer's lists, each once; those of a difference are its actions."""
    for name in dict.fromkeys(_names(value)):
        yield json.dumps(name)[1:-1]


def _names(value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for field in _LISTS:
        part = value.get(field)
        for element in part if isinstance(part, list | dict) else ():
            if not isinstance(element, dict):
                yield element
            elif field == "answers":
                yield from _names(element)
            elif "element" in element:
                yield from element["actions"]
            elif "verbs" in element or "verb" in element:
                yield from _kubernetes_actions(element)
            else:
                name = next((element[key] for key in _NAMED_BY if element.get(key)), None)
                yield name or f"{value.get('policy')}@{element.get('version')}"


def _kubernetes_actions(rule: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a rule allows, as `who-can` takes it: `k8s:VERB:RESOURCE.GROUP`."""
    groups, verbs = rule.get("api_groups") or [rule.get("api_group")], rule.get("verbs") or [rule.get("verb")]
    for verb in verbs:
        for resource in rule.get("resources") or filter(None, [rule.get("resource")]):
            for group in groups:
                name, slash, part = resource.partition("/")
                yield f"k8s:{verb}:{name}{f'.{group}' if group else ''}{slash}{part}"
        yield from (f"k8s:{verb}:{url}" for url in rule.get("non_resource_urls") or ())


def _scalar(value: object) -> str:
    return _PAIR.sub(_as_one_character, json.dumps(value))


def _as_one_character(match: re.Match[str]) -> str:
    high, low = int(match[1], 16) & 0x3FF, int(match[2], 16) & 0x3FF
    return f"\\U{0x10000 + (high << 10) + low:08x}"
