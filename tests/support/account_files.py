"""Account files, as the AWS CLI writes them: roles and pages of them as JSON."""

import json
from pathlib import Path
from typing import Any

POLICY = {"PolicyName": "AmazonEKSClusterPolicy", "PolicyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}
TRUST = {"Statement": {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}}


def role_json(name: str, account: str = "111122223333", **fields: Any) -> dict[str, Any]:
    """Return a role as `aws iam get-account-authorization-details` prints it; `fields` are its further ones."""
    return {
        "Path": "/team/",
        "RoleName": name,
        "RoleId": "AROAEXAMPLE",
        "Arn": f"arn:aws:iam::{account}:role/team/{name}",
        "CreateDate": "2024-02-29T10:00:00+00:00",
        "AssumeRolePolicyDocument": TRUST,
        "InstanceProfileList": [],
        "RolePolicyList": [],
        "AttachedManagedPolicies": [POLICY],
        "Tags": [],
        "RoleLastUsed": {"LastUsedDate": "2026-11-01T00:00:00Z", "Region": "eu-west-1"},
        **fields,
    }


def account_page(*roles: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a page of what that command prints, with these roles."""
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": list(roles), "Policies": [], **fields}


def write_values(path: Path, *values: object) -> Path:
    """Write values as JSON, one after the other, and return the file."""
    path.write_text("\n".join(json.dumps(value) for value in values))
    return path
