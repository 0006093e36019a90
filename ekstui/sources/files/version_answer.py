"""One answer of `aws iam get-policy-version`, wherever it is kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from ekstui.core.document import load_json, parse
from ekstui.core.history import PolicyHistory
from ekstui.core.policy import Policy, VersionInfo, parse_time, parse_version
from ekstui.errors import InputError
from ekstui.sources.policy_file import text_of, unwrapped


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    """A version as IAM told it."""

    number: int
    default: bool
    created: datetime | None
    text: bytes
    """The document's JSON."""


def read_version_answer(text: bytes) -> VersionAnswer | None:
    """Return the version in a text, None for JSON that is another answer; InputError for what cannot be read."""
    value = load_json(text)
    version = cast("dict[str, object]", value).get("PolicyVersion") if isinstance(value, dict) else None
    if not isinstance(version, dict) or "Document" not in version:
        return None
    fields = cast("dict[str, object]", version)
    number = parse_version(str(fields.get("VersionId", "")))
    if number is None:
        raise InputError(f"{fields.get('VersionId')!r} is no version.")
    try:
        created = parse_time(str(fields["CreateDate"])) if fields.get("CreateDate") else None
    except ValueError:
        raise InputError(f"{fields['CreateDate']!r} is no time.") from None
    document = unwrapped(fields["Document"])
    parse(document)
    return VersionAnswer(number, fields.get("IsDefaultVersion") is True, created, text_of(document))


def history_of(policy: Policy, answers: Iterable[VersionAnswer]) -> PolicyHistory:
    """Return a known policy's history by what its answers say; the newest answer that says default names it."""
    by_number: Mapping[int, VersionAnswer] = {answer.number: answer for answer in answers}
    numbers = sorted(by_number)
    defaults = [number for number in numbers if by_number[number].default]
    return PolicyHistory(
        replace(
            policy,
            default_version=defaults[-1] if defaults else policy.default_version,
            versions=tuple(VersionInfo(number, by_number[number].created) for number in numbers),
        ),
        {number: by_number[number].text for number in numbers},
    )
