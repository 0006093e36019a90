"""Make assets/schema.json, the JSON Schema of the commands' answers.

python -m assets.build_schema

`class_schemas.py` has the schemas of the classes; here stand the parts and answers that are put together of several.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from assets.class_schemas import form_schema, whole, without
from assets.json_schema import (
    ANYTHING,
    ARN,
    BOOLEAN,
    COUNT,
    DATA,
    STRING,
    TEXTS,
    TIME,
    VERSION,
    Schema,
    either,
    is_a,
    named,
    none_or,
    record,
    some,
)
from ekstui.cli.main import ERROR_CODES
from ekstui.cli.parser import command_of, titles
from ekstui.cli.streams import SCHEMA, definition_of
from ekstui.export import encoding

TARGET = Path(__file__).resolve().parent / "schema.json"

TOO_LARGE: dict[str, Schema] = {
    "too_large": {
        "description": "Only where all actions with their grants are too large to list: the services then have none, only "
        "their counts.",
        **STRING,
    }
}


def parts() -> dict[str, Schema]:
    """Return the objects that no class stands for by itself."""
    access = without("PrincipalCan")
    return {
        "time": {
            "description": "ISO 8601, UTC.", "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$",
        },
        "version": {
            "description": "A policy's version as IAM writes it, or a release of a project as its tag has it.",
            "type": "string", "pattern": "^v[1-9][0-9]*$|^v?[0-9]+[.][0-9]+[.][0-9]+$",
        },
        "compared_access_policy": record(label=STRING, policy=STRING, arn=ARN, kind={"const": "access"}),
        "attached_role": whole("RoleAttachment", trust=STRING),
        "summary_of_service": whole("ServiceSummary", reason=none_or(STRING), actions=some(is_a("ActionSummary"))),
        "service_account_of_issuer": whole("ServiceAccount", issuer=STRING),
        "setting": record(value=ANYTHING, **{"from": {
            "description": "`default`, `path:line` of the file, a variable's name, or `command line`.", **STRING
        }}),
        "taken_away": record(**{name: access[name] for name in ("kind", "name", "arn")}, by=TEXTS),
        "cluster_in_list": record(
            "A cluster, with how much of it could be better.", None, **without("Cluster", "issues"),
            roles=COUNT, advice=none_or(COUNT), not_judged=TEXTS,
            problems={"description": "Null where none was found and not everything could be read.", **none_or(COUNT)},
            issues=form_schema("Cluster")["properties"]["issues"],
        ),
        "explanation": whole(
            "Explanation", data=DATA, simulated=none_or(some(is_a("SimulatedDecision"))),
            peeled=none_or(is_a("LayerSimulation")), checks=TEXTS, commands=TEXTS,
            fixes={
                "description": "What fixes it, each by itself: those that certainly do first, whose commands are also in "
                "`commands`. `depends_on` is what is not known and has to hold.",
                **some(record(commands=TEXTS, depends_on=TEXTS)),
            },
            decode_command=none_or(STRING),
            trust=none_or(is_a("TrustJudgement")),
        ),
        "forbidden": whole("ForbiddenExplanation", data=DATA),
        "pods": whole("PodAnswer", data=DATA, can={
            "description": "Whether the first of its credentials may do what was asked; null if nothing was, or their role is not "
            "known.", **none_or(either(is_a("explanation"), is_a("forbidden"))),
        }),
        "shown_access_policy": whole("AccessPolicyRules.shown", data=DATA),
        "shown_policy": record(
            "A version of a policy.",
            {
                **TOO_LARGE,
                "access_policy": {"description": "The EKS access policy of the same name.", **is_a("shown_access_policy")},
                "parameters": {
                    "description": "Of what a controller publishes: each with its value, null where none was given.",
                    **named(none_or(STRING)),
                },
                "documents": {
                    "description": "The single documents of a controller that publishes several.",
                    **some(record(name=STRING, document=ANYTHING)),
                },
            },
            data=DATA, policy=STRING, arn=none_or(ARN), version=VERSION, default=BOOLEAN, created=none_or(TIME),
            document={"description": "As IAM has it, or the union of what a controller publishes."},
            services=some(is_a("summary_of_service")),
        ),
        "timeline": record(
            "The versions of a policy.", None, data=DATA, policy=STRING, arn=none_or(ARN), versions=some(is_a("Step"))
        ),
    }  # fmt: skip


def answers() -> dict[str, Sequence[Schema]]:
    """Return what each command may answer."""
    part = parts()
    explanations = {
        "answers": some(either(is_a("explanation"), is_a("forbidden"))),
        "read": {"description": "How many denials the text has.", **COUNT},
        "merged": {"description": "How many of them repeat another.", **COUNT},
    }

    def one_or_several(name: str, *other_fields: str) -> list[Schema]:
        kinds = (name, *other_fields)
        return [*(part[kind] for kind in kinds), record(answers={**some(either(*map(is_a, kinds))), "minItems": 2})]

    def with_data(form: str, **other_fields: Schema) -> Schema:
        return whole(form, data=DATA, **other_fields)

    classes_of_commands = {name: command_of(name).answers for name in titles()}
    return {
        **{name: list(map(with_data, forms)) for name, forms in classes_of_commands.items() if forms},
        "list": [record(data=DATA, policies=some(
            either(is_a("PolicyEntry"), is_a("Component"), is_a("AccessPolicyRules"))
        ))],
        "show": [
            *one_or_several("shown_policy", "shown_access_policy"),
            record(
                "What a document of a file, of standard input or of all policies of a role permits.", TOO_LARGE,
                data=DATA, label=STRING, document=ANYTHING, services=some(is_a("summary_of_service")),
            ),
        ],
        "versions": one_or_several("timeline"),
        "who-can": [
            with_data("WhoCan"),
            with_data("WhoCan", **without("PrincipalsCan")),
            record(
                "Of a request in Kubernetes.", None,
                data=DATA, action={"type": "string", "pattern": "^k8s:"},
                policies=some(record(policy=STRING, arn=ARN, content={"const": "exact"}, rules=some(is_a("Rule")))),
                principals=some(is_a("PrincipalInCluster")),
                not_known={"description": "Access policies whose rules nobody publishes: one may allow it too.", **TEXTS},
            ),
        ],
        "changes": [record(data=DATA, complete={
            "description": "false where the policies are known to a day before the one asked for.", **BOOLEAN
        }, changes=some(is_a("FeedStep")))],
        "clusters": [record("", None, data=DATA, **{
            **without("AccountSnapshot.of_clusters"),
            "clusters": none_or(some(is_a("cluster_in_list"))),
        })],
        "pod": one_or_several("pods"),
        "explain": [
            record(
                "One answer for each different denial of a text. A single one also has its fields beside the list, as "
                "before it was one; they are deprecated and will go with the next release.", None,
                data=DATA, **explanations,
            ),
            *({**record("", None, **part[kind]["properties"], **explanations), "deprecated": True}
              for kind in ("explanation", "forbidden")),
        ],
        "upgrade": [form_schema("UpgradeAnswer")],
        "sync": [form_schema("SyncReport")],
        "trim": [record(
            data=DATA, policy=STRING, version=VERSION, document=ANYTHING, dropped=TEXTS, reasons=named(none_or(STRING))
        )],
        "check": [record(moved=some(is_a("PinChange")), complete=BOOLEAN)],
        "review": [form_schema("Review")],
        "config": [form_schema("Effective")],
        "cache info": [record(
            path=STRING, corpus=record(source=STRING, newest=TIME, policies=COUNT, versions=COUNT),
            synced_at=none_or(TIME), accounts=some(is_a("StoredAccount")), size_bytes=COUNT,
        )],
        "cache verify": [record(cached={"description": "false where the corpus was read.", **BOOLEAN}, policies=none_or(COUNT), versions=none_or(COUNT))],
        "cache undo-sync": [record(undone=BOOLEAN, data=DATA)],
        "cache clear": [record(freed_bytes=COUNT, deleted_accounts=COUNT)],
        "failure": [record("Why there is no answer: on stderr, with --json; stdout stays empty.", None, error=record(
            code={"enum": list(ERROR_CODES)}, message=STRING, next=none_or(STRING)
        ))],
    }  # fmt: skip


def root(command: str, schemas: Sequence[Schema]) -> Schema:
    """Return the schema of a command's whole answer, which says that it is one."""
    says = {"schema": {"const": definition_of(command)}}
    whole_answers = [
        {**schema, "properties": says | schema["properties"], "required": ["schema", *schema["required"]]}
        for schema in schemas
    ]
    return whole_answers[0] if len(schemas) == 1 else {"anyOf": whole_answers}


