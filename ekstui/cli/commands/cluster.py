"""`ekstui clusters`, `cluster`, `role` and `upgrade`: the account's clusters, their roles, and an upgrade's needs."""

from argparse import Namespace
from datetime import UTC, datetime

from ekstui.cli.gates import gate
from ekstui.cli.parser import (
    ACCOUNT,
    CONTEXT,
    JSON,
    LAYERS,
    LIMITS,
    PARAMETERS,
    ExitCode,
    argument,
    command,
    flag,
    one_of,
    pairs,
    parameters,
    repeated,
)
from ekstui.cli.session import library_for, read_account, remark_missing
from ekstui.cli.streams import print_answer, print_blocks, print_json, print_shape, print_text, remark
from ekstui.eks.findings.table import severities_from
from ekstui.eks.rbac import Binding
from ekstui.errors import InputError
from ekstui.export.encoding import shape
from ekstui.export.entry_texts import entries_script, entries_terraform
from ekstui.export.shapes import answer_of, clusters_shape
from ekstui.export.texts import terraform_text
from ekstui.iam.document import serialise, serialise_statement
from ekstui.library import Library
from ekstui.library.cluster_answers import cluster_answer, clusters
from ekstui.library.entry_migration import entries_answer
from ekstui.library.kubernetes import keep_kubernetes, kubernetes_texts, kubernetes_trouble, read_with_kubectl
from ekstui.library.roles import role_answer
from ekstui.library.upgrading import UpgradeAnswer, bridge, upgrade
from ekstui.present.blocks import Code
from ekstui.present.cluster_report import cluster_blocks, clusters_blocks
from ekstui.present.role_report import role_blocks
from ekstui.present.upgrade_report import nothing_words, upgrade_blocks
from ekstui.sources.kubernetes import read_bindings, read_kubernetes
from ekstui.sources.levels import read_layers


@command(
    "clusters",
    "list the account's clusters and how many problems each has",
    "List the account's clusters, each with its version and mode, the number of problems, and what EKS reports.",
    *ACCOUNT,
    *JSON,
    examples=("ekstui clusters --profile prod", "ekstui clusters --region all --json"),
)
def list_clusters(arguments: Namespace) -> int:
    """Print one row per cluster; return 1 if there is certainly none."""
    library = library_for(arguments)
    snapshot = read_account(library)
    answers = clusters(library)
    print_answer(
        arguments, lambda: clusters_shape(library.data(), snapshot, answers), lambda: clusters_blocks(snapshot, answers)
    )
    # The text has the errors in it.
    errors = snapshot.errors if arguments.json else ()
    remark_missing(errors, snapshot.complete, "every role and cluster", "there may be more problems")
    is_known = snapshot.eks is not None and not any(error.source == "clusters" for error in snapshot.errors)
    return ExitCode.NOTHING if is_known and not answers else ExitCode.DONE


