"""Random principals with policies, a boundary and levels of an organization, judged by ekstui and tried with concrete requests against the brute force."""

import random
from collections import Counter
from typing import Any

from ekstui.eks.principals import Ceiling, PrincipalKind, Subject, principal_can, within_work
from ekstui.iam.document import parse
from ekstui.iam.evaluation import AppliedPolicy
from tests.support.brute_force import Request, allows

ACCOUNT, OTHER = "111122223333", "444455556666"
PRINCIPALS = [f"arn:aws:iam::{ACCOUNT}:{name}" for name in ("role/a", "role/path/b", "user/ada")]
ACTIONS = ["zz:GetOne", "zz:Put", "zz:*", "zz:Get*", "*"]
RESOURCES = ["*", "arn:aws:zz:::a", "arn:aws:zz:::a/*", "arn:aws:zz:::b", "arn:aws:zz:::*",
             "arn:aws:zz:::${aws:username}", "arn:aws:zz:::${aws:PrincipalTag/t}"]  # fmt: skip
TARGETS = ["arn:aws:zz:::a", "arn:aws:zz:::a/x", "arn:aws:zz:::b", "arn:aws:zz:::ada"]
TAGS = [(), (("t", "a"),), (("t", "b"),)]

CONDITIONS: list[tuple[list[str], str, list[Any]]] = [
    (["ArnLike", "ArnNotLike", "StringEquals", "StringNotLike"], "aws:PrincipalArn",
     [*PRINCIPALS, "arn:aws:iam::*:role/*", f"arn:aws:iam::{OTHER}:*", "arn:aws:iam::*:user/a*"]),
    (["StringEquals", "StringNotEquals", "StringEqualsIfExists"], "aws:PrincipalAccount", [ACCOUNT, OTHER]),
    (["StringEquals", "StringNotEquals"], "aws:PrincipalType", ["User", "AssumedRole"]),
    (["StringEquals", "StringNotLike", "StringLikeIfExists"], "aws:username", ["ada", "a*", "bob"]),
    (["StringEquals", "StringNotEquals", "StringEqualsIfExists"], "aws:PrincipalTag/t", ["a", "b", "${aws:username}"]),
    (["Null"], "aws:PrincipalTag/t", ["true", "false"]),
    (["StringEquals", "StringNotEquals", "StringLike"], "zz:k", ["a", "b", "*"]),
]  # fmt: skip


def document(rng: random.Random, *, denies: bool) -> Any:
    def statement() -> dict[str, Any]:
        block: dict[str, Any] = {}
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            operators, key, values = rng.choice(CONDITIONS)
            block.setdefault(rng.choice(operators), {})[key] = rng.sample(values, rng.choice((1, 1, 2)))
        return {
            "Effect": "Deny" if denies and rng.random() < 0.3 else "Allow",
            "NotAction" if rng.random() < 0.1 else "Action": rng.sample(ACTIONS, rng.choice((1, 1, 2))),
            rng.choice(("Resource", "Resource", "Resource", "NotResource")): rng.sample(RESOURCES, rng.choice((1, 2))),
            "Condition": block,
        }

    return {"Version": "2012-10-17", "Statement": [statement() for _ in range(rng.choice((1, 1, 2, 3)))]}


def check(seed: int, count: int) -> Counter[str]:
    """Judge random principals; return how often each verdict was found. Fails where a request contradicts it."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    for number in range(count):
        arn = rng.choice(PRINCIPALS)
        kind: PrincipalKind = "user" if ":user/" in arn else "role"
        tags = rng.choice(TAGS)
        identity = [document(rng, denies=True) for _ in range(rng.choice((1, 2)))]
        boundary = document(rng, denies=True) if rng.random() < 0.4 else None
        levels = [document(rng, denies=True) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
        resource_policies = [document(rng, denies=False)] if rng.random() < 0.15 else []
        action, resource = rng.choice(("zz:GetOne", "zz:Put")), rng.choice((None, *TARGETS))
        identity_policies = [AppliedPolicy(f"p{place}", None, parse(policy)) for place, policy in enumerate(identity)]
        edge = None if boundary is None else AppliedPolicy("edge", None, parse(boundary))
        subject = Subject(kind, arn.rpartition("/")[2], arn, tuple(identity_policies), boundary=edge, tags=tags)
        ceilings = tuple(
            Ceiling(f"level {place}", (AppliedPolicy("scp", None, parse(level)),)) for place, level in enumerate(levels)
        )
        of_resource = tuple(AppliedPolicy("of the resource", None, parse(document)) for document in resource_policies)
        subject = subject._replace(above=ceilings, named=of_resource, limits_named=kind == "role")
        (bounded_subject,) = within_work([subject], action)
        can = principal_can(bounded_subject, action, resource)
        verdict = "nobody" if can is None else can.verdict
        verdicts = [
            allowed(identity, boundary, request, levels, resource_policies, limits_named=kind == "role")
            for request in requests(arn, kind, tags, action, resource)
        ]
        story = (seed, number, verdict, arn, tags, action, resource, identity, boundary, levels, resource_policies)
        counts[verdict] += 1
        if verdict in ("nobody", "taken"):
            assert not any(verdicts), story
        elif verdict == "depends":
            counts["depends, always"] += all(verdicts)
            counts["depends, never"] += not any(verdicts)
        elif resource is not None:
            assert all(verdicts), story
        else:
            assert any(verdicts), story
    return counts


def requests(arn: str, kind: str, tags: Any, action: str, resource: str | None) -> list[Request]:
    """What AWS could send for a principal: a role's session may have a tag that the role does not have."""
    unset_or_any: list[tuple[str, ...]] = [()] if kind == "user" else [(), ("a",), ("b",), ("ada",)]
    session_tags = [(value,) for _, value in tags] or unset_or_any
    return [
        Request(action, target, {
            "aws:principalarn": (arn,),
            "aws:principalaccount": (ACCOUNT,),
            "aws:principaltype": ("User" if kind == "user" else "AssumedRole",),
            "aws:username": ("ada",) if kind == "user" else (),
            "aws:principaltag/t": tag,
            "zz:k": value,
        })
        for target in ([resource] if resource else [*TARGETS, "arn:aws:zz:::z", "arn:aws:zz:r:1:z"])
        for tag in session_tags
        for value in ((), ("a",), ("z",))
    ]  # fmt: skip


def allowed(
    identity: list[Any],
    boundary: Any,
    request: Request,
    levels: list[Any],
    resource_policies: list[Any],
    *,
    limits_named: bool,
) -> bool:
    """Return whether AWS allows a request: every level does, no Deny matches, and an own or a resource's policy allows it."""
    identity_document = {
        "Version": "2012-10-17",
        "Statement": [entry for policy in identity for entry in policy["Statement"]],
    }
    by_identity = allows(identity_document, request) and (boundary is None or allows(boundary, request))
    is_denied = any(
        not allows(
            {
                **policy,
                "Statement": [EVERYTHING, *(entry for entry in policy["Statement"] if entry["Effect"] == "Deny")],
            },
            request,
        )
        for policy in (identity_document, *([] if boundary is None or not limits_named else [boundary]))
    )
    is_within_boundary = boundary is None or not limits_named or allows(boundary, request)
    by_resource = any(allows(policy, request) for policy in resource_policies) and is_within_boundary and not is_denied
    return (by_identity or by_resource) and all(allows(level, request) for level in levels)


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


if __name__ == "__main__":
    import sys

    print(f"{sys.argv[1]} principals, 0 contradictions: {dict(check(20261202, int(sys.argv[1])))}")
