"""HCL as it is written: its blocks, and the evaluation of its expressions as far as they are known.

python-hcl2 parses; this module evaluates what it parsed. What is not known before Terraform runs is `Unknown`, or a
hole in a text. Source: Terraform, "Configuration syntax" and "Expressions".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ekstui.change.holes import DIGEST, without_hole_marks
from ekstui.errors import DocumentError
from ekstui.named_tuples import NamedTuple
from ekstui.sources.written.hcl_values import (
    FUNCTIONS,
    MOST_VALUES,
    OPERATORS,
    Unknown,
    as_text,
    indexed,
    is_known,
    joined,
)

if TYPE_CHECKING:
    from lark import Token, Tree

MOST_BLOCK = 200_000
"""The largest block that is parsed, in characters, which limits how long one takes."""

_MOST_STEPS = 200_000
"""The most expressions evaluated for one module: locals that double each other have no end."""


class HclBlock(NamedTuple):
    """A block at the top of a file."""

    kind: str
    """Such as `resource` or `locals`."""
    labels: tuple[str, ...]
    line: int
    """Where it starts, from 1."""
    text: str
    """As written, braces included."""


_CODE = re.compile(r'"|[{}]|\#[^\n]*|//[^\n]*|/\*.*?(?:\*/|\Z)|<<-?(?P<end>[A-Za-z_][\w.-]*)[ \t]*\r?\n', re.DOTALL)
_TEXT = re.compile(r'\\.|\$\$\{|%%\{|[$%]\{|"', re.DOTALL)
_HEAD = re.compile(r'([A-Za-z_][\w-]*)((?:[ \t]+(?:"[^"\n]*"|[A-Za-z_][\w-]*))*)\s*\Z')


def blocks_of(text: str) -> Iterator[HclBlock]:
    """Yield the blocks at the top of a file; DocumentError if its braces or quotes do not pair."""
    brackets: list[str] = []
    last = start = 0
    head: re.Match[str] | None = None
    for token in _signs(text, 0, brackets):
        if token[0] == "{" and len(brackets) == 1:
            head = _HEAD.search(text, last, token.start())
            start = head.start() if head else token.start()
        elif token[0] == "}" and not brackets:
            if head is not None:
                labels = tuple(label.strip('"') for label in re.findall(r'"[^"\n]*"|[\w-]+', head[2]))
                yield HclBlock(head[1], labels, text.count("\n", 0, start) + 1, text[start : token.end()])
            last = token.end()
    if brackets:
        raise DocumentError("it is not HCL: a brace or quote is missing")


def _signs(text: str, start: int, brackets: list[str]) -> Iterator[re.Match[str]]:
    """Yield the braces and quotes of HCL; `brackets` has those that are open after each."""
    while token := (_TEXT if brackets and brackets[-1] == '"' else _CODE).search(text, start):
        start, sign, in_text = token.end(), token[0], bool(brackets) and brackets[-1] == '"'
        if sign == '"':
            brackets.pop() if in_text else brackets.append('"')
        elif sign in ("{", "${", "%{"):
            brackets.append("{")
        elif sign == "}":
            if not brackets:
                raise DocumentError("it is not HCL: a brace too many")
            brackets.pop()
        elif not in_text and token["end"]:
            end = re.compile(rf"^[ \t]*{re.escape(token['end'])}[ \t]*\r?$", re.MULTILINE).search(text, start)
            if end is None:
                raise DocumentError("it is not HCL: a text has no end")
            start = end.end()
        yield token


@lru_cache(maxsize=4096)
def parsed_block(text: str) -> Tree[Token]:
    """Return the body of a block; DocumentError if it is not HCL, or python-hcl2 is not installed."""
    body = next((child for child in _only(_parse(text), "body").children if _kind(child) == "block"), None)
    if body is None:
        raise DocumentError("it is not HCL")
    return _only(body, "body")


@lru_cache(maxsize=1024)
def parsed_body(text: str) -> Tree[Token]:
    """Return the body of a file of attributes, such as `terraform.tfvars`; DocumentError as `parsed_block`."""
    return _only(_parse(text), "body")


def _parse(text: str) -> Tree[Token]:
    try:
        import hcl2  # only for Terraform as it is written
    except ImportError:
        raise DocumentError("reading Terraform as written needs the extra `ci`") from None
    if len(text) > MOST_BLOCK:
        raise DocumentError(f"it has a block of more than {MOST_BLOCK:,} characters")
    try:
        return hcl2.parses_to_tree(text)
    except RecursionError:
        raise DocumentError("it is nested too deep") from None
    except Exception as error:  # noqa: BLE001 (Lark raises a dozen kinds)
        raise DocumentError(f"it is not HCL that can be read: {str(error).splitlines()[0][:80]}") from None


def _only(tree: Any, name: str) -> Tree[Token]:
    child: Tree[Token] = next(child for child in tree.children if getattr(child, "data", None) == name)
    return child


def attributes_of(body: Tree[Token]) -> dict[str, Tree[Token]]:
    """Return the expressions of a body's attributes by name."""
    attributes = {}
    for child in body.children:
        if getattr(child, "data", None) == "attribute":
            parts = _parts(child)
            attributes[_word(parts[0])] = parts[-1]
    return attributes


