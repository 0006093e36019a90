"""A run in which no test passed is not green: pytest calls one that skipped or deselected everything a success."""

import pytest

_passed = 0


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the tests that passed, those of all workers."""
    global _passed
    _passed += report.when == "call" and report.passed


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End as a run does that found no test, unless it was asked only to list them."""
    is_worker = hasattr(session.config, "workerinput")
    if not (_passed or is_worker or session.exitstatus or session.config.option.collectonly):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
