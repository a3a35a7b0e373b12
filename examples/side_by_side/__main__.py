"""How are both halves started?

python -m examples.side_by_side
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path

from hypercorn.config import Config
from hypercorn.run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.side_by_side")
    parser.add_argument("--bind", default="127.0.0.1:8000", help="default: %(default)s")
    parser.add_argument("--data", default="side-by-side-data", help="default: %(default)s")
    options = parser.parse_args()
    directory = Path(options.data).resolve()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The worker, which is a process of its own, reads it there. A new key ends all logins.
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    os.environ["SIDE_BY_SIDE_SESSIONS"] = str(directory / "sessions.sqlite3")

    config = Config()
    config.application_path = "examples.side_by_side.app:create_app()"
    config.bind = [options.bind]
    return run(config)


if __name__ == "__main__":
    sys.exit(main())
