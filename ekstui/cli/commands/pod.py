"""`ekstui pod`: which credentials a pod calls AWS with, why, and what it may do."""

from argparse import Namespace
from datetime import UTC, datetime
from typing import cast

from ekstui.cli.parser import ACCOUNT, CONTEXT, JSON, ExitCode, argument, command, repeated
from ekstui.cli.session import library_for, read_account
from ekstui.cli.streams import print_answer, remark
from ekstui.errors import AccountError, InputError
from ekstui.export.shapes import pods_shape
from ekstui.library import Library
from ekstui.library.kubernetes import kubernetes_trouble, read_kubernetes_files, read_with_kubectl, was_kubernetes_read
from ekstui.library.pod_answers import Wish, answers_for, answers_for_json, parse_reference
from ekstui.present.pod_report import pods_blocks


@command(
    "pod",
    "show which AWS credentials a pod uses, and why",
    "Show which AWS credentials a pod uses and why, how long it has had them, what is wrong, and whether it may do "
    "something. POD is NAMESPACE/NAME, deployment/NAME (or daemonset, statefulset, job), sa/NAME for a service "
    "account, or - for JSON that kubectl printed.",
    argument("pod", metavar="POD"),
    argument("--can", metavar="ACTION", help="also explain whether it may do this, such as ec2:CreateVolume"),
    repeated("--resource", "ARN", "on this resource; repeatable"),
    argument("--cluster", metavar="NAME", help="the cluster that it runs in, if several are known"),
    CONTEXT,
    *ACCOUNT,
    *JSON,
    examples=(
        "kubectl get pod web-6f7d-x1 -n shop -o json | ekstui pod -",
        "kubectl get pods,serviceaccounts -n shop -o json | ekstui pod - --cluster prod --can s3:GetObject",
    ),
)
def show_pod(arguments: Namespace) -> int:
    """Print, for each group of pods that were given the same, their credentials and what is wrong with them."""
    if arguments.resource and not arguments.can:
        raise InputError("--resource is about an action.", "Name one with --can.")
    facts = read_kubernetes_files(["-"]) if arguments.pod == "-" else None
    for trouble in facts.trouble if facts is not None else ():
        remark(trouble)
    library = library_for(arguments)
    wish = Wish(arguments.can, tuple(arguments.resource))
    if facts is not None:
        if arguments.cluster is not None:
            read_account(library, refresh=False)
        answers = answers_for_json(library, facts, arguments.cluster, wish)
    else:
        read_account(library, refresh=False)
        cluster = _read_kubernetes(library, arguments)
        answers = answers_for(library, arguments.pod, cluster, wish)
    print_answer(
        arguments, lambda: pods_shape(library.data(), answers), lambda: pods_blocks(answers, datetime.now(UTC))
    )
    return ExitCode.DONE


def _read_kubernetes(library: Library, arguments: Namespace) -> str | None:
    """Read Kubernetes by kubectl, and return the cluster; what was read earlier answers where that fails unasked."""
    reference, name = parse_reference(arguments.pod), cast("str | None", arguments.cluster)
    if not library.account.choice.asks_aws and arguments.context is None:
        return name
    try:
        place = read_with_kubectl(library, name, arguments.context, reference.namespace)
    except (AccountError, InputError) as error:
        if arguments.context is not None or not was_kubernetes_read(library):
            raise
        remark(f"{error} What was read of Kubernetes before answers.")
        return name
    for trouble in kubernetes_trouble(library, place):
        remark(trouble)
    return place
