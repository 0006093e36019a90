"""A `credential_process` that can neither write over the screen nor hang.

botocore starts it with the terminal as standard input and waits without limit (botocore 1.44.8, `ProcessProvider`).
"""

import subprocess
from collections.abc import Sequence
from typing import Any

TIMEOUT = 30.0
"""Seconds that a credential_process may take."""

NO_ANSWER = "credential_process gave no answer in time"


class DetachedProcess(subprocess.Popen[bytes]):
    """A child without standard input or controlling terminal, given up after TIMEOUT seconds."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        super().__init__(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> tuple[bytes, bytes]:  # noqa: A002 (its name in Popen)
        """Return what the child wrote, as Popen does; CredentialRetrievalError when it takes too long."""
        try:
            return super().communicate(input, TIMEOUT if timeout is None else timeout)
        except subprocess.TimeoutExpired:
            from botocore.exceptions import CredentialRetrievalError

            self.kill()
            self.wait()
            raise CredentialRetrievalError(provider="custom-process", error_msg=NO_ANSWER) from None
