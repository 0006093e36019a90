"""How long `ekstui review` takes for a pull request of 400 files: `python -m tests.tools.bench.review_bench`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.library.test_written_access import Repository, ack, actions, attach, data, doc, encoded, managed
from tests.support.documents import allow

MOST_SECONDS = 3.0
"""The processor time that a review of 400 files may take, those of git included."""


def files(action: str) -> dict[str, str]:
    """Return 400 files of one side: Terraform, JSON, YAML, and what holds no policy."""
    texts: dict[str, str] = {}
    for number in range(50):
        bucket = f"aws_s3_bucket.data{number}.arn"
        texts[f"live/team{number}/main.tf"] = encoded(f'"{action}"', bucket) + attach(
            "arn:aws:iam::aws:policy/ReadOnlyAccess"
        )
        texts[f"live/team{number}/data.tf"] = data(actions(action, f"ec2:Describe{number}"))
        texts[f"live/team{number}/network.tf"] = (
            f'resource "aws_vpc" "v" {{\n  cidr_block = "10.{number}.0.0/{len(action)}"\n}}\n'
        )
        texts[f"policies/p{number}.json"] = doc(allow(action, f"arn:aws:s3:::b{number}/*"))
        texts[f"stacks/s{number}.yaml"] = managed(action, "!Sub '${B.Arn}/*'")
        texts[f"manifests/m{number}.yaml"] = ack(action)
        texts[f"app/a{number}.go"] = f"package a{number}\n// {action}\n"
        texts[f"docs/d{number}.md"] = f"# {number} {action}\n"
    return texts


def main() -> int:
    """Print the processor time, and return 1 if it is too long."""
    with tempfile.TemporaryDirectory() as name:
        repository = Repository(Path(name))
        repository.commit(files("s3:GetObject"))
        repository.write(files("s3:DeleteObject"))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        program = Path(sys.executable).with_name("ekstui")
        process = subprocess.run([program, "review", "--json"], cwd=name, capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = json.loads(process.stdout)
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{answer['files']} files, {answer['read']} read, {len(answer['documents'])} changes: {took:.2f} s of processor time"
    )
    return int(took > MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
