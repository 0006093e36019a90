"""The contents of a file as a JSON value, from JSON or a CloudFormation template in YAML.

Files come from branches of others, so everything that could take long to read has a limit.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from ekstui.core.document import Repeated, object_of
from ekstui.errors import DocumentError
from ekstui.sources.repository import MOST_BYTES

_MOST_TEMPLATE = 1_000_000
"""The largest CloudFormation template, in bytes (its quota), which limits how long reading one takes."""

_MOST_NODES = 200_000
"""The most values in a template: nested aliases can expand a few lines to gigabytes."""

_LONGEST_NUMBER = 40
"""The most characters of an integer: half a million digits in YAML's base 60 take minutes."""

_MENTIONS = re.compile(r"Statement|PolicyDocument|AWS::|resource_changes|\\u")
"""What a JSON file with a policy document has; a name may be written in escapes."""

_ESCAPES = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(?:\r\n|[\r\n\x85\u2028\u2029])[ \t]*)"
)
"""The escapes of YAML's double quotes that can be part of a name; before any of its line breaks, one joins the lines."""


def value_in(path: str, content: bytes | None) -> object:
    """Return the contents of a file, None if it has no policy documents; DocumentError if they cannot be read."""
    if content is None:
        return None
    if len(content) > MOST_BYTES:
        raise DocumentError(f"it has more than {MOST_BYTES:,} bytes")
    is_yaml = path.lower().endswith((".yaml", ".yml", ".template"))
    try:
        text = content.decode(json.detect_encoding(content), "surrogatepass")
        value: object = json.loads(text, object_pairs_hook=_object_of)
    except (ValueError, RecursionError):
        if is_yaml:
            return _template(content)
        raise DocumentError("it is not JSON") from None
    if not _MENTIONS.search(text):
        return None
    if isinstance(value, Mapping) and "Resources" in value and len(content) > _MOST_TEMPLATE:
        raise DocumentError(f"a CloudFormation template has at most {_MOST_TEMPLATE:,} bytes")
    return value


def read_json(text: str) -> object:
    """Return the value of JSON text, None if it is none."""
    try:
        return json.loads(text, object_pairs_hook=_object_of)
    except (ValueError, RecursionError):
        return None


def _object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; one with repeated names keeps all its elements, since any may be what changed."""
    fields = object_of(pairs)
    if isinstance(fields, Repeated):
        fields[""] = pairs
    return fields


def _template(content: bytes) -> object:
    """Return a CloudFormation template in YAML; other YAML is ignored."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = content.decode(encoding, "replace")
    if "AWS::" not in _ESCAPES.sub(_unescaped, text):
        if text.lstrip()[:1] in ("{", "[") and _MENTIONS.search(text):
            raise DocumentError("it is not JSON")
        return None
    if len(content) > _MOST_TEMPLATE:
        raise DocumentError(f"a CloudFormation template has at most {_MOST_TEMPLATE:,} bytes")
    try:
        import yaml
    except ImportError:
        raise DocumentError("reading a YAML template needs the extra `ci`") from None
    try:
        return yaml.load(content.decode(encoding), _template_loader(yaml))  # noqa: S506 (a SafeLoader)
    except DocumentError:
        raise
    except Exception:  # noqa: BLE001 (PyYAML raises a dozen kinds for values that do not suit their tags)
        raise DocumentError("it is not YAML") from None


def _template_loader(yaml: Any) -> Any:
    """Return PyYAML's safe loader for templates."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        """Reads CloudFormation's short forms as functions, and counts values, repetitions by aliases included."""

        def __init__(self, stream: str) -> None:
            super().__init__(stream)
            self.size = 0
            self.sizes: dict[int, int] = {}

        def compose_node(self, parent: object, index: object) -> object:
            before, is_alias = self.size, self.check_event(yaml.AliasEvent)
            node: object = super().compose_node(parent, index)
            # An alias to a node that is still being read, and so has no size, is a cycle.
            self.size += self.sizes.get(id(node), _MOST_NODES) if is_alias else 1
            self.sizes.setdefault(id(node), self.size - before)
            if self.size > _MOST_NODES:
                raise DocumentError(f"it has more than {_MOST_NODES:,} values, repetitions by aliases included")
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            # Before keys that are merged in, which its own replace.
            names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(names)) < len(names):
                raise DocumentError("two of its elements have the same name")
            return {str(key): value for key, value in super().construct_mapping(node, deep).items()}

        def construct_yaml_int(self, node: Any) -> object:
            text = self.construct_scalar(node)
            return super().construct_yaml_int(node) if len(text) <= _LONGEST_NUMBER else text

        def construct_function(self, name: str, node: Any) -> object:
            value: object
            if isinstance(node, yaml.ScalarNode):
                value = self.construct_scalar(node)
            elif isinstance(node, yaml.SequenceNode):
                value = self.construct_sequence(node, deep=True)
            else:
                value = self.construct_mapping(node, deep=True)
            return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    # Dates and numbers with a point are what is written: such as an unquoted Version, which is no date to IAM.
    for kind in ("timestamp", "float"):
        Loader.add_constructor(f"tag:yaml.org,2002:{kind}", Loader.construct_yaml_str)
    Loader.add_multi_constructor("!", Loader.construct_function)
    return Loader


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2] or escape[3]
    return "" if digits is None else chr(min(int(digits, 16), 0x10FFFF))
