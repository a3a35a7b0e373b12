"""How are both halves started?

python -m examples.side_by_side
"""

from __future__ import annotations

import argparse
import os
import sys

from hypercorn.config import Config
from hypercorn.run import run

from . import common


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m examples.side_by_side")
    parser.add_argument("--bind", default="127.0.0.1:8000", help="default: %(default)s")
    parser.add_argument("--data", default=common.DIRECTORY, help="directory; default: %(default)s")
    options = parser.parse_args()
    # The worker, which is a process of its own, reads it there.
    os.environ["SIDE_BY_SIDE_DATA"] = options.data

    config = Config()
    config.application_path = "examples.side_by_side.app:create_app()"
    config.bind = [options.bind]
    return run(config)


if __name__ == "__main__":
    sys.exit(main())
