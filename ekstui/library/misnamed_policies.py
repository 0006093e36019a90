"""Policies that a message names by a wrong ARN: misspelt, of another partition, or of another family."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ekstui import spelling
from ekstui.denial.wrapping import unwrapped
from ekstui.eks.knowledge import Knowledge, Symptom
from ekstui.library.catalog import PolicyReader, not_found
from ekstui.sources.shipped import PublishedPolicies

_POLICY = re.compile(
    r"arn:(?P<partition>aws[a-z-]{0,20}):(?:iam::(?P<owner>aws|[0-9]{12}):policy|eks::aws:cluster-access-policy)"
    r"(?P<path>(?:/[\w+=,.@-]{1,128}){1,10})",
    re.ASCII,
)
_REFUSED = re.compile(
    r"NoSuchEntity|does not exist|not attachable|not found|cannot be found|Invalid\w*|not valid|PolicyNotAttachable",
    re.IGNORECASE,
)
_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"
_ACCESS_GUIDE = "https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html"


def misnamed_policies(text: str, reader: PolicyReader, knowledge: Knowledge, partition: str) -> Iterator[Symptom]:
    """Yield what is wrong with the policies' ARNs that a message refuses; `partition`: of the reader's policies."""
    readings = unwrapped(text)
    if not _REFUSED.search(readings[0]):
        return
    # Where a terminal broke an ARN in two, the reading that joins it has the longest.
    arns_of_readings = ([match[0].rstrip(".,") for match in _POLICY.finditer(reading)] for reading in readings)
    arns = max(arns_of_readings, key=lambda texts: sum(map(len, texts)))
    for policy_arn in dict.fromkeys(arns):
        match = _POLICY.fullmatch(policy_arn)
        if match is None:
            continue
        name = match["path"].rpartition("/")[2]
        if match["owner"] is None:
            yield from _of_access(policy_arn, name, reader, knowledge)
        elif match["owner"] == "aws" and match["partition"] == partition:
            yield from _of_aws(policy_arn, name, reader, knowledge)
        elif match["owner"] != "aws":
            yield from _of_customer(policy_arn, name, match["owner"], reader)


def _of_aws(arn: str, name: str, reader: PolicyReader, knowledge: Knowledge) -> Iterator[Symptom]:
    names = {official_name.casefold(): official_name for official_name in reader.names()}
    exact_name = names.get(name.casefold())
    if exact_name is None:
        if (access := knowledge.access_policy(name)) is not None:
            yield _symptom(
                f"{access.name} is an EKS access policy, not an IAM policy",
                "It cannot be attached to a role: an access entry of a cluster gives it (aws eks "
                f"associate-access-policy … --policy-arn arn:aws:eks::aws:cluster-access-policy/{access.name}).",
                access.source,
            )
            return
        unknown = _unknown(f"AWS has no policy named {name}", name, names.values(), _GUIDE)
        yield unknown._replace(policies=spelling.nearest(name, names.values()))
        return
    policy = reader.policy(exact_name)
    if policy.withdrawn:
        yield _symptom(f"AWS has withdrawn {exact_name}", "It can no longer be attached.", _GUIDE, (exact_name,))
    elif not policy.attachable:
        text = "AWS keeps it to itself: a service attaches it to its service-linked role, and nobody else can."
        yield _symptom(f"{exact_name} cannot be attached", text, _GUIDE, (exact_name,))
    elif policy.arn == arn:
        yield _symptom(
            f"{exact_name} exists in partition {arn.split(':', 2)[1]} and can be attached there",
            "The ARN is right, so the caller is of another partition (China, GovCloud), where the ARN begins otherwise "
            "and the policy may be missing; or the message is older than the policy. Each partition has its own "
            "policies: take the partition from what STS reports for the caller.",
            _GUIDE,
            (exact_name,),
        )
    else:
        yield _symptom(
            "The path or the spelling of the policy's ARN is wrong",
            f"{exact_name} is {policy.arn}: the path before the name is a part of the ARN, and case counts.",
            _GUIDE,
            (exact_name,),
        )


def _of_access(arn: str, name: str, reader: PolicyReader, knowledge: Knowledge) -> Iterator[Symptom]:
    access = knowledge.access_policy(name)
    if access is not None and arn.endswith(f"/{access.name}"):
        return
    if access is not None:
        yield _symptom("The spelling of the access policy is wrong", f"It is called {access.name}.", _ACCESS_GUIDE)
    elif name in set(reader.names()):
        text = (
            f"{name} is attached to a role, and no access entry gives it. EKS's access policies allow requests in "
            "Kubernetes."
        )
        yield _symptom(f"{name} is an IAM policy, not an EKS access policy", text, _ACCESS_GUIDE, (name,))
    else:
        yield _unknown(f"EKS has no access policy named {name}", name, knowledge.access_policies, _ACCESS_GUIDE)


def _unknown(symptom: str, name: str, names: Iterable[str], source: str) -> Symptom:
    error = not_found("None is known by this name.", name, names)
    return _symptom(symptom, f"{error.message} {error.next_step}".strip(), source)


def _of_customer(arn: str, name: str, account: str, reader: PolicyReader) -> Iterator[Symptom]:
    exact_name = {candidate.casefold(): candidate for candidate in reader.names()}.get(name.casefold())
    if exact_name is not None:
        yield _symptom(
            f"{exact_name} is a policy of AWS, and the ARN is of account {account}",
            f"AWS's own is {reader.policy(exact_name).arn}. A policy of one's own with that name would have to be made "
            "first.",
            _GUIDE,
            (exact_name,),
        )
        return
    family = PublishedPolicies()
    component = next((candidate for candidate in family.names() if family.contains(candidate, name.lower())), None)
    hint = f" The project of {component} publishes one of that name: ekstui show {component}." if component else ""
    yield _symptom(
        f"Account {account} has no policy {arn.partition(':policy/')[2]} that can be attached",
        "It was not made yet, was deleted, or has another path; and a role can only have policies of its own account "
        f"and AWS's.{hint}",
        _GUIDE,
    )


def _symptom(symptom: str, answer: str, source: str, policies: tuple[str, ...] = ()) -> Symptom:
    return Symptom(symptom, answer, policies, (), source)
