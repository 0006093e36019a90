"""The settings in effect, and the errors about invalid ones."""

import os
from pathlib import Path

import pytest

from ekstui.errors import InputError
from ekstui.settings import SETTINGS, Settings, effective, empty_settings_file, save_word


def test_nothing_said_means_the_defaults(settings_file: Path) -> None:
    outcome = effective(settings_file, {})
    assert outcome.settings == Settings()
    assert set(outcome.origins.values()) == {"default"}
    assert not outcome.file_found


def test_what_comes_later_wins_and_says_where_it_is_from(settings_file: Path) -> None:
    settings_file.write_text('scope = "all"\nprofile = "from-file"\nstale_after = 5\n[keys]\nexplorer.diff = "D"\n')
    environment = {"EKSTUI_PROFILE": "from-variable", "EKSTUI_STALE_AFTER": "60", "EKSTUI_REGIONS": "eu-west-1, all"}
    outcome = effective(settings_file, environment, {"stale_after": None, "profile": "from-option"})
    assert outcome.settings == Settings(
        scope="all", profile="from-option", regions=("eu-west-1", "all"), stale_after=60, keys={"explorer.diff": "D"}
    )
    assert {name: origin for name, origin in outcome.origins.items() if origin != "default"} == {
        "scope": f"{settings_file}:1",
        "profile": "command line",
        "regions": "EKSTUI_REGIONS",
        "stale_after": "EKSTUI_STALE_AFTER",
        "keys": f"{settings_file}:4",
    }


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID"])
def test_a_shell_with_credentials_is_not_taken_to_the_profile_of_the_file(settings_file: Path, variable: str) -> None:
    settings_file.write_text('profile = "prod"\n')
    assert effective(settings_file, {}).settings.profile == "prod"
    outcome = effective(settings_file, {variable: "something"})
    assert (outcome.settings.profile, outcome.origins["profile"]) == (None, variable)
    assert effective(settings_file, {variable: "something", "EKSTUI_PROFILE": "dev"}).settings.profile == "dev"


def test_an_unknown_key_is_a_warning_with_its_line_and_the_nearest(settings_file: Path) -> None:
    settings_file.write_text('# mine\nthem = "nord"\n\n[colours]\nred = 1\n')
    outcome = effective(settings_file, {})
    assert outcome.settings == Settings()
    assert outcome.warnings == (
        f"{settings_file}:2: there is no setting them; the nearest is theme.",
        f"{settings_file}:5: there is no setting colours.red.",
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('scope = "some"', "eks or all"),
        ("scope = 1", "eks or all"),
        ("theme = true", "a string"),
        ('theme = ""', "a string"),
        ('regions = "eu-west-1"', "a list of strings"),
        ("regions = [1]", "a list of strings"),
        ('offline = "yes"', "true or false"),
        ("mouse = 0", "true or false"),
        ("stale_after = -1", "whole number of minutes"),
        ("stale_after = true", "whole number of minutes"),
        ("stale_after = 1.5", "whole number of minutes"),
        ('keys = "d"', "a table"),
        ('layers = { "1" = { scp = ["x"] } }', "a table by account"),
        ('layers = { "111122223333" = { policy = ["x"] } }', "a table by account"),
        ('layers = { "111122223333" = { scp = "x" } }', "a table by account"),
        ('keys = { "explorer.diff" = 1 }', "a table"),
    ],
)
def test_a_wrong_value_names_file_line_and_key(settings_file: Path, line: str, words: str) -> None:
    settings_file.write_text(f"\n{line}\n")
    with pytest.raises(InputError) as caught:
        effective(settings_file, {})
    assert f"{settings_file}:2: {line.split(' ')[0]} " in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "text"),
    [("EKSTUI_SCOPE", "EKS"), ("EKSTUI_OFFLINE", "maybe"), ("EKSTUI_STALE_AFTER", "1h"), ("EKSTUI_REGIONS", "a,,b")],
)
def test_a_wrong_variable_is_named(settings_file: Path, variable: str, text: str) -> None:
    with pytest.raises(InputError, match=variable):
        effective(settings_file, {variable: text})


@pytest.mark.parametrize(
    "content",
    [b"theme = \n", b"theme = 'a'\ntheme = 'b'\n", b"\xff\xfe\x00", b"a = " + b"[" * 5000, b"x" * 2_000_000, b"\x00"],
)
def test_what_is_not_a_settings_file_is_an_input_error_that_names_it(settings_file: Path, content: bytes) -> None:
    settings_file.write_bytes(content)
    with pytest.raises(InputError, match=r"config\.toml"):
        effective(settings_file, {})


def test_a_folder_in_place_of_the_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        effective(tmp_path, {})


def test_every_example_of_the_manual_can_be_set(settings_file: Path) -> None:
    settings_file.write_text("".join(f"{setting.name} = {setting.about.example}\n" for setting in SETTINGS))
    outcome = effective(settings_file, {})
    assert outcome.warnings == ()
    assert set(outcome.origins) == {setting.name for setting in SETTINGS}
    assert "default" not in outcome.origins.values()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('theme = "nord"\n', 'theme = "dracula"\n'),
        ("# mine\r\n'theme'='nord'  # dark\r\n[keys]\r\ndown = \"J\"\r\n", "# mine\r\n'theme'= \"dracula\"  # dark\r\n[keys]\r\ndown = \"J\"\r\n"),
        ('scope = "all"\n[keys]\n# theme = "t"\ndown = "J"', 'theme = "dracula"\nscope = "all"\n[keys]\n# theme = "t"\ndown = "J"'),
        ("", empty_settings_file().replace('# theme = "textual-light"', 'theme = "dracula"')),
        (None, empty_settings_file().replace('# theme = "textual-light"', 'theme = "dracula"')),
    ],
)  # fmt: skip
def test_a_word_is_written_to_its_setting_and_the_rest_stays(
    settings_file: Path, before: str | None, after: str
) -> None:
    if before is not None:
        settings_file.write_bytes(before.encode())
    save_word(settings_file, "theme", "dracula")
    assert settings_file.read_bytes().decode() == after


def test_a_link_to_the_settings_and_their_mode_stay(settings_file: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('theme = "nord"\n', encoding="utf-8")
    own.chmod(0o644)
    settings_file.symlink_to(own)
    before = os.umask(0o077)
    try:
        save_word(settings_file, "theme", "dracula")
    finally:
        os.umask(before)
    assert settings_file.is_symlink()
    assert (own.read_text(encoding="utf-8"), own.stat().st_mode & 0o777) == ('theme = "dracula"\n', 0o644)


@pytest.mark.parametrize("text", ['theme = """nord"""\n', "theme = [\n", 'x = """\ntheme = "nord"\n"""\n'])
def test_settings_that_cannot_be_changed_safely_stay_as_they_are(settings_file: Path, text: str) -> None:
    settings_file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"config\.toml"):
        save_word(settings_file, "theme", "dracula")
    assert settings_file.read_text(encoding="utf-8") == text
