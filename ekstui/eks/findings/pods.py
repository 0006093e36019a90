"""Pods without the credentials that they are meant to have, wrong annotations of service accounts, and static keys.

Source: EKS User Guide, "EKS Pod Identities", "Configure Pods to use a Kubernetes service account" and "Amazon EKS
add-ons"; the README of amazon-eks-pod-identity-webhook.
"""

from __future__ import annotations

from collections.abc import Iterator

from ekstui.eks.cluster import Cluster
from ekstui.eks.commands import Command, variable
from ekstui.eks.findings.subjects import (
    AccountContext,
    RoleInCluster,
    ServiceAccountInCluster,
    WorkloadInCluster,
    use_as_evidence,
)
from ekstui.eks.findings.table import Case, Finding, FixPlace, Severity, finding
from ekstui.eks.pod_credentials import (
    SOURCE_WORDS,
    Credentials,
    ExpectedCredentials,
    has_expected,
    name_of,
    restart,
)
from ekstui.eks.pods import ROLE_ANNOTATION, KubernetesServiceAccount, Pod, Workload
from ekstui.eks.uses import arn_without_path, controllers_of_account
from ekstui.iam.principals import issuer_of
from ekstui.iam.text import counted, listed

_SKIP = "eks.amazonaws.com/skip-containers"


def _restart(reported_finding: Finding, place: FixPlace) -> tuple[Command, ...]:
    command = None if place.workload is None or reported_finding.severity == "note" else restart(place.workload)
    return () if command is None else (command,)


@finding(
    "pod-lacks-credentials",
    "problem",
    "not given the role meant for it",
    about="pods",
    meaning="The service account is associated or annotated with a role, and containers do not have the variables of "
    "it: the pods are older than that, or the webhook that sets them did not run.",
    change="make the pods anew, so that the webhook sets their variables",
    fix=_restart,
)
def lacking_credentials(subject: WorkloadInCluster, account: AccountContext) -> Iterator[Case]:
    """Yield the pods if what they are meant to use is not what they use."""
    workload, cluster, expected = subject.workload, subject.cluster, subject.expected
    if expected is None:
        yield from _on_fargate(subject)
        return
    lacking = [container for container in workload.containers if not has_expected(container, expected)]
    wrong = [
        credentials
        for credentials in subject.credentials
        if {*credentials.containers} & {container.name for container in lacking}
    ]
    if not lacking or all(credentials.source == "static-keys" for credentials in wrong):
        return
    role = name_of(expected.role_arn or "its role")
    evidence = (_evidence(subject, expected), *(f"{listed(fault.containers)}: {fault.reason}" for fault in wrong))
    if len(lacking) < len(workload.containers):
        names = listed([container.name for container in lacking])
        text = f"Only some containers have the variables for {role}; {names} lacks them and uses {_used(wrong[0])}."
        hint = f" A container that another webhook adds later is not seen, nor is one that {_SKIP} names."
        yield Case(text + hint, evidence, severity="advice", title="some containers lack the role's variables")
        return
    reason = _why(workload.pods, expected)
    if wrong[0].source == "irsa":
        providers, issuer = account.providers, cluster.issuer
        working = providers is None or issuer is None or issuer in map(issuer_of, providers)
        consequence = "" if working else f" IAM has no OIDC provider for {cluster.issuer}, so that fails."
        text = (
            f"{_pods(workload, 'use', 'still ')} {_used(wrong[0])} instead of {role} by "
            f"{SOURCE_WORDS[expected.source]}: {reason}.{consequence}"
        )
        title = "still uses IRSA, not Pod Identity" if expected.source == "pod-identity" else "still uses another role"
        yield Case(text, evidence, severity="advice" if working else None, title=title)
        return
    yield Case(f"{_pods(workload, 'use')} {_used(wrong[0])} instead of {role}: {reason}.", evidence)


def _pods(workload: Workload, verb: str, adverb: str = "") -> str:
    """Return how many pods do something, such as `3 pods use` or `1 pod uses`; `have` is irregular."""
    single = "has" if verb == "have" else f"{verb}s"
    return f"{counted(len(workload.pods), 'pod')} {adverb}{single if len(workload.pods) == 1 else verb}"


