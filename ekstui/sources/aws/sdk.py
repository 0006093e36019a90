"""The AWS SDK, as far as ekstui uses it; the package imports it late, as `aws.sdk`."""

import boto3
import botocore.session
from botocore import xform_name
from botocore.config import Config
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.credentials import JSONFileCache
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from urllib3 import exceptions as http_exceptions

__all__ = [
    "BotoCoreError", "ClientError", "Config", "ConfiguredEndpointProvider", "ConnectTimeoutError",
    "ConnectionClosedError", "CredentialRetrievalError", "EndpointConnectionError", "JSONFileCache",
    "ReadTimeoutError", "ResponseParserError", "boto3", "botocore", "http_exceptions", "xform_name",
]  # fmt: skip
