"""Libraries to ask, which tests only read: fixtures for every test module."""

import pytest

from ekstui.library import AccountChoice, Library


@pytest.fixture(scope="module")
def library() -> Library:
    """Return what ekstui comes with: the bundled policies, and no account."""
    return Library.open()


@pytest.fixture(scope="module")
def demo() -> Library:
    """Return what `ekstui --demo` asks, with the account of the demo."""
    return Library.open(AccountChoice(demo=True, offline=True))
