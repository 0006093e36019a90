"""What an upgrade asks for and what may go, judged by what is left when it is given and taken."""

from itertools import pairwise
from typing import Any

from ekstui.change.comparison import changes
from ekstui.change.lacking import lacking, superfluous
from ekstui.iam.document import parse
from ekstui.iam.grants import merged_document
from ekstui.sources.shipped import components
from tests.support.documents import allow, document_of
from tests.support.effort import sample

ANY, VOLUME, SNAPSHOT = "*", "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:snapshot/*"
TAGGED = {"StringEquals": {"aws:ResourceTag/a": "b"}}


def test_only_what_is_lacking_is_asked_for_on_the_resources_where_it_is() -> None:
    role = document_of(allow("ec2:Describe*"), allow("ec2:CreateTags", VOLUME))
    release = document_of(
        allow(["ec2:DescribeTags", "ec2:AttachVolume"]), allow("ec2:CreateTags", [VOLUME, SNAPSHOT], Condition=TAGGED)
    )
    difference = lacking(release, role)
    assert [(statement.actions, statement.resources) for statement in difference.statements] == [
        (("ec2:AttachVolume",), (ANY,)),
        (("ec2:CreateTags",), (SNAPSHOT,)),
    ]
    assert (difference.unknown, difference.partly) == ((), ())


def test_what_a_role_has_in_other_cases_is_told_from_what_it_lacks() -> None:
    two_tags = {"StringEquals": {"aws:ResourceTag/a": "b", "aws:ResourceTag/c": "d"}}
    another_tag = {"StringEquals": {"aws:ResourceTag/a": "else"}}
    role = document_of(
        allow("ec2:CreateTags", VOLUME, Condition=two_tags),
        allow("ec2:DeleteTags", VOLUME, Condition=another_tag),
        allow("ec2:AttachVolume", SNAPSHOT),
    )
    release = document_of(allow(["ec2:CreateTags", "ec2:DeleteTags", "ec2:AttachVolume"], VOLUME, Condition=TAGGED))
    difference = lacking(release, role)
    assert [statement.actions for statement in difference.missing] == [("ec2:DeleteTags", "ec2:AttachVolume")]
    (partly,) = difference.partly
    assert (partly.statement.actions, [len(grant.conditions) for grant in partly.grants]) == (("ec2:CreateTags",), [2])
    denied_role = role._replace(
        statements=(*role.statements, *document_of(allow("ec2:*", ANY, Condition=TAGGED)).statements)
    )
    denied_role = denied_role._replace(statements=tuple(
        statement._replace(effect="Deny") if statement.actions == ("ec2:*",) else statement for statement in denied_role.statements
    ))  # fmt: skip
    assert lacking(release, denied_role).partly == ()
    # Nothing is said to be allowed in other cases where a Deny may revoke those too.
    (deny,) = document_of(allow("ec2:*", ANY, Condition={"StringEquals": {"aws:ResourceTag/e": "f"}})).statements
    difference = lacking(release, role._replace(statements=(*role.statements, deny._replace(effect="Deny"))))
    assert (difference.partly, difference.denied) == ((), ("ec2:CreateTags", "ec2:DeleteTags", "ec2:AttachVolume"))
    assert [statement.actions for statement in difference.missing] == [
        ("ec2:CreateTags", "ec2:DeleteTags", "ec2:AttachVolume")
    ]


