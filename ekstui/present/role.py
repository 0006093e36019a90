"""All about a role: findings first, then who may assume it, what uses it, and what it carries."""

from datetime import datetime

from ekstui.core.account import Use
from ekstui.core.findings import CarriedPolicy
from ekstui.core.words import use_in_words
from ekstui.library import RoleAnswer
from ekstui.present.blocks import Block, Heading, Line, Node, Sentence, Span, Tree
from ekstui.present.cluster import findings_tree
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


def _use(use: Use, index: int) -> Node:
    line: Line = (
        use_in_words(use),
        Span(f" in {use.region}" if use.region else "", "muted"),
        Span(f" · {use.remark}" if use.remark else "", "muted"),
    )
    return Node(line, value=use, key=("use", index))


def _kind(policy: CarriedPolicy) -> str:
    return "inline" if policy.arn is None else "AWS managed" if policy.managed_by_aws else "customer managed"
