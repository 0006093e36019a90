"""The worst documents that IAM accepts, by shape: processor time and memory of each command, against a plain document.

`python -m tests.torture.worst_documents` prints the table; `--roles 2000` has an account of so many roles, `--only WORD` picks shapes.
IAM's limits, without white space: 6,144 characters for a managed policy, 10,240 for all inline policies of a role.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.support.filled import fill_cache
from tests.support.terminal import ROOT

MANAGED, INLINE = 6_144, 10_240
"""IAM's limits, in characters without white space."""

MAX_SECONDS = 3.0
MAX_MEGABYTES = 200

Statement = dict[str, Any]
Shape = Callable[[random.Random], Iterator[Statement]]

SERVICES = ("s3", "ec2", "iam", "eks", "sqs", "kms", "logs", "rds", "ecr", "sns")


def _name(rng: random.Random, length: int = 3) -> str:
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=length))


def _bucket(rng: random.Random) -> str:
    return f"arn:aws:s3:::{_name(rng)}*"


def _effect(rng: random.Random) -> str:
    return rng.choice(("Allow", "Allow", "Deny"))


def _pattern(rng: random.Random) -> str:
    return f"{rng.choice(SERVICES)}:*{_name(rng, 1)}*"


def _not_both(rng: random.Random) -> Iterator[Statement]:
    while True:
        yield {"Effect": "Allow", "NotAction": f"{rng.choice(SERVICES)}:{_name(rng)}", "NotResource": _bucket(rng)}


def _not_both_denied(rng: random.Random) -> Iterator[Statement]:
    yield {"Effect": "Allow", "Action": "*", "Resource": "*"}
    while True:
        effect = _effect(rng)
        yield {"Effect": effect, "NotAction": f"{rng.choice(SERVICES)}:*{_name(rng, 2)}*", "NotResource": _bucket(rng)}


def _not_actions(rng: random.Random) -> Iterator[Statement]:
    while True:
        yield {"Effect": "Allow", "NotAction": [_pattern(rng) for _ in range(4)], "Resource": "*"}


def _not_actions_on(rng: random.Random) -> Iterator[Statement]:
    while True:
        yield {"Effect": _effect(rng), "NotAction": _pattern(rng), "Resource": [_bucket(rng) for _ in range(3)]}


def _one_long_list(rng: random.Random) -> Iterator[Statement]:
    while True:
        yield {
            "Effect": "Allow",
            "NotAction": [_pattern(rng) for _ in range(150)],
            "NotResource": [_bucket(rng) for _ in range(80)],
        }


def _values(rng: random.Random) -> Iterator[Statement]:
    while True:
        tags = [_name(rng, 2) for _ in range(900)]
        yield {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*",
            "Condition": {"StringNotLike": {"aws:ResourceTag/a": tags}},
        }


def _values_everywhere(rng: random.Random) -> Iterator[Statement]:
    while True:
        tags = [_name(rng, 2) for _ in range(40)]
        condition = {rng.choice(("StringLike", "StringNotLike")): {"aws:PrincipalTag/a": tags}}
        yield {"Effect": _effect(rng), "NotAction": _pattern(rng), "NotResource": _bucket(rng), "Condition": condition}


def _resources(rng: random.Random) -> Iterator[Statement]:
    while True:
        yield {"Effect": "Allow", "Action": "*", "Resource": [_bucket(rng) for _ in range(250)]}


def _not_resources(rng: random.Random) -> Iterator[Statement]:
    while True:
        yield {"Effect": _effect(rng), "Action": "*", "NotResource": [_bucket(rng) for _ in range(6)]}


def _patterns(rng: random.Random) -> Iterator[Statement]:
    while True:
        yield {"Effect": _effect(rng), "Action": [_pattern(rng) for _ in range(40)], "Resource": ["*", _bucket(rng)]}