def _used(credentials: Credentials) -> str:
    match credentials.source:
        case "irsa" if credentials.role_arn:
            return f"{name_of(credentials.role_arn)} by IRSA"
        case "node" if credentials.role_arn:
            return f"the node's role {name_of(credentials.role_arn)}"
        case source:
            return SOURCE_WORDS[source]


def _why(pods: tuple[Pod, ...], expected: ExpectedCredentials) -> str:
    """Return why pods lack what they are meant to have, as far as their ages tell."""
    times = [pod.created for pod in pods if pod.created is not None]
    before, after = expected.not_before, expected.not_after
    if before is not None and times and max(times) < before:
        return f"made before {expected.set_up} on {before:%Y-%m-%d}"
    if after is not None and times and min(times) > after:
        return (
            f"made after {expected.set_up} on {after:%Y-%m-%d}, but the webhook did not see that yet or did not run. "
            "If new pods lack them too, it does not run for this namespace"
        )
    return f"either made before {expected.set_up}, or the webhook did not run when they were made"


def _evidence(subject: WorkloadInCluster, expected: ExpectedCredentials) -> str:
    account = subject.workload.account
    arn = expected.role_arn or "a role that was not read"
    return f"{account} is {'associated' if expected.source == 'pod-identity' else 'annotated'} with {arn}"


def _on_fargate(subject: WorkloadInCluster) -> Iterator[Case]:
    """Yield pods on Fargate that only have an association, which has no effect there."""
    workload = subject.workload
    association = subject.cluster.association(workload.namespace, workload.service_account)
    if association is None or not any(pod.on_fargate for pod in workload.pods):
        return
    text = (
        f"{_pods(workload, 'run')} on Fargate, where Pod Identity does not work: the association with "
        f"{name_of(association.role_arn or 'a role')} has no effect. Annotate the service account instead (IRSA)."
    )
    yield Case(text, (f"association {association.id}",), title="Pod Identity does not work on Fargate")


@finding(
    "pod-role-gone",
    "problem",
    "its role does not exist",
    about="pods",
    meaning="The variables of containers name a role that IAM does not have.",
    change="create the role again under this name and path, or make the pods anew once their service account has "
    "another one",
)
def gone_roles_of_pods(subject: WorkloadInCluster, account: AccountContext) -> Iterator[Case]:
    """Yield pods whose variables name a role of the account that is gone; an annotation with it is reported itself."""
    annotated_arn = subject.expected.role_arn if subject.expected else None
    for credentials in subject.credentials:
        arn = credentials.role_arn
        if credentials.source != "irsa" or arn is None or arn == annotated_arn or account.principals is None:
            continue
        if arn.split(":", 5)[4] == account.account and arn not in account.principals:
            text = f"{_pods(subject.workload, 'have')} {name_of(arn)} in AWS_ROLE_ARN, and IAM has no such role."
            yield Case(text, (arn,))


