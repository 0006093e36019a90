"""Policy documents as values, parsed once at the edge so that nothing else handles raw JSON.

The grammar is IAM's (IAM User Guide, "Grammar of the IAM JSON policy language"). IAM accepts a single object or string
in place of a list; both become tuples here.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Literal, TypeVar

from ekstui.errors import DocumentError
from ekstui.iam import condition_operators
from ekstui.named_tuples import NamedTuple

Effect = Literal["Allow", "Deny"]
ActionElement = Literal["Action", "NotAction"]
ResourceElement = Literal["Resource", "NotResource"]
PrincipalElement = Literal["Principal", "NotPrincipal"]

DocumentKind = Literal["identity", "trust", "resource", "resource-control"]
"""What a document is the policy of; an identity's rules hold for service control policies and boundaries too."""

MAX_BYTES = 2_000_000
"""The size of the largest document that is read, in bytes of UTF-8. AWS's largest has 94 KB."""

MAX_STATEMENTS = 10_000
"""The most statements read in one document."""

_VERSIONS = ("2012-10-17", "2008-10-17")
"""The versions of the policy language; a document without a version has the older one."""

_ACTION = re.compile(r"\*+|[A-Za-z0-9*?-]+:[A-Za-z0-9_*?-]+", re.ASCII)
_WILD_SERVICE = re.compile(r"(?!\*:\*+$)[^:]*[*?][^:]*:", re.ASCII)
_RESOURCE = re.compile(r"\*+|(arn:|\$\{).+", re.DOTALL)
_SID = re.compile(r"[A-Za-z0-9]*", re.ASCII)

_STATEMENT_KEYS = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal",
}  # fmt: skip
_DOCUMENT_KEYS = {"Version", "Id", "Statement"}


class ObjectWithRepeatedName(dict[str, object]):
    """A JSON object with two elements of the same name, which IAM rejects; JSON parsers would keep the last."""

    def __init__(self, fields: Mapping[str, object], name: str) -> None:
        super().__init__(fields)
        self.name = name


class Condition(NamedTuple):
    """One condition of a condition block; all conditions of a statement must hold."""

    operator: str
    """As written, such as `StringEquals` or `ForAllValues:StringLikeIfExists`."""
    key: str
    """As written, such as `aws:RequestTag/eks:eks-cluster-name`; case is ignored."""
    values: tuple[str, ...]
    """One match is enough; booleans and numbers are in their JSON spelling."""


class Principal(NamedTuple):
    """One kind of principal of a trust or resource policy: `AWS`, `Service`, `Federated`, `CanonicalUser` or `*`."""

    kind: str
    values: tuple[str, ...]


class Statement(NamedTuple):
    """One statement, with strings as written except for surrounding spaces."""

    sid: str | None
    effect: Effect
    action_element: ActionElement
    actions: tuple[str, ...]
    resource_element: ResourceElement | None
    """None in a trust policy, which has no resources."""
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]
    principal_element: PrincipalElement | None = None
    principals: tuple[Principal, ...] = ()


class Document(NamedTuple):
    """A policy document."""

    version: str | None
    id: str | None
    statements: tuple[Statement, ...]


def parse_text(text: str | bytes) -> Document:
    """Return the document in JSON text; DocumentError if it is too large or deep, not JSON, or no policy."""
    return parse(load_json(text))


def load_json(text: str | bytes) -> object:
    """Return the JSON value of a document's text; DocumentError if it is not JSON or exceeds the limits above.

    An object with two elements of the same name becomes an `ObjectWithRepeatedName`, which `parse` rejects with its
    place.
    """
    if len(text) > MAX_BYTES:
        raise DocumentError(f"the document has more than the {MAX_BYTES:,} bytes that ekstui reads.")
    try:
        return json.loads(text, object_pairs_hook=object_of)
    except json.JSONDecodeError as error:
        raise DocumentError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except UnicodeDecodeError:
        raise DocumentError("not JSON: the text is not UTF-8.") from None
    except RecursionError:
        raise DocumentError("not a policy document: nested too deeply.") from None
    except ValueError:
        raise DocumentError("not JSON: a number is too long.") from None


