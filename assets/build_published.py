"""Make assets/published.jsonl.xz and assets/published.json from clones of the projects that publish IAM policies.

    python assets/build_published.py [CLONES]

CLONES is a folder with clones, with tags, of repositories in PROJECTS, named after them; what was made before of the others
stays. Without it all are cloned from GitHub into a temporary folder. The documents of every release are read from git, a
document that several releases share only once. The same clones give the same uncompressed bytes. Corrections that a project made after a tag are added to the document, with their source.
"""

import hashlib
import json
import lzma
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ASSETS = Path(__file__).resolve().parent

Documents = Iterator[tuple[str, dict[str, Any]]]
"""The policies of a file, by name."""

_PARAMETER = re.compile(r"\$\{([A-Za-z_][\w.:]*)\}")
_JSON_BLOCK = re.compile(r"^[ \t]*```[ \t]*(?:json)?[ \t]*\n(.*?)^[ \t]*```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class File:
    """A file in a project's repository, and the policies in it."""

    paths: tuple[str, ...]
    """Its possible paths, newest first; the first that exists in a tag counts."""
    read: Callable[[str], Documents]


@dataclass(frozen=True)
class Project:
    """A project that publishes policies."""

    component: str
    repository: str
    tags: str
    """Matches the tag of a release; the first group is the version."""
    files: tuple[File, ...]


def _bare(policy: str) -> Callable[[str], Documents]:
    """Return a reader of files that are one document."""

    def read(text: str) -> Documents:
        yield policy, json.loads(text)

    return read


def _blocks(*policies: str) -> Callable[[str], Documents]:
    """Return a reader of the first JSON blocks of a page, in order."""

    def read(text: str) -> Documents:
        documents = []
        for block in _JSON_BLOCK.findall(text):
            try:
                value = json.loads(block)
            except ValueError:
                continue
            if isinstance(value, dict) and "Statement" in value:
                documents.append(value)
        yield from zip(policies, documents, strict=False)

    return read


class _Template(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Reads CloudFormation's short forms: a lookup becomes a parameter, any other its argument."""


def _short_form(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        return f"${{{value}}}" if name in ("GetAtt", "Ref") else value
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else {}


_Template.add_multi_constructor("!", _short_form)


def _template(text: str) -> Documents:
    """Yield the managed policies of a CloudFormation template by name, without the cluster's name."""
    for resource in yaml.load(text, _Template)["Resources"].values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            name, document = (resource["Properties"][key] for key in ("ManagedPolicyName", "PolicyDocument"))
            yield _PARAMETER.sub("", name).strip("-"), json.loads(document) if isinstance(document, str) else document


_SEMVER = r"v?(\d+\.\d+\.\d+)"
_KARPENTER = "getting-started/getting-started-with-karpenter/cloudformation.yaml"

PROJECTS = (
    Project("AWS Load Balancer Controller", "kubernetes-sigs/aws-load-balancer-controller", rf"{_SEMVER}", (
        File(("docs/install/iam_policy.json",), _bare("AWSLoadBalancerControllerIAMPolicy")),
        File(("docs/install/iam_policy_cn.json",), _bare("AWSLoadBalancerControllerIAMPolicy (aws-cn)")),
        File(("docs/install/iam_policy_us-gov.json",), _bare("AWSLoadBalancerControllerIAMPolicy (aws-us-gov)")),
        File(("docs/install/aga_controller_iam_policy.json",), _bare("AGAControllerIAMPolicy")),
    )),
    Project("Karpenter", "aws/karpenter-provider-aws", rf"{_SEMVER}", (
        # The installation guide fetches `preview` from the tag; `docs` still has the release before.
        File((f"website/content/en/preview/{_KARPENTER}", f"website/content/en/docs/{_KARPENTER}"), _template),
    )),
    Project("EBS CSI driver", "kubernetes-sigs/aws-ebs-csi-driver", rf"{_SEMVER}", (
        File(("docs/example-iam-policy.json",), _bare("EBS CSI example policy")),
    )),
    Project("EFS CSI driver", "kubernetes-sigs/aws-efs-csi-driver", rf"{_SEMVER}", (
        File(("docs/iam-policy-example.json",), _bare("EFS CSI example policy")),
    )),
    Project("VPC CNI", "aws/amazon-vpc-cni-k8s", rf"{_SEMVER}", (
        File(("docs/iam-policy.md",), _blocks("VPC CNI IPv4", "VPC CNI IPv6", "VPC CNI IPv4 for one cluster")),
    )),
    Project("AWS Gateway API Controller", "aws/aws-application-networking-k8s", rf"{_SEMVER}", (
        File(("files/controller-installation/recommended-inline-policy.json", "examples/recommended-inline-policy.json"),
             _bare("VPCLatticeControllerIAMPolicy")),
    )),
    Project("Cluster Autoscaler", "kubernetes/autoscaler", r"cluster-autoscaler-(\d+\.\d+\.\d+)", (
        File(("cluster-autoscaler/cloudprovider/aws/README.md",),
             _blocks("Cluster Autoscaler, all features", "Cluster Autoscaler, minimal")),
    )),
)  # fmt: skip


@dataclass(frozen=True)
class Correction:
    """A correction that a project published in its guide after the tags were made."""

    component: str
    tags: str
    commit: str
    path: str


CORRECTIONS = (
    # Zonal shift is authorised on every resource, with the cluster as a condition (pull request 9123).
    Correction(
        "Karpenter", r"v1\.12\.\d+", "a0407445bc416764df101074e5f05d759e72e058",
        f"website/content/en/v1.12/{_KARPENTER}",
    ),
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Read the clones, write the documents and their manifest, and print what is in them."""
    with tempfile.TemporaryDirectory() as temporary:
        clones = Path(arguments[0] if arguments else temporary)
        rows = []
        for project in PROJECTS:
            clone = clones / project.repository.rpartition("/")[2]
            if not arguments:
                # Without large files, which no policy is.
                address = f"https://github.com/{project.repository}"
                subprocess.run(
                    ["git", "clone", "--quiet", "--bare", "--filter=blob:limit=1m", address, str(clone)], check=True
                )
            rows += rows_of(project, clone) if clone.exists() else _made_before(project)
    write(rows, ASSETS)
    return 0


def _made_before(project: Project) -> list[dict[str, Any]]:
    with lzma.open(ASSETS / "published.jsonl.xz") as lines:
        return [row for row in map(json.loads, lines) if row["component"] == project.component]


def rows_of(project: Project, clone: Path) -> list[dict[str, Any]]:
    """Return one row per distinct document of a project."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for tag, date in _tags(project, clone):
        for file in project.files:
            path, text = next(
                ((path, content) for path in file.paths if (content := _show(clone, tag, path))), ("", "")
            )
            for policy, document in file.read(text) if text else ():
                key = (policy, json.dumps(document, sort_keys=True))
                row = rows.setdefault(key, {
                    "component": project.component, "policy": policy, "repository": project.repository, "path": path,
                    "parameters": sorted(set(_PARAMETER.findall(json.dumps(document)))) if _is_template(path) else [],
                    "releases": [], "document": document,
                })  # fmt: skip
                row["releases"].append([tag, date])
                if (correction := _corrected(project, clone, tag, file, policy)) and correction["document"] != document:
                    row["corrected"] = correction
    return list(rows.values())


def _corrected(project: Project, clone: Path, tag: str, file: File, policy: str) -> dict[str, Any] | None:
    """Return the correction of a tag's policy, and where it was published."""
    for correction in CORRECTIONS:
        if correction.component == project.component and re.fullmatch(correction.tags, tag):
            documents = dict(file.read(_git(clone, "show", f"{correction.commit}:{correction.path}")))
            date = _git(clone, "log", "-1", "--format=%cs", correction.commit).strip()
            source = f"{project.repository} {correction.commit[:12]} {correction.path}"
            return {"source": source, "date": date, "document": documents[policy]} if policy in documents else None
    return None


def _is_template(path: str) -> bool:
    return path.endswith((".yaml", ".md"))


def write(rows: list[dict[str, Any]], folder: Path) -> None:
    """Write the rows in a stable order, and the manifest."""
    rows = sorted(rows, key=lambda row: (row["component"], row["policy"], version_of(row["releases"][0][0])))
    content = "".join(f"{json.dumps(row, ensure_ascii=False, separators=(',', ':'))}\n" for row in rows).encode()
    archive = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
    (folder / "published.jsonl.xz").write_bytes(archive)
    components: dict[str, dict[str, Any]] = {}
    for row in rows:
        entry = components.setdefault(row["component"], {"repository": row["repository"], "documents": 0, "tags": {}})
        entry["documents"] += 1
        entry["tags"].update(row["releases"])
    manifest = {
        "known_until": max(date for entry in components.values() for date in entry["tags"].values()),
        "documents": len(rows),
        "components": {
            name: {
                "repository": entry["repository"],
                "documents": entry["documents"],
                "releases": len(entry["tags"]),
                "newest": max(entry["tags"], key=version_of),
            }
            for name, entry in components.items()
        },
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    (folder / "published.json").write_text(f"{json.dumps(manifest, indent=2)}\n", encoding="utf-8")
    print(f"{len(rows)} documents of {len(components)} components, {len(archive):,} bytes packed", file=sys.stderr)


def version_of(tag: str) -> tuple[int, ...]:
    """Return the version numbers of a release's tag, for sorting: older branches still get patches."""
    return tuple(int(number) for number in re.findall(r"\d+", tag.rpartition("-")[2]))


def _tags(project: Project, clone: Path) -> list[tuple[str, str]]:
    """Return the tags of releases with the dates of their commits, by version."""
    lines = _git(clone, "for-each-ref", "--format=%(refname:short)%09%(creatordate:short)", "refs/tags").splitlines()
    pairs = [line.split("\t") for line in lines]
    return sorted(
        ((tag, date) for tag, date in pairs if re.fullmatch(project.tags, tag)), key=lambda pair: version_of(pair[0])
    )


def _show(clone: Path, tag: str, path: str) -> str:
    """Return a file's content in a tag; empty if it does not exist."""
    try:
        return _git(clone, "show", f"{tag}:{path}")
    except subprocess.CalledProcessError:
        return ""


def _git(clone: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(clone), *arguments], check=True, capture_output=True, text=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
