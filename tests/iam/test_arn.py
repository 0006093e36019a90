"""Resource patterns, part by part, with short ARNs, literal wildcards and policy variables."""

import random
import re
from collections import Counter

import pytest

from ekstui.iam.applicability import fits_type, lacks_place
from ekstui.iam.arn import entity_of, is_plausible, matches_resource, overlaps_resource, resource_covers, split_arn
from tests.support.effort import examples

ROLE = "arn:aws:iam::111122223333:role/team/eks-node"


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("*", ROLE, True),
        (ROLE, ROLE, True),
        ("arn:aws:iam::*:role/*", ROLE, True),
        ("arn:*:iam::*:role/*/eks-*", ROLE, True),
        ("arn:aws:iam::*:ROLE/*", ROLE, False),
        # A wildcard stays within its part, but one that ends it may run over the colon: two readings.
        ("arn:aws:*:role/team/eks-node", ROLE, None),
        ("arn:aws:sqs:*:prod-*", "arn:aws:sqs:us-east-1:111122223333:prod-a", None),
        ("arn:aws:sqs:*:prod-*", "arn:aws:sqs:us-east-1:111122223333:dev-a", False),
        ("arn:aws:logs:*:log-group:a:*", "arn:aws:logs:eu-west-1:111122223333:log-group:a:log-stream:b", None),
        ("arn:aws:rds:*:a", "arn:aws:rds:eu-west-1:111122223333:db:a", None),
        ("arn:aws:s*n:*:a", "arn:aws:sqs:eu-west-1:xn:a", False),
        ("arn:aws:sqs:111122223333:*", "arn:aws:sqs:us-east-1:111122223333:prod-a", False),
        # Nothing is left open where both readings match.
        ("arn:aws:sqs", "arn:aws:sqs:us-east-1:111122223333:prod-a", True),
        ("arn:aws:sqs:us-east-1:*", "arn:aws:sqs:us-east-1:111122223333:prod-a", True),
        ("arn:aws:iam:*:111122223333:role/team/eks-nod?", ROLE, True),
        # The last part holds colons of its own.
        ("arn:aws:logs:*:*:log-group:/aws/eks/*", "arn:aws:logs:eu-west-1:1:log-group:/aws/eks/a:log-stream:b", True),
        # A short ARN of an old document is filled up.
        ("arn:aws:rds:*", "arn:aws:rds:eu-west-1:1:db:a", True),
        ("arn:aws:s3:::bucket[1]/*", "arn:aws:s3:::bucket1/key", False),
        ("arn:aws:s3:::bucket/${*}", "arn:aws:s3:::bucket/*", True),
        ("arn:aws:s3:::bucket/${*}", "arn:aws:s3:::bucket/a", False),
        ("arn:aws:s3:::bucket/${$}${?}", "arn:aws:s3:::bucket/$?", True),
        ("arn:aws:s3:::bucket/a*", "arn:aws:s3:::bucket/a*b?", True),
        # The value of a variable is not known, but what surrounds it may already rule the ARN out.
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/amal/a", None),
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::other/amal/a", False),
        ("arn:*:kms:*:${aws:PrincipalAccount}:key/*", "arn:aws:kms:eu-west-1:1:key/a", None),
        ("arn:*:kms:*:${aws:PrincipalAccount}:key/*", "arn:aws:kms:eu-west-1:1:alias/a", False),
        ("arn:aws:s3:::${aws:PrincipalTag/team, 'none'}", "arn:aws:s3:::a", None),
    ],
)
def test_matching(pattern: str, arn: str, expected: bool | None) -> None:
    assert matches_resource(pattern, arn) is expected


def by_parts(pattern: str, arn: str) -> bool:
    """Return whether a pattern matches where a wildcard never leaves its part and a short ARN is filled up."""
    parts = [*pattern.split(":", 5), *["*"] * 5][:6]
    pairs = zip(parts, arn.split(":", 5), strict=True)
    return all(re.fullmatch(re.escape(a).replace(r"\*", ".*").replace(r"\?", "."), b) for a, b in pairs)


