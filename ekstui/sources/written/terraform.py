"""The access that Terraform as it is written gives, module by module, as far as its files decide it.

Source: Terraform, "Files and directories", "Variables" and "Modules"; the reference of the data source
`aws_iam_policy_document`.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from ekstui.change.holes import DIGEST, PARTITION, hole, without_hole_marks
from ekstui.errors import DocumentError
from ekstui.named_tuples import NamedTuple
from ekstui.sources.written import Written, WrittenAttachment, WrittenPolicy
from ekstui.sources.written.hcl import (
    HclScope,
    attributes_of,
    blocks_of,
    inner_blocks,
    parsed_block,
    parsed_body,
)
from ekstui.sources.written.hcl_values import Unknown, as_text, indexed, is_known, path_name
from ekstui.sources.written.resources import gives_access, of_resource
from ekstui.sources.written.search import document_in, terraform_statement
from ekstui.sources.written.sorting import mentions_access
from ekstui.sources.written.values import json_value, yaml_values

SUFFIXES = (".tf", ".tofu", ".tf.json", ".tofu.json", ".tfvars", ".tfvars.json")
"""How the names of Terraform's files end."""

MOST_TEXT = 1_000_000
"""The largest file that is read, in bytes."""

_MOST_DEPTH = 8
"""How deep modules call modules."""

_MOST_INSTANCES = 200
"""How many instances of a resource are looked at."""

_MAY_GIVE = re.compile(r"polic|iam|role|access|permission", re.IGNORECASE)
"""What is in a block that gives access, unless its text mentions access otherwise."""

_LABELS = {"resource": 2, "data": 2, "module": 1, "variable": 1, "output": 1}
"""How many labels the blocks have that are looked at, besides `locals`."""

_META = ("count", "for_each", "depends_on", "provider", "providers", "lifecycle", "source", "version", "provisioner")
"""Arguments that give no access."""


class _Block(NamedTuple):
    """A block at the top of one of the module's files."""

    path: str
    kind: str
    labels: tuple[str, ...]
    line: int
    text: str
    evaluate: Callable[[HclScope], dict[str, Any]]
    """Returns the values of its arguments."""


class Files:
    """The files of one side of a change, by folder."""

    def __init__(self, paths: Iterable[str], read_file: Callable[[str], bytes | None]) -> None:
        self._folders: dict[str, list[str]] = {}
        for path in paths:
            self._folders.setdefault(posixpath.dirname(path), []).append(path)
        self._read = read_file
        self._texts: dict[str, str | None] = {}
        self.used: set[str] = set()

    def names(self, folder: str) -> list[str]:
        """Return the paths of the files in a folder."""
        return sorted(self._folders.get("" if folder == "." else folder, ()))

    def read(self, path: str) -> str | None:
        """Return the text of a file; None if there is none that can be read."""
        self.used.add(path)
        if path not in self._texts:
            content = self._read(path) if path in self._folders.get(posixpath.dirname(path), ()) else None
            try:
                self._texts[path] = None if content is None or len(content) > MOST_TEXT else content.decode("utf-8-sig")
            except UnicodeDecodeError:
                self._texts[path] = None
        return self._texts[path]

    def folders_naming(self, names: Collection[str]) -> set[str]:
        """Return the folders whose Terraform names any of some files."""
        folders: set[str] = set()
        for folder, paths in self._folders.items():
            for path in paths:
                if path.endswith((".tf", ".tofu")) and any(name in (self.read(path) or "") for name in names):
                    folders.add(folder)
        return folders


