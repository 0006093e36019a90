"""Commands that a user may run: as arguments, and as one line to paste. ekstui only shows them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from hashlib import sha256

from ekstui.iam.arn import entity_of
from ekstui.iam.document import Document, Statement, parse_text, serialise, serialise_statement
from ekstui.named_tuples import NamedTuple

ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}")
"""How IAM names roles and users."""
_NOT_IN_A_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)
_VARIABLE = re.compile(r"\$\{(\w+):\?\}")
_OPTION = re.compile(r"--[a-z-]+")


class Command(NamedTuple):
    """A command to be run by somebody with the permission."""

    arguments: tuple[str, ...]
    """The program and its arguments, unquoted."""
    about: str
    """What it does, as half a sentence."""
    expansions: tuple[str, ...] = ()
    """The parts of arguments that the shell expands: variables (see `variable`) and other commands' output."""

    @property
    def text(self) -> str:
        """The command as one line for a POSIX shell."""
        return " ".join(self._quoted(argument) for argument in self.arguments)

    @property
    def variables(self) -> tuple[str, ...]:
        """The shell variables that have to be set first."""
        used_expansions = (
            expansion for expansion in self.expansions if any(expansion in argument for argument in self.arguments)
        )
        return tuple(dict.fromkeys(name for text in used_expansions for name in _VARIABLE.findall(text)))

    def with_variable(self, name: str, value: str) -> Command:
        """Return the command with a shell variable wherever its arguments have a value."""
        arguments = tuple(argument.replace(value, variable(name)) for argument in self.arguments)
        return (
            self if arguments == self.arguments else Command(arguments, self.about, (*self.expansions, variable(name)))
        )

    def _quoted(self, argument: str) -> str:
        if not any(expansion in argument for expansion in self.expansions):
            return shlex.quote(argument)
        parts = re.split(f"({'|'.join(map(re.escape, self.expansions))})", argument)
        return "".join(f'"{part}"' if part in self.expansions else shlex.quote(part) for part in parts if part)


def variable(name: str) -> str:
    """Return a shell variable for a value that is not known; the shell refuses the command while it is not set."""
    return f"${{{name}:?}}"


def with_variables(statement: Statement, names: Iterable[str]) -> Statement:
    """Return a statement with variables of the shell for the parameters of a controller's policy."""
    text = json.dumps(serialise_statement(statement))
    for name in names:
        text = text.replace(f"${{{name}}}", variable(re.sub(r"\W+", "_", name)))
    return parse_text(f'{{"Version": "2012-10-17", "Statement": [{text}]}}').statements[0]


def one_line(commands: Iterable[Command]) -> str:
    """Return commands as one line, each run if the one before it succeeds."""
    return " && ".join(command.text for command in commands)


def aws(about: str, *arguments: str, region: str | None = None, expansions: Iterable[str] = ()) -> Command:
    """Return a command of the AWS CLI, which takes a value that begins with a hyphen only behind `=`."""
    place = ("--region", region) if region else ()
    words = ["aws"]
    for argument in (*arguments, *place):
        if argument.startswith("-") and not _OPTION.fullmatch(argument):
            words[-1] += f"={argument}"
        else:
            words.append(argument)
    return Command(tuple(words), about, tuple(expansions))


def decode_message(message: str) -> Command:
    """Return the command that decodes an authorization message; ekstui does not run it, as it needs a permission."""
    return aws(
        "decodes the message",
        *("sts", "decode-authorization-message", "--encoded-message", message),
        *("--query", "DecodedMessage", "--output", "text"),
    )


def attach_policy(name: str, arn: str, kind: str = "role") -> Command:
    """Return the command that attaches a managed policy to a `role` or `user`."""
    about = f"attaches {arn.rpartition('/')[2]} to {name}"
    return aws(about, "iam", f"attach-{kind}-policy", f"--{kind}-name", name, "--policy-arn", arn)