def across_colons(pattern: str, arn: str) -> bool:
    """Return whether a pattern matches, filled up or not, where a `*` that ends a part stands for colons too."""
    missing = max(0, 6 - len(pattern.split(":")))
    for text in (pattern + ":*" * count for count in range(missing + 1)):
        expression = ""
        for index, letter in enumerate(text):
            last = text[:index].count(":") >= 5
            ends = text[index + 1 : index + 2] in ("", ":")
            within = {"*": ".*" if last or ends else "[^:]*", "?": "." if last else "[^:]"}
            expression += within.get(letter, re.escape(letter))
        if re.fullmatch(expression, arn):
            return True
    return False


def test_both_readings_are_those_of_regular_expressions() -> None:
    numbers = random.Random(7)
    pieces = ["arn", "aws", "sqs", "us-east-1", "111122223333", "a", "*", "a*", "1*", "", "x/y", "x/*", "us-*", "?"]
    arns = [
        "arn:aws:sqs:us-east-1:111122223333:a",
        "arn:aws:sqs:us-east-1:111122223333:x/y",
        "arn:aws:sqs:::a",
        "arn:aws:logs:us-east-1:111122223333:g:a:s:b",
        "arn:aws:sqs:us-east-1:111122223333:a:x/y",
    ]
    counts: Counter[bool | None] = Counter()
    for _ in range(examples(1_500, in_torture=6_000)):
        start = numbers.choice(["arn:aws:sqs:", "arn:aws:*:", "arn:", ""])
        pattern = start + ":".join(numbers.choices(pieces, k=numbers.randint(1, 5)))
        arn = numbers.choice(arns)
        if pattern.strip("*"):
            expected = True if by_parts(pattern, arn) else None if across_colons(pattern, arn) else False
            assert matches_resource(pattern, arn) is expected, (pattern, arn)
            counts[expected] += 1
    assert min(counts.values()) > 10


