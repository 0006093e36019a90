"""The made-up account of the demo, from the data that ships with ekstui."""

import json
import lzma
import re
from datetime import datetime, timedelta

from ekstui import paths
from ekstui.core.account import AccountSnapshot
from ekstui.core.record import from_record
from ekstui.errors import DataError


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
"""What is this old when the demo is made is told by how long it is ago, such as a role's last use."""


def _moved(text: str, made: datetime, now: datetime) -> str:
    """Return the text with the times of late as long before `now` as they were before it was made."""

    def moved(found: re.Match[str]) -> str:
        moment = datetime.fromisoformat(found[1])
        return f'"{(moment + (now - made) if made - moment < _LATELY else moment).isoformat()}"'

    return _TIME.sub(moved, text)
