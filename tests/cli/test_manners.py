"""How commands behave towards people, shells and programs: formats, colours, quiet, errors, suggestions."""

import json
import re
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ekstui import files
from ekstui.cli.main import main
from ekstui.export.forms import yaml
from ekstui.settings import SETTINGS
from tests.support.bundled import KNOWN_UNTIL
from tests.support.command import ekstui

SCHEMA: dict[str, Any] = json.loads((files.assets() / "schema.json").read_text(encoding="utf-8"))

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(_JSON)
@example({"\U0010ffff" * 200: {"x" * 2000: 1}})
@example([{"x" * 2000: [1, {"y" * 2000: None}]}])
def test_yaml_says_what_json_says(value: object) -> None:
    loader = pytest.importorskip("yaml")  # moto, a dependency of the tests, brings it
    text = "\n".join(yaml(value))
    assert text.isascii()
    assert loader.safe_load(text) == value


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        ("show AmazonEKSClusterPolcy", 1, "nothing"),
        ("diff AmazonEKSClusterPolicy", 2, "usage"),
        ("list --jsn", 2, "usage"),
        ("diff AmazonEKS_CNI_Policy@v5..v6 --patch", 2, "usage"),
        ("cluster prod --offline", 3, "no-account"),
    ],
)
def test_an_error_is_one_object_for_who_asks_for_json(
    arguments: str, code: int, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments.split(), "--json"]) == code
    output = capsys.readouterr()
    assert output.out == ""
    error = json.loads(output.err)
    Draft202012Validator({**SCHEMA, "$ref": "#/$defs/failure"}).validate(error)
    assert error["error"]["code"] == kind


@pytest.mark.parametrize(
    "words", ["--demo --version", "-q -V", "--demo help", "help --demo", "-v help list", "--json -h"]
)
def test_what_asks_about_ekstui_itself_may_stand_after_options(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(words.split())
    assert exit_info.value.code == 0
    assert capsys.readouterr().out.startswith(("ekstui ", "usage: ekstui"))


def test_the_demo_reads_no_settings(own_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = files.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("theme = ", encoding="utf-8")
    assert main(["list"]) == 2
    capsys.readouterr()
    assert main(["list", "--demo"]) == 0
    assert capsys.readouterr().err == ""


def test_an_archive_without_a_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "--from", ""]) == 2
    assert "--from names nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "environment", "coloured"),
    [
        ("list", {}, False),
        ("list --color always", {"NO_COLOR": "1"}, True),
        ("list", {"FORCE_COLOR": "1"}, True),
        ("list", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("list --color never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colours_are_as_asked_for(arguments: str, environment: dict[str, str], coloured: bool) -> None:
    assert ("\x1b[" in ekstui(*arguments.split(), environment=environment).stdout) is coloured


def test_what_is_misspelled_is_answered_with_what_may_be_meant(capsys: pytest.CaptureFixture[str]) -> None:
    for words, suggestion in (
        (["help", "lst"], "list"),
        (["lst"], "ekstui list"),
        (["list", "--scpe", "all"], "--scope"),
    ):
        assert main(words) == 2
        assert suggestion in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["help", "versions"])
    assert capsys.readouterr().out.startswith("usage: ekstui versions")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ("shwo AmazonEKS_CNI_Policy", 2, "There is no command shwo. Did you mean ekstui show?"),
        ("shwo", 2, "There is no command shwo. Did you mean ekstui show?"),
        ("config get", 2, 'ekstui config has no "get"; it has show, path and edit. See ekstui config --help.'),
        ("cache inof", 2, "Did you mean info? See ekstui cache --help."),
        ("list --scope ekks", 2, "Did you mean eks? See ekstui list --help."),
        ("list --jsn", 2, "Did you mean --json? See ekstui list --help."),
        ("used AmazonEKS_CNI_Policy --days y", 2, '--days takes a number, not "y". See ekstui used --help.'),
        ("changes --since", 2, "--since needs a value. See ekstui changes --help."),
        ("upgrade", 2, "ekstui upgrade needs CLUSTER. See ekstui upgrade --help."),
        ("list --json -o yaml", 2, "different forms"),
        ("list --markdown -o table", 2, "different forms"),
        ("changes --format atom --json", 2, "different forms"),
        ("diff AmazonEKS_CNI_Policy@v5..v6 --patch --markdown", 2, "different forms"),
    ],
)
def test_an_error_names_what_is_wrong_and_the_help_of_the_command(
    words: str, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert sentence in output.err
    assert output.err.count("\n") == 1


MARKDOWN = (
    "list", "show AmazonEKS_CNI_Policy", "versions AmazonEKS_CNI_Policy", "diff AmazonEKS_CNI_Policy@v5..v6",
    "who-can ec2:RunInstances", "changes --since 2026-08-01", "attached AmazonEKS_CNI_Policy", "clusters", "cluster prod",
    "account", "role prod-node", "explain --role prod-node --action s3:GetObject", "upgrade prod", "config",
    "trim AmazonEKSClusterPolicy",
)  # fmt: skip


@pytest.mark.parametrize("words", MARKDOWN)
def test_every_answer_can_be_markdown(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words.split(), "--demo", "--markdown"]) == 0
    markdown = capsys.readouterr().out
    assert main([*words.split(), "--demo"]) == 0
    assert markdown != capsys.readouterr().out
    assert re.search(r"^(# |## |\||- |`|```)", markdown, re.MULTILINE)


