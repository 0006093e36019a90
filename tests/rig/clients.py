"""Plain botocore clients, led by the environment as a program's own would be."""

import functools
import os
from typing import Any

import botocore.session
from botocore.config import Config

from tests.support.patience import PATIENCE


def client(service: str, region: str | None = None, attempts: int = 1, read_timeout: float = PATIENCE) -> Any:
    """Return a client that tries `attempts` times."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": attempts},
        connect_timeout=PATIENCE,
        read_timeout=read_timeout,
    )
    return _session().create_client(
        service,
        region_name=region or os.environ["AWS_DEFAULT_REGION"],
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        config=config,
    )


def everything(service_client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """Return the items of every page."""
    return [item for page in service_client.get_paginator(operation).paginate(**arguments) for item in page[key]]


@functools.cache
def _session() -> Any:
    # A session reads its models anew, a third of a second for each; everything else is given to the client.
    return botocore.session.Session()
