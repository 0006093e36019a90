"""All about the account as rows: whose it is, what else could be asked, what failed, and its copies of AWS's policies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ekstui.core.regions import regions_of_interest
from ekstui.core.text import clean_line
from ekstui.core.words import age_in_words
from ekstui.library import AccountChoice
from ekstui.library.copies import CopyAnswer
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, styled
from ekstui.present.wrapping import wrap
from ekstui.tui.account import AccountView
from ekstui.tui.present.account import error_rows
from ekstui.tui.present.failure import failure
from ekstui.tui.present.versions import REACH_TONES


@dataclass(frozen=True, slots=True)
class UseProfile:
    """The user may switch to a profile; None: what the environment says."""

    profile: str | None


@dataclass(frozen=True, slots=True)
class UseRegions:
    """The user may have clusters looked for in these regions; none: those that the account points to."""

    regions: tuple[str, ...]


def about_account_rows(
    view: AccountView,
    choice: AccountChoice,
    profiles: Sequence[str],
    copies: Sequence[CopyAnswer],
    now: datetime,
    width: int,
) -> list[Row]:
    """Return all about the account as rows."""
    rows = _section("Account")
    if view.snapshot is None:
        rows += _texts("none", styled("nothing is known of it yet; r asks AWS", "muted"), width)
    else:
        rows += _identity(view, now, width)
    if view.asking:
        rows += _texts("asking", styled(f"… {clean_line(view.asking)}", "accent"), width)
    if view.error is not None:
        for index, line in enumerate(failure(view.error)):
            rows += _texts(("failed", index), line, width)
    rows += _section("Profiles (enter switches)")
    rows += [_choice(profile or "what the environment says", UseProfile(profile), on=profile == choice.profile)
             for profile in (None, *profiles)]  # fmt: skip
    rows += _section("Regions for clusters (enter switches)")
    rows += [
        _choice(name, UseRegions(regions), on=regions == choice.regions) for name, regions in _regions(view, choice)
    ]
    snapshot = view.snapshot
    if snapshot and snapshot.errors:
        rows += _section("Could not be read")
        for index, error in enumerate(snapshot.errors):
            rows += error_rows(("error", index), error, width)
    if snapshot and snapshot.not_looked_at:
        rows += _section("Not looked at")
        rows += _texts("unseen", styled(clean_line(", ".join(snapshot.not_looked_at)), "muted"), width)
    if copies:
        rows += _section("Own policies that began as a copy of one of AWS's (enter compares)")
        for answer in copies:
            rows += _copy(answer, width)
    return rows


def _identity(view: AccountView, now: datetime, width: int) -> list[Row]:
    snapshot = view.snapshot
    if snapshot is None:
        return []
    identity = snapshot.identity
    read = snapshot.roles or snapshot.users or snapshot.groups or snapshot.local_policies
    holds = (
        "not known, since it could not be read"
        if not (snapshot.complete or read)
        else (
            ("" if snapshot.complete else "at least ")
            + f"{len(snapshot.roles)} roles, {len(snapshot.users)} users, {len(snapshot.groups)} groups, "
            f"{len(snapshot.local_policies)} policies of its own"
        )
    )
    about = [
        ("account", identity.account),
        ("partition", identity.partition),
        ("asked as", identity.arn),
        ("credentials", identity.method or "not known"),
        ("profile", identity.profile or "none"),
        ("region", identity.region or "none"),
        ("endpoint", identity.endpoint or "AWS's own"),
        ("read", f"{age_in_words(snapshot.fetched_at, now)}, {'complete' if snapshot.complete else 'incomplete'}"),
        ("holds", holds),
    ]  # fmt: skip
    return [
        row
        for word, text in about
        for row in _texts(("about", word), ((f"{word}: ", "muted"), (clean_line(text), "")), width, text)
    ]


def _regions(view: AccountView, choice: AccountChoice) -> list[tuple[str, tuple[str, ...]]]:
    known = regions_of_interest(view.snapshot) if view.snapshot else ()
    found: list[tuple[str, tuple[str, ...]]] = [("those that the account points to", ()), ("all", ("all",))]
    found += [(region, (region,)) for region in known]
    if choice.regions and choice.regions not in [regions for _, regions in found]:
        found.append((", ".join(choice.regions), choice.regions))
    return found


def _copy(answer: CopyAnswer, width: int) -> list[Row]:
    copy = answer.copy
    line: Styled = (
        (clean_line(copy.local.name), "strong"),
        (
            f" is {copy.overlap:.0%} {copy.original.name} v{copy.version}; to today's v{copy.original.default_version}: ",
            "",
        ),
        (clean_line(answer.change.verdict), REACH_TONES[answer.change.reach]),
    )
    return _texts(("copy", copy.local.arn), line, width, answer)


def _choice(label: str, value: UseProfile | UseRegions, *, on: bool) -> Row:
    mark: Styled = (("  ● ", "accent"),) if on else (("  ○ ", "muted"),)
    return Row(value, ((*mark, (clean_line(label), "strong" if on else "")),), value)


def _section(title: str) -> list[Row]:
    return [
        Row(("space", title), (styled(""),), selectable=False),
        Row(("section", title), (styled(title, "strong"),), selectable=False),
    ]


def _texts(key: object, line: Styled, width: int, value: object = None) -> list[Row]:
    return [
        Row((repr(key), part), (((("  " if not part else "    "), ""), *piece),), None if part else value,
            selectable=value is not None and not part)
        for part, piece in enumerate(wrap(line, max(width - 4, 20)))
    ]  # fmt: skip
