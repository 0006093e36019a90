"""A digest of the credentials in use, made without the SDK, so that the last snapshot can be shown at once.

It changes with the profile, its settings and keys, and the environment. If it is the same as last time, so is the account,
unless the same settings now lead to another one; the snapshot names its account.
"""

import configparser
import hashlib
import json
import os
from pathlib import Path

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

_FOLLOWED = ("source_profile", "sso_session")
"""Settings that name another section."""

_MAX_SECTIONS = 20
"""How many sections are followed at most, in case of a cycle."""


def caller_digest(profile: str | None) -> str:
    """Return a digest that stays the same while the same credentials are selected, and does not reveal them."""
    name = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
    config = _sections("AWS_CONFIG_FILE", "config")
    keys = _sections("AWS_SHARED_CREDENTIALS_FILE", "credentials")
    used: list[object] = []
    pending = [f"profile {name}", name]
    while pending and len(used) < _MAX_SECTIONS:
        section = pending.pop(0)
        for source in (config, keys):
            settings = source.get(section, {})
            used.append([section, sorted(settings.items())])
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
    text = json.dumps([name, used, environment])
    return hashlib.sha256(text.encode()).hexdigest()


def are_credentials_set_up(profile: str | None) -> bool:
    """Return whether the environment or a file has credentials; an instance's role needs neither and is not seen."""
    named = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", *_VARIABLES[:5])
    return bool(
        profile
        or any(os.environ.get(variable) for variable in named)
        or _sections("AWS_CONFIG_FILE", "config")
        or _sections("AWS_SHARED_CREDENTIALS_FILE", "credentials")
    )


def profile_names() -> tuple[str, ...]:
    """Return the profiles that the AWS config and credentials files name, in their order, `default` first."""
    names = [
        section.removeprefix("profile ")
        for section in _sections("AWS_CONFIG_FILE", "config")
        if section == "default" or section.startswith("profile ")
    ]
    names.extend(_sections("AWS_SHARED_CREDENTIALS_FILE", "credentials"))
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
