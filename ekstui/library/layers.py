"""The layers above what a principal has: those of the settings, and what those that were given mean for a principal."""

from collections.abc import Collection, Iterator
from typing import Literal

from ekstui.denial.answer import layer_name
from ekstui.eks.principals import Ceiling, Subject
from ekstui.iam import arn
from ekstui.iam.document import Document, Statement
from ekstui.iam.evaluation import AppliedPolicy, Layer, needs_policy_of_resource
from ekstui.iam.principals import Caller, named_by
from ekstui.iam.request import Request
from ekstui.iam.resource_control import is_resource_controlled
from ekstui.library.library import Library
from ekstui.sources.levels import NO_LAYERS, LayerFiles, LayersOfRequest, read_layers


def layers_in_force(layers: LayerFiles, library: Library, account: str | None) -> LayerFiles:
    """Return the given layers or, without any, those that the settings name for an account.

    InputError for one that cannot be read.
    """
    if any(map(any, layers)) or library.choice is None or account is None:
        return layers
    paths = library.choice.layers.get(account, {})
    return read_layers(**paths) if paths else NO_LAYERS


def ceilings(layers: LayersOfRequest) -> Iterator[Ceiling]:
    """Yield what limits every principal of an account: its organization's levels.

    With a boundary and a session policy, if given.
    """
    for level in layers.organization.service_control:
        yield Ceiling(layer_name("service-control", level.name), level.policies)
    if layers.boundary is not None:
        yield Ceiling(f"boundary {layers.boundary.name}", (layers.boundary,))
    if layers.session:
        yield Ceiling(layer_name("session", None), layers.session)


def under_layers(subject: Subject, layers: LayersOfRequest, action: str, resource: str | None) -> Subject:
    """Return a principal with what the layers of a request limit or grant it.

    None of an organization limit a service-linked role.
    """
    ceilings_above = () if subject.service_linked else tuple(ceilings(layers))
    if not subject.service_linked and is_resource_controlled(action):
        ceilings_above += tuple(
            Ceiling(layer_name("resource-control", level.name), level.policies, only_denies=True)
            for level in layers.organization.resource_control
        )
    policy = layers.resource.get(resource) or layers.resource.get(None)
    if policy is None or subject.arn is None or subject.kind == "group":
        return subject._replace(above=ceilings_above)
    denies = _naming(subject.arn, policy, "Deny", "any")
    ceilings_above += (Ceiling(policy.name, (denies,), only_denies=True),)
    owner = arn.split_arn(resource or "").account or layers.resource_account
    is_across = bool(owner) and owner != arn.split_arn(subject.arn).account
    must_allow = is_across or needs_policy_of_resource(resource)
    return subject._replace(
        above=ceilings_above,
        needed=Ceiling(policy.name, (_naming(subject.arn, policy, "Allow", "any"),)) if must_allow else None,
        named=() if is_across else (_naming(subject.arn, policy, "Allow", "itself"),),
        limits_named=subject.kind == "role",
    )


def _naming(
    principal: str, policy: AppliedPolicy, effect: Literal["Allow", "Deny"], relation: Literal["any", "itself"]
) -> AppliedPolicy:
    """Return the statements of a resource's policy that certainly name a principal, as a policy of its own."""
    caller = Caller("aws", principal)

    def names(statement: Statement) -> bool:
        return any(
            (match.is_caller or match.value == "*") and (relation == "any" or match.named_as != "account")
            for match in named_by(statement, caller)
        )

    naming_statements = tuple(
        statement._replace(
            resource_element=statement.resource_element or "Resource", resources=statement.resources or ("*",),
            principal_element=None, principals=(),
        )
        for statement in policy.document.statements
        if statement.effect == effect and names(statement)
    )  # fmt: skip
    return policy._replace(document=Document(policy.document.version, None, naming_statements))


def layers_not_seen(layers: LayersOfRequest) -> frozenset[Layer]:
    """Return which of the layers that an account does not tell were not given either."""
    policies: dict[Layer, Collection[object]] = {
        "service-control": layers.organization.service_control,
        "resource-control": layers.organization.resource_control,
        "session": layers.session,
        "resource": layers.resource,
    }
    return frozenset(layer for layer, entries in policies.items() if not entries) - layers.without


def of_account(layers: LayerFiles, account: str, action: str, resource: str | None) -> LayersOfRequest:
    """Return what of the layers applies to an account's principals.

    A resource of an unknown account is taken, with a note, for its own.
    """
    resources = () if resource is None else (resource,)
    applying = layers.for_request(Request(action, resources, f"arn:aws:iam::{account}:root"), assumes=False)
    if applying.resource and not arn.split_arn(resource or "").account and applying.resource_account is None:
        note = f"The ARN of {resource} has no account: it is taken to be one of account {account}."
        return applying._replace(notes=(*applying.notes, note))
    return applying


def of_role(layers: LayerFiles, role: str | None, account: str) -> LayersOfRequest:
    """Return what of the given layers limits a role, whatever it requests."""
    return layers.for_request(Request("*", (), role or f"arn:aws:iam::{account}:root"), assumes=False)
