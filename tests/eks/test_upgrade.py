"""What an upgrade asks for and what may go, judged by what is left when it is given and taken."""

from itertools import pairwise
from typing import Any

from ekstui.change.comparison import changes
from ekstui.change.lacking import lacking, superfluous
from ekstui.iam.document import parse
from ekstui.iam.grants import merged_document
from ekstui.sources.shipped import components
from tests.support.documents import allow, parsed
from tests.support.effort import sample

ANY, VOLUME, SNAPSHOT = "*", "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:snapshot/*"
TAGGED = {"StringEquals": {"aws:ResourceTag/a": "b"}}


def test_only_what_is_lacking_is_asked_for_on_the_resources_where_it_is() -> None:
    held = parsed(allow("ec2:Describe*"), allow("ec2:CreateTags", VOLUME))
    wanted = parsed(
        allow(["ec2:DescribeTags", "ec2:AttachVolume"]), allow("ec2:CreateTags", [VOLUME, SNAPSHOT], Condition=TAGGED)
    )
    difference = lacking(wanted, held)
    assert [(statement.actions, statement.resources) for statement in difference.statements] == [
        (("ec2:AttachVolume",), (ANY,)),
        (("ec2:CreateTags",), (SNAPSHOT,)),
    ]
    assert (difference.unknown, difference.partly) == ((), ())


def test_what_a_role_has_in_other_cases_is_told_from_what_it_lacks() -> None:
    both = {"StringEquals": {"aws:ResourceTag/a": "b", "aws:ResourceTag/c": "d"}}
    another_tag = {"StringEquals": {"aws:ResourceTag/a": "else"}}
    held = parsed(
        allow("ec2:CreateTags", VOLUME, Condition=both),
        allow("ec2:DeleteTags", VOLUME, Condition=another_tag),
        allow("ec2:AttachVolume", SNAPSHOT),
    )
    wanted = parsed(allow(["ec2:CreateTags", "ec2:DeleteTags", "ec2:AttachVolume"], VOLUME, Condition=TAGGED))
    difference = lacking(wanted, held)
    assert [statement.actions for statement in difference.missing] == [("ec2:DeleteTags", "ec2:AttachVolume")]
    (partly,) = difference.partly
    assert (partly.statement.actions, [len(grant.conditions) for grant in partly.grants]) == (("ec2:CreateTags",), [2])
    denied = held._replace(statements=(*held.statements, *parsed(allow("ec2:*", ANY, Condition=TAGGED)).statements))
    denied = denied._replace(statements=tuple(
        statement._replace(effect="Deny") if statement.actions == ("ec2:*",) else statement for statement in denied.statements
    ))  # fmt: skip
    assert lacking(wanted, denied).partly == ()
    # Nothing is said to be allowed in other cases where a Deny may revoke those too.
    (some,) = parsed(allow("ec2:*", ANY, Condition={"StringEquals": {"aws:ResourceTag/e": "f"}})).statements
    revoked = lacking(wanted, held._replace(statements=(*held.statements, some._replace(effect="Deny"))))
    assert (revoked.partly, revoked.denied) == ((), ("ec2:CreateTags", "ec2:DeleteTags", "ec2:AttachVolume"))
    assert [statement.actions for statement in revoked.missing] == [
        ("ec2:CreateTags", "ec2:DeleteTags", "ec2:AttachVolume")
    ]


def test_what_a_deny_of_the_role_revokes_is_never_taken_for_given() -> None:
    wanted = parsed(allow(["ec2:CreateTags", "ec2:DescribeTags"], VOLUME, Condition=TAGGED))
    for deny, denied in (
        ({"Action": "EC2:create*", "Resource": "*"}, ("ec2:CreateTags",)),
        ({"NotAction": "ec2:Describe*", "NotResource": SNAPSHOT}, ("ec2:CreateTags",)),
        ({"Action": "*", "Resource": VOLUME, "Condition": {"Null": {"aws:MultiFactorAuthAge": "true"}}},
         ("ec2:CreateTags", "ec2:DescribeTags")),
        # These match no request that is asked for.
        ({"Action": "*", "Resource": SNAPSHOT}, ()),
        ({"Action": "*", "NotResource": VOLUME}, ()),
        ({"Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:ResourceTag/a": "b"}}}, ()),
    ):  # fmt: skip
        statements = [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}, {"Effect": "Deny", **deny}]
        difference = lacking(wanted, parse({"Version": "2012-10-17", "Statement": statements}))
        assert (difference.statements, difference.denied) == ((), denied), deny
    own = wanted._replace(statements=tuple(statement._replace(effect="Deny") for statement in wanted.statements))
    both = wanted._replace(statements=(*wanted.statements, *own.statements))
    assert lacking(both, both).denied == ()  # the release itself denies it


