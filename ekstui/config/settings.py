"""Every setting, declared once: the file, the environment and the manual are read and made from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

from ekstui.scope import Scope

Kind = Literal["word", "level", "scope", "words", "switch", "minutes", "keys"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as they hold, with their defaults."""

    theme: str = "textual-dark"
    """The name of a theme of Textual."""
    scope: Scope = "eks"
    profile: str | None = None
    """A profile of AWS's configuration; None: what AWS's own environment variables say."""
    regions: tuple[str, ...] = ()
    """Regions to ask for clusters, or `all`; empty: those that the account points to."""
    offline: bool = False
    stale_after: int = 15
    """Minutes after which the app asks AWS again on its own."""
    mouse: bool = True
    log: str | None = None
    """The file to log to, `1` for ekstui.log in the state folder; None: no log."""
    log_level: str = "info"
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Keys in Textual's names with commas between, by the id of what they do."""


class Setting(NamedTuple):
    """One setting as users read of it."""

    name: str
    """Its name in the file and in Settings."""
    kind: Kind
    example: str
    """A value as the file has it."""
    help: str
    """What it does, for the manual."""
    yields_to: tuple[str, ...] = ()
    """Variables of AWS's own tools that count more than the file."""

    @property
    def variable(self) -> str | None:
        """The environment variable that sets it; None where only the file does."""
        return None if self.kind == "keys" else f"EKSTUI_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "theme",
        "word",
        '"textual-light"',
        "The colours of the app: any theme of Textual by its name. `textual-light` is for light terminals; `ansi-dark` "
        "and `ansi-light` use the terminal's own 16 colours only.",
    ),
    Setting("scope", "scope", '"all"', "Which policies are listed and searched: `eks`, or `all` that AWS manages."),
    Setting(
        "profile",
        "word",
        '"prod"',
        "The profile of AWS's configuration to ask with. In the file it counts less than the variables by which AWS's "
        "own tools choose credentials, so that a shell that has some is never taken elsewhere.",
        yields_to=("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID"),
    ),
    Setting(
        "regions",
        "words",
        '["eu-central-1", "us-east-1"]',
        "The regions to ask for clusters, or `all`. Without it: those that the account itself points to.",
    ),
    Setting("offline", "switch", "true", "Whether to answer from the last snapshot, without asking AWS."),
    Setting("stale_after", "minutes", "60", "Minutes after which the app asks AWS again on its own."),
    Setting("mouse", "switch", "false", "Whether the app takes the mouse; without it the terminal selects text."),
    Setting(
        "log",
        "word",
        '"1"',
        "The file to keep a log in, or `1` for `ekstui.log` in the folder for state. Without it nothing is logged. Only you "
        "can read it, and it starts anew at 1 MB.",
    ),
    Setting(
        "log_level",
        "level",
        '"debug"',
        "How much is logged: `error`, `warning`, `info` or `debug`. At `debug` what errors say is logged as well, which may "
        "name parts of the account; else nothing does.",
    ),
    Setting(
        "keys",
        "keys",
        '{ compare = "D", down = "down,n" }',
        "Keys, by the id of what they do, in Textual's names with commas between. The ids are in the manual of the keys.",
    ),
)
