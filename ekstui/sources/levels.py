"""The policies of files and folders that the user names for each layer, and which of them apply to a request.

A plain folder is one level of an organization. A folder as iam-collect writes it has the policies of many accounts and
resources: the request decides which apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ekstui import files
from ekstui.errors import InputError
from ekstui.iam import arn
from ekstui.iam.document import DocumentKind
from ekstui.iam.evaluation import (
    NO_RESOURCE_POLICIES,
    AppliedPolicy,
    Layer,
    Organization,
    PolicyLevel,
    ResourcePolicies,
)
from ekstui.iam.request import Request, context_of
from ekstui.named_tuples import NamedTuple
from ekstui.sources.collected import CollectedFiles, ControlPolicies
from ekstui.sources.policy_file import read_document

_MAX_POLICIES = 500
"""The most policies that are read: an organization has at most six levels, and each few policies."""


class LayersOfRequest(NamedTuple):
    """The policies of the given files that apply to a request."""

    organization: Organization = Organization()
    resource: ResourcePolicies = NO_RESOURCE_POLICIES
    boundary: AppliedPolicy | None = None
    session: tuple[AppliedPolicy, ...] = ()
    trust: AppliedPolicy | None = None
    """The policy of the role that the request assumes."""
    without: frozenset[Layer] = frozenset()
    """Layers of which the files tell that nothing applies to the request."""
    resource_account: str | None = None
    """The account that owns the resource, if only the files tell."""
    notes: tuple[str, ...] = ()


class FilesOfLayer(NamedTuple):
    """What one option names."""

    levels: tuple[PolicyLevel, ...] = ()
    collected: tuple[CollectedFiles, ...] = ()
    """What iam-collect wrote."""

    @property
    def policies(self) -> tuple[AppliedPolicy, ...]:
        """The policies of plain files and folders."""
        return tuple(policy for level in self.levels for policy in level.policies)


class LayerFiles(NamedTuple):
    """What the options for layers name."""

    service_control: FilesOfLayer = FilesOfLayer()
    resource_control: FilesOfLayer = FilesOfLayer()
    resource: FilesOfLayer = FilesOfLayer()
    boundary: FilesOfLayer = FilesOfLayer()
    session: FilesOfLayer = FilesOfLayer()

    def for_request(self, request: Request, *, assumes: bool) -> LayersOfRequest:
        """Return what applies to a request, which may assume a role; InputError if iam-collect wrote only a part."""
        applying = _Applying(self, request)
        scps = applying.levels(self.service_control, "scps", applying.account)
        policies = applying.policies_of_resources(assumes=assumes)
        owner = applying.owner
        rcps = applying.levels(self.resource_control, "rcps", owner)
        trust = next(iter(policies.values()), None) if assumes else None
        return LayersOfRequest(
            Organization(scps, rcps),
            NO_RESOURCE_POLICIES if assumes else policies,
            applying.boundary(),
            self.session.policies,
            trust,
            frozenset(applying.without),
            owner,
            tuple(applying.notes),
        )


NO_LAYERS = LayerFiles()


def read_layers(
    scp: Sequence[str] = (),
    rcp: Sequence[str] = (),
    resource_policy: Sequence[str] = (),
    boundary: Sequence[str] = (),
    session_policy: Sequence[str] = (),
) -> LayerFiles:
    """Return what files and folders hold, by layer.

    InputError for what cannot be read, has no policies, or AWS would reject.
    """
    layer_files = LayerFiles(
        _files_of(scp, "identity"),
        _files_of(rcp, "resource-control"),
        _files_of(resource_policy, "resource"),
        _files_of(boundary, "identity"),
        _files_of(session_policy, "identity"),
    )
    if len(layer_files.boundary.policies) > 1:
        names = ", ".join(policy.name for policy in layer_files.boundary.policies)
        raise InputError(f"A user or role has one permissions boundary, and these are several: {names}.", "Name one.")
    if layer_files.session.collected:
        raise InputError("iam-collect writes no session policies.", "Name the file of the session policy.")
    return layer_files


def _files_of(paths: Iterable[str], kind: DocumentKind) -> FilesOfLayer:
    """Return what files and folders hold: of a plain folder every JSON file, and then its subfolders."""
    if files.is_served() and tuple(paths):
        raise InputError("In a browser, ekstui does not read files of the server.")
    by_folder: dict[Path, dict[Path, None]] = {}
    sources: list[CollectedFiles] = []
    for text in paths:
        path = Path(text).expanduser()
        if path.is_dir() and (of_tool := CollectedFiles.at(path)):
            sources += of_tool
            continue
        json_files = sorted(_below(path), key=lambda file: (len(file.parts), file)) if path.is_dir() else [path]
        if not json_files:
            raise InputError(f"{path} has no policies.", "A folder holds each policy in a file that ends in .json.")
        for file in json_files:
            by_folder.setdefault(file.parent, {})[file] = None
    if sum(map(len, by_folder.values())) > _MAX_POLICIES:
        raise InputError(f"More than {_MAX_POLICIES} policies were given.", "Name the folders of one account's levels.")
    levels = tuple(
        PolicyLevel(
            folder.name or None,
            tuple(AppliedPolicy(file.stem, None, read_document(file, kind=kind)) for file in json_files),
        )
        for folder, json_files in by_folder.items()
    )
    return FilesOfLayer(
        levels if len(levels) > 1 else tuple(level._replace(name=None) for level in levels), tuple(sources)
    )


def _below(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.rglob("*.json") if not path.is_dir()]
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror or error}.") from None


_CONTROLS: Mapping[ControlPolicies, tuple[Layer, str, str]] = {
    "scps": ("service-control", "service control policies", "caller"),
    "rcps": ("resource-control", "resource control policies", "resource"),
}
"""The layer of each kind of an organization's policies, what they are called, and whose account they apply to."""


