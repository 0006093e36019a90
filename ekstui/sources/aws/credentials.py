"""The credentials in use: a digest, made without the SDK, and guards that keep botocore from using the terminal.

The digest changes with the profile, its settings and keys, and the environment. If it is the same as last time, so is
the account, unless the same settings now lead to another one; the snapshot, which can be shown at once, names its
account.
"""

import configparser
import hashlib
import json
import logging
import os
import subprocess
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from ekstui.errors import MfaNeededError
from ekstui.sources import aws

_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_EKS",
)
"""The environment variables that decide which account answers."""

_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token")
"""Settings that change when credentials are renewed."""

_FOLLOWED = ("source_profile", "sso_session")
"""Settings that name another section."""

_MAX_SECTIONS = 20
"""How many sections are followed at most, in case of a cycle."""


def caller_digest(profile: str | None) -> str:
    """Return a digest that stays the same while the same credentials are selected, and does not reveal them."""
    return _digest(profile, ())


def profile_digest(profile: str | None) -> str | None:
    """Return a digest of a profile's settings without its keys, which are renewed.

    None for credentials of the environment, of any account.
    """
    if profile is None and any(os.environ.get(variable) for variable in _VARIABLES[:5]):
        return None
    return _digest(profile, _KEYS)


def is_any_chosen(profile: str | None) -> bool:
    """Return whether a profile, keys or a role are chosen: by name, in the environment or as the default profile."""
    return _is_named(profile) or any("default" in sections for sections in _files())


def _digest(profile: str | None, without: Collection[str]) -> str:
    name = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
    files = _files()
    sections: list[object] = []
    pending = [f"profile {name}", name]
    while pending and len(sections) < _MAX_SECTIONS:
        section = pending.pop(0)
        for source in files:
            settings = source.get(section, {})
            sections.append([section, sorted(item for item in settings.items() if item[0] not in without)])
            for key in _FOLLOWED:
                if key in settings and settings[key] != name:
                    target = settings[key]
                    pending.extend(
                        [f"profile {target}", target] if key == "source_profile" else [f"sso-session {target}"]
                    )
    environment = {variable: os.environ.get(variable) for variable in _VARIABLES}
    if profile is not None:
        # A profile given by name overrides the keys in the environment.
        environment["AWS_ACCESS_KEY_ID"] = None
    text = json.dumps([name, sections, environment])
    return hashlib.sha256(text.encode()).hexdigest()


def are_credentials_set_up(profile: str | None) -> bool:
    """Return whether the environment or a file has credentials; an instance's role needs neither and is not seen."""
    return _is_named(profile) or any(_files())


def _is_named(profile: str | None) -> bool:
    return bool(profile) or any(map(os.environ.get, ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", *_VARIABLES[:5])))


def _files() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Return the sections of the AWS config file and of the credentials file."""
    return _sections("AWS_CONFIG_FILE", "config"), _sections("AWS_SHARED_CREDENTIALS_FILE", "credentials")


def profile_names() -> tuple[str, ...]:
    """Return the profiles that the AWS config and credentials files name, in their order, `default` first."""
    config, keys = _files()
    names = [name.removeprefix("profile ") for name in config if name == "default" or name.startswith("profile ")]
    names.extend(keys)
    return tuple(sorted(dict.fromkeys(names), key=lambda name: name != "default"))


def _sections(variable: str, name: str) -> dict[str, dict[str, str]]:
    """Return the sections of an AWS file; empty if it cannot be read, which the SDK will report."""
    path = Path(os.environ.get(variable) or f"~/.aws/{name}").expanduser()
    parser = configparser.RawConfigParser(default_section="", strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}
    return {section: dict(parser.items(section)) for section in parser.sections()}


PROCESS_TIMEOUT = 30.0
"""How long a credential_process may take, in seconds."""

NO_ANSWER = "credential_process gave no answer in time"

_logger = logging.getLogger("ekstui")

MfaPrompt = Callable[[str], str]
"""Takes a prompt such as `Enter MFA code for arn:…: ` and returns the code; it runs in the thread of the call."""


class DetachedProcess(subprocess.Popen[bytes]):
    """A child process without a terminal and with a time limit, unlike botocore 1.44.8's (`ProcessProvider`)."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        super().__init__(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)

    def communicate(
        self,
        input: bytes | None = None,  # noqa: A002 (its name in Popen)
        timeout: float | None = None,
    ) -> tuple[bytes, bytes]:
        """Return what the child wrote, as Popen does; CredentialRetrievalError when it takes too long."""
        try:
            return super().communicate(input, PROCESS_TIMEOUT if timeout is None else timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            self.wait()
            raise aws.sdk.CredentialRetrievalError(provider="custom-process", error_msg=NO_ANSWER) from None


def guard_credentials(core: Any, mfa_prompt: MfaPrompt | None, *, share_role_cache: bool) -> None:
    """Keep the credential chain of a botocore session from using the terminal."""
    for provider in core.get_component("credential_provider").providers:
        if provider.METHOD == "custom-process":
            _replace(provider, "_popen", DetachedProcess)
        if provider.METHOD == "assume-role":
            _replace(provider, "_prompter", mfa_prompt or _no_prompt)
            builder = getattr(provider, "_profile_provider_builder", None)
            make = getattr(builder, "_create_process_provider", None)
            _replace(builder, "_create_process_provider", lambda profile, make=make: _detached(make(profile)))
            if share_role_cache:
                folder = os.path.expanduser("~/.aws/cli/cache")  # noqa: PTH111 (botocore takes text)
                provider.cache = aws.sdk.JSONFileCache(folder)


def _replace(owner: object, name: str, value: object) -> None:
    """Replace a private attribute of botocore (1.44, as a test checks), or log that it does not exist any more."""
    if hasattr(owner, name):
        setattr(owner, name, value)
    else:
        _logger.warning("botocore has no %s.%s any more: it may use the terminal", type(owner).__name__, name)


def _detached(provider: Any) -> Any:
    _replace(provider, "_popen", DetachedProcess)
    return provider


def _no_prompt(prompt: str) -> str:
    raise MfaNeededError(
        "The profile asks for an MFA code.",
        prompt.strip().rstrip(":").removeprefix("Enter MFA code for "),
        "Run this in a terminal, which asks for it, or use a session that has it.",
    )
