"""To which services AWS Organizations applies resource control policies."""

READ_ON = "2026-09-26"
"""When the list of services was read. AWS adds to it: it had 7 services in 2025."""

# AWS Organizations User Guide, "Resource control policies (RCPs)", "List of AWS services that support RCPs".
_SERVICES = frozenset(
    {
        "aoss", "appconfig", "appstream", "autoscaling", "autoscaling-plans", "budgets", "clouddirectory", "cloudfront",
        "cloudsearch", "cloudtrail-data", "codeartifact", "codebuild", "codecommit", "codepipeline", "cognito-identity",
        "cognito-idp", "comprehend", "comprehendmedical", "compute-optimizer", "cost-optimization-hub", "dax", "dsql",
        "dynamodb", "ecr", "ecr-public", "events", "firehose", "fis", "fms", "gamelift", "health", "inspector-scan",
        "kendra", "kinesisvideo", "kms", "logs", "memorydb", "networkmonitor", "notifications", "opensearch",
        "pca-connector-ad", "personalize", "polly", "pricing", "resource-groups", "rolesanywhere", "s3",
        "secretsmanager", "servicediscovery", "signin", "sqs", "sts", "support", "swf", "textract",
        "timestream-influxdb", "transcribe", "transfer", "translate", "wafv2", "workspaces", "xray",
    }
)  # fmt: skip

# The same page, "Resources and entities not restricted by RCPs".
_NEVER = frozenset({"kms:retiregrant"})


def is_resource_controlled(action: str) -> bool | None:
    """Return whether resource control policies apply to an action's resources; None if its service is unlisted."""
    if action.lower() in _NEVER:
        return False
    return True if action.partition(":")[0].lower() in _SERVICES else None
