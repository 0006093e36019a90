"""The schemas of the classes that the encoder encodes, for assets/schema.json.

The fields of a class are those that `ekstui/export/encoding.py` lists, and their types are those that the class declares.
Written down here is only what no class says: what a conversion makes, and what that means.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from pathlib import PurePath
from typing import Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

import ekstui
from assets.json_schema import (
    ANYTHING,
    ARN,
    BOOLEAN,
    COMMANDS,
    COUNT,
    STRING,
    TEXTS,
    TIME,
    VERSION,
    Schema,
    either,
    is_a,
    named,
    none_or,
    record,
    some,
)
from ekstui.cli.parser import command_of, titles
from ekstui.eks.commands import Command
from ekstui.eks.findings import looking
from ekstui.export import encoding
from ekstui.iam.document import Statement
from ekstui.iam.grants import Reach

JSON_WORDS = {"None": "null", "True": "true", "False": "false"}
REACHES: Schema = {"enum": list(get_args(Reach))}

CONVERTED: dict[tuple[str, str], Schema] = {
    **{("AccessDifference", side): is_a("compared_access_policy") for side in ("before", "after")},
    ("AccessDifference", "kind"): {"enum": ["none", "scope"]},
    **{("AccessPolicyRules", name): {"const": "access"} for name in ("kind", "scope")},
    ("AccessPolicyRules.shown", "kind"): {"const": "access"},
    **{(form, "complete"): BOOLEAN for form in ("AccountSnapshot", "AccountSnapshot.of_clusters")},
    **{("AttachedAnswer", name): some(is_a("attached_role")) for name in ("roles", "copies")},
    ("ClusterRole", "policies"): some(is_a("RolePolicy")),
    ("Component", "releases"): COUNT,
    ("Component", "kind"): {"const": "published"},
    ("Component", "newest"): VERSION,
    ("Component", "scope"): {"const": "controllers"},
    ("HealthIssue", "commands"): COMMANDS,
    **{("CopyAnswer", name): {"type": "number"} for name in ("overlap", "nearness")},
    ("CopyAnswer", "newest"): VERSION,
    ("Effective", "settings"): named(is_a("setting")),
    ("FeedStep", "version"): none_or(VERSION),
    ("Finding", "code"): {"enum": sorted(looking.table())},
    **{("ForbiddenExplanation", name): TEXTS for name in ("commands", "rbac")},
    ("ForbiddenExplanation", "missing_rule"): none_or(is_a("Rule")),
    ("ForbiddenExplanation", "resource"): none_or(STRING),
    **{(form, "namespaces"): TEXTS for form in ("AssociatedPolicy", "JudgedPolicy")},
    ("Grant", "conditions"): named(named(TEXTS)),
    ("GrantDifference.one_sided_difference", "grants"): some(is_a("Grant")),
    ("LessAnswer", "document"): none_or(ANYTHING),
    ("LessAnswer", "kept"): some(record(pattern=STRING, unused=TEXTS)),
    **{(form, "reach"): REACHES for form in ("PinChange", "ReviewedDocument")},
    **{("OrganisationAnswer", name): some(is_a("RecordedAttachment")) for name in ("roles", "users", "groups")},
    ("PodAnswer", "restart"): none_or({"description": "A command as its arguments.", **TEXTS}),
    ("PrincipalsCan", "taken_away"): some(is_a("taken_away")),
    ("ReleaseNeed", "required"): some(record(action=STRING, without=STRING)),
    ("Review", "not_read"): TEXTS,
    ("ReviewedDocument", "verdict"): STRING,
    ("RoleAnswer", "tags"): named(STRING),
    ("RoleAttachment", "service_linked"): none_or(BOOLEAN),
    **{("SyncReport", name): some(record(policy=STRING, version=VERSION)) for name in ("conflicts", "new_versions")},
    ("TrustJudgement", "service_accounts"): some(is_a("service_account_of_issuer")),
}
"""What the conversions make that do not say it themselves, by class and field."""

WORDS: dict[str, Schema] = {
    "account": {"type": "string", "pattern": "^[0-9]{12}$"},
    "arn": ARN,
}
"""What fields with these names hold, in whichever class."""

ABOUT: dict[tuple[str, str], str] = {
    ("AccountSnapshot", "clusters"): "Null where clusters were not read.",
    ("AccountSnapshot", "policies"): "How many customer managed ones were read.",
    **{("AccountSnapshot", f"{name}s"): f"How many {name}s were read." for name in ("role", "user", "group")},
    ("AttachedAnswer", "copies"): "The roles that have a customer managed policy like it; `remarks` name the copies.",
    ("Cluster", "issues"): "How many EKS reports; null where none is known and not everything could be read.",
    ("ClusterRole", "policies"): "Those attached to it.",
    ("Component", "newest"): "By version, not by date.",
    ("Component", "releases"): "How many are known.",
    ("CopyAnswer", "version"): "The release it is most like.",
    ("FeedStep", "kind"): "`new` where no version before it is known: the policy is new, or nobody saw those before.",
    ("FeedStep", "version"): "Null for an EKS access policy, which has none.",
    ("Finding", "title"): "What is wrong, in at most 40 columns.",
    ("ForbiddenExplanation", "principal"): "An ARN, or what Kubernetes calls it.",
    ("ForbiddenExplanation", "resource"): "With its subresource, or a path.",
    **{(form, "path"): "Null if only the name was read." for form in ("Group", "RoleAttachment", "UserAttachment")},
    ("PodAnswer", "pods"): "Their names, oldest first.",
    ("PodsWithRole", "pods"): "Their names.",
    ("PodsAnswer", "pods"): "How many there are.",
    ("Permission", "api_group"): "Empty for the core group.",
    ("PolicyEntry", "versions"): "How many are known.",
    ("PrincipalsCan", "taken_away"): "Who has it in a policy, and what takes it away whole.",
    ("Review", "not_read"): "The changed files that may hold a policy and were not read, each with the reason.",
    ("RoleAnswer", "not_read"): "Policies whose document could not be read.",
    ("TrustJudgement", "service_accounts"): "Those that it lets in, by cluster.",
    ("WhoCan", "action"): "As the reference spells it, or as it was asked for.",
}
"""What a field means, where the encoder makes something else of it than the class says."""

FORMS: dict[str, str] = {
    "GrantDifference.changed_difference": "Actions that both sides have, on other resources or conditions.",
    "GrantDifference.one_sided_difference": "Actions that one side has only.",
    "ServiceSummary.sum_of_service": "What all policies of a role allow of a service.",
}
"""What forms of classes are."""


class Field(NamedTuple):
    """What an attribute is declared as."""

    hint: object
    about: str


@cache
def modules() -> tuple[types.ModuleType, ...]:
    """Return the modules whose classes may be part of an answer."""
    rooms = ("iam", "change", "eks", "denial", "store", "sources", "library")
    for room in rooms:
        package = importlib.import_module(f"ekstui.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    importlib.import_module("ekstui.settings")
    for name in titles():
        command_of(name)
    return tuple(module for name, module in sorted(sys.modules.items()) if name.startswith(f"{ekstui.__name__}."))


@cache
def class_named(name: str) -> type:
    """Return the one class of a name that the encoder lists."""
    kinds = {
        kind
        for module in modules()
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__name__ == name
    }
    own_kinds = {kind for kind in kinds if kind.__module__.startswith(ekstui.__name__)}
    if len(own_kinds) != 1:
        places = ", ".join(sorted(kind.__module__ for kind in own_kinds)) or "none"
        raise SystemExit(f"A class of FIELDS has to be in one module of ekstui; {name} is in: {places}.")
    return own_kinds.pop()


@cache
def names_of(module: str) -> dict[str, object]:
    """Return the names of a module, with those that it imports for type checkers only."""
    names = dict(vars(sys.modules[module]))
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for line in node.body:
                if isinstance(line, ast.Import | ast.ImportFrom):
                    exec(ast.unparse(line), names)  # noqa: S102 - it is a line of our own code
    return names


def hints_of(owner: type | Callable[..., object]) -> dict[str, object]:
    """Return the type hints of a class or function."""
    return get_type_hints(owner, names_of(owner.__module__))


@cache
def texts_of(kind: type) -> dict[str, str]:
    """Return the sentence below each attribute of a class."""
    (body,) = (
        node.body
        for node in ast.walk(ast.parse(inspect.getsource(sys.modules[kind.__module__])))
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    )
    texts = {}
    for line, after in pairwise(body):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            match after:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    texts[line.target.id] = inspect.cleandoc(text)
    return texts


def attribute(kind: type, name: str) -> Field:
    """Return what an attribute or property of a class is declared as."""
    for base in kind.__mro__:
        if isinstance(attribute := vars(base).get(name), property) and attribute.fget is not None:
            return Field(hints_of(attribute.fget)["return"], inspect.cleandoc(attribute.__doc__ or ""))
        if name in vars(base).get("__annotations__", {}):
            return Field(
                hints_of(base)[name], texts_of(base).get(name, "") if base.__module__.startswith("ekstui") else ""
            )
    raise SystemExit(f"{kind.__name__} declares no {name}.")


def alternatives(hint: object) -> tuple[object, ...]:
    """Return the types that a hint allows."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def at_path(kind: type, path: str) -> Field:
    """Return what `role.name` is, which is null where the role is."""
    field = Field(kind, "")
    for name in path.split("."):
        parts = [attribute(cast("type", part), name) for part in alternatives(field.hint) if part is not type(None)]
        hints = [hint for part in parts for hint in alternatives(part.hint)]
        if type(None) in alternatives(field.hint):
            hints.append(type(None))
        field = Field(Union[tuple(hints)], parts[0].about)  # noqa: UP007 - the types are known only here
    return field


