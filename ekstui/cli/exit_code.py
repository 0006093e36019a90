"""The exit codes, which scripts rely on."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says when it ends; 128 + n means ended by signal n."""

    DONE = 0
    NOTHING = 1
    """Unknown policy or version, who-can without a match, attached or changes proven empty."""
    USAGE = 2
    """A wrong flag, or input that cannot be read."""
    NO_ACCOUNT = 3
    """The account could not be asked at all, or --offline without a snapshot."""
    NO_DATA = 4
    """Neither corpus nor cache can be read."""
    BROKEN = 70
    """An error of our own, EX_SOFTWARE of sysexits."""
    NO_OUTPUT = 74
    """Standard output cannot be written, EX_IOERR of sysexits."""
    INTERRUPTED = 130
    """Ended by SIGINT."""
