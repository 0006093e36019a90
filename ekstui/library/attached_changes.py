"""What it means that a repository attaches other policies: their documents, as of today, are compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ekstui.change.comparison import Change
from ekstui.change.holes import changes_around, has_hole, hole, is_hole, plainly
from ekstui.eks.kubernetes import Permission, Rule, difference
from ekstui.errors import EkstuiError
from ekstui.iam.document import Document, parse
from ekstui.iam.grants import Reach, merged_document
from ekstui.iam.text import counted, listed
from ekstui.library.access_policies import PREFIX, find_access_policy, reach_of
from ekstui.library.library import Library
from ekstui.library.reviewed import NOTHING, ReviewedDocument, ReviewState, plain_change, rights_in

if TYPE_CHECKING:
    from ekstui.sources.written import AttachmentKind, WrittenAttachment, WrittenPolicy

_EVERYTHING = parse({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
"""What is left without a permissions boundary."""

_Entity = tuple["AttachmentKind", str]
"""What is attached (a policy, a boundary, a role), and the entity that it is attached to, as written."""

_Attachments = tuple["WrittenAttachment", ...]
"""What an entity has on one side."""

_Policies = frozenset[tuple[str, str]]


def _policies(attachments: _Attachments | None) -> _Policies:
    return frozenset((attachment.policy, attachment.scope) for attachment in attachments or ())


def attached_changes(
    attachments: tuple[Sequence[WrittenAttachment], Sequence[WrittenAttachment]],
    policies: tuple[Sequence[WrittenPolicy], Sequence[WrittenPolicy]],
    library: Library | None,
) -> Iterator[ReviewedDocument]:
    """Yield the entities that get other policies, each side before and after."""
    before, after = map(_by_entity, attachments)
    documents = tuple(_Documents(side, library) for side in policies)
    unmatched_entities = {
        key: attachments_of_entity for key, attachments_of_entity in before.items() if key not in after
    }
    for key, attachments_of_entity in after.items():
        kind, old = key[0], before.get(key)
        if old is None and (old_key := _before_renaming(kind, attachments_of_entity, unmatched_entities)) is not None:
            del unmatched_entities[old_key]
        elif (
            old is None
            and kind == "boundary"
            and all(is_hole(policy) for policy, _ in _policies(attachments_of_entity))
        ):
            # A boundary that may be none limits what is new, if anything.
            continue
        elif old is None or _policies(old) != _policies(attachments_of_entity):
            yield _review_entry(kind, old, attachments_of_entity, documents)
    for (kind, _), attachments_of_entity in unmatched_entities.items():
        yield _review_entry(kind, attachments_of_entity, None, documents)


def _before_renaming(
    kind: AttachmentKind, attachments: _Attachments, unmatched: Mapping[_Entity, _Attachments]
) -> _Entity | None:
    """Return the entity that a new one replaces, with the same attachments; a literal name replaces none."""
    if not all(
        has_hole(attachment.attached_to) or attachment.place.startswith(attachment.attached_to)
        for attachment in attachments
    ):
        return None
    return next(
        (key for key, other in unmatched.items() if key[0] == kind and _policies(other) == _policies(attachments)), None
    )


def _by_entity(attachments: Iterable[WrittenAttachment]) -> dict[_Entity, _Attachments]:
    attachments_of: dict[_Entity, list[WrittenAttachment]] = {}
    for attachment in attachments:
        attachments_of.setdefault((attachment.kind, attachment.attached_to), []).append(attachment)
    return {key: tuple(of_entity) for key, of_entity in attachments_of.items()}


def _review_entry(
    kind: AttachmentKind, before: _Attachments | None, after: _Attachments | None, documents: tuple[_Documents, ...]
) -> ReviewedDocument:
    attachments = after or before or ()
    old, new = _policies(before), _policies(after)
    first = next(
        (attachment for attachment in attachments if (attachment.policy, attachment.scope) not in (old & new)),
        attachments[0],
    )
    change = _CHANGES[kind](old, new, documents)
    state: ReviewState = "changed" if before and after else "new" if after else "removed"
    words = _in_words(kind, old, new)
    verdict = f"{change.verdict.partition(':')[0]}: {words}"
    detail = change.verdict.partition(": ")[2]
    verdict += f"; {detail}" if detail and kind != "role" else ""
    entity = plainly(first.attached_to)
    place = first.place if first.place.startswith(entity) else f"{first.place} ({entity})"
    rights = rights_in(change) if kind == "policy" else ()
    return ReviewedDocument(
        first.path,
        place,
        state,
        change._replace(verdict=plainly(verdict)),
        "",
        first.line if after else 0,
        "attachment",
        (),
        rights,
    )


_VERBS: dict[AttachmentKind, tuple[str, str]] = {
    "policy": ("attaches", "detaches"), "boundary": ("is limited by", "is no longer limited by"),
    "access policy": ("attaches", "detaches"), "role": ("is given", "is no longer given"),
}  # fmt: skip


def _in_words(kind: AttachmentKind, old: _Policies, new: _Policies) -> str:
    parts: list[str] = []
    for verb, policies in zip(_VERBS[kind], (new - old, old - new), strict=True):
        if policies:
            parts.append(f"{verb} {listed([_short(*policy) for policy in sorted(policies)])}")
    return ", ".join(parts)


def _short(policy: str, scope: str) -> str:
    name = plainly(policy)
    name = name.rpartition("/")[2] if name.startswith("arn:") else name
    return f"{name} in {scope}" if scope else name


class _Documents:
    """The documents behind the names of policies, on one side of a change."""

    def __init__(self, policies: Iterable[WrittenPolicy], library: Library | None) -> None:
        self._own = {key: policy.document for policy in policies if policy.document for key in _keys(policy)}
        self._library = library

    def all(self, policies: _Policies) -> Document:
        """Return one document for several policies; those that are not known are holes."""
        return merged_document([self._one(policy) for policy, _ in sorted(policies)])

    def _one(self, policy: str) -> Document:
        document_of_account = self._own.get(_key(policy))
        if document_of_account is not None:
            return document_of_account
        document = self._default_document(policy)
        if document is not None:
            return document
        unknown = hole(f"what {_short(policy, '')} allows")
        return parse(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": unknown, "Resource": unknown}]}
        )

    def _default_document(self, policy: str) -> Document | None:
        """Return the document of a policy of AWS's, at its default version."""
        name = plainly(policy)
        name = re.sub(r"^arn:<[^>]*>:", "arn:aws:", name)
        if self._library is None or not (":aws:policy/" in name or re.fullmatch(r"[\w+=,.@-]+", name)):
            return None
        try:
            aws_policy = self._library.find(name.rpartition("/")[2]).policy
        except EkstuiError:
            return None
        if aws_policy.name.lower() != name.rpartition("/")[2].lower():
            return None
        return self._library.document(aws_policy, aws_policy.default_version)


