"""An account from a file: the output of `aws iam get-account-authorization-details`, or the demo that ships."""

import json
import lzma
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from ekstui import paths
from ekstui.core.account_snapshot import AccountSnapshot, CallerIdentity, Group, LocalPolicy, Role, SourceError, User
from ekstui.core.authorization_details import parse_group, parse_local_policy, parse_role, parse_user
from ekstui.core.document import object_of
from ekstui.core.record import from_record
from ekstui.errors import DataError, InputError

MAX_BYTES = 512_000_000
"""The largest file read. A thousand roles take about 3 MB."""

_COMMAND = "Write it with `aws iam get-account-authorization-details > FILE`."
_NOT_LOOKED_AT = ("EKS: the file has IAM only, so every use is inferred from trust policies.",)
_LISTS = ("RoleDetailList", "UserDetailList", "GroupDetailList", "Policies")


def read_account_file(path: Path) -> AccountSnapshot:
    """Return the account in a file, or in the files of a folder in order of name, with one or more pages each.

    Its time is that of the newest file. InputError says why it cannot be read.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path} has no JSON file in it.", _COMMAND)
    pages = [page for file in files for page in _pages(file)]
    roles = _parsed(pages, "RoleDetailList", parse_role)
    users = _parsed(pages, "UserDetailList", parse_user)
    groups = _parsed(pages, "GroupDetailList", parse_group)
    policies = [each for each in _parsed(pages, "Policies", parse_local_policy) if ":aws:policy/" not in each.arn]
    entities: list[Role | User | Group | LocalPolicy] = [*roles, *users, *groups, *policies]
    partition, account = _owner([each.arn or "" for each in entities], path)
    # The CLI writes NextToken where it was told to stop early, IAM itself IsTruncated and Marker.
    complete = not (pages[-1].get("IsTruncated") or pages[-1].get("NextToken") or pages[-1].get("Marker"))
    missing = () if complete else (_incomplete(path),)
    return AccountSnapshot(
        identity=CallerIdentity(account, partition, f"arn:{partition}:iam::{account}:root", "", method="file"),
        fetched_at=datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC),
        complete=complete,
        roles=tuple(roles),
        users=tuple(users),
        groups=tuple(groups),
        local_policies=tuple(policies),
        not_looked_at=_NOT_LOOKED_AT,
        errors=missing,
    )


def _pages(path: Path) -> Iterator[Mapping[str, object]]:
    """Yield the pages of a file: one object, a list of them, or several after one another."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.")
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", _COMMAND) from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8.", _COMMAND) from None
    decoder, position = json.JSONDecoder(object_pairs_hook=object_of), 0
    while position < len(text):
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is not JSON: {error}.", _COMMAND) from None
        for page in value if isinstance(value, list) else [value]:
            if not isinstance(page, dict) or not any(key in page for key in _LISTS):
                raise InputError(f"{path} contains something other than IAM's authorization details.", _COMMAND)
            yield page
        position = len(text) - len(text[end:].lstrip())


Entity = TypeVar("Entity", Role, User, Group, LocalPolicy)


def _parsed(pages: list[Mapping[str, object]], key: str, parse: Callable[[object], Entity]) -> list[Entity]:
    """Return what the pages list under a key, each ARN once: the last page that has it wins."""
    found: dict[str, Entity] = {}
    for page in pages:
        listed = page.get(key) or []
        if not isinstance(listed, list):
            raise InputError(f"Not IAM's authorization details: {key} is not a list.", _COMMAND)
        found |= {each.arn or each.name: each for each in map(parse, listed)}
    return list(found.values())


def _owner(arns: list[str], path: Path) -> tuple[str, str]:
    """Return partition and account of the ARNs, which must be one account's."""
    owners = Counter((parts[1], parts[4]) for arn in arns if len(parts := arn.split(":", 5)) == 6)
    if not owners:
        raise InputError(f"{path} has no role, user, group or policy in it.", _COMMAND)
    if len(owners) > 1:
        names = ", ".join(sorted(account for _, account in owners))
        raise InputError(f"{path} mixes accounts ({names}).", "Give one account's pages at a time.")
    return next(iter(owners))


def _incomplete(path: Path) -> SourceError:
    return SourceError(
        "file", None, "incomplete", f"{path} is incomplete: IAM had more pages.", "Write all pages, then try again."
    )


def demo_account(now: datetime) -> AccountSnapshot:
    """Return the account of the demo as if it had just been read; DataError if its file is damaged."""
    try:
        text = lzma.decompress((paths.assets() / "demo.json.xz").read_bytes()).decode()
        made = datetime.fromisoformat(json.loads(text)["fetched_at"])
        return from_record(AccountSnapshot, json.loads(_moved(text, made, now)))
    except (OSError, ValueError, lzma.LZMAError):
        raise DataError("The demo's account cannot be read.", "Install ekstui again.") from None


_TIME = re.compile(r'"(\d{4}-\d{2}-\d{2}T[\d:.]+\+00:00)"')

_LATELY = timedelta(days=500)
"""Times younger than this when the demo was made keep their age, such as a role's last use."""


def _moved(text: str, made: datetime, now: datetime) -> str:
    """Return the text with recent times moved, so that they are as long ago now as when the demo was made."""

    def moved(found: re.Match[str]) -> str:
        moment = datetime.fromisoformat(found[1])
        return f'"{(moment + (now - made) if made - moment < _LATELY else moment).isoformat()}"'

    return _TIME.sub(moved, text)