def test_several_policies_in_one_answer(capsys: pytest.CaptureFixture[str]) -> None:
    pair = ["AmazonEKS_CNI_Policy", "AmazonEKSClusterPolicy"]
    for command in ("show", "versions"):
        assert main([command, *pair, "--json"]) == 0
        answers = json.loads(capsys.readouterr().out)
        Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{command}"}).validate(answers)
        assert [answer["policy"] for answer in answers["answers"]] == pair
        assert main([command, *pair]) == 0
        assert all(f"\n{name}" in f"\n{capsys_out}" for capsys_out in [capsys.readouterr().out] for name in pair)
    assert main(["show", *pair, "--document"]) == 2
    assert "Name one policy" in capsys.readouterr().err


def test_names_alone_and_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "-o", "names"]) == 0
    names = capsys.readouterr().out.splitlines()
    assert main(["list", "--json"]) == 0
    assert names == [entry["name"] for entry in json.loads(capsys.readouterr().out)["policies"]]
    assert main(["-q", "changes", "--since", "2026-06-01"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ("account --demo", "prod"),
        ("clusters --demo", "legacy"),
        ("upgrade prod --demo", "karpenter"),
        ("diff AmazonEKS_CNI_Policy@v5..v6", "ec2:DescribeSecurityGroups"),
        ("show AmazonEKSViewPolicy", "k8s:get:deployments.apps/scale"),
        ("diff AmazonEKSAdminPolicy AmazonEKSEditPolicy", "k8s:create:rolebindings.rbac.authorization.k8s.io"),
        ("config", "log_level"),
    ],
)
def test_every_answer_with_a_list_has_names(arguments: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments.split(), "-o", "names"]) == 0
    output = capsys.readouterr()
    assert name in output.out.splitlines()
    assert "None" not in output.out


