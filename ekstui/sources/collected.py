"""A folder as iam-collect writes it: the policies of organizations and accounts, a folder each, in JSON.

Its layout: https://github.com/cloud-copilot/iam-collect/blob/main/docs/Storage.md.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

from ekstui.errors import InputError
from ekstui.files import read_regular
from ekstui.iam import arn
from ekstui.iam.document import MAX_BYTES, Document, DocumentKind, load_json
from ekstui.iam.evaluation import AppliedPolicy, PolicyLevel
from ekstui.named_tuples import NamedTuple
from ekstui.sources.policy_file import document_of

ControlPolicies = Literal["scps", "rcps"]

_AGAIN = "Run iam-collect download again."

_NO_STATEMENT = Document("2012-10-17", None, ())


class LevelsOfAccount(NamedTuple):
    """The policies of an organization that apply to an account."""

    levels: tuple[PolicyLevel, ...]
    is_management_account: bool
    """Whether it is the organization's management account, which they do not restrict."""


class PolicyOfResource(NamedTuple):
    """The policy of a resource, and the account that owns it."""

    policy: AppliedPolicy
    """Without statements if the resource has no policy."""
    account: str
    arn: str


class CollectedFiles:
    """What iam-collect read of one partition."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def at(path: Path) -> "tuple[CollectedFiles, ...]":
        """Return what a folder has, one for each partition; empty if iam-collect did not write it."""
        places = (path, *_folders(path), *_folders(path / "aws"))
        return tuple(
            CollectedFiles(place)
            for place in places
            if (place / "accounts").is_dir() or (place / "organizations").is_dir()
        )

    @cached_property
    def _organizations(self) -> tuple[tuple[Path, Mapping[str, object]], ...]:
        return tuple((folder, _table(folder / "accounts.json")) for folder in _folders(self.folder / "organizations"))

    def levels(self, account: str, kind: ControlPolicies) -> LevelsOfAccount | None:
        """Return the policies of the account and the units above it, root first; None without an organization."""
        for folder, accounts in self._organizations:
            if account not in accounts:
                continue
            metadata, units = _table(folder / "metadata.json"), _table(folder / "ous.json")
            chain = [(f"account {account}", _fields(accounts[account]))]
            unit = chain[0][1].get("ou")
            while isinstance(unit, str) and unit in units and len(chain) <= len(units) + 1:
                name = _table(folder / "ous" / unit.lower() / "metadata.json", needed=False).get("name", unit)
                chain.append((str(name), _fields(units[unit])))
                unit = chain[-1][1].get("parent")
            levels = tuple(
                PolicyLevel(name, tuple(self._policies(folder, fields, kind))) for name, fields in reversed(chain)
            )
            # A type of policies that is not enabled is written as no policies at all.
            in_force = levels if any(level.policies for level in levels) else ()
            return LevelsOfAccount(in_force, metadata.get("rootAccountId") == account)
        return None

    def _policies(
        self, organization: Path, level: Mapping[str, object], kind: ControlPolicies
    ) -> Iterator[AppliedPolicy]:
        entries = level.get(kind)
        for entry in entries if isinstance(entries, list) else ():
            identifier = str(entry).rpartition("/")[2]
            folder = organization / kind / identifier.lower()
            document = _document(folder / "policy.json", "identity" if kind == "scps" else "resource-control")
            if document is None:
                raise InputError(
                    f"{folder / 'policy.json'} is missing, and a level of the organization has it.", _AGAIN
                )
            name = _table(folder / "metadata.json", needed=False).get("name", identifier)
            yield AppliedPolicy(str(name), None, document)

    def policy_of(self, resource: str) -> PolicyOfResource | None:
        """Return the policy of a resource or what it is in (an object's bucket); None if iam-collect has none."""
        service = arn.split_arn(resource).service
        for owner, folder in self._resources(arn.split_arn(resource).account, service):
            name = str(_table(folder / "metadata.json").get("arn", ""))
            if name and (resource == name or resource.startswith((f"{name}/", f"{name}:"))):
                document = _document(folder / "policy.json", "resource")
                policy_document = _NO_STATEMENT if document is None else document
                return PolicyOfResource(
                    AppliedPolicy(f"policy of {name.rpartition(':')[2]}", None, policy_document), owner, name
                )
        return None

    def _resources(self, account: str, service: str) -> Iterator[tuple[str, Path]]:
        """Yield the folders of a service's resources with their accounts; of every account if none is named."""
        for owner in _folders(self.folder / "accounts"):
            if account in ("", owner.name):
                yield from ((owner.name, file.parent) for file in sorted((owner / service).rglob("metadata.json")))

    def trust_of(self, role: str) -> AppliedPolicy | None:
        """Return the trust policy of a role; None if iam-collect did not read it."""
        folder = self._entity(role)
        document = None if folder is None else _document(folder / "trust-policy.json", "trust")
        return (
            None
            if document is None
            else AppliedPolicy(f"trust policy of {role.rpartition('/')[2]}", None, document, role)
        )

    def boundary_of(self, principal: str) -> AppliedPolicy | Literal["unknown"] | None:
        """Return the permissions boundary of a user, a role or a session's role; None if it has none."""
        folder = self._entity(principal)
        if folder is None:
            return "unknown"
        boundary = _table(folder / "metadata.json").get("permissionBoundary")
        if not isinstance(boundary, str):
            return None
        owner, parts = arn.split_arn(principal).account, arn.split_arn(boundary)
        place = self.folder / "accounts" / owner / "iam"
        for file in sorted((place / "aws" if parts.account == "aws" else place).rglob("policy/*/metadata.json")):
            if _table(file).get("arn") == boundary:
                document = _document(file.with_name("current-policy.json"), "identity")
                return (
                    "unknown" if document is None else AppliedPolicy(parts.resource.rpartition("/")[2], None, document)
                )
        return "unknown"

    def _entity(self, principal: str) -> Path | None:
        """Return the folder of a user or role; a session's ARN names its role without the path."""
        entity, account = arn.entity_of(principal), arn.split_arn(principal).account
        kind = "role" if entity.kind == "session" else entity.kind
        for file in sorted((self.folder / "accounts" / account / "iam" / kind).rglob("metadata.json")):
            name = str(_table(file).get("arn", ""))
            if name == principal or (entity.kind == "session" and name.rpartition("/")[2] == entity.name):
                return file.parent
        return None


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if path.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InputError(f"{place} cannot be read: {error.strerror or error}.") from None


def _content(file: Path) -> bytes | None:
    try:
        return read_regular(file, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from None


def _document(file: Path, kind: DocumentKind) -> Document | None:
    content = _content(file)
    return None if content is None else document_of(content, str(file), kind=kind)


def _table(file: Path, *, needed: bool = True) -> Mapping[str, object]:
    """Return the JSON object in a file; an empty one if there is no file and none is needed."""
    content = _content(file)
    if content is None:
        if not needed:
            return {}
        raise InputError(f"{file} is missing.", _AGAIN)
    try:
        return _fields(load_json(content))
    except InputError as error:
        raise InputError(f"{file}: {error.message}", _AGAIN) from None


def _fields(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
