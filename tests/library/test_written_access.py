"""What people write in repositories: each construct widened, narrowed, renamed or not read, before and after."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest

from ekstui.library import Library, reviewing
from ekstui.library.reviewed import Review
from ekstui.library.reviewing import review
from ekstui.sources.repository import ChangedFile
from tests.support.documents import allow
from tests.support.effort import sample
from tests.support.git import commit_all, make_repository

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
DENY = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/secret"}


def doc(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Sides:
    """What `Changes` says of a repository whose commit has some files and whose work tree has others, without git.

    `test_git_says_the_same_of_them` holds it to git, which takes thirteen processes for each case.
    """

    def __init__(self, root: Path, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        self.root = root
        self._before = {path: text.encode() for path, text in before.items()}
        self._after = {path: text.encode() for path, text in after.items()}

    def files(self) -> Iterator[ChangedFile]:
        for path in sorted({*self._before, *self._after}):
            if self._before.get(path) != self._after.get(path):
                yield ChangedFile(path, self._before.get(path), self._after.get(path))

    def before(self) -> Mapping[str, str]:
        return {path: path for path in self._before}

    def after(self) -> frozenset[str]:
        return frozenset(self._after)

    def contents(self, names: Collection[str]) -> Mapping[str, bytes]:
        return {name: self._before[name] for name in names}


class Repository:
    """A temporary repository."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_repository(folder)

    def write(self, files: Mapping[str, str]) -> None:
        write(self.folder, files)

    def commit(self, files: Mapping[str, str]) -> None:
        self.write(files)
        commit_all(self.folder)

    def replace(self, files: Mapping[str, str]) -> None:
        """Have these files and no others in the work tree."""
        for path in self.folder.rglob("*"):
            if path.is_file() and ".git" not in path.parts:
                path.unlink()
        self.write(files)


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def outcome(result: Review) -> str:
    """Return one word for all that changed."""
    if result.not_read:
        return "not read"
    words = {document.change.reach if document.change else "cannot tell" for document in result.documents}
    words = {"cannot tell" if word == "unknown" else word for word in words}
    return " and ".join(sorted(words)) or "nothing"


class Case(NamedTuple):
    """A change of one file, or of several."""

    name: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    expected: str


def tf(before: str, after: str, expected: str, name: str = "main.tf", *, preamble: str = "") -> Case:
    return Case(name, {name: preamble + before}, {name: preamble + after}, expected)


def policy(body: str) -> str:
    return f'resource "aws_iam_policy" "p" {{\n  name   = "p"\n  policy = {body}\n}}\n'


def encoded(action: str, resource: str = '"*"') -> str:
    return policy(
        f'jsonencode({{ Version = "2012-10-17", Statement = [{{ Effect = "Allow", Action = {action}, Resource = {resource} }}] }})'
    )


def data(statement: str, top: str = "") -> str:
    return f'data "aws_iam_policy_document" "d" {{\n{top}\n  statement {{\n{statement}\n  }}\n}}\n' + policy(
        "data.aws_iam_policy_document.d.json"
    )


def actions(*names: str, resources: str = '["*"]') -> str:
    return f"    actions = {json.dumps(names)}\n    resources = {resources}"


def counted_document(action: str) -> str:
    return f'data "aws_iam_policy_document" "e" {{\n  count = var.on ? 1 : 0\n  statement {{\n    actions = [{action}]\n    resources = ["*"]\n  }}\n}}\n'


def attach(arn: str, role: str = "aws_iam_role.node.name") -> str:
    return f'resource "aws_iam_role_policy_attachment" "a" {{\n  role = {role}\n  policy_arn = "{arn}"\n}}\n'


AWS = "arn:aws:iam::aws:policy"
BUCKET = "aws_s3_bucket.data.arn"