def inner_blocks(body: Tree[Token]) -> Iterator[tuple[str, tuple[str, ...], Tree[Token]]]:
    """Yield the blocks inside a body: their type, labels and body."""
    for child in body.children:
        if getattr(child, "data", None) == "block":
            *names, inner = (part for part in _parts(child) if _kind(part) not in ("LBRACE", "RBRACE"))
            kind, *labels = (_word(name) for name in names)
            yield kind, tuple(labels), inner


def _kind(node: Any) -> str:
    return str(node.data) if hasattr(node, "data") else str(node.type)


_BLANK = frozenset(("new_line_or_comment", "EQ", "COLON", "COMMA", "LPAR", "RPAR", "LSQB", "RSQB", "QMARK", "DOT"))


def _parts(node: Any) -> list[Any]:
    """Return the children that mean something."""
    return [child for child in node.children if _kind(child) not in _BLANK]


def _word(node: Any) -> str:
    """Return the text of an identifier, a keyword or a string without holes."""
    return _source(node).strip().strip('"')


def _source(node: Any) -> str:
    if not hasattr(node, "data"):
        return str(node)
    return "".join(_source(child) if _kind(child) != "new_line_or_comment" else " " for child in node.children)


Resolve = Callable[[tuple[Any, ...]], Any]
"""Returns the value of a name such as `("var", "region")`; an index is a part of its own."""

_Call = Callable[[str, list[Any]], Any]
"""Returns the value of a function that reads files; raises KeyError for other functions."""