@pytest.mark.parametrize(
    ("general", "special", "expected"),
    [
        ("*", "arn:aws:s3:::a", True),
        ("arn:aws:s3:::a", "*", False),
        ("arn:aws:s3:::*", "arn:aws:s3:::a*", True),
        ("arn:aws:s3:::a*", "arn:aws:s3:::*", False),
        ("arn:*:ec2:*:*:volume/*", "arn:aws:ec2:*:*:*/*", False),
        ("arn:aws:rds:*", "arn:aws:rds:*:*:db:*", True),
        ("arn:aws:ec2:*:volume/*", "arn:aws:ec2:*:*:volume/vol-1", None),
        ("arn:aws:ec2:*:volume/*", "arn:aws:ec2:*:*:snapshot/*", False),
        # Whatever the second means, the first takes it in.
        ("arn:aws:ec2:*", "arn:aws:ec2:*:volume/*", True),
        ("arn:aws:ec2:*:*:*", "arn:aws:ec2:*:volume/*", True),
        ("arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:volume/*", None),
        ("arn:aws:s3:::h/${aws:username}/*", "arn:aws:s3:::h/${aws:username}/a", True),
        ("arn:aws:s3:::h/${aws:username}/*", "arn:aws:s3:::h/${AWS:UserName}/a", True),
        ("arn:aws:s3:::h/*", "arn:aws:s3:::h/${aws:username}/a", True),
        ("arn:aws:s3:::h/????/*", "arn:aws:s3:::h/${aws:username}/a", None),
        ("arn:aws:s3:::h/amal/*", "arn:aws:s3:::h/${aws:username}/a", None),
        ("arn:aws:s3:::g/amal/*", "arn:aws:s3:::h/${aws:username}/a", False),
        # A default counts if the request lacks the key, and its case matters; without one the key has to be there.
        ("arn:aws:s3:::h/${aws:PrincipalTag/t, 'a'}", "arn:aws:s3:::h/${aws:PrincipalTag/t, 'A'}", None),
        ("arn:aws:s3:::h/${aws:PrincipalTag/t, 'a'}", "arn:aws:s3:::h/${aws:PrincipalTag/t}", True),
        ("arn:aws:s3:::h/${aws:PrincipalTag/t}", "arn:aws:s3:::h/${aws:PrincipalTag/t, 'a'}", None),
        ("arn:aws:s3:::h/${aws:username}/*", "arn:aws:s3:::h/amal/a", None),
        ("arn:aws:s3:::h/${aws:username}/*", "arn:aws:s3:::h/*/*", None),
        # Whatever the name is, `h/a` alone is not below it.
        ("arn:aws:s3:::h/${aws:username}/*", "arn:aws:s3:::h/*", False),
        ("arn:aws:s3:::h/${aws:username}", "arn:aws:s3:::g/*", False),
        # Patterns that no ARN matches are compared as they are written.
        ("arn:aws:sqs:x:a*", "arn:aws:sqs:x:a", True),
        ("arn:aws:sqs:x:a", "arn:aws:sqs:x:a*", False),
    ],
)
def test_covering(general: str, special: str, expected: bool | None) -> None:
    assert resource_covers(general, special) is expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("arn:aws:ec2:*:*:volume/*", "arn:*:ec2:*:*:*/vol-1", True),
        ("arn:aws:ec2:*:*:volume/*", "arn:*:ec2:*:*:snapshot/*", False),
        ("arn:aws:ec2:*:volume/*", "arn:*:ec2:*:111122223333:volume/vol-1", None),
        ("arn:aws:ec2:*:volume/*", "arn:*:ec2:*:111122223333:instance/i-1", False),
        ("arn:aws:sqs:prod-*", "arn:aws:sqs:*:*:*", False),
        ("*", "arn:aws:ec2:*:volume/*", None),
        ("*", "arn:aws:sqs:111122223333:prod-*", False),
        ("*", "arn:aws:ec2:*", True),
        ("arn:aws:ec2:*:${aws:PrincipalAccount}:volume/*", "arn:*:ec2:*:*:volume/*", None),
        ("*", "arn:aws:ec2:*:${aws:PrincipalAccount}:volume/*", True),
        # Six parts of which the account is none, and five of which the last may be an account or a queue.
        ("arn:aws:logs:*:log-group:a", "arn:aws:logs:eu-west-1:111122223333:log-group:a", None),
        ("arn:aws:sqs:*:111122223333", "arn:aws:sqs:us-east-1:444455556666:111122223333", None),
        ("arn:aws:sqs:*:111122223333", "arn:aws:sqs:us-east-1:444455556666:q", False),
    ],
)
def test_overlapping_has_no_direction(a: str, b: str, expected: bool | None) -> None:
    assert overlaps_resource(a, b) is expected
    assert overlaps_resource(b, a) is expected


def test_colons_inside_a_variable_do_not_split() -> None:
    assert split_arn("arn:aws:kms:*:${aws:PrincipalAccount}:key/a:b") == (
        "arn", "aws", "kms", "*", "${aws:PrincipalAccount}", "key/a:b",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("arn:aws:sts::111122223333:assumed-role/reader/eks-prod-a", ("session", "reader", "eks-prod-a")),
        ("arn:aws:sts::111122223333:assumed-role/reader", ("session", "reader", None)),
        ("arn:aws:iam::111122223333:role/a/reader", ("role", "reader", None)),
        ("arn:aws:iam::111122223333:user/ann", ("user", "ann", None)),
        ("arn:aws:iam::111122223333:group/readers", ("", "", None)),
        ("arn:aws:iam::111122223333:root", ("", "", None)),
        ("reader", ("", "", None)),
        (None, ("", "", None)),
    ],
)
def test_the_role_user_or_session_of_an_arn(text: str | None, expected: tuple[str, str, str | None]) -> None:
    assert entity_of(text) == expected