@command(
    "cluster",
    "check a cluster's roles and their policies",
    "Show a cluster's health, its roles and their policies, and what is wrong with them (ekstui help findings lists it "
    "all).",
    argument("name", metavar="NAME"),
    argument(
        "--fail-on",
        choices=("problem", "advice"),
        help="exit with 1 if there is a problem (with `advice`, also for advice), if EKS reports one, or if not "
        "everything was read",
    ),
    argument(
        "--kubernetes",
        action="append",
        nargs="?",
        const="",
        metavar="FILE",
        help="also judge the cluster's pods and service accounts: read by kubectl, or from the output of `kubectl get "
        "pods,serviceaccounts -A -o json` (and of `kubectl get cm aws-auth -n kube-system -o json`); repeatable, - "
        "reads standard input",
    ),
    CONTEXT,
    flag(
        "--entries",
        "print the access entries, access policies and RBAC that replace the lines of aws-auth, as a shell script; "
        "with the cluster's roles and bindings in --kubernetes, access policies replace what groups are bound to",
    ),
    flag("--terraform", "print what replaces aws-auth (--entries) as Terraform"),
    flag("--full", "also print the evidence, the commands, the roles and the access entries"),
    *ACCOUNT,
    *JSON,
    examples=(
        "ekstui cluster prod --region eu-central-1",
        "kubectl get pods,serviceaccounts -A -o json | ekstui cluster prod --kubernetes -",
        "kubectl get cm aws-auth -n kube-system -o json | ekstui cluster prod --entries --kubernetes -",
        "ekstui cluster prod --full",
        "ekstui cluster prod --markdown",
    ),
    answers=("ClusterAnswer", "EntriesAnswer"),
)
def show_cluster(arguments: Namespace) -> int:
    """Print a row for each cause and what AWS changed recently; in full also the evidence and the commands."""
    library = library_for(arguments)
    if arguments.terraform and not arguments.entries:
        raise InputError("--terraform is about what replaces aws-auth.", "Give --entries too.")
    texts = kubernetes_texts([path for path in arguments.kubernetes or () if path])
    facts = read_kubernetes(texts, datetime.now(UTC)) if texts else None
    read_account(library)
    if facts is not None:
        keep_kubernetes(library, arguments.name, facts)
    elif arguments.kubernetes or arguments.context:
        read_with_kubectl(library, arguments.name, arguments.context)
    if arguments.kubernetes:
        for trouble in kubernetes_trouble(library, arguments.name):
            remark(trouble)
    if arguments.entries:
        return _print_entries(library, arguments, read_bindings(texts))
    answer = cluster_answer(library, arguments.name)
    data = library.data()
    open_keys = None if arguments.full or arguments.markdown else ()
    print_answer(
        arguments,
        lambda: answer_of(data, answer),
        lambda: cluster_blocks(answer, data.newest, datetime.now(UTC), open_keys),
    )
    remark_missing(answer.errors, answer.complete, "everything about this cluster")
    if arguments.fail_on is None:
        return ExitCode.DONE
    counts = answer.counts
    has_problems = bool(answer.cluster.all_issues) or any(map(counts.get, severities_from(arguments.fail_on)))
    return gate(has_problems or not answer.complete or bool(answer.not_judged))


def _print_entries(library: Library, arguments: Namespace, bindings: tuple[Binding, ...] | None) -> int:
    """Print what replaces aws-auth; return 1 if it has no line."""
    answer = entries_answer(library, arguments.name, bindings)
    write = entries_terraform if arguments.terraform else entries_script
    language = "hcl" if arguments.terraform else "sh"
    print_answer(
        arguments,
        lambda: answer_of(library.data(), answer),
        lambda: [Code(write(answer), language)] if arguments.markdown else write(answer),
    )
    return gate(not answer.lines)


@command(
    "role",
    "check a role, and show what it may do",
    "Show a role's problems, who may assume it, what all its policies together allow, what uses it, and its policies. "
    "NAME is a role's name or ARN.",
    argument("role", metavar="NAME"),
    *LAYERS,
    *LIMITS,
    *ACCOUNT,
    *JSON,
    examples=(
        "ekstui role prod-node --profile prod",
        "ekstui role prod-node --scp organization/",
        "ekstui role prod-node --json",
    ),
    answers=("RoleAnswer",),
)
def show_role(arguments: Namespace) -> None:
    """Print all about a role, problems first."""
    library = library_for(arguments)
    snapshot = read_account(library)
    answer = role_answer(
        library, arguments.role, read_layers(arguments.scp, (), (), arguments.boundary, arguments.session_policy)
    )
    if arguments.rcp or arguments.resource_policy:
        remark(
            "What limits or grants access to a resource says nothing of the role alone: explain and who-can take it."
        )
    print_answer(arguments, lambda: answer_of(library.data(), answer), lambda: role_blocks(answer, datetime.now(UTC)))
    remark_missing(snapshot.errors, answer.complete, "everything that may use this role")


