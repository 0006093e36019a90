"""Made-up packages of AWS managed policies: the JSON of the npm package, and moto's wheel."""

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.documents import allow_statement

Versions = Mapping[int, tuple[str | None, object]]
"""The versions of a policy by number: when each was made, such as `2026-09-30T00:00:00Z`, and its document."""

NO_PATHS: Mapping[str, str] = {}


def npm_policies(policies: Mapping[str, Versions], paths: Mapping[str, str] = NO_PATHS) -> dict[str, Any]:
    """Return what the npm package has of policies: it dates every version like the first."""
    return {
        name: {
            "arn": f"arn:aws:iam::aws:policy{paths.get(name, '/')}{name}",
            "latestVersionId": f"v{max(versions)}",
            "createdDate": _times(versions)[0],
            "lastUpdatedDate": _times(versions)[-1],
            "versions": {
                f"v{number}": {"createdDate": _times(versions)[0], "document": document}
                for number, (_, document) in versions.items()
            },
        }
        for name, versions in policies.items()
    }


def moto_policies(policies: Mapping[str, Versions], paths: Mapping[str, str] = NO_PATHS) -> dict[str, Any]:
    """Return what moto has of policies: the default version, and when the first and the last were made."""
    return {
        name: {
            "CreateDate": _times(versions)[0].replace("Z", "+00:00"),
            "DefaultVersionId": f"v{max(versions)}",
            "Document": versions[max(versions)][1],
            "Path": paths.get(name, "/"),
            "PermissionsBoundaryUsageCount": 0,
            "UpdateDate": _times(versions)[-1].replace("Z", "+00:00"),
        }
        for name, versions in policies.items()
    }


def _times(versions: Versions) -> list[str]:
    return [time for _, (time, _) in sorted(versions.items()) if time]


def npm_json(folder: Path, policies: Mapping[str, Any]) -> Path:
    """Write the npm package's JSON file with what `npm_policies` returns."""
    path = folder / "managedPolicies.json"
    path.write_text(json.dumps(policies))
    return path


def moto_wheel(folder: Path, policies: Mapping[str, Any], version: str = "9.0.0") -> Path:
    """Write moto's wheel with what `moto_policies` returns."""
    return wheel_of(folder, json.dumps(policies, indent=1), version)


def wheel_of(folder: Path, text: str, version: str = "9.0.0") -> Path:
    """Write moto's wheel with a text where its policies are."""
    path = folder / f"moto-{version}-py3-none-any.whl"
    info = f"moto-{version}.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr("moto/iam/aws_managed_policies.py", f'# Made\naws_managed_policies_data = """\n{text}"""\n')
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: moto\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


def version_json(number: int, action: str, *, default: bool = True, day: int = 1) -> str:
    """Return what the AWS CLI prints of one version of a policy."""
    version = {
        "Document": allow_statement(action),
        "VersionId": f"v{number}",
        "IsDefaultVersion": default,
        "CreateDate": f"2026-05-{day:02}T10:00:00+00:00",
    }
    return json.dumps({"PolicyVersion": version})


def npm_package(**policies: object) -> dict[str, Any]:
    """Return what the npm package has of policies, each with its versions or with what is none."""
    return {
        name: {
            "arn": f"arn:aws:iam::aws:policy/{name}",
            "latestVersionId": "v2",
            "versionsCount": 2,
            "createdDate": "2019-01-01T00:00:00.000Z",
            "lastUpdatedDate": "2026-09-01T00:00:00.000Z",
            "versions": versions,
        }
        for name, versions in policies.items()
    }


TWO_VERSIONS = {
    "v2": {"createdDate": "2019-01-01T00:00:00.000Z", "document": allow_statement("a:Two")},
    "v1": {"createdDate": "2019-01-01T00:00:00.000Z", "document": allow_statement("a:One")},
}


def tarball(path: Path, *members: tuple[str, bytes]) -> Path:
    """Write an archive with these members, each a name and its content."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path