class Module:
    """A folder of Terraform's files, with the values of its variables as far as they are known."""

    def __init__(
        self, files: Files, folder: str, inputs: Mapping[str, Any] | None = None, address: str = "", depth: int = 0
    ) -> None:
        self.folder = folder
        self.called: set[str] = set()
        """The folders of the modules that it calls."""
        self._files = files
        self._address = address
        self._depth = depth
        self._inputs = inputs
        self._blocks: list[_Block] = []
        self._json: list[tuple[str, Mapping[str, Any]]] = []
        self.broken: dict[str, str] = {}
        """Why a file could not be read, by path."""
        self._values: dict[tuple[Any, ...], Any] = {}
        self._evaluating: set[tuple[Any, ...]] = set()
        self._load()
        self._scope = HclScope(self._resolve, self._call)
        self._locals: dict[str, Callable[[], Any]] | None = None
        self._children: dict[str, Module] = {}

    def _load(self) -> None:
        for path in self._files.names(self.folder):
            if not path.endswith((".tf", ".tofu", ".tf.json", ".tofu.json")):
                continue
            text = self._files.read(path)
            try:
                if text is None:
                    raise DocumentError("it cannot be read as text")
                if path.endswith(".json"):
                    value = json_value(text.encode())
                    self._json.append((path, value if isinstance(value, Mapping) else {}))
                else:
                    self._blocks += (
                        _Block(path, *block, partial(_text_values, block.text)) for block in blocks_of(text)
                    )
            except DocumentError as error:
                self.broken[path] = error.message
        self._blocks += (
            _Block(path, kind, labels, 0, json.dumps(fields), partial(_json_values, fields))
            for path, value in self._json
            for kind, count in _LABELS.items()
            for labels, fields in _nested(value.get(kind), count)
        )

    def written(self) -> Iterator[Written]:
        """Yield what the module's resources give, and those of the modules that it calls."""
        for block in self._declared("resource", "module"):
            name = ".".join((*(["module"] if block.kind == "module" else []), *block.labels))
            if block.kind == "resource" and not (
                gives_access(block.labels[0]) or _MAY_GIVE.search(block.text) or mentions_access(block.text.encode())
            ):
                continue
            try:
                for entry in self._instances(name, block):
                    yield entry if entry.path else entry._replace(path=block.path)
            except (DocumentError, RecursionError) as error:
                if mentions_access(block.text.encode()):
                    reason = error.message if isinstance(error, DocumentError) else "it is nested too deep"
                    yield WrittenPolicy(self._at(name), None, reason, block.text, line=block.line, path=block.path)

    def documents(self) -> Iterator[Written]:
        """Yield the documents of data sources, which a module may only put together with others."""
        for block in self._declared("data"):
            if block.labels[:1] == ("aws_iam_policy_document",) and mentions_access(block.text.encode()):
                try:
                    value = _with_holes(self._document(block.labels[1], ("data", *block.labels, "json")))
                    yield document_in(f"data.{'.'.join(block.labels)}", value, block.line)._replace(path=block.path)
                except (DocumentError, RecursionError):
                    continue

    def _declared(self, *kinds: str) -> Iterator[_Block]:
        return (block for block in self._blocks if block.kind in kinds)

    def _block(self, kind: str, *labels: str) -> _Block | None:
        return next((block for block in self._declared(kind) if block.labels == labels), None)

    def _at(self, name: str) -> str:
        return f"{self._address}{name}"

    def _instances(self, name: str, block: _Block) -> Iterator[Written]:
        plain_values = block.evaluate(
            self._scope.having({"each": Unknown("each"), "count": Unknown("count"), "self": Unknown("self")})
        )
        for suffix, scope, condition in self._repeated(plain_values):
            values = block.evaluate(scope) if suffix or condition else plain_values
            address = self._at(f"{name}{suffix}")
            if block.kind == "module":
                entries = self._of_call(address, values, block.line)
            else:
                entries = of_resource(address, block.labels[0], _with_holes(_arguments(values)), block.line)
            for entry in entries:
                yield (entry._replace(condition=condition) if condition and isinstance(entry, WrittenPolicy) else entry)

    def _repeated(self, values: Mapping[str, Any]) -> Iterator[tuple[str, HclScope, str]]:
        """Yield the instances of a block: what its address ends with, its scope, and what decides whether it exists."""
        count, for_each = values.get("count"), values.get("for_each")
        if isinstance(for_each, list | dict) and not any(isinstance(item, Unknown) for item in for_each):
            pairs = for_each.items() if isinstance(for_each, dict) else [(item, item) for item in for_each]
            for key, value in list(pairs)[:_MOST_INSTANCES]:
                yield (
                    f"[{json.dumps(key, default=as_text)}]",
                    self._scope.having({"each": {"key": key, "value": value}}),
                    "",
                )
        elif for_each is not None:
            element = {"key": Unknown("each.key"), "value": Unknown("each.value")}
            yield "", self._scope.having({"each": element}), as_text(for_each)
        elif isinstance(count, bool | int | float | str) and is_known(count):
            numbers = min(int(count), _MOST_INSTANCES) if str(count).isdigit() else int(count in (True, "true"))
            for number in range(numbers):
                yield (f"[{number}]" if numbers > 1 else ""), self._scope.having({"count": {"index": number}}), ""
        elif count is not None:
            yield "", self._scope.having({"count": {"index": Unknown("count.index")}}), as_text(count)
        else:
            yield "", self._scope, ""

    def _of_call(self, address: str, values: Mapping[str, Any], line: int) -> Iterator[Written]:
        child = self._child(values, f"{address}.")
        if child is not None:
            yield from child.written()
            return
        for entry in of_resource(address, "module", _with_holes(_arguments(values)), line):
            # The role is made by the module, so that its attachments belong to the call.
            yield entry._replace(attached_to=address) if isinstance(entry, WrittenAttachment) else entry

    def _child(self, values: Mapping[str, Any], address: str) -> Module | None:
        """Return the module that a call means, if it is a folder of the repository."""
        source = values.get("source")
        if not isinstance(source, str) or not source.startswith(("./", "../")) or self._depth >= _MOST_DEPTH:
            return None
        folder = posixpath.normpath(posixpath.join(self.folder, source))
        if folder.startswith(".."):
            return None
        self.called.add(folder)
        return Module(self._files, folder, _arguments(values), address, self._depth + 1)

    def _resolve(self, path: tuple[Any, ...]) -> Any:
        """Return what a name means, with an index of it for each further part."""
        root = path[0]
        if root in ("var", "local") and len(path) > 1:
            return indexed(self._once((root, path[1])), path[2:], path[:2])
        if root == "path" and len(path) == 2:
            return {"module": self.folder or ".", "root": (self.folder if self._inputs is None else "") or "."}.get(
                path[1], Unknown(path_name(path))
            )
        if root == "data" and len(path) > 2:
            return self._data(path)
        if root == "module" and len(path) > 2:
            return self._output(path)
        if root in ("aws_iam_role", "aws_iam_user", "aws_iam_group") and path[-1] in ("name", "id", "arn"):
            # A role has one name, however it is referred to.
            return Unknown(path_name(path[:-1]) + (".arn" if path[-1] == "arn" else ".name"))
        return Unknown(path_name(path))

    def _once(self, key: tuple[Any, ...]) -> Any:
        if key not in self._values:
            if key in self._evaluating:
                return Unknown(path_name(key))
            with self._evaluation_of(key):
                self._values[key] = self._variable(key[1]) if key[0] == "var" else self._local(key[1])
        return self._values[key]

    @contextmanager
    def _evaluation_of(self, key: tuple[Any, ...]) -> Iterator[None]:
        """Note what is being evaluated, which may need itself."""
        self._evaluating.add(key)
        try:
            yield
        finally:
            self._evaluating.discard(key)

    def _variable(self, name: str) -> Any:
        if self._inputs is not None and name in self._inputs:
            return self._inputs[name]
        set_in_file = self._set_values().get(name) if self._inputs is None else None
        if set_in_file is not None:
            return set_in_file
        block = self._block("variable", name)
        values = block.evaluate(self._scope) if block else {}
        if "default" in values and self._inputs is None and _is_switch(values["default"]):
            # Whoever calls the module may turn on what its default leaves out.
            return Unknown(f"var.{name}{DIGEST}{json.dumps(values['default'])}")
        return values.get("default", Unknown(f"var.{name}"))

    def _set_values(self) -> dict[str, Any]:
        """Return the values of variables that Terraform reads by itself, later files last."""
        if ("files",) not in self._values:
            variables: dict[str, Any] = {}
            names = [name for name in self._files.names(self.folder) if is_read_by_itself(name)]
            for name in sorted(
                names, key=lambda name: (not name.endswith("/terraform.tfvars") and name != "terraform.tfvars", name)
            ):
                text = self._files.read(name) or ""
                if name.endswith(".json"):
                    value = json_value(text.encode())
                    variables |= value if isinstance(value, dict) else {}
                else:
                    variables |= {
                        key: self._scope.value(node) for key, node in attributes_of(parsed_body(text)).items()
                    }
            self._values[("files",)] = variables
        values: dict[str, Any] = self._values[("files",)]
        return values

    def _local(self, name: str) -> Any:
        if self._locals is None:
            self._locals = {}
            for block in self._declared("locals"):
                for key, node in attributes_of(parsed_block(block.text)).items():
                    self._locals[key] = partial(self._scope.value, node)
            for _, value in self._json:
                for _, fields in _nested(value.get("locals"), 0):
                    for key, entry in fields.items():
                        self._locals[key] = partial(_json_values, entry, self._scope)
        return self._locals[name]() if name in self._locals else Unknown(f"local.{name}")

    def _data(self, path: tuple[Any, ...]) -> Any:
        kind, name = path[1], path[2]
        last = path[-1]
        if kind == "aws_partition":
            return "amazonaws.com" if last == "dns_suffix" else Unknown(PARTITION)
        if kind == "aws_caller_identity" and last == "account_id":
            return Unknown("account")
        if kind == "aws_region" and last in ("name", "id", "region"):
            return Unknown("region")
        if kind == "aws_iam_policy" and last == "arn":
            values = self._data_values("aws_iam_policy", name)
            identifier = values.get("arn") or values.get("name")
            if isinstance(identifier, str) and is_known(identifier):
                return identifier if identifier.startswith("arn:") else f"arn:aws:iam::aws:policy/{identifier}"
        if kind == "aws_iam_policy_document" and last in ("json", "minified_json"):
            return self._document(name, path)
        if kind == "template_file" and last == "rendered":
            values = self._data_values(kind, name)
            variables = values.get("vars")
            if isinstance(values.get("template"), str):
                return self._scope.having(variables if isinstance(variables, dict) else {}).template(values["template"])
        return Unknown(path_name(path))

    def _data_values(self, kind: str, name: str, scope: HclScope | None = None) -> dict[str, Any]:
        block = self._block("data", kind, name)
        return block.evaluate(scope or self._of_any_instance()) if block else {}

    def _of_any_instance(self) -> HclScope:
        """Return the scope of a block of which it is not known which instance is meant."""
        return self._scope.having({"each": Unknown("each"), "count": Unknown("count")})

    def _document(self, name: str, path: tuple[Any, ...]) -> Any:
        key = ("document", json.dumps(path, default=as_text))
        if key in self._evaluating:
            return Unknown(path_name(path))
        with self._evaluation_of(key):
            scope = None
            index = [part for part in path[3:-1] if not isinstance(part, Unknown)]
            for_each = self._data_values("aws_iam_policy_document", name).get("for_each")
            if index and isinstance(for_each, dict | list):
                value = for_each.get(index[0]) if isinstance(for_each, dict) else index[0]
                scope = self._scope.having({"each": {"key": index[0], "value": value}})
            values = self._data_values("aws_iam_policy_document", name, scope)
            if values.get("count") in (0, "0") and values.get("count") is not False:
                return None
            return _document_of(values) if values else Unknown(path_name(path))

    def _output(self, path: tuple[Any, ...]) -> Any:
        name = path[1]
        for block in () if name in self._children else self._declared("module"):
            if block.labels == (name,) and ("module", name) not in self._evaluating:
                with self._evaluation_of(("module", name)):
                    module = self._child(block.evaluate(self._of_any_instance()), self._at(f"module.{name}."))
                if module is not None:
                    self._children[name] = module
        names = [part for part in path[2:] if isinstance(part, str)]
        child = self._children.get(name)
        if child is not None and names:
            value = indexed(child.output(names[0]), tuple(names[1:]), path)
            if not isinstance(value, Unknown):
                return value
        return Unknown(path_name(path))

    def output(self, name: str) -> Any:
        """Return the value of an output."""
        block = self._block("output", name)
        return (block.evaluate(self._scope) if block else {}).get("value", Unknown(f"output.{name}"))

    def _call(self, name: str, arguments: list[Any]) -> Any:
        """Return the value of a function that reads a file of the repository."""
        if name not in ("file", "templatefile", "yamldecode", "filebase64", "fileexists"):
            raise KeyError(name)
        if name == "yamldecode":
            if not isinstance(arguments[0], str):
                return arguments[0]
            documents = list(yaml_values(arguments[0].encode()))
            return documents[0] if len(documents) == 1 else Unknown("yamldecode")
        path = arguments[0]
        if not isinstance(path, str) or not is_known(path):
            raise TypeError("a file that is not known")
        path = posixpath.normpath(path if path.startswith(self.folder) else posixpath.join(self.folder, path))
        text = self._files.read(path)
        if name == "fileexists":
            return text is not None
        if text is None or name == "filebase64":
            raise ValueError("a file that is not there")
        if name == "file":
            return without_hole_marks(text)
        names = arguments[1] if len(arguments) > 1 else {}
        if not isinstance(names, dict):
            raise TypeError("values that are not known")
        return self._scope.having(names).template(text)