class HclScope:
    """What the names in expressions mean, and the evaluation of expressions."""

    def __init__(self, resolve: Resolve, call: _Call, names: Mapping[str, Any] | None = None) -> None:
        self._resolve = resolve
        self._call = call
        self._names = dict(names or {})
        self._steps = [0]

    def having(self, names: Mapping[str, Any]) -> HclScope:
        """Return a scope with further names, such as `each`."""
        scope = HclScope(self._resolve, self._call, {**self._names, **names})
        scope._steps = self._steps
        return scope

    def value(self, node: Any) -> Any:
        """Return the value of an expression; DocumentError if evaluating takes too long."""
        self._steps[0] += 1
        if self._steps[0] > _MOST_STEPS:
            raise DocumentError("it takes too long to evaluate")
        if not hasattr(node, "data"):
            return without_hole_marks(str(node))
        method = _EVALUATE.get(str(node.data))
        return method(self, node) if method else self._unknown(node, [])

    def _unknown(self, node: Any, operands: list[Any]) -> Unknown:
        """Return the value of an expression that is not known, named by its text and by what it is computed from."""
        text = " ".join(_source(node).split())
        name = text if len(text) <= 60 else f"{text[:57]}..."
        known_operands = [operand for operand in operands if not isinstance(operand, Unknown)]
        if not known_operands and len(text) <= 60:
            return Unknown(name)
        digest = hashlib.sha256(f"{text}{json.dumps(operands, default=repr, sort_keys=True)}".encode(errors="replace"))
        return Unknown(f"{name}{DIGEST}{digest.hexdigest()[:12]}")

    def _number(self, node: Any) -> Any:
        text = str(node.children[0])
        if len(text) > 40:
            return text
        return float(text) if any(sign in text for sign in ".eE") else int(text)

    def _named(self, path: tuple[Any, ...]) -> Any:
        if path[0] in self._names:
            return indexed(self._names[path[0]], path[1:], path[:1])
        return self._resolve(path)

    def _string(self, node: Any) -> Any:
        pieces = [self._piece(part) for part in node.children if _kind(part) == "string_part"]
        if any(isinstance(piece, _Directive) for piece in pieces):
            return self._unknown(node, [])
        if len(pieces) == 1 and _kind(node.children[1].children[0]) == "interpolation":
            return pieces[0]
        # Terraform refuses a text with null in it, which `try` then passes over.
        return None if None in pieces else joined(pieces)

    def _piece(self, part: Any) -> Any:
        child = part.children[0]
        kind = _kind(child)
        if kind == "interpolation":
            return self.value(_parts(child)[1])
        if kind == "STRING_CHARS":
            return without_hole_marks(_unescaped(str(child)))
        if kind in ("ESCAPED_INTERPOLATION", "ESCAPED_DIRECTIVE"):
            return without_hole_marks(str(child)[1:])
        return _Directive()

    def template(self, text: str) -> Any:
        """Return the value of a template's text, such as a heredoc or a file for `templatefile`."""
        if "%{" in text.replace("%%{", ""):
            return Unknown(f"template{DIGEST}{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:12]}")
        pieces: list[Any] = []
        position = 0
        while match := re.compile(r"\$\$\{|%%\{|\$\{").search(text, position):
            pieces.append(without_hole_marks(text[position : match.start()]))
            if match[0] != "${":
                pieces.append(match[0][1:])
                position = match.end()
                continue
            end = _end_of_interpolation(text, match.end())
            body = parsed_body(f"value = {text[match.end() : end]}\n")
            pieces.append(self.value(attributes_of(body)["value"]))
            position = end + 1
        pieces.append(without_hole_marks(text[position:]))
        return joined(pieces)

    def _heredoc(self, node: Any) -> Any:
        text = str(node.children[0])
        head, _, body = text.partition("\n")
        lines = body.rstrip("\r\n").split("\n")[:-1]
        if head.startswith("<<-"):
            indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
            lines = [line[min(indents, default=0) :] for line in lines]
        return self.template("".join(f"{line}\n" for line in lines))

    def _object(self, node: Any) -> Any:
        fields: dict[str, Any] = {}
        for element in (part for part in _parts(node) if _kind(part) == "object_elem"):
            key, value = _parts(element)
            fields[self._key(key)] = self.value(value)
        return fields

    def _key(self, node: Any) -> str:
        inner = _parts(node)[0]
        source = _source(inner).strip()
        if re.fullmatch(r"[A-Za-z_][\w-]*", source):
            return source
        return as_text(self.value(inner))

    def _conditional(self, node: Any) -> Any:
        condition, *branches = _parts(node)
        condition_value = self.value(condition)
        if isinstance(condition_value, bool) or condition_value in ("true", "false"):
            return self.value(branches[0 if condition_value in (True, "true") else 1])
        values = [self.value(branch) for branch in branches]
        return values[0] if values[0] == values[1] else self._unknown(node, [condition_value, *values])

    def _binary(self, node: Any) -> Any:
        left, term = _parts(node)[:2]
        operator, right = _parts(term)
        left_value, sign = self.value(left), _source(operator).strip()
        if left_value is (sign == "||") and sign in ("&&", "||"):
            return left_value
        right_value = self.value(right)
        if right_value is (sign == "||") and sign in ("&&", "||"):
            return right_value
        if not (is_known(left_value) and is_known(right_value)):
            return self._unknown(node, [left_value, right_value])
        try:
            return OPERATORS[sign](left_value, right_value)
        except (KeyError, TypeError, ZeroDivisionError, OverflowError):
            return self._unknown(node, [left_value, right_value])

    def _unary(self, node: Any) -> Any:
        sign, operand = node.children[0], self.value(node.children[-1])
        if str(sign) == "!" and isinstance(operand, bool):
            return not operand
        if str(sign) == "-" and isinstance(operand, int | float):
            return -operand
        return self._unknown(node, [operand])

    def _function(self, node: Any) -> Any:
        name = _source(node.children[0])
        arguments = next((part for part in node.children if _kind(part) == "arguments"), None)
        nodes = [part for part in _parts(arguments) if _kind(part) != "ELLIPSIS"] if arguments else []
        if name == "try":
            attempts = [self.value(argument) for argument in nodes]
            return next((value for value in attempts if value is not None), None)
        values = [self.value(argument) for argument in nodes]
        if arguments and any(_kind(part) == "ELLIPSIS" for part in arguments.children):
            if not isinstance(values[-1], list):
                return self._unknown(node, values)
            values = [*values[:-1], *values[-1]]
        try:
            return self._call(name, values)
        except (TypeError, ValueError):
            return self._unknown(node, values)
        except KeyError:
            pass
        try:
            return FUNCTIONS[name](*values)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
            return self._unknown(node, values)

    def _term(self, node: Any) -> Any:
        path: list[Any] = []
        inner = node
        while _kind(inner) in ("get_attr_expr_term", "index_expr_term"):
            inner, last = inner.children
            path.insert(0, self._index(last))
            while _kind(inner) == "expr_term" and len(_parts(inner)) == 1 and len(inner.children) == 1:
                inner = inner.children[0]
        if _kind(inner) == "identifier":
            return self._named((str(inner.children[0]), *path))
        return indexed(self.value(inner), tuple(path), (" ".join(_source(inner).split()),))

    def _index(self, node: Any) -> Any:
        if _kind(node) == "get_attr":
            return _source(node).lstrip(".").strip()
        if _kind(node) == "short_index":
            return int(_source(node).lstrip("."))
        return self.value(_parts(node)[0])

    def _splat(self, node: Any) -> Any:
        inner, splat = node.children
        base = self.value(inner)
        if isinstance(base, Unknown):
            name = tuple(base.name.split("."))
            suffix = tuple(self._index(part) for part in splat.children if hasattr(part, "data"))
            value = self._named((*name, *suffix)) if name[0] == "data" else base
            if not isinstance(value, Unknown):
                return [] if value is None else [value]
            return Unknown(" ".join(_source(node).split()))
        path = tuple(self._index(part) for part in splat.children if hasattr(part, "data"))
        entries = base if isinstance(base, list) else [] if base is None else [base]
        return [indexed(entry, path, ("each",)) for entry in entries]

    def _for(self, node: Any) -> Any:
        intro = next(part for part in node.children if _kind(part) == "for_intro")
        names = [str(part.children[0]) for part in intro.children if _kind(part) == "identifier"]
        *_, source = (part for part in _parts(intro) if _kind(part) not in ("FOR", "IN"))
        collection = self.value(source)
        if (
            not isinstance(collection, list | dict)
            or len(collection) > MOST_VALUES
            or any(isinstance(part, Unknown) for part in collection)
        ):
            return self._unknown(node, [collection])
        condition = next((part for part in node.children if _kind(part) == "for_cond"), None)
        syntax_kinds = ("for_intro", "for_cond", "LBRACE", "RBRACE", "FOR_OBJECT_ARROW", "ELLIPSIS")
        results = [part for part in _parts(node) if _kind(part) not in syntax_kinds]
        pairs = list(collection.items()) if isinstance(collection, dict) else list(enumerate(collection))
        entries: list[tuple[Any, ...]] = []
        for key, value in pairs:
            variables = {names[-1]: value, **({names[0]: key} if len(names) > 1 else {})}
            scope = self.having(variables)
            if condition is not None:
                holds = scope.value(_parts(condition)[-1])
                if not isinstance(holds, bool):
                    return self._unknown(node, [collection])
                if not holds:
                    continue
            entries.append(tuple(scope.value(part) for part in results))
        if _kind(node) == "for_tuple_expr":
            return [entry[0] for entry in entries]
        if any(_kind(part) == "ELLIPSIS" for part in node.children):
            return self._unknown(node, [collection])
        return {as_text(key): value for key, value in entries}


