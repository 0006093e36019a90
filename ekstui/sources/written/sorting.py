"""Which changed files may hold a policy: those with a reader, those that cannot, and those that may without one."""

import re
from pathlib import PurePosixPath

from ekstui.iam.reference import reference

_READ = (".json", ".template", ".yaml", ".yml", ".jsonc")
"""Suffixes of files that have a reader, in any case."""

_CANNOT = frozenset((
    ".md", ".markdown", ".mdx", ".rst", ".adoc", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp", ".bmp",
    ".pdf", ".woff", ".woff2", ".ttf", ".otf", ".eot", ".css", ".scss", ".less", ".html", ".htm", ".csv", ".tsv",
    ".lock", ".sum", ".mod", ".pem", ".crt", ".key", ".pub", ".map", ".mp3", ".mp4", ".mov", ".webm", ".wav", ".po",
    ".pot", ".sql", ".proto", ".gitignore", ".gitattributes", ".dockerignore", ".helmignore", ".editorconfig",
    ".gitkeep", ".diff", ".patch",
))  # fmt: skip
"""Suffixes of files that hold no policies: prose, pictures, styles, locks and keys."""

_CANNOT_NAMES = frozenset(
    ["license", "licence", "notice", "codeowners", "authors", "changelog", "copying", "go.sum", "package-lock.json"]
)

_ARCHIVES = (b"PK\x03\x04", b"\x1f\x8b", b"\xfd7zXZ", b"BZh")
"""How zip, gzip, xz and bzip2 files start."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How text in UTF-16 starts."""

_SOURCES = {
    ".ts": "TypeScript", ".tsx": "TypeScript", ".js": "JavaScript", ".mjs": "JavaScript", ".cjs": "JavaScript",
    ".py": "Python",
    ".go": "Go", ".java": "Java", ".kt": "Kotlin", ".cs": "C#", ".rb": "Ruby", ".rs": "Rust", ".sh": "a shell script",
    ".bash": "a shell script", ".tftpl": "a template of Terraform", ".tpl": "a template", ".j2": "a template",
    ".jinja": "a template", ".gotmpl": "a template", ".hcl": "HCL that is not Terraform's own", ".jsonnet": "Jsonnet",
    ".libsonnet": "Jsonnet", ".cue": "CUE", ".toml": "TOML", ".ps1": "PowerShell", ".dhall": "Dhall", ".pkl": "Pkl",
    ".tf": "Terraform as it is written", ".tofu": "Terraform as it is written", ".bicep": "Bicep", ".nix": "Nix",
    ".ipynb": "a notebook", ".php": "PHP", ".scala": "Scala", ".ex": "Elixir",
}  # fmt: skip
"""What a file that is not read is, by its suffix."""

_MENTIONS = re.compile(
    rb"""
      PolicyStatement | PolicyDocument | policy_document | policyDocument | ManagedPolic | managed_polic | managedPolic
    | aws[-_]iam | aws\.iam | awscc_iam | AWS::(?:IAM|SSO|EKS|Serverless|Organizations)
    | \biam\.(?:[A-Z]|aws\.|services\.|amazonaws) | services\.k8s\.aws | aws\.(?:upbound|crossplane)\.io | eksctl\.io
    | :iam:: | \b(?:iam|sts):(?:[A-Z]|\*) | AdministratorAccess | system:masters | aws-auth | eksctl\s+create | aws_lambda_permission | PowerUserAccess
    | \.grant[A-Z]?\w*\( | (?:attach|put|create|set)[-_]?(?:role|user|group|default)?[-_]?polic | attachRole | wellKnownPolicies
    | [Aa]ssume_?-?[Rr]ole_?-?[Pp]olic | [Pp]ermissions_?[Bb]oundary | cluster-access-policy | AccessPolic | access_polic
    | pod_?-?identity_?-?association | PodIdentityAssociation | inline_?polic | InlinePolic
    | ["']?\b[Ee]ffect["']?\s*(?:[:=]|=>|,)\s*["'.]?\s*(?:Effect\.)?(?:Allow|Deny|ALLOW|DENY)
    | "(?:Not)?Action"\s*: | "Statement" | \bAWS:: | PolicyVersion | resource_changes
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What is in files that give access, whatever language they are in."""

_ACTION = re.compile(rb"""["'`]([a-z][a-z0-9-]+):(?:\*|[A-Z][A-Za-z*]+)["'`]""")
"""An action in quotes."""

_ESCAPES = re.compile(
    rb"\\(?:x([0-9a-fA-F]{2})|u00([0-9a-fA-F]{2})|U000000([0-9a-fA-F]{2})|(?:\r\n|[\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9])[ \t]*)"
)
"""The escapes of JSON and YAML that can be part of a name; before any of YAML's line breaks, one joins the lines."""


def is_known_not_to_hold(path: str) -> bool:
    """Return whether a file's name alone says that it holds no policy."""
    name = PurePosixPath(path.lower())
    return name.suffix in _CANNOT or name.name in _CANNOT_NAMES or name.stem in _CANNOT_NAMES


def has_reader(path: str) -> bool:
    """Return whether files of this name have a reader."""
    return path.lower().endswith(_READ)


def is_source(path: str) -> bool:
    """Return whether a file's name says that it is a program or a template."""
    return PurePosixPath(path.lower()).suffix in _SOURCES


def mentions_access(content: bytes | None) -> bool:
    """Return whether a file's contents may give access."""
    if not content:
        return False
    if content[:2] in _UTF_16 or content[:4].count(0) >= 2:
        content = content.replace(b"\0", b"")
    if b"\\" in content:
        content = _ESCAPES.sub(_unescaped, content).replace(b'\\"', b'"')
    if _MENTIONS.search(content):
        return True
    return any(reference().has_service(match[1].decode()) for match in _ACTION.finditer(content))


def _unescaped(escape: re.Match[bytes]) -> bytes:
    digits = escape[1] or escape[2] or escape[3]
    return b"" if digits is None else bytes([int(digits, 16)])


def why_not_read(path: str, contents: tuple[bytes | None, ...]) -> str:
    """Return why a changed file without a reader, which may hold a policy, is not read; empty if it cannot hold one."""
    if is_known_not_to_hold(path):
        return ""
    for content in filter(None, contents):
        if content.startswith(_ARCHIVES):
            return "it is an archive"
        if b"\0" in content[:8000] and content[:2] not in _UTF_16:
            continue
        if mentions_access(content):
            kind = _SOURCES.get(PurePosixPath(path.lower()).suffix)
            return (
                f"it is {kind}, and seems to give access"
                if kind
                else "it seems to give access, in a form that is not read"
            )
    return ""