TERRAFORM = [
    tf(encoded('"s3:GetObject"'), encoded('"*"'), "widened"),
    tf(encoded('["s3:GetObject", "s3:PutObject"]'), encoded('"s3:GetObject"'), "narrowed"),
    tf(encoded('"s3:GetObject"'), encoded('["s3:GetObject"]'), "nothing"),
    # An unknown resource is an unknown resource.
    tf(encoded('"s3:GetObject"', BUCKET), encoded('"s3:*"', BUCKET), "widened"),
    tf(encoded('"s3:*"', BUCKET), encoded('"s3:GetObject"', BUCKET), "narrowed"),
    tf(encoded('"s3:GetObject"', '"*"'), encoded('"s3:GetObject"', BUCKET), "narrowed"),
    tf(encoded('"s3:GetObject"', BUCKET), encoded('"s3:GetObject"', '"*"'), "widened"),
    tf(encoded('"s3:GetObject"', BUCKET), encoded('"s3:GetObject"', "aws_s3_bucket.other.arn"), "cannot tell"),
    tf(encoded('"s3:GetObject"', f"[{BUCKET}]"), encoded('"s3:GetObject"', f'[{BUCKET}, "${{{BUCKET}}}/*"]'), "widened"),
    tf(encoded('"s3:GetObject"', '"arn:aws:s3:::${var.b}/*"'), encoded('["s3:GetObject", "s3:PutObject"]', '"arn:aws:s3:::${var.b}/*"'), "widened"),
    tf(encoded('"iam:PassRole"', '"arn:aws:iam::${data.aws_caller_identity.a.account_id}:role/x"'), encoded('"iam:PassRole"', '"arn:${data.aws_partition.p.partition}:iam::${data.aws_caller_identity.b.account_id}:role/x"'), "nothing"),
    # What is not known changes.
    tf(encoded("var.a"), encoded("var.b"), "cannot tell"),
    tf(encoded("var.a"), encoded("var.a") + "# a comment\n", "nothing"),
    tf(encoded("concat(var.a, [\"s3:GetObject\"])"), encoded('concat(var.a, ["s3:GetObject", "iam:*"])'), "widened"),
    tf(encoded('var.x ? "s3:GetObject" : "s3:PutObject"'), encoded('var.x ? "s3:GetObject" : "*"'), "cannot tell"),
    tf(policy("var.json"), policy("var.json"), "nothing"),
    tf(policy("var.json"), policy("var.other"), "cannot tell"),
    # Locals and variables.
    tf('locals { a = ["s3:GetObject"] }\n', 'locals { a = ["s3:*"] }\n', "widened", preamble=encoded("local.a")),
    tf('variable "a" { default = ["s3:GetObject"] }\n', 'variable "a" { default = ["s3:*"] }\n', "widened", preamble=encoded("var.a")),
    tf('locals {\n  b = "iam"\n  a = ["${local.b}:PassRole"]\n}\n', 'locals {\n  b = "iam"\n  a = ["${local.b}:*"]\n}\n', "widened", preamble=encoded("local.a")),
    Case("tfvars", {"main.tf": encoded("var.a"), "terraform.tfvars": 'a = ["s3:GetObject"]\n'}, {"main.tf": encoded("var.a"), "terraform.tfvars": 'a = ["*"]\n'}, "widened"),
    Case("tfvars", {"main.tf": encoded("var.a"), "prod.tfvars": 'a = ["s3:GetObject"]\n'}, {"main.tf": encoded("var.a"), "prod.tfvars": 'a = ["s3:*"]\n'}, "not read"),
    # What a default leaves out may be turned on by whoever calls the module.
    tf(encoded('"s3:GetObject"').replace("{\n", "{\n  count = var.on ? 1 : 0\n", 1), encoded('"*"').replace("{\n", "{\n  count = var.on ? 1 : 0\n", 1), "widened", preamble='variable "on" { default = false }\n'),
    tf('variable "on" { default = false }\n', 'variable "on" { default = true }\n', "cannot tell", preamble=encoded('"*"').replace("{\n", "{\n  count = var.on ? 1 : 0\n", 1)),
    # Documents of the data source.
    tf(data(actions("s3:GetObject")), data(actions("s3:GetObject", "iam:PassRole")), "widened"),
    tf(data(actions("s3:GetObject")), data(f'    sid = "A"\n{actions("s3:GetObject")}'), "nothing"),
    tf(data(actions("s3:GetObject")), data('    effect = "Deny"\n' + actions("s3:GetObject")), "narrowed"),
    tf(data(actions("s3:*")), data(actions("s3:*") + '\n    condition {\n      test = "StringEquals"\n      variable = "aws:RequestedRegion"\n      values = [var.region]\n    }'), "narrowed"),
    tf(data(actions("s3:GetObject"), "  source_policy_documents = [data.aws_iam_policy_document.e.json]"), data(actions("s3:GetObject"), "  source_policy_documents = [data.aws_iam_policy_document.e.json, var.more]"), "widened", preamble='data "aws_iam_policy_document" "e" {\n  statement {\n    actions = ["ec2:*"]\n    resources = ["*"]\n  }\n}\n'),
    Case("source", {"main.tf": data(actions("s3:GetObject"), "  source_policy_documents = [data.aws_iam_policy_document.e.json]"), "e.tf": 'data "aws_iam_policy_document" "e" {\n  statement {\n    actions = ["ec2:DescribeTags"]\n    resources = ["*"]\n  }\n}\n'}, {"main.tf": data(actions("s3:GetObject"), "  source_policy_documents = [data.aws_iam_policy_document.e.json]"), "e.tf": 'data "aws_iam_policy_document" "e" {\n  statement {\n    actions = ["ec2:*"]\n    resources = ["*"]\n  }\n}\n'}, "widened"),
    tf('data "aws_iam_policy_document" "d" {\n  dynamic "statement" {\n    for_each = ["s3:GetObject"]\n    content {\n      actions = [statement.value]\n      resources = ["*"]\n    }\n  }\n}\n', 'data "aws_iam_policy_document" "d" {\n  dynamic "statement" {\n    for_each = ["s3:GetObject", "iam:*"]\n    content {\n      actions = [statement.value]\n      resources = ["*"]\n    }\n  }\n}\n', "widened", preamble=policy("data.aws_iam_policy_document.d.json")),
    tf('data "aws_iam_policy_document" "d" {\n  dynamic "statement" {\n    for_each = var.s\n    content {\n      actions = ["s3:GetObject"]\n      resources = ["*"]\n    }\n  }\n}\n', 'data "aws_iam_policy_document" "d" {\n  dynamic "statement" {\n    for_each = var.s\n    content {\n      actions = ["s3:*"]\n      resources = ["*"]\n    }\n  }\n}\n', "widened", preamble=policy("data.aws_iam_policy_document.d.json")),
    tf(counted_document('"s3:GetObject"'), counted_document('"iam:*"'), "widened", preamble=data(actions("s3:GetObject"), "  source_policy_documents = data.aws_iam_policy_document.e[*].json")),
    # Texts.
    tf(policy(f"<<-EOF\n  {doc(allow('s3:GetObject', '${aws_s3_bucket.b.arn}/*'))}\n  EOF"), policy(f"<<-EOF\n  {doc(allow('s3:*', '${aws_s3_bucket.b.arn}/*'))}\n  EOF"), "widened"),
    tf(policy("<<EOF\n" + '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ${jsonencode(var.a)}, "Resource": "*"}]}' + "\nEOF"), policy("<<EOF\n" + '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ${jsonencode(var.a)}, "Resource": "*"}, {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}' + "\nEOF"), "widened"),
    Case("file", {"main.tf": policy('file("${path.module}/p.json")'), "p.json": doc(READ)}, {"main.tf": policy('file("${path.module}/p.json")'), "p.json": doc(allow("s3:*"))}, "widened"),
    Case("templatefile", {"main.tf": policy('templatefile("${path.module}/p.tftpl", { a = "s3:GetObject" })'), "p.tftpl": doc(allow("${a}", "${r}"))}, {"main.tf": policy('templatefile("${path.module}/p.tftpl", { a = "s3:*" })'), "p.tftpl": doc(allow("${a}", "${r}"))}, "widened"),
    Case("tftpl", {"main.tf": policy('templatefile("${path.module}/p.tftpl", { a = "s3:GetObject" })'), "p.tftpl": doc(allow("${a}"))}, {"main.tf": policy('templatefile("${path.module}/p.tftpl", { a = "s3:GetObject" })'), "p.tftpl": doc(allow(["${a}", "iam:*"]))}, "widened"),
    Case("tftpl alone", {"p.tftpl": doc(allow("${a}")) + "%{ if x }"}, {"p.tftpl": doc(allow(["${a}", "iam:*"])) + "%{ if x }"}, "not read"),
    # Instances.
    tf('resource "aws_iam_policy" "p" {\n  for_each = { a = "s3:GetObject" }\n  name = each.key\n  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = each.value, Resource = "*" }] })\n}\n', 'resource "aws_iam_policy" "p" {\n  for_each = { a = "s3:*" }\n  name = each.key\n  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = each.value, Resource = "*" }] })\n}\n', "widened"),
    tf(encoded('"*"').replace("{\n", "{\n  count = 0\n", 1), encoded('"*"').replace("{\n", "{\n  count = 1\n", 1), "widened"),
    tf(encoded('"s3:GetObject"').replace("{\n", "{\n  count = var.on ? 1 : 0\n", 1), encoded('"*"').replace("{\n", "{\n  count = var.on ? 1 : 0\n", 1), "widened"),
    # Inline policies of roles.
    tf('resource "aws_iam_role" "r" {\n  inline_policy {\n    name = "a"\n    policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }] })\n  }\n}\n', 'resource "aws_iam_role" "r" {\n  inline_policy {\n    name = "a"\n    policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "s3:*", Resource = "*" }] })\n  }\n}\n', "widened"),
    tf(encoded('"s3:GetObject"').replace("aws_iam_policy", "aws_iam_role_policy").replace("policy =", 'role = "x"\n  policy ='), encoded('"*"').replace("aws_iam_policy", "aws_iam_role_policy").replace("policy =", 'role = "x"\n  policy ='), "widened"),
    # Modules.
    Case("module", {"main.tf": 'module "m" {\n  source = "./m"\n  a = ["s3:GetObject"]\n}\n', "m/main.tf": 'variable "a" {}\n' + encoded("var.a")}, {"main.tf": 'module "m" {\n  source = "./m"\n  a = ["*"]\n}\n', "m/main.tf": 'variable "a" {}\n' + encoded("var.a")}, "widened"),
    tf('module "m" {\n  source = "x/y/aws"\n  policy_statements = [{ effect = "Allow", actions = ["s3:GetObject"], resources = ["*"] }]\n}\n', 'module "m" {\n  source = "x/y/aws"\n  policy_statements = [{ effect = "Allow", actions = ["*"], resources = ["*"] }]\n}\n', "widened"),
    tf('module "m" {\n  source = "x/y/aws"\n}\n', f'module "m" {{\n  source = "x/y/aws"\n  iam_role_additional_policies = {{ a = "{AWS}/AdministratorAccess" }}\n}}\n', "widened"),
    # Names.
    tf(encoded('"s3:GetObject"'), encoded('"s3:GetObject"').replace('"p" {', '"renamed" {'), "nothing"),
    Case("rename", {"a.tf": encoded('"s3:GetObject"')}, {"iam/b.tf": encoded('"s3:GetObject"')}, "nothing"),
    Case("rename", {"a.tf": encoded('"s3:GetObject"')}, {"iam/b.tf": encoded('"s3:*"')}, "widened"),
    # JSON, and what is not HCL.
    Case("tf.json", {"main.tf.json": json.dumps({"resource": {"aws_iam_policy": {"p": {"policy": doc(READ)}}}})}, {"main.tf.json": json.dumps({"resource": {"aws_iam_policy": {"p": {"policy": doc(allow("*"))}}}})}, "widened"),
    tf(encoded('"s3:GetObject"'), encoded('"*"') + "}", "not read"),
    tf('resource "aws_vpc" "v" {}\n', 'resource "aws_vpc" "v" {\n  cidr_block = "10.0.0.0/16"\n}\n', "nothing"),
]  # fmt: skip

