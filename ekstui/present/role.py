"""All about a role: findings first, then who may assume it, what it may do in sum, what uses it, and its policies."""

from collections.abc import Iterator
from datetime import datetime

from ekstui.core.account import Use
from ekstui.core.findings import CarriedPolicy
from ekstui.core.words import use_in_words
from ekstui.library import RoleAnswer
from ekstui.present.blocks import Block, Heading, Line, Node, Sentence, Span, Tree, note
from ekstui.present.cluster import findings_tree
from ekstui.present.permissions import services_table
from ekstui.present.words import TRACKED, last_used_words, policy_node


def role_blocks(answer: RoleAnswer, now: datetime) -> list[Block]:
    """Return all about a role."""
    subject = answer.subject
    role = subject.role
    as_of = Span(f"account {answer.identity.account}, as of {answer.fetched_at:%Y-%m-%d %H:%M} UTC", shown="terminal")
    blocks: list[Block] = [Heading(role.name, 1), Sentence(as_of)]
    if answer.findings:
        blocks += [Heading("Findings"), findings_tree(answer.findings)]
    blocks.append(Heading("Trust: who may assume it"))
    blocks += [Sentence(each) for each in answer.trust or ("nothing is known of its trust policy",)]
    blocks += [Heading("May do, all its policies together"), *_access(answer)]
    blocks += [Heading("Uses"), Tree([_use(use, index) for index, use in enumerate(subject.uses)])]
    if not subject.uses:
        blocks.append(Sentence(Span("EKS is not known to use it", "muted")))
    if subject.unseen:
        blocks.append(Sentence(Span(f"not looked at: {', '.join(subject.unseen)}", "muted")))
    policies = [policy_node(each, _kind(each), ("policy", each.arn or each.name)) for each in subject.policies]
    if subject.boundary:
        policies.append(policy_node(subject.boundary, "permissions boundary", ("boundary", subject.boundary.name)))
    blocks += [Heading("Policies"), Tree(policies)]
    if not subject.policies and role.extent == "full":
        blocks.append(Sentence(Span("none", "muted")))
    used = f"{last_used_words(role, now)} in {role.last_used_region}" if role.last_used else TRACKED
    about = [("ARN", role.arn or "not known"), ("last used", used)]
    if role.created:
        about.append(("created", f"{role.created:%Y-%m-%d}"))
    about += [("instance profile", profile) for profile in role.instance_profiles]
    about += [(f"tag {key}", value) for key, value in role.tags]
    if role.service_linked:
        about.append(("service-linked", "only its service changes it"))
    facts = [
        Node((Span(f"{word}: ", "muted"), text), value=text, key=("about", n)) for n, (word, text) in enumerate(about)
    ]
    return [*blocks, Heading("About"), Tree(facts)]


def _access(answer: RoleAnswer) -> Iterator[Block]:
    """Yield what the role may do in sum: a service a row, and what is left out of that or not known."""
    subject, access = answer.subject, answer.access
    if access.services:
        yield services_table(access.services)
    elif all(policy.document for policy in subject.policies):
        yield Sentence(Span("nothing", "muted"))
    if access.denied:
        yield Sentence(Span(f"{access.denied:,} actions are left out: a Deny of its own takes them away.", "muted"))
    if (boundary := subject.boundary) is not None:
        if boundary.document is None:
            yield note(f"The permissions boundary {boundary.name} could not be read: it may take away any of this.")
        else:
            text = f"Within the permissions boundary {boundary.name}"
            withheld = f", which withholds {access.withheld:,} more actions" if access.withheld else ""
            yield Sentence(Span(f"{text}{withheld}; its conditions are not weighed here.", "muted"))
    if unread := [policy.name for policy in subject.policies if policy.document is None]:
        yield note(f"{', '.join(unread)} could not be read: there may be more.")


def _use(use: Use, index: int) -> Node:
    line: Line = (
        use_in_words(use),
        Span(f" in {use.region}" if use.region else "", "muted"),
        Span(f" · {use.remark}" if use.remark else "", "muted"),
    )
    return Node(line, value=use, key=("use", index))


def _kind(policy: CarriedPolicy) -> str:
    return "inline" if policy.arn is None else "AWS managed" if policy.managed_by_aws else "customer managed"