@command(
    "upgrade",
    "show what a cluster's controllers need before an upgrade",
    "Show which permissions the roles of a cluster's controllers need before an upgrade, and which they can lose after "
    "it. Without --to, it covers every component that has a role, at its newest known release.",
    argument("name", metavar="CLUSTER"),
    repeated("--to", "COMPONENT=RELEASE", "the release to upgrade to; repeatable"),
    repeated(
        "--from",
        "COMPONENT=RELEASE",
        "the release that runs now, if neither an add-on nor the role's policy shows it; repeatable",
        dest="since",
    ),
    one_of(
        flag("--terraform", "print what is missing as Terraform aws_iam_policy resources"),
        flag("--document", "print what is missing as policy documents"),
    ),
    argument(
        "--bridge",
        metavar="COMPONENT@RELEASE",
        help="print one policy for the release that runs and this one, to attach before the upgrade and until after a "
        "way back",
    ),
    PARAMETERS,
    *ACCOUNT,
    *JSON,
    examples=(
        "ekstui upgrade prod --to karpenter=v1.14.1 --to vpc-cni=v1.23.0",
        "ekstui upgrade prod --from karpenter=v1.8.0 --to karpenter=v1.14.1 --terraform",
        "ekstui upgrade prod --from karpenter=v1.8.0 --bridge karpenter@v1.14",
    ),
)
def show_upgrade(arguments: Namespace) -> int:
    """Print what each component needs; return 1 if a named one cannot be judged, or without names none can."""
    library = library_for(arguments)
    snapshot = read_account(library)
    if arguments.bridge:
        return _print_bridges(library, arguments)
    releases_after, releases_before = (
        pairs(texts, "COMPONENT=RELEASE", "karpenter=v1.14.1") for texts in (arguments.to, arguments.since)
    )
    answer = upgrade(library, arguments.name, releases_after, releases_before, parameters(arguments))
    if arguments.json:
        print_shape(shape(answer))
    elif arguments.terraform or arguments.document:
        _print_missing(answer, terraform=arguments.terraform)
    else:
        print_blocks(upgrade_blocks(answer))
    remark_missing(snapshot.errors)
    if not answer.components:
        remark(nothing_words(answer))
        return ExitCode.NOTHING
    are_judged = [component.is_judged or bool(component.before) for component in answer.components]
    return gate(not (all(are_judged) if arguments.to or arguments.since else any(are_judged)))


def _print_bridges(library: Library, arguments: Namespace) -> int:
    """Print a policy for two releases of a component, and on stderr what is proven about it."""
    since = pairs(arguments.since, "COMPONENT=RELEASE", "karpenter=v1.14.1")
    bridges = bridge(library, arguments.name, arguments.bridge, since, parameters(arguments))
    for bridge_policy in bridges:
        document = serialise(bridge_policy.document)
        name = f"{bridge_policy.component.replace('/', '-')}-{bridge_policy.before_release}-to-{bridge_policy.after_release}"
        if arguments.terraform:
            print_text(terraform_text(name, document).rstrip("\n"))
        else:
            print_json(document)
        releases = f"{bridge_policy.component} {bridge_policy.before_release} and {bridge_policy.after_release}"
        proof = (
            f"Allows what {releases} need, and nothing else"
            if bridge_policy.is_proven
            else f"Not proven to be what {releases} need"
        )
        remark(f"{proof} (for role {bridge_policy.role}).")
    return gate(not all(bridge.is_proven for bridge in bridges))


def _print_missing(answer: UpgradeAnswer, *, terraform: bool) -> None:
    documents = {
        f"{component.component.replace('/', '-')}-{component.after_release}": {
            "Version": "2012-10-17",
            "Statement": [serialise_statement(statement) for statement in component.before],
        }
        for component in answer.components
        if component.before
    }
    if not terraform:
        print_json(documents if len(documents) != 1 else next(iter(documents.values())))
        return
    for name, document in documents.items():
        print_text(terraform_text(name, document).rstrip("\n"))