ROLE = 'resource "aws_iam_role" "r" {\n  name = "r"\n%s\n}\n'
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
EKS = {"Service": ["ec2.amazonaws.com", "eks.amazonaws.com"]}
IRSA = {
    "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
    "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"},
    "Condition": {"StringEquals": {"oidc.eks.us-east-1.amazonaws.com/id/ABC:sub": "system:serviceaccount:a:b"}},
}  # fmt: skip
CLUSTER = "arn:aws:eks::aws:cluster-access-policy"


def access(name: str, scope: str = 'type = "cluster"') -> str:
    return f'resource "aws_eks_access_policy_association" "a" {{\n  principal_arn = "arn:aws:iam::111122223333:role/dev"\n  policy_arn = "{CLUSTER}/{name}"\n  access_scope {{\n    {scope}\n  }}\n}}\n'


ATTACHED = [
    tf(attach(f"{AWS}/AmazonEKSWorkerNodePolicy"), attach(f"{AWS}/AdministratorAccess"), "widened"),
    tf(attach(f"{AWS}/AdministratorAccess"), attach(f"{AWS}/AmazonEKSWorkerNodePolicy"), "narrowed"),
    tf("", attach(f"{AWS}/AmazonEKSWorkerNodePolicy"), "widened"),
    tf(attach("arn:aws:iam::111122223333:policy/a"), attach("arn:aws:iam::111122223333:policy/b"), "cannot tell"),
    tf(attach(f"{AWS}/ReadOnlyAccess"), attach(f"{AWS}/ReadOnlyAccess").replace('"a" {', '"b" {'), "nothing"),
    tf(encoded('"s3:GetObject"'), encoded('"s3:GetObject"') + attach("x").replace('"x"', "aws_iam_policy.p.arn"), "widened"),
    tf(ROLE % f'  managed_policy_arns = ["{AWS}/AmazonEKSWorkerNodePolicy"]', ROLE % f'  managed_policy_arns = ["{AWS}/AmazonEKSWorkerNodePolicy", "{AWS}/AdministratorAccess"]', "widened"),
    tf(ROLE % f'  permissions_boundary = "{AWS}/PowerUserAccess"', ROLE % "", "widened"),
    tf(ROLE % "", ROLE % f'  permissions_boundary = "{AWS}/PowerUserAccess"', "narrowed"),
    # A new boundary that may be none limits nothing that was there, and hides nothing beside it.
    tf("", ROLE % "  permissions_boundary = var.boundary", "nothing"),
    tf("", ROLE % f'  permissions_boundary = var.boundary\n  managed_policy_arns = ["{AWS}/AdministratorAccess"]', "widened"),
    tf("", ROLE % "  permissions_boundary = var.boundary" + attach(f"{AWS}/AdministratorAccess"), "widened"),
    tf(ROLE % f'  permissions_boundary = "{AWS}/PowerUserAccess"', ROLE % "  permissions_boundary = var.boundary", "cannot tell"),
    tf(access("AmazonEKSViewPolicy"), access("AmazonEKSClusterAdminPolicy"), "widened"),
    tf(access("AmazonEKSAdminPolicy"), access("AmazonEKSViewPolicy"), "narrowed"),
    tf(access("AmazonEKSViewPolicy", 'type = "namespace"\n    namespaces = ["a"]'), access("AmazonEKSViewPolicy"), "widened"),
    tf("", 'resource "aws_eks_pod_identity_association" "a" {\n  cluster_name = "c"\n  namespace = "n"\n  service_account = "s"\n  role_arn = aws_iam_role.admin.arn\n}\n', "widened"),
]  # fmt: skip


