"""What replaces aws-auth as a shell script or as Terraform, to be pasted as it is; all else is a comment."""

import json
from collections.abc import Iterator

from ekstui.eks.entry_migration import ReplacedLine
from ekstui.eks.rbac import RoleToMake
from ekstui.export.texts import label_of, terraform_literal
from ekstui.iam.arn import entity_of
from ekstui.iam.text import clean_line, counted, first_of
from ekstui.library.entry_migration import EntriesAnswer


def entries_script(answer: EntriesAnswer) -> str:
    """Return the commands that make the access entries, and apply the RBAC, as a shell script."""
    parts = [*_head(answer)]
    for command in answer.change_of_mode:
        parts += ["", f"# {command.about}:", command.text]
    for line in answer.lines:
        parts += ["", *_about(line), *(command.text for command in line.commands)]
    if roles := _roles(answer):
        manifests = "---\n".join(role.manifest for role in roles)
        parts += ["", "# The RBAC for what no access policy gives:", "kubectl apply -f - <<'EKSTUI_RBAC'"]
        parts += [*manifests.splitlines(), "EKSTUI_RBAC"]
    return "\n".join(parts)


def entries_terraform(answer: EntriesAnswer) -> str:
    """Return the access entries, the access policies and the RBAC as resources of Terraform."""
    parts = [*_head(answer)]
    if answer.change_of_mode:
        parts += ["", '# Set access_config.authentication_mode of the cluster to "API_AND_CONFIG_MAP" first.']
    labels: dict[str, int] = {}
    for line in answer.lines:
        parts += ["", *_about(line)]
        if line.principal is not None:
            name = entity_of(line.line.principal).name or line.line.principal
            label = _unique(name, labels)
            parts += [*_entry(line, name, label, answer)]
    for role in _roles(answer):
        for number, document in enumerate(role.manifest.split("---\n")):
            label = _unique(f"{role.name}{'_binding' if number else ''}", labels)
            body = "".join(f"    {row}\n" for row in terraform_literal(document).splitlines())
            parts += ["", f'resource "kubernetes_manifest" "{label}" {{', "  manifest = yamldecode(<<-YAML"]
            parts += [f"{body}  YAML", "  )", "}"]
    return "\n".join(parts)


def _unique(name: str, labels: dict[str, int]) -> str:
    label = label_of(name)
    labels[label] = labels.get(label, 0) + 1
    return label if labels[label] == 1 else f"{label}_{labels[label]}"


def _head(answer: EntriesAnswer) -> Iterator[str]:
    entry_count = sum(line.principal is not None for line in answer.lines)
    lines = counted(len(answer.lines), "line")
    entries = counted(entry_count, "access entry", "access entries")
    yield f"# Cluster {clean_line(answer.cluster)}: {lines} of aws-auth, {entries} to create."
    if not answer.rbac_read:
        yield (
            "# What groups are bound to was not read, so access policies are given only where Kubernetes itself says "
            "it. Add"
        )
        yield "# kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A -o json"
        yield "# to the files of --kubernetes. Nothing of it is kept."


def _about(line: ReplacedLine) -> Iterator[str]:
    """Yield comments on a line: what it was, whether what replaces it gives the same, and what it cannot give."""
    groups = ", ".join(line.line.groups) or "none"
    name = entity_of(line.line.principal).name or line.line.principal
    yield f"# {clean_line(f'{line.line.kind} {name}, groups: {groups}')}"
    if line.gives_the_same:
        yield "# Checked: what follows gives just what the line does."
    elif line.principal is not None:
        yield "# Not checked whole, see below."
    for note in line.notes:
        yield f"# {clean_line(note)}"
    if line.only_by_rbac:
        permissions = [
            f"{permission.verb} {permission.resource}{f'.{permission.api_group}' if permission.api_group else ''}"
            for permission in line.only_by_rbac
        ]
        yield f"# {clean_line(f'No access policy gives this alone: {first_of(permissions, 5)}')}"


def _roles(answer: EntriesAnswer) -> list[RoleToMake]:
    return list(dict.fromkeys(role for line in answer.lines for role in line.roles))


def _entry(line: ReplacedLine, name: str, label: str, answer: EntriesAnswer) -> Iterator[str]:
    principal = line.principal or ""
    arn = json.dumps(principal)
    if not principal.startswith("arn:"):
        yield f'data "aws_iam_role" "{label}" {{\n  name = {terraform_literal(json.dumps(name))}\n}}\n'
        arn = f"data.aws_iam_role.{label}.arn"
    yield f'resource "aws_eks_access_entry" "{label}" {{'
    fields = {
        "cluster_name": terraform_literal(json.dumps(answer.cluster)),
        "principal_arn": arn,
        "type": json.dumps(line.kind),
    }
    if line.username is not None:
        fields["user_name"] = terraform_literal(json.dumps(line.username))
    if line.groups:
        fields["kubernetes_groups"] = terraform_literal(json.dumps(list(line.groups)))
    yield from _fields(fields)
    yield "}"
    for policy in line.policies:
        yield f'\nresource "aws_eks_access_policy_association" "{label}_{policy.policy}" {{'
        entry = f"aws_eks_access_entry.{label}"
        yield from _fields(
            {
                "cluster_name": f"{entry}.cluster_name", "principal_arn": f"{entry}.principal_arn",
                "policy_arn": json.dumps(policy.policy_arn),
            }
        )  # fmt: skip
        scope = {"type": json.dumps(policy.scope)}
        if policy.namespaces is not None:
            scope["namespaces"] = terraform_literal(json.dumps(list(policy.namespaces)))
        yield "\n  access_scope {"
        yield from (f"  {row}" for row in _fields(scope))
        yield "  }\n}"


def _fields(fields: dict[str, str]) -> Iterator[str]:
    width = max(map(len, fields))
    yield from (f"  {name:<{width}} = {value}" for name, value in fields.items())
