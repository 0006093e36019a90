"""A home of its own with an AWS configuration, in which nothing answers."""

import os
import shlex
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from ekstui.eks.account_snapshot import SourceError
from ekstui.sources.aws.connection import Connection
from ekstui.sources.aws.failures import failures, source_error_of
from tests.rig.sdk import share_models


class Configured:
    """A home of its own, in which a profile `p` is asked who it is; nothing answers on its endpoint."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        share_models()
        self.folder = folder
        self._patch = patch
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        (folder / ".aws").mkdir()
        self.set(
            HOME=str(folder),
            AWS_EC2_METADATA_DISABLED="true",
            AWS_REGION="eu-west-1",
            AWS_ENDPOINT_URL="http://127.0.0.1:9",
        )

    def set(self, **environment: str) -> None:
        for name, value in environment.items():
            self._patch.setenv(name, value)

    def configure(self, text: str) -> None:
        (self.folder / ".aws" / "config").write_text(textwrap.dedent(text))

    def reported_error(self, **settings: Any) -> SourceError:
        """Return how the failed call is reported."""
        try:
            connection = Connection(profile="p", **settings)
            connection.credential_method()
            connection.ask("sts:GetCallerIdentity")
        except failures() as error:
            return source_error_of(error, "identity", "sts:GetCallerIdentity", profile="p")
        raise AssertionError("something answered")

    def helper(self, body: str) -> Path:
        path, program = self.folder / "helper", self.folder / "helper.py"
        program.write_text(textwrap.dedent(body))
        # The kernel takes no interpreter whose path has a space.
        path.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(program))}\n")
        path.chmod(0o700)
        return path
