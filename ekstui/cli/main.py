"""The entry point: find the command, run it, turn errors into one sentence and an exit code."""

import argparse

from ekstui import __version__


def main(arguments: list[str] | None = None) -> int:
    """Run ekstui with the given arguments (the process's own by default) and return the exit code."""
    parser = argparse.ArgumentParser(prog="ekstui", description="Explore the AWS managed IAM policies for Amazon EKS.")
    parser.add_argument("--version", action="version", version=f"ekstui {__version__}")
    parser.parse_args(arguments)
    return 0
