"""Make assets/demo.json.xz: the made-up account of `ekstui --demo`, as ekstui reads it from the tests' AWS.

    python assets/build_demo.py

All of it is made up: names, clusters and findings come from tests/rig, which serves them over HTTP.
"""

import json
import lzma
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.files import to_record
from ekstui.library.cluster_answers import with_cluster
from ekstui.sources.aws.cluster_details import read_entries
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.iam import sweep_account
from tests.rig.rig import Rig

ASSETS = Path(__file__).resolve().parent
ACCOUNT = "111122223333"
"""An account number that AWS's documentation uses in examples."""

ODD = ("--help", "x", "we+ird=,.@-_name", "prod")
"""Roles with names that only make sense in tests, and are left out."""


def main() -> int:
    """Read the tests' account and write it."""
    with tempfile.TemporaryDirectory() as home, Rig(0) as rig:
        os.environ.update(rig.environment(Path(home)))
        connection = Connection()
        snapshot = sweep_account(connection)
        # Their access policies are read only when a cluster is shown, which asks nothing in the demo.
        for cluster in snapshot.eks.clusters if snapshot.eks else ():
            snapshot = with_cluster(snapshot, read_entries(connection, cluster)[0])
    snapshot = _without(snapshot, ODD)
    identity = replace(snapshot.identity, method="demo", profile="DEMO", endpoint=None)
    text = json.dumps(to_record(replace(snapshot, identity=identity)), separators=(",", ":"), sort_keys=True)
    text = text.replace(rig.account.builder.account_id, ACCOUNT)
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    (ASSETS / "demo.json.xz").write_bytes(packed)
    print(f"{len(snapshot.roles)} roles, {len(packed):,} bytes packed", file=sys.stderr)
    return 0


def _without(snapshot: AccountSnapshot, names: tuple[str, ...]) -> AccountSnapshot:
    """Return the account without some roles, also in its counts."""
    gone = [role for role in snapshot.roles if role.name in names]
    counts = dict(snapshot.counts or {})
    for role in gone:
        for policy in role.attached:
            if policy.arn in counts:
                counts[policy.arn] = replace(counts[policy.arn], attachments=counts[policy.arn].attachments - 1)
    return replace(snapshot, counts=counts, roles=tuple(role for role in snapshot.roles if role not in gone))


if __name__ == "__main__":
    sys.exit(main())
