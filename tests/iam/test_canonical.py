"""The lines that comparisons are made of."""

import pytest

from ekstui.iam.canonical import LinePair, canonical_lines, canonical_places, line_pairs, places_of
from ekstui.iam.document import parse
from tests.support.corpus import raw_document
from tests.support.documents import allow, deny, document_of


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_no_text_can_make_a_line_of_its_own(separator: str) -> None:
    def lines(sid: str) -> int:
        statement = {"Sid": sid, "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        return len(canonical_lines(parse({"Statement": [statement]})))

    assert lines(f'a{separator}"Effect": "Deny"') == lines("a")


def test_the_order_of_statements_and_of_all_lists_in_them_makes_no_line() -> None:
    def lines(*, backwards: bool) -> list[str]:
        step = -1 if backwards else 1
        condition = {"StringEquals": {"aws:PrincipalTag/t": ["a", "b"][::step]}}
        first = allow(["s3:GetObject", "s3:PutObject"][::step], ["arn:aws:s3:::a", "arn:aws:s3:::b"][::step], Sid="A")
        return canonical_lines(document_of(*[{**first, "Condition": condition}, deny("*", Sid="B")][::step]))

    assert lines(backwards=True) == lines(backwards=False)


def test_letters_of_any_language_stay_as_they_are() -> None:
    statement = allow("s3:*", Condition={"StringEquals": {"aws:PrincipalTag/équipe": "données"}})
    text = "\n".join(canonical_lines(document_of(statement)))
    assert '"aws:PrincipalTag/équipe"' in text
    assert '"données"' in text


def test_a_line_knows_its_statement_and_element() -> None:
    raw = raw_document("AmazonEKSServiceRolePolicy", 26)
    document = parse(raw)
    lines, places = canonical_lines(document), canonical_places(document)
    assert len(lines) == len(places)
    (place,) = {place for line, place in zip(lines, places, strict=True) if "AmazonEKSPodIdentityPolicy" in line}
    number = next(
        i for i, statement in enumerate(raw["Statement"], 1) if "AmazonEKSPodIdentityPolicy" in str(statement)
    )
    assert place == f"Statement {number} › Condition"
    cni_places = canonical_places(parse(raw_document("AmazonEKS_CNI_Policy", 6)))
    assert 'Statement 1 "AmazonEKSCNIPolicy" › Action' in cni_places
    assert (cni_places[0], cni_places[-1]) == ("", "")


def test_a_pair_of_lines_stands_where_the_side_after_has_it() -> None:
    before, after = (parse(raw_document("AmazonEKS_CNI_Policy", number)) for number in (5, 6))
    pairs = line_pairs(canonical_lines(before), canonical_lines(after))
    places = places_of(pairs, canonical_places(before), canonical_places(after))
    changed_places = {place for pair, place in zip(pairs, places, strict=True) if pair.kind != "same"}
    assert changed_places == {'Statement 1 "AmazonEKSCNIPolicy" › Action'}


def test_lines_that_are_alike_are_one_that_changed_and_others_are_two() -> None:
    action = '"Action": "ec2:{}",'.format
    (alike,) = line_pairs([action("CreateTags")], [action("CreateTag")])
    assert alike.kind == "changed"
    assert alike.before is not None
    assert alike.after is not None
    for side, text in ((alike.before, action("CreateTags")), (alike.after, action("CreateTag"))):
        assert "".join(part for part, _ in side) == text
        assert {part for part, differs in side if differs} in ({"CreateTags"}, {"CreateTag"})
    kinds = [pair.kind for pair in line_pairs(["{"], ['"Resource": "*"'])]
    assert kinds == ["removed", "added"]


def test_a_block_of_other_length_leaves_the_rest_alone_and_unmarked() -> None:
    assert line_pairs(["a", "xx", "b"], ["a", "b"]) == [
        LinePair("same", (("a", False),), (("a", False),)),
        LinePair("removed", (("xx", False),), None),
        LinePair("same", (("b", False),), (("b", False),)),
    ]
    assert line_pairs(["xx"], ["yy", "zz"]) == [
        LinePair("removed", (("xx", False),), None),
        LinePair("added", None, (("yy", False),)),
        LinePair("added", None, (("zz", False),)),
    ]
    # Half of the words in common is enough, less is not.
    assert line_pairs(["a."], ["a-"]) == [LinePair("changed", (("a", False), (".", True)), (("a", False), ("-", True)))]
    assert [pair.kind for pair in line_pairs(["a.b"], ["a-c"])] == ["removed", "added"]
    assert line_pairs(["a b"], ["a b c"]) == [
        LinePair("changed", (("a b", False),), (("a b", False), (" c", True))),
    ]


def test_places_of_removed_lines_are_those_of_the_text_before() -> None:
    pairs = line_pairs(["a", "xx", "b"], ["a", "b", "yy"])
    assert [pair.kind for pair in pairs] == ["same", "removed", "same", "added"]
    assert places_of(pairs, ["a1", "x1", "b1"], ["a2", "b2", "y2"]) == ["a2", "x1", "b2", "y2"]


def test_a_text_stands_in_its_own_letters() -> None:
    resource = "arn:aws:s3:::übersicht/*"
    assert f'        "{resource}"' in canonical_lines(document_of(allow("s3:GetObject", resource)))
