"""What people write in a repository that gives access: policy documents and attachments, one module a format.

A reader turns a file's contents into `WrittenPolicy` and `WrittenAttachment` values. What it cannot know is a hole (see
`ekstui.change.holes`) inside a document that is otherwise read, or a policy without a document and the reason.

- `reading` reads the changed files of a repository by the format that `sorting` tells; start reading there.
- `values` parses JSON and YAML, `hcl` and `hcl_values` what Terraform is written in.
- `search` finds policies and attachments anywhere in a value; `cloudformation`, `manifests`, `plan` and `terraform`
  know more of their formats, and `resources` of Terraform's resources.
"""

from __future__ import annotations

from typing import Literal

from ekstui.iam.document import Document
from ekstui.named_tuples import NamedTuple

PolicyUse = Literal["identity", "trust", "resource"]
"""What a document is for: what a principal may do, who may assume a role, or who may use a resource."""


class WrittenPolicy(NamedTuple):
    """A policy document as a file has it."""

    place: str
    """Where in the file, such as `aws_iam_policy.cni`; empty for a file that is one document."""
    document: Document | None
    """None if it cannot be judged."""
    reason: str = ""
    """Why it cannot be judged."""
    written: str = ""
    """The JSON of one that cannot be judged, to detect changes."""
    condition: str = ""
    """What decides whether it exists; empty if nothing does."""
    line: int = 0
    """Its line in the file, from 1; 0 if that is not known."""
    use: PolicyUse = "identity"
    path: str = ""
    """The file, from the repository's root."""
    name: str = ""
    """The name that the policy or its role has in IAM; empty if that is not known."""
    attached_to: str = ""
    """The role, user or group that an inline policy belongs to, as written; empty for other policies."""


AttachmentKind = Literal["policy", "boundary", "access policy", "role"]
"""What is attached: a policy, a permissions boundary, an EKS access policy, or a role that a pod or node is given."""


class WrittenAttachment(NamedTuple):
    """A policy that a file attaches, by its name."""

    place: str
    """The resource or object that attaches it."""
    kind: AttachmentKind
    attached_to: str
    """Who gets it: a role, user, group or service account, as written; its attachments are compared together."""
    policy: str
    """The ARN or name of the policy, or a role's; it may have holes."""
    line: int = 0
    scope: str = ""
    """For an access policy, the namespaces, separated by commas; empty for the whole cluster."""
    path: str = ""


Written = WrittenPolicy | WrittenAttachment