def schema_of(hint: object, *, version: bool = False) -> Schema:
    """Return the schema of a value as the encoder encodes it; of `version` fields numbers are labels."""
    if len(parts := alternatives(hint)) > 1:
        return _of_union(parts, version=version)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(arguments)}
    if hint in (Any, object):
        return ANYTHING
    if origin is not None and issubclass(cast("type", origin), Mapping):
        return named(schema_of(arguments[1]))
    if origin is not None and issubclass(cast("type", origin), Sequence | frozenset):
        if Command in arguments:
            return COMMANDS
        return some(
            either(*(schema_of(argument, version=version) for argument in arguments if argument is not Ellipsis))
        )
    kind = cast("type", hint)
    if kind.__name__ in encoding.FIELDS:
        return is_a(kind.__name__)
    if kind.__name__ in encoding.BY_ATTRIBUTE:
        return schema_of(attribute(kind, encoding.BY_ATTRIBUTE[kind.__name__]).hint)
    simple: dict[type, Schema] = {
        type(None): {"type": "null"}, str: STRING, bool: BOOLEAN, int: VERSION if version else COUNT,
        float: {"type": "number"}, datetime: TIME, date: {"type": "string", "format": "date"}, Statement: named(ANYTHING),
    }  # fmt: skip
    if kind in simple:
        return simple[kind]
    if issubclass(kind, PurePath):
        return STRING
    raise SystemExit(f"No schema is known for {hint}.")