def referred(schema: object) -> Iterator[str]:
    """Yield the definitions that a schema refers to."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        for part in schema.values():
            yield from referred(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from referred(part)


def made() -> Schema:
    """Return the schema: each answer, and what those refer to."""
    roots = {command: root(command, schemas) for command, schemas in answers().items()}
    all_parts = parts()
    forms = {form.rpartition(".")[2]: form for form in encoding.FIELDS}
    used_parts: dict[str, Schema] = {}
    names_left = [*referred(list(roots.values()))]
    while names_left:
        if (name := names_left.pop()) not in used_parts:
            used_parts[name] = all_parts[name] if name in all_parts else form_schema(forms[name])
            names_left += referred(used_parts[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "The JSON of ekstui's commands",
        "description": "Each command's answer is $defs/COMMAND, and says so in `schema`. A field is never taken away or given "
        "another meaning within a major version; new ones may come.",
        "anyOf": [{"$ref": f"#/$defs/{command.replace(' ', '%20')}"} for command in roots],
        "$defs": roots | dict(sorted(used_parts.items())),
    }


def text() -> str:
    """Return the file."""
    return json.dumps(made(), indent=2) + "\n"


def main() -> int:
    """Write the file; with --check, say only whether it is stale."""
    if sys.argv[1:] == ["--check"]:
        if stale := TARGET.read_text(encoding="utf-8") != text():
            print("assets/schema.json is stale: run make schema.", file=sys.stderr)
        return int(stale)
    TARGET.write_text(text(), encoding="utf-8")
    print(f"{len(made()['$defs'])} definitions, {TARGET.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
