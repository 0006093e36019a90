"""A digest of what credentials will be used, made without the SDK, so that the last snapshot can show at once.

It changes with the profile, its settings and keys and with the environment. Where it is the same as last time, the
account is the same too, unless the settings themselves lead elsewhere by now: the snapshot says whose it is.
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
"""What of the environment decides which account answers."""

_FOLLOWED = ("source_profile", "sso_session")
"""Settings that name another section."""

_MAX_SECTIONS = 20
"""How many sections are followed, in case they lead in a circle."""


def caller_digest(profile: str | None) -> str:
    """Return a digest that is the same as long as the same credentials are asked for; it gives none of them away."""
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
        # A profile that is asked for by name leaves the keys of the environment alone.
        environment["AWS_ACCESS_KEY_ID"] = None
    text = json.dumps([name, used, environment])
    return hashlib.sha256(text.encode()).hexdigest()


def are_credentials_set_up(profile: str | None) -> bool:
    """Return whether the environment or a file names credentials; those of an instance's role are named nowhere."""
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
    """Return the sections of an AWS file; none where it cannot be read, which the SDK will say."""
    path = Path(os.environ.get(variable) or f"~/.aws/{name}").expanduser()
    parser = configparser.RawConfigParser(default_section="", strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return {}
    return {section: dict(parser.items(section)) for section in parser.sections()}
