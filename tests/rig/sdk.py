"""The SDK's models of services, read once in a process: each new session would parse them again, for a third of a second."""

from functools import cache

import botocore.loaders
import botocore.session


def share_models() -> None:
    """Let all sessions of this process have one loader, which keeps what it has read."""
    botocore.session.create_loader = cache(botocore.loaders.create_loader)
