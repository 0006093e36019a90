"""Hostile text in every place that ekstui reads, through every command: nothing of it may come out as a command.

`python -m tests.torture.hostile` prints how many strings were tried in how many places, and what came out raw (0).
"""

import contextlib
import io
import json
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from unittest import mock

from ekstui.cli.main import main as ekstui
from tests.rig.isolation import isolated
from tests.support.filled import copy_of_cache, fill_cache
from tests.torture import is_broken

RAW = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""What no output may hold: every control character but the newline, and what turns or hides text."""

STRINGS: dict[str, str] = {
    "window title": "\x1b]2;OWNED\x1b\\",
    "window title, ended by a bell": "\x1b]0;OWNED\x07",
    "clipboard": "\x1b]52;c;T1dORUQ=\x1b\\",
    "hyperlink": "\x1b]8;;http://owned.invalid\x1b\\x\x1b]8;;\x1b\\",
    "colour and clearing": "\x1b[31m\x1b[2J\x1b[H",
    "question to the terminal": "\x1b[6n\x1b[c\x1b[?1049l",
    "reset": "\x1bc",
    "device control": "\x1bP+q544e\x1b\\",
    "C1": "\x9b31m\x9d2;OWNED\x9c\x90\x85",
    "C0": "\x00\x01\x07\x08\x0b\x0c\x0e\x0f\x1a\x7f",
    "carriage return": "harmless\rOWNED",
    "lines": "one\ntwo\r\nekstui: OWNED",
    "tabs": "a\tb\t\tc",
    "bidirectional": "\u202eDENWO\u202c \u2066x\u2069 \u061c\u200f",
    "zero width": "AmazonEKS\u200bClusterPolicy\u2060\ufeff\u00ad\u3164\u034f",
    "line separators": "one\u2028two\u2029three\x85four",
    "tag characters": "x\U000e0041\U000e007f",
    "lone surrogate": "\ud800x\udfff",
    "combining": "Z" + "\u0301\u0327" * 40,
    "closing markup": "[/oops]",
    "markup": "[bold red]x[/] [red]y",
    "link in markup": "[@click=app.quit]quit[/] [link=http://owned.invalid]x[/link]",
    "markup, escaped": "\\[red] [[red]] [/]",
    "Markdown": "](http://owned.invalid) `x` <script>alert(1)</script> | a | b |",
    "very long": "OWNED" * 2_000,
    "format": "%s %(x)s {0} {x} ${HOME} $(id) `id`",
}


def _fits(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


STRINGS["all at once"] = "".join(
    text for text in STRINGS.values() if len(text) < 1_000 and "\n" not in text and _fits(text)
)


@dataclass(slots=True)
class Tried:
    """What was tried and what came of it."""

    strings: int = 0
    places: int = 0
    outputs: int = 0
    raw: int = 0
    """Characters that should not have come out."""
    tracebacks: int = 0
    notes: list[str] = field(default_factory=list)

    def look(self, place: str, text: str) -> None:
        """Count one output."""
        self.outputs += 1
        raw = Counter(RAW.findall(text))
        self.raw += sum(raw.values())
        self.tracebacks += is_broken(text)
        if raw:
            self.notes.append(f"{place}: {dict(raw)!r}")
        if is_broken(text):
            self.notes.append(f"{place}: {text[-300:]!r}")

    def line(self) -> str:
        """Return the figures in one line."""
        return (
            f"{self.strings} strings in {self.places} places, {self.outputs} outputs: "
            f"{self.raw} raw characters, {self.tracebacks} tracebacks"
        )


def account(text: str) -> dict[str, Any]:
    """An account in the form of the AWS CLI, with a text wherever there is one."""
    arn = "arn:aws:iam::123456789012"
    document = {
        "Version": "2012-10-17",
        "Id": text,
        "Statement": [
            {
                "Sid": text,
                "Effect": "Allow",
                "Action": ["s3:Get*", f"s3:{text}", text],
                "Resource": ["*", text, f"arn:aws:s3:::{text}"],
                "Condition": {
                    "StringEquals": {text: [text], "aws:RequestTag/x": text},
                    text: {"aws:PrincipalArn": text},
                },
            },
            {"Effect": "Deny", "NotAction": text, "NotResource": text},
        ],
    }
    trust = {
        "Statement": [
            {"Sid": text, "Effect": "Allow", "Principal": {"Service": ["eks.amazonaws.com", text], "AWS": text, text: text},
             "Action": "sts:AssumeRole", "Condition": {"StringLike": {text: text}}},
            {"Effect": "Allow", "Principal": {"Federated": f"{arn}:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A{text}"},
             "Action": "sts:AssumeRoleWithWebIdentity",
             "Condition": {"StringEquals": {f"oidc.eks.eu-west-1.amazonaws.com/id/A{text}:sub": f"system:serviceaccount:{text}:{text}"}}},
        ]
    }  # fmt: skip
    policies = [
        {"PolicyName": "AmazonEKSClusterPolicy", "PolicyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"},
        {"PolicyName": text, "PolicyArn": f"{arn}:policy/{text}"},
    ]
    role = {
        "Path": f"/{text}/",
        "RoleName": f"role{text}",
        "RoleId": text,
        "Arn": f"{arn}:role/role{text}",
        "CreateDate": "2024-02-29T10:00:00+00:00",
        "AssumeRolePolicyDocument": trust,
        "InstanceProfileList": [{"InstanceProfileName": text, "Arn": f"{arn}:instance-profile/{text}"}],
        "RolePolicyList": [{"PolicyName": text, "PolicyDocument": document}],
        "AttachedManagedPolicies": policies,
        "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": f"{arn}:policy/{text}"},
        "Tags": [{"Key": text, "Value": text}],
        "RoleLastUsed": {"LastUsedDate": "2026-11-01T00:00:00Z", "Region": text},
    }
    person = {"Path": "/", "CreateDate": "2024-02-29T10:00:00+00:00", "AttachedManagedPolicies": policies}
    return {
        "RoleDetailList": [role, role | {"RoleName": "plain", "Arn": f"{arn}:role/plain"}],
        "UserDetailList": [person | {"UserName": text, "Arn": f"{arn}:user/{text}", "GroupList": [text]}],
        "GroupDetailList": [person | {"GroupName": text, "Arn": f"{arn}:group/{text}"}],
        "Policies": [
            {
                "PolicyName": text,
                "Arn": f"{arn}:policy/{text}",
                "Path": f"/{text}/",
                "DefaultVersionId": "v1",
                "PolicyVersionList": [{"Document": document, "VersionId": "v1", "IsDefaultVersion": True}],
            }
        ],
    }


def toml(text: str) -> str:
    """Return a text as TOML spells it, without what TOML cannot spell."""
    return '"' + "".join(f"\\U{ord(character):08X}" for character in text if _fits(character)) + '"'


def policy(text: str) -> dict[str, Any]:
    """A policy document with a text wherever there is one."""
    document: dict[str, Any] = account(text)["Policies"][0]["PolicyVersionList"][0]["Document"]
    return document


Invocation = tuple[str, list[str], str]
"""The place of a hostile text, the command, and what it is piped."""


def invocations(folder: Path, text: str) -> Iterator[Invocation]:
    """Write the files of one hostile text; yield the place of the text, the command, and what it is piped."""
    folder.mkdir()
    accounts, document, broken_file, settings = (folder / name for name in ("a.json", "p.json", "b.json", "c.toml"))
    accounts.write_text(json.dumps(account(text)))
    document.write_text(json.dumps(policy(text)))
    broken_file.write_text(json.dumps({"Statement": [{"Effect": text, text: text}]}))
    settings.write_text(f"theme = {toml(text)}\n{toml('k' + text)} = 1\n")
    message = (
        f"An error occurred (AccessDenied) when calling the {text} operation: User: arn:aws:iam::123456789012:user/{text} is "
        f"not authorized to perform: s3:GetObject on resource: arn:aws:s3:::{text} because no identity-based policy allows "
        f"the s3:GetObject action {text}"
    )
    event = {"eventSource": "s3.amazonaws.com", "eventName": text, "errorCode": "AccessDenied", "errorMessage": text,
             "userIdentity": {"arn": text, "type": text}, "requestParameters": {text: text}}  # fmt: skip
    of_file = ["--account-file", str(accounts)]
    shapes: list[tuple[str, list[str], str]] = [
        ("account file: attached", ["attached", "AmazonEKSClusterPolicy", *of_file], ""),
        ("account file: role in a diff", ["diff", "role:plain", "AmazonEKSClusterPolicy", *of_file], ""),
        ("account file: explain", ["explain", "--action", "s3:GetObject", "--role", "plain", *of_file], ""),
        ("account file: changes", ["changes", "--attached", "--since", "2026-01-01", *of_file], ""),
        ("role's name", ["diff", f"role:{text}", "AmazonEKSClusterPolicy", *of_file], ""),
        ("policy file: diff", ["diff", str(document), "AmazonEKSClusterPolicy"], ""),
        ("policy file: explain", ["explain", "--action", "s3:GetObject", "--policy", str(document)], ""),
        ("policy on stdin", ["diff", "-", "AmazonEKSClusterPolicy"], json.dumps(policy(text))),
        ("broken policy file", ["diff", str(broken_file), "AmazonEKSClusterPolicy"], ""),
        ("text on stdin as a policy", ["diff", "-", "AmazonEKSClusterPolicy"], text),
        ("denial on stdin", ["explain", "-"], message),
        ("event on stdin", ["explain", "-"], json.dumps(event)),
        ("text as a denial", ["explain", "-"], text),
        ("action", ["explain", "--action", text, "--policy", "AmazonEKSClusterPolicy"], ""),
        ("resource, key, value, principal", ["explain", "--action", "s3:GetObject", "--resource", text, "--context",
            f"aws:RequestTag/{text}={text}", "--absent", text, "--principal", text, "--policy", str(document)], ""),
        ("policy's name", ["show", text], ""),
        ("version", ["versions", f"AmazonEKS_CNI_Policy@{text}"], ""),
        ("who-can", ["who-can", text, "--resource", text], ""),
        ("since", ["changes", "--since", text], ""),
        ("cluster's name", ["cluster", text, *of_file], ""),
        ("path", ["sync", "--from", f"./{text}"], ""),
        ("account to forget", ["cache", "clear", "--account", text], ""),
        ("profile, region", ["attached", "AmazonEKSClusterPolicy", "--profile", text, "--region", text], ""),
    ]  # fmt: skip
    for place, words, stdin in shapes:
        yield place, words, stdin
        yield f"{place}, JSON", [*words, "--json"], stdin
    yield "cluster's name, Markdown", ["cluster", text, "--markdown", *of_file], ""
    yield "choice", ["list", "--scope", text], ""
    yield "option", ["list", f"--{text}"], ""
    yield "surplus", ["list", text], ""
    yield "shell", ["completion", text], ""
    yield "where", ["open", text], ""
    yield "settings file", ["config", f"EKSTUI_CONFIG={settings}"], ""
    yield "settings file, JSON", ["config", "--json", f"EKSTUI_CONFIG={settings}"], ""
    yield "variable", ["config", f"EKSTUI_SCOPE={text}"], ""
    yield "endpoint", ["attached", "AmazonEKSClusterPolicy", f"AWS_ENDPOINT_URL={text}"], ""


def sync_invocations(folder: Path, texts: list[str]) -> Iterator[Invocation]:
    """Write files that a sync reads, with all the texts in them; yield the commands that read and show them.

    All texts at once, since the index is made anew after each sync.
    """
    odd = folder / "sync"
    odd.mkdir(parents=True)
    # A lone surrogate or too long a text costs its whole document; theirs are among the strange ones.
    fitting_texts = [text for text in texts if _fits(text) and len(text) < 1_000]
    statements = [statement for text in fitting_texts for statement in policy(text)["Statement"]]
    document = {"Version": "2012-10-17", "Id": texts[0], "Statement": statements}
    version = {"PolicyVersion": {"Document": document, "VersionId": "v99", "IsDefaultVersion": True}}
    (odd / "AmazonEKS_CNI_Policy@v99.json").write_text(json.dumps(version))
    for number, text in enumerate(texts):
        strange = {"PolicyVersion": {"Document": policy(text), "VersionId": text}}
        (odd / f"strange{number}.json").write_text(json.dumps(strange))
        name = f"{text[:100]}.json".replace("/", "_").replace("\0", "_")
        with contextlib.suppress(OSError, ValueError):
            (odd / name).write_text("{}")
    for words in (
        ["sync", "--from", str(odd)],
        ["versions", "AmazonEKS_CNI_Policy"],
        ["show", "AmazonEKS_CNI_Policy@v99"],
        ["diff", "AmazonEKS_CNI_Policy@v6..v99"],
        ["who-can", "s3:GetObject"],
        ["changes", "--since", "2026-01-01"],
    ):
        yield f"synced document: {words[0]}", words, ""
        yield f"synced document: {words[0]}, JSON", [*words, "--json"], ""
    yield "synced document: document", ["show", "AmazonEKS_CNI_Policy@v99", "--document"], ""


def run(words: list[str], stdin: str) -> tuple[str, str, int]:
    """Run a command here, with the variables among its words set; return stdout, stderr and the exit code."""
    variables = dict(word.split("=", 1) for word in words if word.startswith(("EKSTUI_", "AWS_")))
    variables = {name: value for name, value in variables.items() if "\0" not in value}
    variables = {name: value.encode("utf-8", "surrogateescape" if _fits(value) else "replace").decode("utf-8", "replace")
                 for name, value in variables.items()}  # fmt: skip
    arguments = [word for word in words if not word.startswith(("EKSTUI_", "AWS_"))]
    out, err = io.StringIO(newline=""), io.StringIO(newline="")
    with (
        mock.patch.dict(os.environ, variables),
        mock.patch.object(sys, "stdin", io.StringIO(stdin)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = ekstui(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    return out.getvalue(), err.getvalue(), code


def commands(folder: Path, cache: Path, names: list[str], *, each_form: bool = True) -> Tried:
    """Try strings in every place, through every command, over copies of a filled cache.

    Without `each_form` the places are answered in words and as JSON in turn.
    """
    tried = Tried(strings=len(names))
    places: set[str] = set()
    for number, name in enumerate(names):
        home = folder / str(number)
        copy_of_cache(cache, home / "cache")
        with mock.patch.dict(os.environ, isolated(home)):
            for place, words, stdin in _in_turn(invocations(home / "files", STRINGS[name]), each_form):
                places.add(place)
                out, err, _ = run(words, stdin)
                tried.look(f"{name} in {place}, stdout", out)
                tried.look(f"{name} in {place}, stderr", err)
                if "--json" in words and out:
                    assert out.isascii()
                    json.loads(out)
    home = folder / "synced"
    copy_of_cache(cache, home / "cache")
    with mock.patch.dict(os.environ, isolated(home)):
        for place, words, stdin in _in_turn(
            sync_invocations(home / "files", [STRINGS[name] for name in names]), each_form
        ):
            places.add(place)
            out, err, code = run(words, stdin)
            assert code == 0, (place, err[:300])
            tried.look(f"{place}, stdout", out)
            tried.look(f"{place}, stderr", err)
            if "--json" in words or "--document" in words:
                assert out.isascii()
                json.loads(out)
    tried.places = len(places)
    return tried


def _in_turn(tried: Iterable[Invocation], each_form: bool) -> Iterator[Invocation]:
    """Leave out every second form of a place, in turn the one in words and the one as JSON."""
    as_json = False
    for _, following in groupby(tried, lambda invocation: invocation[0].removesuffix(", JSON")):
        forms = list(following)
        as_json = not as_json
        yield from forms if each_form else [forms[-1 if as_json else 0]]


def main() -> int:
    """Try everything and print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        result = commands(Path(folder), fill_cache(Path(folder) / "filled"), list(STRINGS))
    print(result.line())
    for note in result.notes[:40]:
        print(f"  {note}")
    return 1 if result.notes else 0


if __name__ == "__main__":
    sys.exit(main())