def test_what_a_deny_of_the_role_revokes_is_never_taken_for_given() -> None:
    release = document_of(allow(["ec2:CreateTags", "ec2:DescribeTags"], VOLUME, Condition=TAGGED))
    for deny, denied_actions in (
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
        difference = lacking(release, parse({"Version": "2012-10-17", "Statement": statements}))
        assert (difference.statements, difference.denied) == ((), denied_actions), deny
    denies = release._replace(statements=tuple(statement._replace(effect="Deny") for statement in release.statements))
    union = release._replace(statements=(*release.statements, *denies.statements))
    assert lacking(union, union).denied == ()  # the release itself denies it


def test_policies_of_both_versions_of_the_language_mean_together_what_each_means() -> None:
    own_folder = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a/${aws:username}/*"}
    own_tag = {"StringLike": {"aws:ResourceTag/a": "${aws:username}"}}
    statements = [own_folder, {"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": own_tag}]
    new = parse({"Version": "2012-10-17", "Statement": statements})
    for version in ({"Version": "2008-10-17"}, {}):
        old = parse({**version, "Statement": statements})
        assert changes(old, merged_document([old])).kind == "none"
        # Without variables it allows only what has these very letters in its name.
        assert {statement.actions for statement in lacking(new, merged_document([old])).statements} == {
            ("s3:*",),
            ("ec2:*",),
        }
        assert lacking(new, merged_document([old, new])).statements == ()
    assert merged_document([new]) == new


def test_nothing_goes_that_the_release_after_still_asks_for_under_tighter_conditions() -> None:
    before = document_of(allow(["ec2:CreateTags", "ec2:DescribeTags", "ec2:DeleteTags"], [VOLUME, SNAPSHOT]))
    after = document_of(
        allow("ec2:CreateTags", VOLUME, Condition=TAGGED), allow("ec2:DeleteTags", "arn:aws:ec2:*:*:volume/vol-1")
    )
    surplus = superfluous(before, after, before)
    assert [(statement.actions, statement.resources) for statement in surplus.statements] == [
        (("ec2:CreateTags", "ec2:DeleteTags"), (SNAPSHOT,)),
        (("ec2:DescribeTags",), (VOLUME, SNAPSHOT)),
    ]
    assert surplus.narrower == ("ec2:CreateTags", "ec2:DeleteTags")
    assert superfluous(before, after, document_of(allow("s3:*"))) == ((), ())


def test_a_role_that_is_given_what_it_lacks_has_all_that_a_release_asks_for() -> None:
    """Over neighbouring releases of all components: with what was told, the document adds nothing any more."""
    pairs = [pair for component in components().values() for pair in pairwise(component.versions)]
    assert len(pairs) > 90
    for before, after in sample(pairs, 40):
        old, new = (version.document(version.named({})) for version in (before, after))
        union = old._replace(statements=(*old.statements, *lacking(new, old).statements))
        assert changes(union, union._replace(statements=(*union.statements, *new.statements))).reach == "same"
        removable = superfluous(old, new, union).statements
        removable_pairs = {
            (action, resource)
            for statement in removable
            for action in statement.actions
            for resource in statement.resources
        }
        statements_left = [
            statement._replace(actions=(action,), resources=(resource,))
            for statement in union.statements
            for action in statement.actions
            for resource in statement.resources
            if (action, resource) not in removable_pairs
        ]
        leftover = union._replace(statements=tuple(statements_left))
        assert changes(leftover, leftover._replace(statements=(*leftover.statements, *new.statements))).reach == "same"


def test_nothing_goes_that_the_release_after_may_still_ask_for() -> None:
    before = document_of(allow(["ec2:CreateTags", "ec2:DeleteTags"], VOLUME))

    def droppable(**resource: Any) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
        statement = {"Effect": "Allow", "Action": "ec2:CreateTags", "Condition": TAGGED, **resource}
        surplus = superfluous(before, parse({"Version": "2012-10-17", "Statement": statement}), before)
        return [statement.actions for statement in surplus.statements], surplus.narrower

    part = ([("ec2:DeleteTags",)], ("ec2:CreateTags",))
    everything: tuple[list[tuple[str, ...]], tuple[str, ...]] = ([("ec2:CreateTags", "ec2:DeleteTags")], ())
    assert droppable(Resource=VOLUME) == part
    assert droppable(Resource="arn:aws:ec2:*:*:*/vol-1") == part
    assert droppable(Resource=[SNAPSHOT, "arn:aws:ec2:eu-west-1:*:volume/*"]) == part
    assert droppable(Resource="arn:aws:ec2:*:*:volume/${aws:PrincipalTag/v}") == part  # that depends on the variable
    assert droppable(NotResource=SNAPSHOT) == part
    assert droppable(Resource=SNAPSHOT) == everything
    # A Deny of the statements before gives nothing that could go, and what the role lacks cannot go.
    denies = before._replace(statements=tuple(statement._replace(effect="Deny") for statement in before.statements))
    assert superfluous(denies, document_of(allow("s3:*")), before) == ((), ())
    assert superfluous(before, document_of(allow("s3:*")), document_of(allow("ec2:CreateTags", SNAPSHOT))) == ((), ())