def put_policy(name: str, label: str, statements: tuple[Statement, ...], about: str, kind: str = "role") -> Command:
    """Return the command that gives a `role` or `user` an inline policy with these statements.

    The policy's name begins with `label` and ends in a hash of its content, so that it replaces no other policy.
    Variables of the shell in the statements are expanded.
    """
    document = json.dumps(serialise(Document("2012-10-17", None, statements)), separators=(",", ":"))
    policy_name = f"{_NOT_IN_A_NAME.sub('-', label)[:100]}-{sha256(document.encode()).hexdigest()[:8]}"
    arguments = (f"--{kind}-name", name, "--policy-name", policy_name, "--policy-document", document)
    names = (match.group() for match in _VARIABLE.finditer(document))
    return aws(about, "iam", f"put-{kind}-policy", *arguments, expansions=dict.fromkeys(names))


def create_entry(
    cluster: str,
    region: str | None,
    principal: str,
    kind: str | None = None,
    groups: Iterable[str] = (),
    username: str | None = None,
) -> Command:
    """Return the command that creates an access entry for a role or user; `principal` is its ARN, or a shell expansion.

    `kind` is the type of the entry, if it is not for people. The user name is EKS's own if None.
    """
    kinds = () if kind is None else ("--type", kind)
    names = () if username is None else ("--username", username)
    groups = tuple(groups)
    joins = ("--kubernetes-groups", *groups) if groups else ()
    return aws(
        f"lets {'the principal' if kind is None else 'its nodes'} into {_called(cluster)}",
        "eks", "create-access-entry", "--cluster-name", cluster, "--principal-arn", principal, *kinds, *names, *joins,
        region=region, expansions=expansions_in(cluster, principal),
    )  # fmt: skip


def update_kubeconfig(cluster: str, region: str | None) -> Command:
    """Return the command that makes kubectl use a cluster with the shell's credentials."""
    return aws("makes kubectl ask as that principal", "eks", "update-kubeconfig", "--name", cluster, region=region)


def associate_policy(
    cluster: str,
    region: str | None,
    principal: str,
    policy: str,
    namespaces: Iterable[str] = (),
    partition: str = "aws",
) -> Command:
    """Return the command that gives a principal an access policy, in namespaces or (if none) everywhere.

    The principal is an ARN or a shell expansion.
    """
    names = ",".join(namespaces)
    return aws(
        f"gives it {policy} in {names or 'the whole cluster'}",
        "eks", "associate-access-policy", "--cluster-name", cluster, "--principal-arn", principal,
        "--policy-arn", access_policy_arn(policy, partition),
        "--access-scope", f"type=namespace,namespaces={names}" if names else "type=cluster",
        region=region, expansions=expansions_in(cluster, principal),
    )  # fmt: skip


def access_policy_arn(policy: str, partition: str) -> str:
    """Return the ARN of an EKS access policy."""
    return f"arn:{partition}:eks::aws:cluster-access-policy/{policy}"


def iam_principal(username: str) -> str | None:
    """Return the ARN of the role or user behind a session; None for any other name.

    It is a shell expansion where the path is not known.
    """
    entity = entity_of(username)
    if not ROLE_NAME.fullmatch(entity.name):
        return None
    if entity.kind != "session":
        return username
    return role_arn_from_iam(entity.name)


def role_arn_from_iam(name: str) -> str:
    """Return a shell expansion that asks IAM for a role's ARN, with its path."""
    asking = aws("", "iam", "get-role", "--role-name", name, "--query", "Role.Arn", "--output", "text")
    return f"$({asking.text})"


def expansions_in(*arguments: str) -> tuple[str, ...]:
    """Return the arguments that are, as a whole, shell expansions."""
    return tuple(argument for argument in arguments if _VARIABLE.fullmatch(argument) or argument.startswith("$(aws "))


def _called(cluster: str) -> str:
    return "the cluster" if _VARIABLE.fullmatch(cluster) else cluster
