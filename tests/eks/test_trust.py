"""Trust policies are told as the EKS and IAM user guides describe the principals in them."""

import pytest

from ekstui.eks.trust import eks_region, trust_in_words, trust_word, trustees, trusts_service
from ekstui.iam.document import Document, parse
from ekstui.iam.principals import issuer_of
from tests.support.documents import trust

ACCOUNT = "111122223333"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"


def parsed_trust(
    principal: object, action: object = "sts:AssumeRole", condition: object = None, effect: str = "Allow"
) -> Document:
    return parse(trust(principal, action, condition, Effect=effect))


def irsa(condition: object) -> Document:
    return parsed_trust({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", condition)


@pytest.mark.parametrize(
    ("principal", "kind", "word"),
    [
        ({"Service": "eks.amazonaws.com"}, "service", "eks"),
        ({"Service": "ec2.amazonaws.com.cn"}, "service", "ec2"),
        ({"Service": "pods.eks.amazonaws.com"}, "pod-identity", "pod identity"),
        ({"Service": ["eks.amazonaws.com", "eks-fargate-pods.amazonaws.com"]}, "service", "eks +1"),
        ({"AWS": ACCOUNT}, "account", "this account"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "account", "this account"),
        ({"AWS": "arn:aws-cn:iam::444455556666:root"}, "account", "account 444455556666"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/ops/deployer"}, "role", "role deployer"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/ana"}, "user", "user ana"),
        ({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/build"}, "session", "session build"),
        ({"AWS": "AROA1234567890EXAMPLE"}, "deleted", "deleted principal"),
        ({"AWS": "AIDA1234567890EXAMPLE"}, "deleted", "deleted principal"),
        ({"AWS": "*"}, "anyone", "anyone"),
        ("*", "anyone", "anyone"),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/AWSSSO_0123_DO_NOT_DELETE"}, "sso", "SSO"),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/okta"}, "saml", "SAML"),
        (
            {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"},
            "github",
            "GitHub",
        ),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.example/x"}, "oidc", "gitlab.example"),
        ({"Federated": "cognito-identity.amazonaws.com"}, "oidc", "cognito-identity.amazonaws.com"),
        ({"Federated": PROVIDER}, "irsa", "IRSA"),
        ({"CanonicalUser": "abc"}, "unknown", "unknown"),
    ],
)
def test_principals_are_told_apart(principal: object, kind: str, word: str) -> None:
    document = parsed_trust(principal)
    assert trustees(document)[0].kind == kind
    assert trust_word(document, ACCOUNT) == word
    assert trust_in_words(document, ACCOUNT)


@pytest.mark.parametrize(
    ("issuer", "region"),
    [
        (ISSUER, "eu-west-1"),
        ("oidc-eks.us-east-2.api.aws/id/ABC", "us-east-2"),
        ("oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC", "cn-north-1"),
        ("oidc.eks.us-gov-west-1.amazonaws.com/id/ABC", "us-gov-west-1"),
        ("token.actions.githubusercontent.com", None),
        ("oidc.eks.eu-west-1.amazonaws.com.evil.example/id/ABC", None),
    ],
)
def test_region_of_an_issuer(issuer: str, region: str | None) -> None:
    assert eks_region(issuer) == region
    assert issuer_of(f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}") == issuer


@pytest.mark.parametrize(
    ("operator", "subject", "fits", "misses", "never"),
    [
        (
            "StringEquals",
            "system:serviceaccount:kube-system:aws-node",
            ("kube-system", "aws-node"),
            ("kube-system", "x"),
            False,
        ),
        ("StringLike", "system:serviceaccount:kube-system:*", ("kube-system", "ebs"), ("default", "ebs"), False),
        ("StringLike", "system:serviceaccount:*:loki-?", ("a", "loki-1"), ("a", "loki-12"), False),
        ("StringLike", "system:serviceaccount:kube-*", ("kube-public", "x"), ("default", "x"), False),
        ("StringEquals", "system:serviceaccount:kube-system:*", ("kube-system", "*"), ("kube-system", "ebs"), True),
    ],
)
def test_irsa_names_service_accounts(
    operator: str, subject: str, fits: tuple[str, str], misses: tuple[str, str], never: bool
) -> None:
    condition = {operator: {f"{ISSUER}:sub": subject, f"{ISSUER}:aud": "sts.amazonaws.com"}}
    (trustee,) = trustees(irsa(condition))
    (account,) = trustee.service_accounts
    assert trustee.region == "eu-west-1"
    assert account.fits(*fits)
    assert not account.fits(*misses)
    assert account.never_matches is never
    assert not trustee.unrestricted


@pytest.mark.parametrize(
    ("subjects", "words"),
    [
        (["kube-system:aws-node"], "Service account kube-system/aws-node"),
        (["a:one", "b:two"], "Service accounts a/one, b/two"),
    ],
)
def test_one_service_account_and_several_in_words(subjects: list[str], words: str) -> None:
    subject_values = [f"system:serviceaccount:{subject}" for subject in subjects]
    condition = {"StringEquals": {f"{ISSUER}:sub": subject_values, f"{ISSUER}:aud": "sts.amazonaws.com"}}
    assert trust_in_words(irsa(condition), ACCOUNT)[0].startswith(f"{words} ")


def test_irsa_without_subject_is_every_service_account() -> None:
    document = irsa({"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}})
    assert trustees(document)[0].unrestricted
    assert trust_in_words(document, ACCOUNT)[0].startswith("Every service account")


@pytest.mark.parametrize(
    "condition",
    [
        {"Null": {f"{ISSUER}:sub": "false"}},
        {"StringNotEquals": {f"{ISSUER}:sub": "system:serviceaccount:a:b"}},
    ],
)
def test_a_line_that_lists_no_accepted_subject_names_no_service_account(condition: object) -> None:
    (trustee,) = trustees(irsa(condition))
    assert trustee.service_accounts == ()
    assert trustee.unrestricted


def test_an_operator_that_nobody_knows_rules_no_service_account_out() -> None:
    (trustee,) = trustees(irsa({"StringResembles": {f"{ISSUER}:sub": "system:serviceaccount:a:*"}}))
    assert [account.never_matches for account in trustee.service_accounts] == [False]
    assert not trustee.unrestricted


def test_deny_trusts_nobody_and_missing_trust_is_unknown() -> None:
    deny_trust = parsed_trust({"Service": "eks.amazonaws.com"}, effect="Deny")
    assert trustees(deny_trust) == ()
    assert not trusts_service(deny_trust, "eks.amazonaws.com")
    assert trust_word(deny_trust, ACCOUNT) == "nobody"
    mixed_trust = Document(
        deny_trust.version, None, (*deny_trust.statements, *parsed_trust({"Service": "ec2.amazonaws.com"}).statements)
    )
    assert [trustee.name for trustee in trustees(mixed_trust)] == ["ec2.amazonaws.com"]
    assert trust_word(None, ACCOUNT) == "unknown"


@pytest.mark.parametrize(
    ("principal", "sentence"),
    [
        ({"Service": "eks.amazonaws.com"}, "The service eks.amazonaws.com may assume it."),
        ({"Service": "pods.eks.amazonaws.com.cn"}, "EKS Pod Identity may give it to the service accounts that are associated with it."),
        ({"AWS": ACCOUNT}, "Principals of this account may assume it if their own policies allow that."),
        ({"AWS": "arn:aws:iam::444455556666:root"}, "Principals of account 444455556666 may assume it if their own policies allow that."),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/ops/d"}, f"arn:aws:iam::{ACCOUNT}:role/ops/d may assume it."),
        ({"AWS": "AROA1234567890EXAMPLE"}, "AROA1234567890EXAMPLE is the ID of a deleted principal, which nobody can use again."),
        ("*", "Anyone may assume it if the conditions hold."),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/AWSSSO_1"}, "IAM Identity Center users sign in with it (provider AWSSSO_1)."),
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/okta"}, "Users of the SAML provider okta sign in with it."),
        ({"Federated": "token.actions.githubusercontent.com"}, "Tokens of GitHub Actions for any subject may assume it."),
        ({"Federated": "gitlab.example"}, "Tokens of gitlab.example for repo:a, repo:b may assume it."),
    ],
)  # fmt: skip
def test_principals_in_a_sentence(principal: object, sentence: str) -> None:
    document = parsed_trust(principal, condition={"StringLike": {"gitlab.example:sub": ["repo:a", "repo:b"]}})
    assert trust_in_words(document, ACCOUNT) == (sentence,)


def test_who_is_trusted_twice_is_said_once_and_all_but_some_are_anyone() -> None:
    allow = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    twice = [
        {**allow, "Principal": {"AWS": [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"]}},
        {**allow, "Principal": {"AWS": ACCOUNT}},
    ]
    document = parse({"Version": "2012-10-17", "Statement": [*twice, {**allow, "Effect": "Deny", "Principal": "*"}]})
    assert [trustee.name for trustee in trustees(document)] == [ACCOUNT]
    assert trust_in_words(document, ACCOUNT) == (
        "Principals of this account may assume it if their own policies allow that.",
        "Deny statements restrict this further.",
    )
    everyone_else = parse({"Statement": [{**allow, "NotPrincipal": {"AWS": ACCOUNT}}]})
    assert [(trustee.kind, trustee.name) for trustee in trustees(everyone_else)] == [("anyone", "everyone but some")]
    assert trust_in_words(None, ACCOUNT) == ("The trust policy could not be read.",)
    assert trust_in_words(parse({"Statement": []}), ACCOUNT) == ("Nobody may assume it.",)


@pytest.mark.parametrize(
    ("operator", "subject", "namespace", "name"),
    [
        ("StringLike", "*", "*", "*"),
        ("StringLike", "*:aws-node", "*", "*"),
        ("StringLike", "system:serviceaccount:kube-*", "kube-*", "*"),
        ("StringEquals", "system:serviceaccount:a:b", "a", "b"),
        ("StringEquals", "system:serviceaccount:a", "a", "*"),
        # What is no service account matches none.
        ("StringEquals", "*", "*", "*"),
        ("StringEquals", "user:x", "user:x", "*"),
        ("StringLike", "user:*", "user:*", "*"),
    ],
)
def test_the_namespace_and_name_of_a_subject(operator: str, subject: str, namespace: str, name: str) -> None:
    (trustee,) = trustees(irsa({operator: {f"{ISSUER.upper()}:SUB": subject}}))
    (account,) = trustee.service_accounts
    assert (account.namespace, account.name) == (namespace, name)
    assert account.never_matches is (operator == "StringEquals" and "*" in subject)


def test_what_a_statement_lets_a_principal_do() -> None:
    (trustee,) = trustees(parsed_trust({"Service": "eks.amazonaws.com"}, ["STS:assume*", "sts:TagSession"]))
    actions = ("sts:AssumeRole", "sts:tagsession", "sts:AssumeRoleWithSAML", "sts:SetSourceIdentity")
    assert [trustee.allows(action) for action in actions] == [True, True, True, False]


@pytest.mark.parametrize(
    "value", ["arn:aws:iam::111122223333", "arn:aws:s3:::b", "12345678901", "1111222233334", "arn:aws:iam::1:group/a"]
)
def test_a_principal_of_no_known_form_is_unknown(value: str) -> None:
    assert [trustee.kind for trustee in trustees(parsed_trust({"AWS": value}))] == ["unknown"]
