"""A symptom held against the policies and the account."""

import pytest

from ekstui.library import AccountChoice, Library
from ekstui.library.catalog import knowledge
from ekstui.library.symptoms import SymptomAnswer, symptom_answer
from ekstui.present.cards import symptom_blocks
from ekstui.present.rendering import lines

CACHE = "ecr:BatchImportUpstreamImage"


@pytest.fixture(scope="module")
def pull_through() -> SymptomAnswer:
    (symptom,) = (symptom for symptom in knowledge().symptoms if symptom.actions == (CACHE,))
    return symptom_answer(Library.open(AccountChoice(demo=True, offline=True)), symptom)


def test_a_policy_that_lacks_the_action_is_not_said_to_allow_it(pull_through: SymptomAnswer) -> None:
    assert [(policy.name, policy.lacks) for policy in pull_through.policies] == [
        ("AmazonEC2ContainerRegistryPullOnly", ()),
        ("AmazonEC2ContainerRegistryReadOnly", (CACHE,)),
    ]
    page = list(lines(symptom_blocks(pull_through), 200, colours=False, whole_tables=False))
    assert f"  AmazonEC2ContainerRegistryReadOnly  lacks {CACHE}" in page
    assert "  AmazonEC2ContainerRegistryPullOnly  allows them" in page


def test_the_roles_that_it_concerns_come_first(pull_through: SymptomAnswer) -> None:
    assert pull_through.roles
    lacking = {row.role.name for row in pull_through.roles if row.lacks}
    assert "prod-node" in lacking
    # All with ReadOnly alone lack it, those with PullOnly do not.
    for row in pull_through.roles:
        names = {policy.arn.rpartition("/")[2] for policy in row.role.attached}
        assert ("AmazonEC2ContainerRegistryPullOnly" in names) == (not row.lacks)
    states = [bool(row.lacks) for row in pull_through.roles]
    assert states == sorted(states, reverse=True)


def test_without_an_account_no_role_is_named() -> None:
    symptom = next(symptom for symptom in knowledge().symptoms if symptom.actions == (CACHE,))
    answer = symptom_answer(Library.open(), symptom)
    assert answer.roles is None
    assert not any(
        "Roles of the account" in line for line in lines(symptom_blocks(answer), 80, colours=False, whole_tables=False)
    )