def _arguments(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a block without those of Terraform's own arguments."""
    return {key: value for key, value in values.items() if key not in _META}


def _is_switch(default: Any) -> bool:
    """Return whether a default says only that something is on, off or left out."""
    return default is None or isinstance(default, bool) or default in ("", [], {})


def is_read_by_itself(path: str) -> bool:
    """Return whether Terraform reads a file of variables by its name alone, without an option."""
    name = posixpath.basename(path)
    return name in ("terraform.tfvars", "terraform.tfvars.json") or name.endswith((".auto.tfvars", ".auto.tfvars.json"))


def _text_values(text: str, scope: HclScope) -> dict[str, Any]:
    return _body_values(parsed_block(text), scope)


def _body_values(body: Any, scope: HclScope) -> dict[str, Any]:
    """Return the arguments of a block; blocks in it are lists of objects."""
    arguments: dict[str, Any] = {key: scope.value(node) for key, node in attributes_of(body).items()}
    for kind, labels, inner in inner_blocks(body):
        values = _dynamic(inner, labels[0], scope) if kind == "dynamic" and labels else [_body_values(inner, scope)]
        entries = arguments.setdefault(labels[0] if kind == "dynamic" and labels else kind, [])
        if isinstance(entries, list):
            entries += values
    return arguments


def _dynamic(body: Any, label: str, scope: HclScope) -> list[dict[str, Any]]:
    attributes = attributes_of(body)
    content = next((inner for kind, _, inner in inner_blocks(body) if kind == "content"), None)
    if content is None or "for_each" not in attributes:
        return []
    for_each = scope.value(attributes["for_each"])
    iterator = label
    if "iterator" in attributes:
        iterator_value = scope.value(attributes["iterator"])
        iterator = iterator_value.name if isinstance(iterator_value, Unknown) else str(iterator_value)
    if isinstance(for_each, list | dict) and not any(isinstance(value, Unknown) for value in for_each):
        pairs = list(for_each.items()) if isinstance(for_each, dict) else [(value, value) for value in for_each]
        return [
            _body_values(content, scope.having({iterator: {"key": key, "value": value}}))
            for key, value in pairs[:_MOST_INSTANCES]
        ]
    name = as_text(for_each).strip("\ue000\ue001")
    element = {"key": Unknown(f"{label}.key of {name}"), "value": Unknown(f"{label}.value of {name}")}
    values = _body_values(content, scope.having({iterator: element}))
    exists = {"test": "StringEquals", "variable": hole(f"whether {name} has entries"), "values": ["true"]}
    conditions = values.get("condition")
    return [{**values, "condition": [*(conditions if isinstance(conditions, list) else []), exists]}]


def _nested(value: Any, depth: int) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    if isinstance(value, list):
        for entry in value:
            yield from _nested(entry, depth)
    elif isinstance(value, Mapping):
        if depth == 0:
            yield (), value
        else:
            for label, entry in value.items():
                for labels, fields in _nested(entry, depth - 1):
                    yield (label, *labels), fields


def _json_values(value: Any, scope: HclScope) -> Any:
    if isinstance(value, str):
        if re.fullmatch(r"\$\{.*\}", value, re.DOTALL) and value.count("${") == 1:
            return scope.value(attributes_of(parsed_body(f"value = {value[2:-1]}\n"))["value"])
        return scope.template(value)
    if isinstance(value, list):
        return [_json_values(entry, scope) for entry in value]
    if isinstance(value, Mapping):
        return {key: _json_values(entry, scope) for key, entry in value.items()}
    return value


def _with_holes(value: Any) -> Any:
    """Return a value with texts in place of what is not known."""
    if isinstance(value, Unknown):
        return value.text
    if isinstance(value, list):
        return [_with_holes(entry) for entry in value]
    if isinstance(value, Mapping):
        return {as_text(key): _with_holes(entry) for key, entry in value.items()}
    return value


def _document_of(values: Mapping[str, Any]) -> Any:
    statements: list[Any] = []
    for key in ("source_json", "source_policy_documents"):
        for source in _listed(values.get(key)):
            statements += _statements_of(source)
    own_statements = values.get("statement")
    for fields in own_statements if isinstance(own_statements, list) else []:
        _put(statements, _with_holes(terraform_statement(_with_holes(fields))))
    for key in ("override_json", "override_policy_documents"):
        for source in _listed(values.get(key)):
            for statement in _statements_of(source):
                _put(statements, statement)
    version = values.get("version")
    return {
        "Version": version if isinstance(version, str) and is_known(version) else "2012-10-17",
        "Statement": statements,
    }


def _listed(value: Any) -> list[Any]:
    return [] if value in (None, "") else value if isinstance(value, list) else [value]


def _statements_of(source: Any) -> list[Any]:
    """Return the statements of a document that another takes over; one hole for those that are not known."""
    if isinstance(source, str) and is_known(source):
        try:
            source = json.loads(source)
        except ValueError:
            return [hole(source[:40])]
    if not isinstance(source, Mapping):
        return [] if source is None else [as_text(source)]
    statements = source.get("Statement", [])
    entries: list[Any] = _with_holes(statements if isinstance(statements, list) else [statements])
    return entries


def _put(statements: list[Any], statement: Any) -> None:
    """Add a statement; one with the same Sid is replaced."""
    sid = statement.get("Sid") if isinstance(statement, Mapping) else None
    for number, present in enumerate(statements):
        if sid and isinstance(present, Mapping) and present.get("Sid") == sid:
            statements[number] = statement
            return
    statements.append(statement)