@pytest.mark.parametrize(
    "arguments",
    [
        "diff AmazonEKS_CNI_Policy@v6 AmazonEKS_CNI_Policy@v6 -o names",
        "diff AmazonEKS_CNI_Policy@v6 AmazonEKS_CNI_Policy@v6 --patch",
        "cache verify -o names",
        "trim AmazonEKSClusterPolicy -o names",
        "upgrade prod --demo --to vpc-cni=v1.20.0 --terraform",
        "attached ReadOnlyAccess --demo -o names",
    ],
)
def test_an_empty_form_of_an_answer_says_so(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) in (0, 1)
    output = capsys.readouterr()
    assert output.out.strip() == ""
    assert "--json prints" in output.err


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["shwo", "AmazonEKS_CNI_Policy"], "There is no command shwo. Did you mean ekstui show?"),
        (["--profile", "x", "lst", "--json"], '"message": "There is no command lst."'),
        (["show", "v6"], "v6 is a version, not a policy. Write POLICY@v6."),
        (["diff", "AmazonEKSAdminPolicy@v1..v2"], "is an EKS access policy, and those have no versions"),
        (
            ["diff", "AmazonEKSAdminPolicy", "AmazonEKS_CNI_Policy"],
            "it allows requests in Kubernetes, the other side calls",
        ),
    ],
)
def test_a_slip_is_told_from_a_policy(words: list[str], phrase: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert phrase in capsys.readouterr().err


def test_the_settings_file_is_found_and_edited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "folder" / "settings.toml"
    monkeypatch.setenv("EKSTUI_CONFIG", str(file))
    assert main(["config", "path"]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    monkeypatch.setenv("EDITOR", "test -f")
    monkeypatch.delenv("VISUAL", raising=False)
    assert main(["config", "edit"]) == 0
    assert all(f"\n# {setting.name} = {setting.about.example}\n" in file.read_text() for setting in SETTINGS)
    monkeypatch.delenv("EDITOR")
    assert main(["config", "edit"]) == 2


@pytest.mark.parametrize("content", ["theme = [", "scope = 1", 'log = "/dev/null/log"'])
def test_broken_settings_never_block_what_mends_or_ignores_them(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(content)
    monkeypatch.setenv("EKSTUI_CONFIG", str(file))
    assert main(["list"]) == 2
    assert "ekstui config" in capsys.readouterr().err
    for words in (["config", "path"], ["schema"], ["completion", "bash"]):
        assert main(words) == 0
        assert capsys.readouterr().err == ""
    # What the editor saved is checked; this one mends nothing, the other replaces the file.
    monkeypatch.setenv("VISUAL", "true")
    assert (main(["config", "edit"]) == 2) == ("log" not in content)
    monkeypatch.setenv("VISUAL", "cp /dev/null")
    capsys.readouterr()
    assert main(["config", "edit"]) == 0
    assert capsys.readouterr().err == f"ekstui: {file} is valid.\n"
    monkeypatch.setenv("VISUAL", "sh -c 'echo thme = 1 > \"$0\"'")
    assert main(["config", "edit"]) == 0
    unknown, rest = capsys.readouterr().err.splitlines()
    assert "there is no setting thme" in unknown
    assert rest == f"ekstui: The rest of {file} is valid."


@pytest.mark.parametrize(
    "words",
    [
        ["changes", "--since", f"{KNOWN_UNTIL:%Y-%m-%dT%H:%M:%SZ}"],
        ["who-can", "s3:PutBucketPolicy", "--scope", "eks"],
        ["show", "NoSuchPolicy"],
        ["show", "AmazonEKSClusterPolicy@v99"],
        ["show", "arn:aws:iam::aws:policy/x/AmazonEKSClusterPolicy"],
        ["show", "NoSuchPolicy", "--json"],
    ],
)
@pytest.mark.parametrize("days", [29, 30])
def test_what_is_not_there_comes_with_the_age_of_old_data(
    words: list[str], days: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            moment = KNOWN_UNTIL + timedelta(days=days, hours=1)
            return cls(*moment.timetuple()[:6], tzinfo=tz)

    monkeypatch.setattr("ekstui.cli.session.datetime", Clock)
    code = main(words)
    if code == 0 and words[0] == "changes":
        pytest.skip("the newest data has a change of the last moment that is known")
    assert code == 1
    stderr = capsys.readouterr().err
    assert (f"30 days old ({KNOWN_UNTIL:%Y-%m-%d}); ekstui sync renews it" in stderr) == (days == 30)


def test_the_version_says_how_old_the_data_is(capsys: pytest.CaptureFixture[str]) -> None:
    before = datetime.now(UTC)
    with pytest.raises(SystemExit):
        main(["--version"])
    output = capsys.readouterr().out
    ages = {(moment - KNOWN_UNTIL).days for moment in (before, datetime.now(UTC))}
    assert any(f"known until {KNOWN_UNTIL:%Y-%m-%d}, {days} days ago\n" in output for days in ages)