def object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object, as `object_pairs_hook`: an `ObjectWithRepeatedName` if two elements have the same name."""
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    counts = Counter(name for name, _ in pairs)
    return ObjectWithRepeatedName(fields, next(name for name, count in counts.items() if count > 1))


def broken_rules(document: Document, kind: DocumentKind = "identity") -> Iterator[DocumentError]:
    """Yield why AWS rejects a document as a policy of a kind. Some of AWS's own policies are older than these rules.

    Sources: IAM User Guide, "Grammar of the IAM JSON policy language" and the pages on the elements; AWS Organizations
    User Guide, "RCP syntax", of which only AWS's own RCPFullAWSAccess has an Allow. A service such as ECR has policies
    of resources without a Resource.
    """
    yield from _broken_rules(document)
    for index, statement in enumerate(document.statements):
        place, element = f"Statement[{index}]", statement.principal_element
        if kind == "identity" and element is not None:
            yield DocumentError("an identity policy has no principal.", f"{place}.{element}")
        elif kind == "resource-control":
            if element != "Principal" or [principal.kind for principal in statement.principals] != ["*"]:
                yield DocumentError('the Principal of a resource control policy is "*".', place)
        elif kind != "identity" and element is None:
            words = "a trust policy" if kind == "trust" else "the policy of a resource"
            yield DocumentError(f"{words} has a Principal; this statement has none.", place)
        if kind == "trust" and statement.resource_element is not None:
            yield DocumentError("a trust policy has no resource.", f"{place}.{statement.resource_element}")
    if kind in ("identity", "resource-control"):
        yield from _broken_resources(document)


def _broken_resources(document: Document) -> Iterator[DocumentError]:
    for index, statement in enumerate(document.statements):
        place = f"Statement[{index}]"
        if statement.resource_element is None:
            yield DocumentError("a statement has a Resource or a NotResource; this one has neither.", place)
        elif not statement.resources:
            yield DocumentError("the list is empty.", f"{place}.{statement.resource_element}")
        for resource in statement.resources:
            if not _RESOURCE.fullmatch(resource):
                yield DocumentError(f'{resource!r} is neither an ARN nor "*".', f"{place}.{statement.resource_element}")


def _broken_rules(document: Document) -> Iterator[DocumentError]:
    if document.version not in (None, *_VERSIONS):
        yield DocumentError(
            f"{document.version!r} is not a policy version; the versions are {' and '.join(_VERSIONS)}.", "Version"
        )
    if not document.statements:
        yield DocumentError("a policy has at least one statement.", "Statement")
    sids: set[str] = set()
    for index, statement in enumerate(document.statements):
        place = f"Statement[{index}]"
        if statement.sid:
            if statement.sid in sids:
                yield DocumentError(f"another statement has the Sid {statement.sid!r} too.", f"{place}.Sid")
            if not _SID.fullmatch(statement.sid):
                yield DocumentError(f"{statement.sid!r} may only have letters and digits.", f"{place}.Sid")
            sids.add(statement.sid)
        actions_place = f"{place}.{statement.action_element}"
        if not statement.actions:
            yield DocumentError("the list is empty.", actions_place)
        for action in statement.actions:
            if not _ACTION.fullmatch(action):
                yield DocumentError(f"{action!r} is not an action such as ec2:CreateVolume.", actions_place)
            elif _WILD_SERVICE.match(action):
                message = f"the service of {action!r} has a wildcard, which IAM allows only in the action's name."
                yield DocumentError(message, actions_place)
        for line in statement.conditions:
            if condition_operators.operator(line.operator.strip()) is None:
                yield DocumentError(
                    "not a condition operator; their names are case-sensitive.", f"{place}.Condition.{line.operator}"
                )


def parse(value: object) -> Document:
    """Return the document that a JSON value contains; DocumentError names the place that is wrong.

    `broken_rules` checks what applies to one kind of policy only, and what IAM rejects nowadays.
    """
    if not isinstance(value, dict):
        raise DocumentError(f"a policy document is an object, not {_kind(value)}.")
    fields = _fields(value, "")
    _refuse_unknown(fields, _DOCUMENT_KEYS)
    if "Statement" not in fields:
        raise DocumentError("a policy document has a Statement; this one has none.")
    statements = fields["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        raise DocumentError(f"a list of statements is expected, not {_kind(statements)}.", "Statement")
    if len(statements) > MAX_STATEMENTS:
        raise DocumentError(f"{len(statements):,} statements; ekstui reads up to {MAX_STATEMENTS:,}.", "Statement")
    return Document(
        version=_optional_string(fields, "Version"),
        id=_optional_string(fields, "Id"),
        statements=tuple(_statements(statements)),
    )


def serialise(document: Document) -> dict[str, object]:
    """Return the document as a JSON value, with lists wherever IAM allows a list."""
    value: dict[str, object] = {}
    if document.version is not None:
        value["Version"] = document.version
    if document.id is not None:
        value["Id"] = document.id
    value["Statement"] = [serialise_statement(statement) for statement in document.statements]
    return value


def serialise_statement(statement: Statement) -> dict[str, object]:
    """Return one statement as a JSON value, with lists wherever IAM allows a list."""
    value: dict[str, object] = {}
    if statement.sid is not None:
        value["Sid"] = statement.sid
    value["Effect"] = statement.effect
    if statement.principal_element is not None:
        wildcard = any(principal.kind == "*" for principal in statement.principals)
        value[statement.principal_element] = (
            "*" if wildcard else {principal.kind: list(principal.values) for principal in statement.principals}
        )
    value[statement.action_element] = list(statement.actions)
    if statement.resource_element is not None:
        value[statement.resource_element] = list(statement.resources)
    if statement.conditions:
        value["Condition"] = serialise_conditions(statement.conditions)
    return value


def serialise_conditions(conditions: tuple[Condition, ...]) -> dict[str, dict[str, list[str]]]:
    """Return a condition block as a JSON value: values by key by operator."""
    block: dict[str, dict[str, list[str]]] = {}
    for condition in conditions:
        block.setdefault(condition.operator, {})[condition.key] = list(condition.values)
    return block


def _statements(values: list[object]) -> Iterator[Statement]:
    """Yield statements. The place of one is written only for an error: an account has hundreds of thousands."""
    for index, value in enumerate(values):
        try:
            yield _statement(value)
        except DocumentError as error:
            message = error.message.removeprefix(f"{error.place}: ") if error.place else error.message
            raise DocumentError(message, f"Statement[{index}].{error.place}".rstrip(".")) from None


def _statement(value: object) -> Statement:
    """Return a statement; DocumentError has the place within it."""
    if not isinstance(value, dict):
        raise DocumentError(f"a statement is an object, not {_kind(value)}.")
    fields = _fields(value, "")
    if fields.get("Effect") not in ("Allow", "Deny"):
        _refuse_unknown(fields, _STATEMENT_KEYS)
        raise DocumentError("Effect is Allow or Deny.", "Effect")
    action_element, resource_element, principal_element = _elements(tuple(fields))
    return Statement(
        _optional_string(fields, "Sid"),
        fields["Effect"],  # type: ignore[arg-type]
        action_element,
        _strings(fields[action_element], action_element),
        resource_element,
        _strings(fields[resource_element], resource_element) if resource_element else (),
        _conditions(fields["Condition"]) if "Condition" in fields else (),
        principal_element,
        _principals(fields[principal_element], principal_element) if principal_element else (),
    )


# Statements have few combinations of keys, and an account hundreds of thousands of statements.
@lru_cache(maxsize=256)
def _elements(keys: tuple[str, ...]) -> tuple[ActionElement, ResourceElement | None, PrincipalElement | None]:
    """Return which elements a statement with these keys has of those that exist negated too."""
    _refuse_unknown(keys, _STATEMENT_KEYS)
    action_element: ActionElement | None = _either(keys, "Action", "NotAction")
    if action_element is None:
        raise DocumentError("a statement has an Action or a NotAction; this one has neither.")
    return action_element, _either(keys, "Resource", "NotResource"), _either(keys, "Principal", "NotPrincipal")


def _conditions(value: object) -> tuple[Condition, ...]:
    if not isinstance(value, dict):
        raise DocumentError(f"a condition block is an object, not {_kind(value)}.", "Condition")
    conditions: list[Condition] = []
    for operator, keys in _fields(value, "Condition").items():
        if not isinstance(keys, dict):
            raise DocumentError(f"condition keys are an object, not {_kind(keys)}.", f"Condition.{operator}")
        for key, values in _fields(keys, f"Condition.{operator}").items():
            texts = (values,) if isinstance(values, str) else _scalars(values, f"Condition.{operator}.{key}")
            conditions.append(Condition(operator, key, texts))
    return tuple(conditions)


def _principals(value: object, place: str) -> tuple[Principal, ...]:
    if value == "*":
        return (Principal("*", ("*",)),)
    if not isinstance(value, dict):
        raise DocumentError(f'a principal is "*" or an object, not {_kind(value)}.', place)
    return tuple(Principal(kind, _strings(values, f"{place}.{kind}")) for kind, values in _fields(value, place).items())


def _fields(value: dict[str, object], place: str) -> dict[str, object]:
    """Return the elements of a JSON object; DocumentError if two have the same name."""
    if isinstance(value, ObjectWithRepeatedName):
        raise DocumentError("two elements have this name.", f"{place}.{value.name}".lstrip("."))
    return value


_Element = TypeVar("_Element", bound=str)


def _either(keys: Collection[str], element: _Element, negated_element: _Element) -> _Element | None:
    if element not in keys:
        return negated_element if negated_element in keys else None
    if negated_element in keys:
        raise DocumentError(f"both {element} and {negated_element}; a statement has one of them.")
    return element


def _refuse_unknown(keys: Iterable[str], known_keys: set[str]) -> None:
    for key in keys:
        if key not in known_keys:
            raise DocumentError(f"unknown key {key!r}; known are {', '.join(sorted(known_keys))}.")


def _optional_string(fields: Mapping[str, object], key: str) -> str | None:
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise DocumentError(f"a string is expected, not {_kind(value)}.", key)
    return value


def _strings(value: object, place: str) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value.strip(),)
    if not isinstance(value, list):
        raise DocumentError(f"a string or a list of strings is expected, not {_kind(value)}.", place)
    try:
        return tuple(map(str.strip, value))
    except TypeError:
        index, entry = next((index, entry) for index, entry in enumerate(value) if not isinstance(entry, str))
        raise DocumentError(f"a string is expected, not {_kind(entry)}.", f"{place}[{index}]") from None


def _scalars(value: object, place: str) -> tuple[str, ...]:
    entries = value if isinstance(value, list) else [value]
    values: list[str] = []
    for index, entry in enumerate(entries):
        if isinstance(entry, str):
            values.append(entry)
        elif isinstance(entry, bool | int | float):
            values.append(json.dumps(entry))
        else:
            place_of_item = f"{place}[{index}]" if isinstance(value, list) else place
            raise DocumentError(f"a string, number or boolean is expected, not {_kind(entry)}.", place_of_item)
    return tuple(values)


def _kind(value: object) -> str:
    """Return the type of a JSON value in words."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return "null" if value is None else names.get(type(value), "something else")


class TrimmedDocument(NamedTuple):
    """A document without some actions, and what was removed from it."""

    document: Document
    dropped: tuple[str, ...]
    """Action patterns as written, without duplicates, in document order."""


def trimmed(document: Document, is_unused: Callable[[str], bool]) -> TrimmedDocument:
    """Return a document whose Allow statements name no action pattern that is unused.

    Deny statements and `NotAction` are kept, because they concern other actions too. A statement without any action
    left is removed.
    """
    dropped_actions: dict[str, None] = {}
    statements: list[Statement] = []
    for statement in document.statements:
        if statement.effect == "Deny" or statement.action_element == "NotAction":
            statements.append(statement)
            continue
        unused_actions = [action for action in statement.actions if is_unused(action)]
        dropped_actions |= dict.fromkeys(unused_actions)
        actions = tuple(action for action in statement.actions if action not in unused_actions)
        if actions:
            statements.append(statement._replace(actions=actions))
    return TrimmedDocument(document._replace(statements=tuple(statements)), tuple(dropped_actions))