class _Directive:
    """A `%{…}` in a template, which is not evaluated."""


_EVALUATE: dict[str, Callable[[HclScope, Any], Any]] = {
    "expr_term": lambda scope, node: scope.value(_parts(node)[0]),
    "identifier": lambda scope, node: scope._named((str(node.children[0]),)),
    "literal_value": lambda _, node: {"true": True, "false": False, "null": None}[str(node.children[0])],
    "tuple": lambda scope, node: [scope.value(part) for part in _parts(node)],
    "int_lit": HclScope._number, "float_lit": HclScope._number, "string": HclScope._string, "object": HclScope._object,
    "heredoc_template": HclScope._heredoc, "heredoc_template_trim": HclScope._heredoc,
    "conditional": HclScope._conditional,
    "binary_op": HclScope._binary, "unary_op": HclScope._unary, "function_call": HclScope._function,
    "get_attr_expr_term": HclScope._term, "index_expr_term": HclScope._term, "attr_splat_expr_term": HclScope._splat,
    "full_splat_expr_term": HclScope._splat, "for_tuple_expr": HclScope._for, "for_object_expr": HclScope._for,
}  # fmt: skip
"""How each rule of the grammar is evaluated."""


def _end_of_interpolation(text: str, start: int) -> int:
    """Return where the brace is that closes an interpolation."""
    brackets = ["{"]
    for token in _signs(text, start, brackets):
        if not brackets:
            return token.start()
    raise DocumentError("it is not HCL: a brace is missing in a template")


_NAMED_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def _unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        sign = match[1]
        return chr(min(int(sign[1:], 16), 0x10FFFF)) if sign[0] in "uU" else _NAMED_ESCAPES.get(sign, match[0])

    return re.sub(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", plain, text, flags=re.DOTALL)