def stack(kind: str, properties: Mapping[str, object]) -> str:
    return json.dumps({"Resources": {"R": {"Type": kind, "Properties": properties}}})


def managed(action: str, resource: str) -> str:
    return f"Resources:\n  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument:\n        Version: '2012-10-17'\n        Statement:\n          - Effect: Allow\n            Action: {action}\n            Resource: {resource}\n"


def ekstl(account: str) -> str:
    return f"apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {{name: c}}\niam:\n  serviceAccounts:\n    - metadata: {{name: s, namespace: n}}\n{account}\n"


def ack(action: str) -> str:
    return f"apiVersion: iam.services.k8s.aws/v1alpha1\nkind: Policy\nmetadata: {{name: p}}\nspec:\n  name: p\n  policyDocument: |\n    {doc(allow(action))}\n"


def crossplane(kind: str, fields: str) -> str:
    return f"apiVersion: iam.aws.upbound.io/v1beta1\nkind: {kind}\nmetadata: {{name: p}}\nspec:\n  forProvider:\n{fields}\n"


def one(name: str, before: str, after: str, expected: str) -> Case:
    return Case(name, {name: before}, {name: after}, expected)


MANIFESTS = [
    one("t.yaml", managed("s3:GetObject", "!Sub 'arn:${AWS::Partition}:s3:::${Bucket}/*'"), managed("'s3:*'", "!Sub 'arn:${AWS::Partition}:s3:::${Bucket}/*'"), "widened"),
    one("t.yaml", managed("'s3:*'", "!GetAtt B.Arn"), managed("s3:GetObject", "!GetAtt B.Arn"), "narrowed"),
    one("t.yaml", managed("s3:GetObject", "!Sub '${B.Arn}/*'"), managed("s3:GetObject", "!Join ['', [!GetAtt B.Arn, '/*']]"), "nothing"),
    one("t.yaml", managed("s3:GetObject", "!Sub '${B.Arn}/*'"), managed("s3:GetObject", "!Sub '${B.Arn}/*'") + "Outputs: {a: {Value: !Ref P}}\n", "nothing"),
    one("t.yaml", managed("s3:GetObject", "!GetAtt B.Arn"), managed("s3:GetObject", "!GetAtt C.Arn"), "cannot tell"),
    one("t.json", stack("AWS::IAM::Role", {"ManagedPolicyArns": [f"{AWS}/ReadOnlyAccess"]}), stack("AWS::IAM::Role", {"ManagedPolicyArns": [f"{AWS}/AdministratorAccess"]}), "widened"),
    one("t.json", stack("AWS::IAM::Role", {"ManagedPolicyArns": []}), stack("AWS::IAM::Role", {"ManagedPolicyArns": [{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess"}]}), "widened"),
    one("t.json", stack("AWS::IAM::Role", {"PermissionsBoundary": f"{AWS}/AmazonEKSWorkerNodePolicy"}), stack("AWS::IAM::Role", {}), "widened"),
    one("t.json", stack("AWS::S3::BucketPolicy", {"Bucket": "b", "PolicyDocument": {"Statement": [{**READ, "Principal": {"AWS": "111122223333"}}]}}), stack("AWS::S3::BucketPolicy", {"Bucket": "b", "PolicyDocument": {"Statement": [{**READ, "Principal": "*"}]}}), "widened"),
    one("c.yaml", ekstl(f"      attachPolicyARNs: ['{AWS}/AmazonEKSWorkerNodePolicy']"), ekstl(f"      attachPolicyARNs: ['{AWS}/AdministratorAccess']"), "widened"),
    one("c.yaml", ekstl("      wellKnownPolicies: {autoScaler: true}"), ekstl("      wellKnownPolicies: {autoScaler: true, ebsCSIController: true}"), "widened"),
    one("c.yaml", ekstl(f"      attachPolicy: {doc(allow('s3:*'))}"), ekstl(f"      attachPolicy: {doc(allow('s3:GetObject'))}"), "narrowed"),
    one("c.yaml", ekstl("      attachRoleARN: arn:aws:iam::1:role/a"), ekstl("      attachRoleARN: arn:aws:iam::1:role/b"), "cannot tell"),
    one("p.yaml", ack("s3:GetObject"), ack("*"), "widened"),
    one("p.yaml", ack("s3:GetObject"), ack("s3:GetObject").replace("spec:", "  labels: {a: b}\nspec:").replace("{name: p}\n  labels", "\n  name: p\n  labels"), "nothing"),
    one("p.yaml", crossplane("Policy", f"    policy: '{doc(allow('s3:GetObject'))}'"), crossplane("Policy", f"    policy: '{doc(allow('*'))}'"), "widened"),
    one("p.yaml", crossplane("RolePolicyAttachment", f"    roleRef: {{name: r}}\n    policyArn: {AWS}/AmazonEKSWorkerNodePolicy"), crossplane("RolePolicyAttachment", f"    roleRef: {{name: r}}\n    policyArn: {AWS}/AdministratorAccess"), "widened"),
    one("values.yaml", f"controller:\n  iam:\n    policyArns:\n      - {AWS}/AmazonEKSWorkerNodePolicy\n", f"controller:\n  iam:\n    policyArns:\n      - {AWS}/AdministratorAccess\n", "widened"),
    one("values.yaml", f"policy: |\n  {doc(READ)}\n", f"policy: |\n  {doc(allow('*'))}\n", "widened"),
    one("values.yaml", f"role: {{policyStatements: [{json.dumps(READ)}]}}\n", f"role: {{policyStatements: [{json.dumps(allow('*'))}]}}\n", "widened"),
    one("values.json", json.dumps({"inlineStatements": [READ]}), json.dumps({"inlineStatements": [READ, allow("s3:*")]}), "widened"),
    one("values.yaml", f"statements: [{json.dumps(READ)}, {json.dumps(DENY)}]\n", f"statements: [{json.dumps(DENY)}, {json.dumps(READ)}]\n", "nothing"),
    one("values.yaml", f"statements: [{json.dumps(READ)}, {json.dumps(DENY)}]\n", f"statements: [{json.dumps(READ)}]\n", "widened"),
    one("values.yaml", f"statement: {json.dumps(READ)}\n", f"statement: {json.dumps(allow('*'))}\n", "widened"),
    one("values.yaml", "iam: [{effect: Allow, action: 's3:GetObject', resource: '*'}]\n", "iam: [{effect: Allow, action: 's3:*', resource: '*'}]\n", "widened"),
    one("values.yaml", "iam: [{effect: Allow, actions: ['s3:*'], resources: ['*'], conditions: {Bool: {'aws:SecureTransport': 'true'}}}]\n", "iam: [{effect: Allow, actions: ['s3:*'], resources: ['*']}]\n", "widened"),
    one("values.yaml", "iam: [{effect: Allow, actions: ['s3:*'], resources: ['*']}]\n", "iam: [{effect: Allow, actions: ['s3:*'], resources: ['*'], conditions: [{test: Bool, variable: 'aws:SecureTransport', values: ['true']}]}]\n", "narrowed"),
    one("values.yaml", "iam: [{Effect: Allow, Action: 's3:GetObject', Resource: '*'}]\n", "iam: [{Effect: Allow, Action: 's3:*', Resource: {Ref: Bucket}}]\n", "cannot tell"),
    one("values.yaml", "tolerations: [{effect: NoSchedule, key: a}]\n", "tolerations: [{effect: NoSchedule, key: 's3:GetObject'}]\n", "nothing"),
    one("policy.yml", "Version: 2012-10-17\nStatement:\n- Effect: Allow\n  Action: s3:GetObject\n  Resource: '*'\n", "Version: 2012-10-17\nStatement:\n- Effect: Allow\n  Action: '*'\n  Resource: '*'\n", "widened"),
    one("templates/p.yaml", ack("s3:GetObject").replace("name: p\n", "name: {{ .Values.name }}\n"), ack("*").replace("name: p\n", "name: {{ .Values.name }}\n"), "widened"),
    one("templates/p.yaml", ack("s3:GetObject"), "{{- if .Values.on }}\n" + ack("*") + "{{- end }}\n", "not read"),
    one("p.json", "{\n  // what may be read\n" + doc(READ)[1:], "{\n  // what may be read\n" + doc(allow("*"))[1:], "widened"),
    one("tsconfig.json", '{\n  // a\n  "compilerOptions": {"strict": true}\n}', '{\n  // b\n  "compilerOptions": {"strict": false,},\n}', "nothing"),
    Case("rename", {"a/cni.json": doc(READ)}, {"b/vpc-cni.json": doc(READ)}, "nothing"),
    Case("rename", {"a/cni.json": doc(READ, allow("ec2:DescribeTags"))}, {"b/vpc.json": doc(READ, allow("ec2:DescribeTags"), allow("ec2:*"))}, "widened"),
    # With half of its statements it is the same policy, with fewer another one.
    Case("rename", {"a/cni.json": doc(READ, allow("ec2:DescribeTags"))}, {"b/vpc.json": doc(READ, allow("sqs:*"))}, "mixed"),
    Case("rename", {"a/cni.json": doc(READ, allow("ec2:DescribeTags"))}, {"b/vpc.json": doc(READ, allow("sqs:*"), allow("sns:*"))}, "narrowed and widened"),
]  # fmt: skip

PRINCIPALS = [
    one("t.json", doc(TRUST), doc({**TRUST, "Principal": EKS}), "widened"),
    one("t.json", doc({**TRUST, "Principal": EKS}), doc(TRUST), "narrowed"),
    one("t.json", doc({**TRUST, "Principal": {"AWS": "arn:aws:iam::111122223333:role/a"}}), doc({**TRUST, "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}), "widened"),
    one("t.json", doc({**TRUST, "Principal": {"AWS": "111122223333"}}), doc({**TRUST, "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}), "nothing"),
    one("t.json", doc({**TRUST, "Principal": {"AWS": "111122223333"}}), doc({**TRUST, "Principal": {"AWS": "*"}}), "widened"),
    one("t.json", doc(IRSA), doc({**IRSA, "Condition": {"StringLike": dict.fromkeys(IRSA["Condition"]["StringEquals"], "system:serviceaccount:a:*")}}), "widened"),  # type: ignore[index]
    one("t.json", doc(TRUST), doc({**TRUST, "Action": ["sts:AssumeRole", "sts:TagSession"]}), "widened"),
    one("t.json", doc(TRUST), doc({**TRUST, "Sid": "Node"}), "nothing"),
    tf(ROLE % "  assume_role_policy = jsonencode({ Statement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { AWS = aws_iam_role.a.arn } }] })", ROLE % "  assume_role_policy = jsonencode({ Statement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { AWS = \"*\" } }] })", "widened"),
    one("b.json", doc({**READ, "Principal": {"AWS": "111122223333"}, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}), doc({**READ, "Principal": {"AWS": "111122223333"}}), "widened"),
]  # fmt: skip


def inline(role: str) -> str:
    return f'resource "aws_iam_role_policy" "p" {{\n  role = "{role}"\n  policy = jsonencode({{ Statement = [{{ Effect = "Allow", Action = "s3:*", Resource = "*" }}] }})\n}}\n'


def attached(roles: str) -> str:
    return f'resource "aws_iam_policy_attachment" "a" {{\n  roles = [{roles}]\n  policy_arn = "{AWS}/AmazonEKSWorkerNodePolicy"\n}}\n'


def config_map(group: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: aws-auth, namespace: kube-system}}\ndata:\n  mapRoles: |\n    - rolearn: arn:aws:iam::1:role/a\n      groups: [{group}]\n"


def workflow(command: str) -> str:
    return f"on: push\njobs:\n  a:\n    steps:\n      - run: {command}\n"


OTHERS = [
    tf(inline("a"), inline("b"), "cannot tell"),
    # Renamed in the files, it is the same policy of the same role.
    tf(inline("a"), inline("a").replace('"p"', '"q"'), "nothing"),
    tf(attached('"x"'), attached('"x", "y"'), "widened"),
    tf("", 'resource "aws_ssoadmin_permission_set_inline_policy" "a" {\n  inline_policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })\n}\n', "widened"),
    tf("", 'resource "aws_lambda_permission" "a" {\n  action = "lambda:InvokeFunction"\n  principal = "*"\n  function_name = "x"\n}\n', "widened"),
    tf('resource "aws_kms_key" "k" {\n  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "kms:*", Resource = "*", Principal = { AWS = "111122223333" } }] })\n}\n', 'resource "aws_kms_key" "k" {\n  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "kms:*", Resource = "*", Principal = { AWS = "*" } }] })\n}\n', "widened"),
    one("aws-auth.yaml", config_map("view"), config_map("system:masters"), "cannot tell"),
    one(".github/workflows/a.yml", workflow("echo"), workflow("aws iam attach-role-policy --role-name a --policy-arn b"), "cannot tell"),
    one(".github/workflows/a.yml", workflow("echo"), workflow("aws s3 ls"), "nothing"),
    # What cannot be read was not the policy of another file.
    Case("two files", {".github/workflows/a.yml": workflow("aws iam attach-role-policy --role-name a --policy-arn b")}, {"b.json": doc(READ)}, "cannot tell and widened"),
    Case("two files", {"b.json": doc(READ)}, {".github/workflows/a.yml": workflow("aws iam attach-role-policy --role-name a --policy-arn b")}, "cannot tell and narrowed"),
    one("patch.yaml", f"- op: replace\n  path: /spec/policies/0\n  value: {AWS}/AmazonEKSWorkerNodePolicy\n", f"- op: replace\n  path: /spec/policies/0\n  value: {AWS}/AdministratorAccess\n", "widened"),
    one("terragrunt.hcl", "inputs = {}\n", f'inputs = {{\n  policies = ["{AWS}/AdministratorAccess"]\n}}\n', "not read"),
]  # fmt: skip

CASES = [*TERRAFORM, *ATTACHED, *MANIFESTS, *PRINCIPALS, *OTHERS]


IDS = [f"{number}-{case.name}" for number, case in enumerate(CASES)]


def without_git(folder: Path, case: Case, library: Library) -> Review:
    write(folder, case.after)
    with mock.patch.object(reviewing, "Changes", lambda *_: Sides(folder, case.before, case.after)):
        return review(folder, "HEAD", library=library)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_what_is_written_is_judged(tmp_path: Path, library: Library, case: Case) -> None:
    result = without_git(tmp_path, case, library)
    assert outcome(result) == case.expected, result


# Those of several files, of which git has more to say; the others are one file that changed, all alike to it.
SEVERAL = [case for case in CASES if len({*case.before, *case.after}) > 1]


@pytest.mark.parametrize("case", [*sample(SEVERAL, 7), *sample([case for case in CASES if case not in SEVERAL], 3)])
def test_git_says_the_same_of_them(tmp_path: Path, library: Library, case: Case) -> None:
    result = without_git(tmp_path / "without", case, library)
    (tmp_path / "git").mkdir()
    repository = Repository(tmp_path / "git")
    repository.commit(case.before)
    repository.replace(case.after)
    assert review(repository.folder, "HEAD", library=library) == result


def test_an_association_attaches_its_access_policy_once(tmp_path: Path, library: Library) -> None:
    before, after = (
        crossplane(
            "AccessPolicyAssociation", f"    principalArn: arn:aws:iam::1:role/a\n    policyArn: {CLUSTER}/{name}"
        )
        for name in ("AmazonEKSViewPolicy", "AmazonEKSClusterAdminPolicy")
    )
    (document,) = without_git(tmp_path, one("p.yaml", before, after, "widened"), library).documents
    assert document.change is not None
    assert document.change.reach == "widened"


def test_each_statement_that_differs_is_judged_by_itself(tmp_path: Path, library: Library) -> None:
    """Those with the same Sid, actions or resources are one statement before and after."""
    read, put = {**READ, "Sid": "Kept"}, allow("s3:PutObject", "arn:aws:s3:::logs/*", Sid="Put")
    wider_statement = allow(["s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::logs/*", Sid="Put")
    reaches = {
        name: [(statement.name, statement.reach) for statement in document.statements]
        for name, after in {
            "several": doc(read, wider_statement, allow("s3:ListBucket", "arn:aws:s3:::logs")),
            "fewer": doc(wider_statement, allow("s3:GetObject", "arn:aws:s3:::data/a/*")),
            "one": doc(read, wider_statement),
        }.items()
        for document in without_git(
            tmp_path, Case(name, {"policy.json": doc(read, put)}, {"policy.json": after}, ""), library
        ).documents
    }
    assert reaches == {
        "several": [("Put", "widened"), ("statement 3", "widened")],
        "fewer": [("Put", "widened"), ("statement 2", "narrowed")],
        "one": [("Put", "widened")],
    }
