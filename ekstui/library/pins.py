"""Policies that are pinned in ekstui.lock, and how they have changed since."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

from ekstui.change.comparison import Change, changes
from ekstui.change.policy import Policy, ReleaseNumber, parse_version, version_label
from ekstui.eks.published import is_component
from ekstui.errors import InputError, NotFoundError
from ekstui.files import MAX_STATE, create_file, read_regular
from ekstui.library.catalog import version_at
from ekstui.library.library import Library
from ekstui.library.notation import parse_policy
from ekstui.named_tuples import NamedTuple
from ekstui.sources.shipped import components
from ekstui.sources.written.reading import attached_in

LOCK = Path("ekstui.lock")

_HEAD = "# Policies pinned by `ekstui pin`; `ekstui check` says which have changed since.\n"


class Pin(NamedTuple):
    """A policy at a version, with the checksum of its document."""

    name: str
    version: int
    sha256: str


class PinChange(NamedTuple):
    """A pinned policy that has changed."""

    pin: Pin
    version: int | None
    """The default version now; None if the policy is no longer known."""
    change: Change | None
    """The change from the pinned document to today's; None if one of them is not known."""
    reason: str = ""
    """Why there is no change to show."""


def pin(library: Library, names: Sequence[str]) -> tuple[Pin, ...]:
    """Return pins for policies, each at `@v5` or its default version; a file stands for what it attaches."""
    pins: list[Pin] = []
    policy_texts = [policy for name in names for policy in (_attached_in(Path(name)) if _is_file(name) else (name,))]
    for name in policy_texts:
        place = parse_policy(name)
        policy = library.find(place.name).policy
        number = version_at(policy, place)
        pins.append(Pin(policy.name, number, checksum(library, policy, number)))
    return tuple(sorted({one.name: one for one in pins}.values(), key=lambda one: one.name))


def _is_file(name: str) -> bool:
    return not name.startswith("arn:") and ("/" in name or name.endswith((".yaml", ".yml", ".json", ".tf")))


def _attached_in(path: Path) -> tuple[str, ...]:
    """Return the policies of AWS's that a file attaches; InputError if it cannot be read or attaches none."""
    names = attached_in(path)
    if not names:
        raise InputError(f"{path} attaches no policy that AWS manages.", "Name policies.")
    return names


def moved_since(library: Library, pins: Sequence[Pin]) -> tuple[PinChange, ...]:
    """Return the pinned policies that have changed, and how."""
    return tuple(move for one in pins if (move := _move_of(library, one)) is not None)


def checksum(library: Library, policy: Policy, version: int) -> str:
    """Return the SHA-256 of a document's JSON with sorted keys and without spaces, which any tool can reproduce."""
    document = library.document_json(policy, version)
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def write_lock(pins: Sequence[Pin], path: Path) -> None:
    """Write the pins; InputError if they cannot be written."""
    # TOML's basic strings have the escapes of JSON's.
    rows = (
        f"\n[[policy]]\nname = {_quoted(pin.name)}\nversion = {_quoted(version_label(pin.version))}\n"
        f'sha256 = "{pin.sha256}"\n'
        for pin in pins
    )
    try:
        create_file(path, (_HEAD + "".join(rows)).encode(errors="backslashreplace"), 0o644)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from None


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_lock(path: Path) -> tuple[Pin, ...]:
    """Return the pins in a file; InputError says what is wrong with it."""
    try:
        content = read_regular(path, MAX_STATE)
        tables = tomllib.loads(content.decode()) if len(content) <= MAX_STATE else {}
    except FileNotFoundError:
        raise InputError(f"There is no {path} here.", "Make one with ekstui pin POLICY….") from None
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path} cannot be read as TOML.", "Recreate it with ekstui pin POLICY….") from None
    rows = tables.get("policy")
    if not isinstance(rows, list):
        raise InputError(f"{path} has no [[policy]].", "Recreate it with ekstui pin POLICY….")
    return tuple(_pin(path, number, row) for number, row in enumerate(rows, start=1))


def _pin(path: Path, number: int, row: object) -> Pin:
    if isinstance(row, dict):
        name, version, sha256 = (row.get(key) for key in ("name", "version", "sha256"))
        version_number = _number(name, version) if isinstance(name, str) and isinstance(version, str) else None
        if isinstance(name, str) and isinstance(sha256, str) and version_number is not None:
            return Pin(name, version_number, sha256)
    raise InputError(f"{path}: policy {number} lacks a name, a version such as v5, or a checksum.")


def _number(name: str, version: str) -> int | None:
    """Return the number of a policy's version, or of a component's release, which is 0 if it is not known."""
    if not is_component(name):
        return parse_version(version)

    component = components().get(name)
    release = component.release(version) if component else None
    return component.number(release) if component and release else ReleaseNumber(0, version)


def _move_of(library: Library, pin: Pin) -> PinChange | None:
    try:
        policy = library.find(pin.name).policy
    except NotFoundError:
        return PinChange(pin, None, None, "no policy of that name is known")
    current_version = policy.default_version
    try:
        is_changed = checksum(library, policy, pin.version) != pin.sha256
    except NotFoundError:
        return PinChange(pin, current_version, None, "the pinned version is not known")
    if is_changed:
        return PinChange(pin, current_version, None, "the document of the pinned version has changed")
    if current_version == pin.version:
        return None
    return PinChange(
        pin, current_version, changes(library.document(policy, pin.version), library.document(policy, current_version))
    )