def _short_arns(rng: random.Random) -> Iterator[Statement]:
    while True:
        arns = [f"arn:*:{_name(rng, 1)}*:*{_name(rng, 1)}*:*" for _ in range(4)]
        yield {"Effect": _effect(rng), "NotAction": "a:b", rng.choice(("Resource", "NotResource")): arns}


def _variables(rng: random.Random) -> Iterator[Statement]:
    while True:
        arn = f"arn:aws:*:*:*:{_name(rng, 1)}/${{aws:PrincipalTag/{_name(rng, 1)}}}/*"
        condition = {"ArnNotLike": {"aws:PrincipalArn": f"arn:*:iam::*:*{_name(rng, 2)}*"}}
        yield {"Effect": _effect(rng), "NotAction": "a:b", "NotResource": arn, "Condition": condition}


def _conditions(rng: random.Random) -> Iterator[Statement]:
    while True:
        keys = {f"aws:ResourceTag/{_name(rng, 2)}": _name(rng, 1) for _ in range(8)}
        yield {"Effect": _effect(rng), "Action": "*", "Resource": "*", "Condition": {"StringLike": keys}}


def _networks(rng: random.Random) -> Iterator[Statement]:
    while True:
        networks = [f"10.{rng.randrange(256)}.0.0/{rng.randrange(9, 24)}" for _ in range(12)]
        yield {
            "Effect": _effect(rng),
            "NotAction": "a:b",
            "Resource": "*",
            "Condition": {"IpAddress": {"aws:SourceIp": networks}},
        }


def _plain(rng: random.Random) -> Iterator[Statement]:
    while True:
        service = rng.choice(("s3", "sqs"))
        yield {
            "Effect": "Allow",
            "Action": f"{service}:Get{_name(rng)}*",
            "Resource": f"arn:aws:{service}:::{_name(rng)}",
        }


SHAPES: dict[str, Shape] = {
    "plain": _plain,
    "NotAction with NotResource": _not_both,
    "the same, some denied": _not_both_denied,
    "many NotAction lists": _not_actions,
    "NotAction on buckets": _not_actions_on,
    "one long NotAction and NotResource": _one_long_list,
    "many values": _values,
    "values with NotAction and NotResource": _values_everywhere,
    "many resources": _resources,
    "NotResource lists": _not_resources,
    "many patterns": _patterns,
    "short ARNs": _short_arns,
    "variables": _variables,
    "many keys": _conditions,
    "networks": _networks,
}
"""By name, what yields statements until the document is full."""


def document(shape: str, size: int, seed: int = 1) -> dict[str, Any]:
    """Return a document of a shape with at most so many characters."""
    statements: list[Statement] = []
    left = size - len(_text({"Version": "2012-10-17", "Statement": []}))
    for statement in SHAPES[shape](random.Random(f"{shape} {seed}")):
        fitting_statement = _cut(statement, left)
        if fitting_statement is None:
            break
        statements.append(fitting_statement)
        left -= len(_text(fitting_statement)) + 1
    return {"Version": "2012-10-17", "Statement": statements}


def _cut(statement: Statement, room: int) -> Statement | None:
    """Return a statement with its lists cut so that it fits; None if it cannot."""
    while len(_text(statement)) > room:
        lists = [values for values in _lists(statement) if len(values) > 1]
        if not lists:
            return None
        longest = max(lists, key=len)
        del longest[-max(1, len(longest) // 20) :]
    return statement


def _lists(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _lists(member)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def account(shape: str, roles: int, *, seeds: int = 50) -> dict[str, Any]:
    """Return an account whose roles all have an inline policy of a shape, in the form of the AWS CLI."""
    documents = [document(shape, INLINE, seed) for seed in range(min(seeds, roles))]
    trust = {
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]
    }
    return {
        "RoleDetailList": [
            {
                "RoleName": f"role-{place}",
                "Arn": f"arn:aws:iam::123456789012:role/role-{place}",
                "Path": "/",
                "AssumeRolePolicyDocument": trust,
                "RolePolicyList": [{"PolicyName": "worst", "PolicyDocument": documents[place % len(documents)]}],
                "AttachedManagedPolicies": [],
            }
            for place in range(roles)
        ],
        "UserDetailList": [],
        "GroupDetailList": [],
        "Policies": [],
    }


Run = tuple[float, float, int, str]
"""Seconds of processor time, megabytes at most, exit code, and the end of standard error."""


def measure(*words: str, environment: dict[str, str], seconds: float = 120) -> Run:
    """Return what a command costs."""
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss, done.returncode, done.stderr[-200:].replace(chr(10), ' '), sep='\\t')"
    )
    command = (sys.executable, "-c", code, sys.executable, "-m", "ekstui", *words)
    limit = int(seconds)
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)),
    )  # fmt: skip
    used_seconds, kilobytes, code_, stderr = ran.stdout.rstrip("\n").split("\t", 3)
    return float(used_seconds), int(kilobytes) / (1024 if sys.platform == "linux" else 1024**2), int(code_), stderr