def test_policies_of_both_versions_of_the_language_mean_together_what_each_means() -> None:
    own = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a/${aws:username}/*"}
    tagged = {"StringLike": {"aws:ResourceTag/a": "${aws:username}"}}
    both = [own, {"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": tagged}]
    new = parse({"Version": "2012-10-17", "Statement": both})
    for version in ({"Version": "2008-10-17"}, {}):
        old = parse({**version, "Statement": both})
        assert changes(old, merged_document([old])).kind == "none"
        # Without variables it allows only what has these very letters in its name.
        assert {statement.actions for statement in lacking(new, merged_document([old])).statements} == {
            ("s3:*",),
            ("ec2:*",),
        }
        assert lacking(new, merged_document([old, new])).statements == ()
    assert merged_document([new]) == new


def test_nothing_goes_that_the_release_after_still_asks_for_under_tighter_conditions() -> None:
    before = parsed(allow(["ec2:CreateTags", "ec2:DescribeTags", "ec2:DeleteTags"], [VOLUME, SNAPSHOT]))
    after = parsed(
        allow("ec2:CreateTags", VOLUME, Condition=TAGGED), allow("ec2:DeleteTags", "arn:aws:ec2:*:*:volume/vol-1")
    )
    surplus = superfluous(before, after, before)
    assert [(statement.actions, statement.resources) for statement in surplus.statements] == [
        (("ec2:CreateTags", "ec2:DeleteTags"), (SNAPSHOT,)),
        (("ec2:DescribeTags",), (VOLUME, SNAPSHOT)),
    ]
    assert surplus.narrower == ("ec2:CreateTags", "ec2:DeleteTags")
    assert superfluous(before, after, parsed(allow("s3:*"))) == ((), ())


def test_a_role_that_is_given_what_it_lacks_has_all_that_a_release_asks_for() -> None:
    """Over neighbouring releases of all components: with what was told, the document adds nothing any more."""
    pairs = [pair for component in components().values() for pair in pairwise(component.versions)]
    assert len(pairs) > 90
    for before, after in sample(pairs, 40):
        old, new = (version.document(version.named({})) for version in (before, after))
        union = old._replace(statements=(*old.statements, *lacking(new, old).statements))
        assert changes(union, union._replace(statements=(*union.statements, *new.statements))).reach == "same"
        left = superfluous(old, new, union).statements
        dropped = {
            (action, resource) for statement in left for action in statement.actions for resource in statement.resources
        }
        kept = [
            statement._replace(actions=(action,), resources=(resource,))
            for statement in union.statements
            for action in statement.actions
            for resource in statement.resources
            if (action, resource) not in dropped
        ]
        rest = union._replace(statements=tuple(kept))
        assert changes(rest, rest._replace(statements=(*rest.statements, *new.statements))).reach == "same"


def test_nothing_goes_that_the_release_after_may_still_ask_for() -> None:
    before = parsed(allow(["ec2:CreateTags", "ec2:DeleteTags"], VOLUME))

    def left(**resource: Any) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
        statement = {"Effect": "Allow", "Action": "ec2:CreateTags", "Condition": TAGGED, **resource}
        surplus = superfluous(before, parse({"Version": "2012-10-17", "Statement": statement}), before)
        return [statement.actions for statement in surplus.statements], surplus.narrower

    kept = ([("ec2:DeleteTags",)], ("ec2:CreateTags",))
    gone: tuple[list[tuple[str, ...]], tuple[str, ...]] = ([("ec2:CreateTags", "ec2:DeleteTags")], ())
    assert left(Resource=VOLUME) == kept
    assert left(Resource="arn:aws:ec2:*:*:*/vol-1") == kept
    assert left(Resource=[SNAPSHOT, "arn:aws:ec2:eu-west-1:*:volume/*"]) == kept
    assert left(Resource="arn:aws:ec2:*:*:volume/${aws:PrincipalTag/v}") == kept  # that depends on the variable
    assert left(NotResource=SNAPSHOT) == kept
    assert left(Resource=SNAPSHOT) == gone
    # A Deny of the statements before gives nothing that could go, and what the role lacks cannot go.
    denied = before._replace(statements=tuple(statement._replace(effect="Deny") for statement in before.statements))
    assert superfluous(denied, parsed(allow("s3:*")), before) == ((), ())
    assert superfluous(before, parsed(allow("s3:*")), parsed(allow("ec2:CreateTags", SNAPSHOT))) == ((), ())