def _of_union(parts: Sequence[object], *, version: bool) -> Schema:
    words: list[object] = []
    other_schemas: list[Schema] = []
    for part in parts:
        schema = schema_of(part, version=version)
        if "enum" in schema:
            words += schema["enum"]
        else:
            other_schemas.append(schema)
    if words and other_schemas == [{"type": "null"}]:
        return {"enum": [*words, None]}
    return either(*([{"enum": words}] if words else []), *other_schemas)


def field_schema(form: str, name: str, part: str, path: str) -> Schema:
    """Return the schema of one field of a form, whose values may have a form, with what the class says about it."""
    kind = class_named(form.partition(".")[0])
    field = at_path(kind, path) if path else Field(kind, "")
    special = encoding.CONVERSIONS.get((form, name))
    if (form, name) in CONVERTED:
        schema = CONVERTED[form, name]
    elif part:
        schema = some(is_a(part))
    elif special is None and name in WORDS and set(alternatives(field.hint)) <= {str, type(None)}:
        schema = none_or(WORDS[name]) if type(None) in alternatives(field.hint) else WORDS[name]
    elif special is None:
        schema = schema_of(field.hint, version=name in encoding.VERSION_FIELDS)
    elif special is len:
        schema = COUNT
    elif (return_hint := hints_of(special).get("return")) is not None and special.__name__ != "<lambda>":
        schema = schema_of(return_hint)
    else:
        raise SystemExit(f"What {form}.{name} is converted to has to be said in CONVERTED.")
    about = ABOUT.get((form, name)) or sentence(field.about)
    return {"description": about, **schema} if about and "description" not in schema else schema


def sentence(docstring: str | None) -> str:
    """Return the first paragraph of a docstring, in the words of JSON."""
    paragraph = " ".join((docstring or "").partition("\n\n")[0].split())
    return re.sub(r"\b(None|True|False)\b", lambda word: JSON_WORDS[word[0]], paragraph)


def form_schema(form: str) -> Schema:
    """Return the schema of a class or form."""
    kind = class_named(form.partition(".")[0])
    fields = {name: field_schema(form, name, part, path) for name, part, path in encoding.fields_of(form)}
    return record(FORMS.get(form) or sentence(kind.__doc__), **fields)


def whole(form: str, /, **other_fields: Schema) -> Schema:
    """Return the schema of a class or form with other fields beside its own, none of which it may have already."""
    schema = form_schema(form)
    return record(schema["description"], None, **schema["properties"], **other_fields)


def without(form: str, *names: str) -> dict[str, Schema]:
    """Return the fields of a class or form but some."""
    return {name: schema for name, schema in form_schema(form)["properties"].items() if name not in names}