class _Applying:
    """A request, and what is found out about which policies apply to it."""

    def __init__(self, layers: LayerFiles, request: Request) -> None:
        self.layers = layers
        self.request = request
        self.without: set[Layer] = set()
        self.notes: list[str] = []
        resource = next(iter(request.resources), None)
        context = context_of(request, resource)
        self.account = next(iter(context.values("aws:PrincipalAccount") or ()), None)
        owners = context.values("aws:ResourceAccount") or (arn.split_arn(resource or "").account,)
        self.owner = owners[0] or None

    def levels(self, files: FilesOfLayer, kind: ControlPolicies, account: str | None) -> tuple[PolicyLevel, ...]:
        """Return the levels that apply to an account, and note why none does."""
        layer, words, owner = _CONTROLS[kind]
        if not files.collected:
            return files.levels
        if account is None:
            self.notes.append(f"The account of the {owner} is not known, so it is not known which {words} apply.")
            return files.levels
        for source in files.collected:
            in_organization = source.levels(account, kind)
            if in_organization is None:
                continue
            if in_organization.levels and not in_organization.is_management_account:
                return (*files.levels, *in_organization.levels)
            self.without.add(layer)
            self.notes.append(
                f"Account {account} is the management account, which no {words} restrict."
                if in_organization.is_management_account
                else f"No {words} are in force in the organization of account {account}."
            )
            return files.levels
        self.notes.append(f"{files.collected[0].folder} has no organization of account {account}.")
        return files.levels

    def policies_of_resources(self, *, assumes: bool) -> ResourcePolicies:
        """Return the policies of the request's resources, and find out the account of one whose ARN does not tell."""
        plain_policies, sources = self.layers.resource.policies, self.layers.resource.collected
        policies: dict[str | None, AppliedPolicy] = {}
        for resource in self.request.resources:
            if assumes and ":role/" in resource:
                trusts = filter(None, (source.trust_of(resource) for source in sources))
                if (trust := next(trusts, None)) is not None:
                    policies[resource] = trust
                continue
            for source in sources:
                if (policy := source.policy_of(resource)) is not None:
                    policies[resource] = policy.policy
                    self.owner = self.owner or policy.account
                    break
            else:
                matching_policies = (
                    [policy for policy in plain_policies if _is_about(policy, resource)]
                    if len(plain_policies) > 1
                    else []
                )
                if len(matching_policies) > 1:
                    names = " and ".join(policy.name for policy in matching_policies)
                    raise InputError(f"{names} may both be the policy of {resource}.", "Name one of them.")
                if matching_policies:
                    policies[resource] = matching_policies[0]
        if len(plain_policies) == 1:
            policies.setdefault(None, plain_policies[0])
        if (plain_policies or sources) and None not in policies:
            unseen = [resource for resource in self.request.resources if resource not in policies]
            self.notes += [f"None of the given policies is that of {resource}." for resource in unseen]
        return policies

    def boundary(self) -> AppliedPolicy | None:
        """Return the permissions boundary, or note that the caller has none."""
        layer = self.layers.boundary
        for source in layer.collected if self.request.principal is not None else ():
            boundary = source.boundary_of(self.request.principal or "")
            if boundary is None:
                self.without.add("boundary")
            elif boundary != "unknown":
                return boundary
        return next(iter(layer.policies), None)


def _is_about(policy: AppliedPolicy, resource: str) -> bool:
    """Return whether a statement names a resource (for S3 its bucket), or has no Resource, so may be about any."""

    def owner(text: str) -> str:
        return text.partition("/")[0] if arn.split_arn(resource).service == "s3" else text

    return any(
        arn.matches_resource(owner(pattern), owner(resource)) is not False
        for statement in policy.document.statements
        for pattern in statement.resources or ("*",)
    )
