"""`ekstui trim`: prints a policy without what EKS no longer uses."""

from argparse import Namespace

from ekstui.change.policy import version_label
from ekstui.cli.parser import JSON, POLICY, argument, command
from ekstui.cli.session import open_library
from ekstui.cli.streams import print_json, print_shape, remark
from ekstui.export.shapes import answer
from ekstui.iam.document import serialise, trimmed
from ekstui.library.catalog import knowledge_of, version_at
from ekstui.library.last_used import proven_narrower
from ekstui.library.notation import parse_policy
from ekstui.present.policy_report import trimmed_remarks


@command(
    "trim",
    "print a policy without what EKS no longer uses",
    "Print a policy's document without the services that EKS no longer uses, as a basis for your own policy; stderr "
    f"says what was left out, and why. {POLICY}",
    argument("policy", metavar="POLICY[@V]"),
    *JSON,
    examples=("ekstui trim AmazonEKSClusterPolicy > my-cluster-policy.json",),
)
def trim(arguments: Namespace) -> None:
    """Print the document without the services that EKS no longer uses, and what was left out and why."""
    library = open_library(arguments)
    place = parse_policy(arguments.policy)
    entry = library.find(place.name)
    version = version_at(entry.policy, place)
    knowledge = knowledge_of(entry.policy)
    unused_services = knowledge.unused if knowledge else ()
    result = trimmed(
        library.document(entry.policy, version),
        lambda pattern: pattern.partition(":")[0].strip().lower() in unused_services,
    )
    proven_narrower(library.document(entry.policy, version), result.document)
    document = serialise(result.document)
    reasons = {service: knowledge.services.get(service) for service in unused_services} if knowledge else {}
    if arguments.json:
        print_shape(
            answer(
                data=library.data(),
                policy=entry.policy.name,
                version=version_label(version),
                document=document,
                dropped=result.dropped,
                reasons=reasons,
            )
        )
    else:
        print_json(document)
    for text in trimmed_remarks(entry.policy.name, result, reasons):
        remark(text)