def _keys(policy: WrittenPolicy) -> Iterator[str]:
    yield _key(policy.place)
    if policy.name and not policy.attached_to:
        yield _key(policy.name)


def _key(name: str) -> str:
    """Return a name of a policy in the form in which a place and a reference to it are alike."""
    name = plainly(name).strip("<>")
    name = re.sub(r"\.(?:arn|id|name|policy_arn|Arn)$", "", name)
    return re.sub(r'\["?([^"\]]*)"?\]', lambda match: "" if match[1].isdigit() else f".{match[1]}", name)


def _document_change(without: Document) -> Callable[[_Policies, _Policies, tuple[_Documents, ...]], Change]:
    """Return what compares the documents of the policies; `without` any, the entity has that one."""
    return lambda old, new, documents: changes_around(
        documents[0].all(old) if old else without, documents[1].all(new) if new else without
    )


def _access_change(old: _Policies, new: _Policies, _: tuple[_Documents, ...]) -> Change:
    """Return what other access policies mean, by the rules that AWS publishes."""
    before, after = _rules_by_namespace(old), _rules_by_namespace(new)
    if before is None or after is None:
        return _change_in_words(_reach_of_names(old, new), "the rules of one are not published")
    all_gained: set[Permission] = set()
    all_lost: set[Permission] = set()
    for namespace in {"", *before, *after}:
        gained_there, lost_there = difference(
            *((*side.get("", ()), *(side.get(namespace, ()) if namespace else ())) for side in (before, after))
        )
        all_gained |= gained_there
        all_lost |= lost_there
    reach = reach_of(all_gained, all_lost)
    counts = [
        f"{counted(len(part), 'Kubernetes permission')} {word}"
        for part, word in ((all_gained, "added"), (all_lost, "removed"))
        if part
    ]
    return _change_in_words(reach, ", ".join(counts))


def _role_change(old: _Policies, new: _Policies, _: tuple[_Documents, ...]) -> Change:
    return _change_in_words(_reach_of_names(old, new), "")


def _reach_of_names(old: _Policies, new: _Policies) -> Reach:
    """Return what other names mean, whatever is behind them."""
    return "widened" if new > old else "narrowed" if old > new else "unknown"


def _change_in_words(reach: Reach, reason: str) -> Change:
    words = {"unknown": "cannot tell whether wider", "same": "same access"}
    return plain_change(reach, f"{words.get(reach, reach)}: {reason}")


def _rules_by_namespace(policies: _Policies) -> dict[str, tuple[Rule, ...]] | None:
    """Return the rules by namespace, which is empty for all; None if those of one policy are not known."""
    rules: dict[str, tuple[Rule, ...]] = {}
    for policy, scope in policies:
        try:
            answer = find_access_policy(f"{PREFIX}{plainly(policy).rpartition('/')[2]}")
        except EkstuiError:
            return None
        if answer is None or answer.rules is None:
            return None
        for namespace in scope.split(","):
            rules[namespace] = (*rules.get(namespace, ()), *answer.rules)
    return rules


_CHANGES = {
    "policy": _document_change(NOTHING),
    "boundary": _document_change(_EVERYTHING),
    "access policy": _access_change,
    "role": _role_change,
}
