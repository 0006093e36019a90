"""Changes as an Atom feed."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ekstui.change.policy import PolicyFamily, format_time, version_label
from ekstui.change.steps import FeedStep
from ekstui.iam.text import clean_line

_ATOM = "http://www.w3.org/2005/Atom"


def changes_atom(steps: Sequence[FeedStep], arns: Mapping[tuple[PolicyFamily, str], str], newest: datetime) -> str:
    """Return the steps as an Atom feed (RFC 4287); `arns` are by family and name.

    An entry's id is derived from ARN and version, so it never changes; the name replaces a missing ARN.
    """
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed")
    _add(feed, "id", _id("changes"))
    _add(feed, "title", "AWS managed policies: what changed")
    _add(feed, "updated", format_time(newest) or "")
    _add(_add(feed, "author"), "name", "ekstui")
    for step in steps:
        entry = _add(feed, "entry")
        _add(entry, "id", _id(f"{arns.get((step.family, step.policy), step.policy)}@{version_label(step.version)}"))
        _add(entry, "title", _title(step))
        _add(entry, "updated", format_time(step.created or newest) or "")
        _add(entry, "summary", _summary(step))
    ElementTree.indent(feed)
    return ElementTree.tostring(feed, encoding="unicode", xml_declaration=True)


def _title(step: FeedStep) -> str:
    if step.family == "access-policy":
        return f"{step.policy}: new EKS access policy"
    if step.previous is None:
        return f"{step.policy} {version_label(step.version)}: {'new policy' if step.version == 1 else 'first known'}"
    reach = step.change.words or "unknown"
    return f"{step.policy} {version_label(step.previous)} to {version_label(step.version)}: {reach}"


def _summary(step: FeedStep) -> str:
    change = step.change
    pair = f"{version_label(step.previous)}..{version_label(step.version)}" if step.previous else ""
    compare = f" Compare: ekstui diff {step.policy}@{pair}" if pair else ""
    return f"{change.added} added, {change.removed} removed, {change.changed} changed.{compare}"


def _id(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"ekstui:{name}").urn


def _add(parent: Element, name: str, text: str | None = None) -> Element:
    child = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}")
    child.text = None if text is None else clean_line(text)
    return child