@pytest.mark.parametrize(
    ("service", "kind", "resource", "fits"),
    [
        ("eks", "cluster", "arn:aws:eks:*:*:cluster/a", True),
        ("eks", "cluster", "arn:aws:eks:eu-west-1:${aws:PrincipalAccount}:cluster/a", True),
        # No account or Region looks like these, whatever a wildcard stands for.
        ("eks", "cluster", "arn:aws:eks:*:12345:cluster/a", False),
        ("eks", "cluster", "arn:aws:eks:*:aw*:cluster/a", False),
        ("eks", "cluster", "arn:aws:eks:euwest:1*:cluster/a", False),
        ("eks", "cluster", "arn:aws:eks:*:*:nodegroup/a", False),
        ("eks", "cluster", "arn:aws:eks:*:cluster/a", None),
        ("eks", "nosuchtype", "arn:aws:eks:*:*:cluster/a", None),
        # Unless the type itself has that account.
        ("eks", "access-policy", "arn:aws:eks::aw*:cluster-access-policy/A", True),
        ("mediaconnect", "Offering", "arn:aws:mediaconnect:eu-west-1:offering:a", True),
        # A bucket has no slash, and an object has one, which a wildcard may stand for.
        ("s3", "bucket", "arn:aws:s3:::b/x", False),
        ("s3", "bucket", "arn:aws:s3:::b*", True),
        ("s3", "object", "arn:aws:s3:::b*", True),
        ("s3", "object", "arn:aws:s3:::b", False),
        ("s3", "bucket", "arn:aws:s3:::${aws:PrincipalTag/a/b}", True),
        # Names of other services may have slashes where the reference shows none.
        ("logs", "log-group", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/eks/a", True),
    ],
)
def test_whether_a_resource_is_of_a_type_of_the_reference(
    service: str, kind: str, resource: str, fits: bool | None
) -> None:
    assert fits_type(service, kind, resource) is fits


@pytest.mark.parametrize(
    ("resource", "lacking"),
    [
        ("arn:aws:eks:eu-west-1:111122223333:cluster/a", False),
        ("arn:aws:eks:eu-west-1::cluster/a", True),
        ("arn:aws:eks::111122223333:cluster/a", True),
        ("arn:aws:eks:::cluster/a", True),
        # IAM has no regions, S3's buckets and objects no account either.
        ("arn:aws:iam::111122223333:role/a", False),
        ("arn:aws:iam:::role/a", True),
        ("arn:aws:s3:::b", False),
        # Nothing would have been matched with them either, or is known of the service.
        ("arn:aws:eks:::nothing/a", False),
        ("arn:aws:zz:::a", False),
        ("*", False),
    ],
)
def test_a_resource_without_the_region_or_account_that_all_of_its_kind_have(resource: str, lacking: bool) -> None:
    assert lacks_place(resource) is lacking


@pytest.mark.parametrize(
    ("region", "account", "plausible"),
    [
        ("", "", True), ("us-east-1", "111122223333", True), ("us-gov-west-1", "aws", True), ("eusc-de-east-1", "*", True),
        ("*", "1*", True), ("us-*", "????????????", True), ("??-*-?", "cloudfront", True), ("<Region>", "<AccountId>", True),
        ("${aws:RequestedRegion}", "${aws:PrincipalAccount}", True),
        ("us-east", "", False), ("useast1", "", False), ("us-east-x", "", False), ("global", "", False),
        ("", "11112222333", False), ("", "1111222233334", False), ("", "?????????????", False), ("", "a*", False),
    ],
)  # fmt: skip
def test_regions_and_accounts_that_an_arn_could_have(region: str, account: str, plausible: bool) -> None:
    assert is_plausible(split_arn(f"arn:aws:zz:{region}:{account}:a")) is plausible
