"""The rows of the index, as those who make it and those who ask it both see them."""

import sqlite3
import zlib

ACTIONS_SEPARATOR = "\n"
"""Between the actions of a target; no action holds one, since what IAM accepts has none."""


STEPS = "steps"
"""The subject of the census that stands only while the index is whole."""


def forget(connection: sqlite3.Connection, row: int) -> None:
    """Take a policy out of the index, which is not whole any more then."""
    connection.execute("DELETE FROM census WHERE subject = ?", (STEPS,))
    for table in ("indexed", "use", "statement", "step"):
        connection.execute(f"DELETE FROM {table} WHERE policy = ?", (row,))  # noqa: S608 a name from the line above


def seal(*fields: object) -> int:
    """Return the checksum of a row of the index."""
    return zlib.crc32(repr(fields).encode())
