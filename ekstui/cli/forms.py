"""An answer in other forms than JSON: as YAML, and the names of what it lists."""

import json
import re
from collections.abc import Iterator

_LISTS = ("policies", "changes", "versions", "moved", "roles", "users", "groups", "allowed_by", "services", "answers")
"""Where the answers have what they are about."""

_PLAIN = re.compile(r"(?!(?:true|false|null|yes|no|on|off|y|n)$)[A-Za-z_][A-Za-z0-9_-]*", re.IGNORECASE)
"""A key that YAML takes for a word."""

_PAIR = re.compile(r"\\ud([89ab][0-9a-f]{2})\\ud([c-f][0-9a-f]{2})")
"""How JSON spells a character that YAML spells as one."""


def yaml(value: object, indent: str = "") -> Iterator[str]:
    """Yield a JSON value as lines of YAML, in ASCII."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            name = key if _PLAIN.fullmatch(key) else _scalar(key)
            if isinstance(part, dict | list) and part:
                yield f"{indent}{name}:"
                yield from yaml(part, indent + "  ")
            else:
                yield f"{indent}{name}: {_scalar(part)}"
    elif isinstance(value, list) and value:
        for part in value:
            first, *others = yaml(part, indent + "  ")
            yield f"{indent}- {first.strip()}"
            yield from others
    else:
        yield indent + _scalar(value)


def names(value: object) -> Iterator[str]:
    """Yield the names of what an answer lists, each once."""
    seen: set[str] = set()
    for name in _names(value):
        if name not in seen:
            seen.add(name)
            yield json.dumps(name)[1:-1]


def _names(value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for part in _LISTS:
        for each in value.get(part) or ():
            if part == "answers":
                yield from _names(each)
            elif isinstance(each, dict):
                name = each.get("name") or each.get("policy") or each.get("arn") or each.get("service")
                yield name or f"{value.get('policy')}@{each.get('version')}"


def _scalar(value: object) -> str:
    return _PAIR.sub(_one, json.dumps(value))


def _one(match: re.Match[str]) -> str:
    high, low = int(match[1], 16) & 0x3FF, int(match[2], 16) & 0x3FF
    return f"\\U{0x10000 + (high << 10) + low:08x}"