@finding(
    "pod-without-association",
    "problem",
    "has the agent, but no association",
    about="pods",
    meaning="Containers are to ask the agent of Pod Identity, and their service account has no association any more.",
    change="associate the service account with a role again, or make the pods anew",
    fix=_restart,
)
def lost_associations(subject: WorkloadInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield pods that ask the agent although no association is left."""
    workload, cluster = subject.workload, subject.cluster
    asks = any(credentials.source == "pod-identity" for credentials in subject.credentials)
    if not asks or cluster.associations is None or "associations" in cluster.cut_short:
        return
    if cluster.association(workload.namespace, workload.service_account) is None:
        text = (
            f"{_pods(workload, 'ask')} the agent of Pod Identity, which gives nothing: {workload.account} has no "
            "association."
        )
        yield Case(text, (f"service account {workload.account}",))


@finding(
    "pod-in-other-namespace",
    "advice",
    "the role is for another namespace",
    about="pods",
    meaning="Pods have no role of their own, and a service account of the same name in another namespace has one.",
)
def other_namespaces(subject: WorkloadInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield pods without a role whose service account has one elsewhere under the same name."""
    workload, cluster = subject.workload, subject.cluster
    if workload.service_account == "default" or subject.expected is not None or not _on_node(subject):
        return
    namespaces = {account.namespace for account in _namesakes(cluster, workload.service_account) if account.role_arn}
    namespaces |= {
        association.namespace
        for association in cluster.associations or ()
        if association.service_account == workload.service_account
    }
    if namespaces:
        text = (
            f"{_pods(workload, 'have')} no role: {workload.service_account} has one in {listed(sorted(namespaces))}, "
            "and neither an association nor an annotation of a service account counts in another namespace."
        )
        yield Case(text, (f"service account {workload.account}",))


def _namesakes(cluster: Cluster, name: str) -> list[KubernetesServiceAccount]:
    """Return the service accounts of a name, in all namespaces that were read."""
    facts = cluster.kubernetes
    return [account for account in (facts.service_accounts or () if facts else ()) if account.name == name]


def _on_node(subject: WorkloadInCluster) -> bool:
    return all(credentials.source == "node" for credentials in subject.credentials)


@finding(
    "addon-on-node-role",
    "advice",
    "controller uses its node's role",
    about="pods",
    meaning="The pods of an add-on or controller that calls AWS have no role of their own, so they use their node's; a "
    "problem if the add-on has one.",
    change="let the service account have the role: EKS annotates it when the add-on is updated with it",
)
def addons_on_nodes(subject: WorkloadInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield the pods of an add-on or controller without a role of their own."""
    workload, cluster = subject.workload, subject.cluster
    names = controllers_of_account(workload.service_account)
    if not names or subject.expected is not None or not _on_node(subject):
        return
    source = _used(subject.credentials[0])
    addon = next((match for match in map(cluster.addon, names) if match is not None), None)
    if addon is not None and addon.role_arn is not None:
        facts = cluster.kubernetes
        if facts is None or not facts.knows_accounts_of(workload.namespace):
            return
        text = (
            f"The add-on {addon.name} is to use {name_of(addon.role_arn)}, but {workload.account} is not annotated "
            f"with it: {_pods(workload, 'use')} {source}."
        )
        yield Case(
            text, (f"role of the add-on: {addon.role_arn}",), severity="problem", title="not given the add-on's role"
        )
        return
    text = (
        f"{_pods(workload, 'use')} {source}: {names[0]} has no role of its own, and any pod there has the same rights."
    )
    yield Case(text, (f"{workload.account} has neither an association nor an annotation",))


@finding(
    "static-keys",
    "advice",
    "static access keys",
    about="pods",
    meaning="Containers have access keys in their variables, which the SDKs use before any role.",
)
def static_keys(subject: WorkloadInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield the pods if some of their containers have static keys."""
    workload = subject.workload
    keys = next((credentials for credentials in subject.credentials if credentials.source == "static-keys"), None)
    if keys is None:
        return
    expected = subject.expected
    keys_in_words = f"{_pods(workload, 'have')} access keys in the variables of {listed(keys.containers)}"
    if expected is not None and expected.role_arn:
        role = name_of(expected.role_arn)
        text = f"{keys_in_words}: the SDKs use those, and not {role}."
        yield Case(text, (_evidence(subject, expected),), title="static keys win over its role")
    else:
        yield Case(f"{keys_in_words}, which do not expire and are not of a role.", severity="note")


def _annotate(_finding: Finding, place: FixPlace) -> tuple[Command, ...]:
    account = place.service_account
    if account is None:
        return ()
    correct_arn = _right_arn(account, place.account) or variable("ROLE_ARN")
    misspelt_starts = tuple(f"{name}-" for name in account.misspelt)
    arguments = (
        "kubectl", "annotate", "serviceaccount", account.name, "-n", account.namespace, "--overwrite",
        f"{ROLE_ANNOTATION}={correct_arn}", *misspelt_starts,
    )  # fmt: skip
    return (Command(arguments, "annotates it with a role", (variable("ROLE_ARN"),)),)


@finding(
    "annotation-misspelt",
    "problem",
    "annotation that EKS does not read",
    about="service account",
    meaning=f"A service account has an annotation that is almost {ROLE_ANNOTATION}, or that one with a value that is "
    "no role's ARN.",
    change=f"annotate it with {ROLE_ANNOTATION}, and make its pods anew",
    fix=_annotate,
)
def misspelt_annotations(subject: ServiceAccountInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield the service account if EKS cannot read its annotation."""
    account = subject.service_account
    if account.not_a_role:
        text = f"The value of its annotation {ROLE_ANNOTATION} is not the ARN of a role, so its pods get no role."
        yield Case(text, title="annotation is not a role's ARN")
    elif account.misspelt and account.role_arn is None:
        text = (
            f"It is annotated with {listed(account.misspelt)}; EKS reads only {ROLE_ANNOTATION}, so its pods get no "
            "role."
        )
        yield Case(text, account.misspelt)


@finding(
    "annotated-role-gone",
    "problem",
    "annotated with a role that is gone",
    about="service account",
    meaning="IAM has no role of the ARN that a service account is annotated with; "
    "a note for a role of another account.",
    change="create the role again under this name and path, or annotate the service account with another one",
    fix=_annotate,
)
def gone_roles(subject: ServiceAccountInCluster, account: AccountContext) -> Iterator[Case]:
    """Yield the service account if its role is not among those of the account."""
    arn = subject.service_account.role_arn
    if arn is None:
        return
    owner = arn.split(":", 5)[4]
    if account.account is not None and owner != account.account:
        text = (
            f"It is annotated with a role of account {owner}: that works only if IAM there has an OIDC provider for "
            "this cluster's issuer, which was not looked at."
        )
        yield Case(text, (arn,), severity="note", title="annotated with another account's role")
    elif account.principals is not None and arn not in account.principals:
        correct_arn = _right_arn(subject.service_account, account)
        hint = f" {correct_arn} exists: the path is part of the ARN." if correct_arn else ""
        yield Case(
            f"IAM has no role {name_of(arn)} of this path.{hint}"
            if correct_arn
            else f"IAM has no role {name_of(arn)}.",
            (arn,),
        )


def _right_arn(service_account: KubernetesServiceAccount, account: AccountContext) -> str | None:
    """Return the one role of the account that has the name of an annotation, with its path."""
    arn = service_account.role_arn
    if arn is None:
        return None
    plain_arn = arn_without_path(arn)
    alike = [principal for principal in account.principals or () if arn_without_path(principal) == plain_arn]
    return alike[0] if len(alike) == 1 and alike[0] != arn else None


@finding(
    "both-mechanisms",
    "note",
    "annotated and associated",
    about="service account",
    meaning="A service account has both an annotation for IRSA and a Pod Identity association; pods made from now on "
    "use the association.",
)
def both_mechanisms(subject: ServiceAccountInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield the service account if it has both."""
    account = subject.service_account
    association = subject.cluster.association(account.namespace, account.name)
    if association is not None and account.role_arn is not None:
        text = (
            f"It is annotated with {name_of(account.role_arn)} and associated with "
            f"{name_of(association.role_arn or 'a role')}: pods made from now on use the association, and those on "
            "Fargate the annotation."
        )
        yield Case(text, (account.role_arn, f"association {association.id}"))


def _create_account(reported_finding: Finding, _place: FixPlace) -> tuple[Command, ...]:
    use = next(iter(reported_finding.uses), None)
    if use is None or not use.namespace or not use.service_account:
        return ()
    return (Command(("kubectl", "create", "serviceaccount", use.service_account, "-n", use.namespace), "creates it"),)


@finding(
    "association-without-account",
    "advice",
    "its service account does not exist",
    about="role in a cluster",
    meaning="A Pod Identity association is for a service account that the cluster does not have.",
    fix=_create_account,
)
def missing_accounts(subject: RoleInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield each association of the role whose service account does not exist."""
    facts = subject.cluster.kubernetes
    for use in subject.uses:
        if facts is None or use.kind != "pod-identity" or not use.namespace or not use.service_account:
            continue
        if not facts.knows_accounts_of(use.namespace) or facts.service_account(use.namespace, use.service_account):
            continue
        namespaces = sorted({account.namespace for account in _namesakes(subject.cluster, use.service_account)})
        hint = f"; there is one of this name in {listed(namespaces)}" if namespaces else ""
        severity: Severity | None = "problem" if namespaces else None
        text = (
            f"It is associated with {use.namespace}/{use.service_account}, which does not exist{hint}: no pod gets "
            "the role."
        )
        yield Case(text, (use_as_evidence(use),), (use,), severity)
