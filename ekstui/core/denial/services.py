"""From the names that SDKs and CloudTrail use for services and operations to IAM's prefixes and actions."""

import re

from ekstui.core.reference import Reference

# SDK service IDs and CloudTrail event sources that do not become IAM's prefix by removing spaces or adding hyphens.
_PREFIXES = {
    "amplifybackend": "amplifybackend",
    "applicationautoscaling": "application-autoscaling",
    "cloudwatchevents": "events",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "configservice": "config",
    "costexplorer": "ce",
    "databasemigrationservice": "dms",
    "directoryservice": "ds",
    "efs": "elasticfilesystem",
    "eksauth": "eks-auth",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "eventbridge": "events",
    "monitoring": "cloudwatch",
    "opensearch": "es",
    "prometheus": "aps",
    "amp": "aps",
    "resourcegroupstaggingapi": "tag",
    "servicediscovery": "servicediscovery",
    "sesv2": "ses",
    "email": "ses",
    "sfn": "states",
    "tagging": "tag",
    "wafregional": "waf-regional",
}

# S3 operations that are authorised under another name (S3 User Guide, "Required permissions for S3 API operations").
_S3_ACTIONS = {
    "completemultipartupload": "PutObject",
    "createmultipartupload": "PutObject",
    "deletebucketencryption": "PutEncryptionConfiguration",
    "deletebucketlifecycle": "PutLifecycleConfiguration",
    "deletebuckettagging": "PutBucketTagging",
    "deleteobjects": "DeleteObject",
    "getbucketencryption": "GetEncryptionConfiguration",
    "getbucketlifecycle": "GetLifecycleConfiguration",
    "getbucketlifecycleconfiguration": "GetLifecycleConfiguration",
    "headbucket": "ListBucket",
    "headobject": "GetObject",
    "listbuckets": "ListAllMyBuckets",
    "listmultipartuploads": "ListBucketMultipartUploads",
    "listobjects": "ListBucket",
    "listobjectsv2": "ListBucket",
    "listobjectversions": "ListBucketVersions",
    "putbucketencryption": "PutEncryptionConfiguration",
    "putbucketlifecycleconfiguration": "PutLifecycleConfiguration",
    "uploadpart": "PutObject",
}

_VERSION_SUFFIX = re.compile(r"[0-9]{8}(?:v[0-9]{1,2})?$", re.ASCII)


def prefix_of_service(name: str, reference: Reference) -> str | None:
    """Return the IAM prefix of an SDK's service ID (`Elastic Load Balancing v2`) or of an event source's first label."""
    words = name.lower().replace("amazon ", "").replace("aws ", "").split()
    joined = "".join(words)
    for candidate in (_PREFIXES.get(joined), joined, "-".join(words)):
        if candidate and reference.has_service(candidate):
            return candidate
    return None


def action_of_operation(service: str, operation: str, reference: Reference) -> str:
    """Return the action that authorises an operation, such as `s3:ListBucket` for `ListObjectsV2`."""
    if service == "s3":
        operation = _S3_ACTIONS.get(operation.lower(), operation)
    for name in (operation, _VERSION_SUFFIX.sub("", operation)):
        if info := reference.find(f"{service}:{name}"):
            return info.name
    return f"{service}:{operation}"


def actions_named(operation: str, reference: Reference) -> tuple[str, ...]:
    """Return the actions of all services that have the operation's name."""
    return reference.expand(f"*:{operation}")


def spelled(action: str, reference: Reference) -> str:
    """Return an action in the reference's spelling, or unchanged if the reference lacks it."""
    info = reference.find(action)
    return action if info is None else info.name
