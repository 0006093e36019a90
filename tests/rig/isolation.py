"""What keeps tests off real accounts and off the user's own files."""

import re
from pathlib import Path

ACCOUNT_ID = "123456789012"


def access_key(account_id: str) -> str:
    """Return an access key that belongs to `account_id`: the rig reads the account from the key itself."""
    return f"AKIA{account_id}EKST"


def account_of(key: str) -> str:
    """Return the account that an access key belongs to."""
    match = re.fullmatch(r"A[A-Z]IA(\d{12})EKST", key)
    return match[1] if match else ACCOUNT_ID


def isolated(home: Path) -> dict[str, str]:
    """Return the variables that lead nowhere: files in `home`, dummy keys, an endpoint that refuses."""
    return {
        "HOME": str(home),
        "EKSTUI_CACHE": str(home / "cache"),
        "EKSTUI_STATE": str(home / "state"),
        "EKSTUI_CONFIG": str(home / "config.toml"),
        "AWS_CONFIG_FILE": str(home / ".aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / ".aws" / "credentials"),
        "AWS_ACCESS_KEY_ID": access_key(ACCOUNT_ID),
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        # Nothing listens on the discard port, so what a test does not lead to the rig is refused at once.
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_DEFAULT_REGION": "eu-central-1",
        # The guard of the tests is for Python; what git takes from elsewhere it takes over HTTPS or SSH.
        "GIT_ALLOW_PROTOCOL": "file:http",
    }
