"""No secret is shown: canaries in every file, variable and URL that credentials come from, each of them broken."""

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ekstui import logbook
from ekstui.errors import EkstuiError
from ekstui.sources.aws import connection
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.iam import sweep_account
from tests.sources.aws.configured import Configured

ROOT = Path(__file__).parents[3]

CANARIES = ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYCANARYKEY0", "canary-hunter2", "CanaryToken0123456789CanaryToken0123456789=")

Break = Callable[[str], bytes]
BREAKS: dict[str, Break] = {
    "whole": lambda text: text.encode(),
    "no header": lambda text: text.partition("\n")[2].encode(),
    "an open header": lambda text: text.replace("]", "", 1).encode(),
    "no equals sign": lambda text: text.replace(" = ", " ").encode(),
    "a line alone": lambda text: f"{text}\n{CANARIES[0]}\n".encode(),
    "twice": lambda text: (text + text).encode(),
    "no text": lambda text: text.encode() + b"\xff\xfe\x00",
    "a mark in front": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "all in one line": lambda text: text.replace("\n", " ").encode(),
    "indented": lambda text: "\n".join(f"   {line}" for line in text.splitlines()).encode(),
    "braces": lambda text: f"{{{text}".encode(),
    "cut": lambda text: text[: text.index(CANARIES[0][:20]) + 20].encode(),
}

KEYS = (
    "[p]\naws_access_key_id = AKIACANARY7EXAMPLE12\n"
    f"aws_secret_access_key = {CANARIES[0]}\naws_session_token = {CANARIES[2]}\n"
)
PROCESS = f"[profile p]\ncredential_process = /bin/sh -c 'echo {CANARIES[0]} {CANARIES[1]} >&2; exit 3'\n"
ROLE = (
    f"[profile p]\nrole_arn = {CANARIES[0]}\nsource_profile = q\nexternal_id = {CANARIES[1]}\n"
    f"[profile q]\naws_access_key_id = x\naws_secret_access_key = {CANARIES[0]}\n"
)
SSO = (
    f"[profile p]\nsso_session = s\nsso_account_id = 1\nsso_role_name = x\n"
    f"[sso-session s]\nsso_start_url = https://{CANARIES[0]}@x\nsso_region = {CANARIES[1]}\n"
)

_URLS = (
    "http://ana:{0}@127.0.0.1:9", "http://ana:{0}@[127", "127.0.0.1:9/{0}", "http:///{0}", "http://{1}:x@127.0.0.1:port",
    "http://127.0.0.1:9/{0}?token={2}", "http://ana:{0}@", "//x:{2}@127.0.0.1:9", "https://ana:a/b{0}@127.0.0.1:9",
    "http://127.0.0.1:9\t{0}",
)  # fmt: skip
URLS = tuple(url.format(*CANARIES) for url in _URLS)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configured:
    monkeypatch.setattr(connection, "ATTEMPTS", 1)
    return Configured(tmp_path, monkeypatch)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return what a log at level `debug` has."""
    from ekstui.logbook import Formatter

    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(Formatter(with_messages=True))
    logger = logging.getLogger("ekstui")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel("DEBUG")
    yield text
    logger.setLevel(level)
    logger.removeHandler(handler)


def all_that_is_said(log: io.StringIO) -> str:
    """Ask the account, and return all that becomes of what is raised: the sentence, the next step, the log."""
    try:
        sweep_account(Connection(profile="p"))
    except EkstuiError as error:
        logbook.unexpected(error, "it is logged with all that caused it")
        return f"{error.message} {error.next_step} {log.getvalue()}"
    raise AssertionError("something answered")


def assert_no_canary(text: str) -> None:
    assert text.strip()
    for canary in (*CANARIES, CANARIES[0][:20], "CANARY", "hunter2"):
        assert canary not in text


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize(
    ("file", "text"),
    [("credentials", KEYS), ("config", KEYS.replace("[p]", "[profile p]")), ("config", PROCESS), ("config", ROLE), ("config", SSO)],
    ids=["credentials", "keys in the config", "a process", "a role", "sso"],
)  # fmt: skip
def test_a_broken_file_shows_no_secret(aws: Configured, log: io.StringIO, file: str, text: str, broken: Break) -> None:
    (aws.folder / ".aws" / file).write_bytes(broken(text))
    assert_no_canary(all_that_is_said(log))


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize(
    "variable",
    ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "HTTP_PROXY", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
     "AWS_CA_BUNDLE", "AWS_WEB_IDENTITY_TOKEN_FILE"],
)  # fmt: skip
def test_a_broken_variable_shows_no_secret(aws: Configured, log: io.StringIO, variable: str, url: str) -> None:
    aws.configure("[profile p]\naws_access_key_id = x\naws_secret_access_key = y\n")
    if "CONTAINER" in variable or "IDENTITY" in variable:
        aws.configure("[profile p]\nrole_arn = arn:aws:iam::111122223333:role/x\ncredential_source = EcsContainer\n")
        aws.set(AWS_CONTAINER_AUTHORIZATION_TOKEN=CANARIES[2])
    if "IDENTITY" in variable:
        aws.configure(
            f"[profile p]\nrole_arn = arn:aws:iam::111122223333:role/x\nweb_identity_token_file = {url.strip()}\n"
        )
    aws.set(**{variable: url})
    assert_no_canary(all_that_is_said(log))


@pytest.mark.parametrize(
    ("file", "broken"),
    [("credentials", "no equals sign"), ("config", "a line alone"), ("config", "no header"), ("config", "braces")],
)
def test_a_command_shows_no_secret(aws: Configured, file: str, broken: str) -> None:
    text = KEYS if file == "credentials" else PROCESS
    (aws.folder / ".aws" / file).write_bytes(BREAKS[broken](text))
    log = aws.folder / "ekstui.log"
    process = subprocess.run(
        [sys.executable, "-m", "ekstui", "attached", "AmazonEKS_CNI_Policy", "--profile", "p", "--json"],
        capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(aws.folder), "EKSTUI_LOG": str(log), "EKSTUI_LOG_LEVEL": "debug"},
    )  # fmt: skip
    assert process.returncode == 3, process.stderr
    assert_no_canary(process.stdout + process.stderr + (log.read_text() if log.exists() else ""))
