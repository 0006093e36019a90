"""The app, with calls to AWS that do not end while a test waits for them: `python -m tests.torture.waiting`."""

import sys

from ekstui.cli.main import main
from ekstui.sources.aws import answers, connection

if __name__ == "__main__":
    answers.ANSWER_SECONDS = connection.READ_TIMEOUT = connection.SWEEP_READ_TIMEOUT = 10_000
    sys.exit(main())
