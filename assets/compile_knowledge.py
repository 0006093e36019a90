"""Make assets/eks.json from assets/eks.toml: the standard library reads JSON eighty times faster.

python assets/compile_knowledge.py
"""

import json
import tomllib
from pathlib import Path

ASSETS = Path(__file__).resolve().parent


def compiled() -> str:
    """Return eks.toml as JSON; its one date becomes an ISO 8601 string."""
    tables = tomllib.loads((ASSETS / "eks.toml").read_text(encoding="utf-8"))
    return json.dumps(tables, default=str, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    (ASSETS / "eks.json").write_text(compiled(), encoding="utf-8")