def commands(folder: Path, shape: str, roles: int, seeds: int) -> dict[str, tuple[str, ...]]:
    """Write the documents of a shape and return the commands to measure, by name."""
    first_file, second_file, account_file = folder / "one.json", folder / "other.json", folder / "account.json"
    slightly = folder / "slightly.json"
    slightly.write_text(_text(document(shape, INLINE - 200, 1)))
    first_file.write_text(_text(document(shape, INLINE, 1)))
    second_file.write_text(_text(document(shape, INLINE, 2)))
    commands_by_name = {
        "show": ("show", str(first_file)),
        "show --json": ("show", str(first_file), "--json"),
        "diff slightly": ("diff", str(first_file), str(slightly), "--json"),
        "diff two": ("diff", str(first_file), str(second_file), "--json"),
        "diff admin": ("diff", str(first_file), "AdministratorAccess", "--json"),
        "explain": (
            "explain",
            "--policy",
            str(first_file),
            "--action",
            "s3:GetObject",
            "--resource",
            "arn:aws:s3:::b/x",
            "--json",
        ),
    }
    if roles:
        account_file.write_text(_text(account(shape, roles, seeds=seeds)))
        options = ("--account-file", str(account_file))
        commands_by_name["who-can"] = ("who-can", "s3:GetObject", "--json", *options)
        commands_by_name["role"] = ("role", "role-1", "--json", *options)
    return commands_by_name


def main() -> int:
    """Measure every shape and print the table; the exit code is 1 if one is above the goal."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.worst_documents", description=__doc__)
    parser.add_argument("--only", metavar="WORD", default="", help="shapes whose name has this word")
    parser.add_argument("--command", metavar="WORD", default="", help="commands whose name has this word")
    parser.add_argument("--roles", type=int, default=2_000, help="the roles of the account; 0 leaves it out")
    parser.add_argument("--distinct", type=int, default=50, metavar="N", help="how many of the roles' documents differ")
    options = parser.parse_args()
    limit_count = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "HOME": name, "EKSTUI_CACHE": str(folder / "cache"), "XDG_CONFIG_HOME": name}
        environment.pop("AWS_PROFILE", None)
        fill_cache(folder / "cache")
        for shape in SHAPES:
            if shape != "plain" and options.only not in shape:
                continue
            for command, words in commands(folder, shape, options.roles, options.distinct).items():
                if options.command not in command:
                    continue
                used_seconds, megabytes, code, stderr = measure(*words, environment=environment)
                is_above = used_seconds > MAX_SECONDS or megabytes > MAX_MEGABYTES or code not in (0, 1)
                limit_count += is_above
                print(
                    f"{'ABOVE' if is_above else '':<6}{shape:<40}{command:<14}{used_seconds:7.1f} s{megabytes:7.0f} MB  {code} {stderr if is_above else ''}",
                    flush=True,
                )
    print(f"{limit_count} above {MAX_SECONDS:.0f} s or {MAX_MEGABYTES} MB")
    return 1 if limit_count else 0


if __name__ == "__main__":
    sys.exit(main())
