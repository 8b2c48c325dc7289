# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Entry of the command `exo`: makes `tools/` importable and calls exo.cli."""
import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

from exo.cli import main  # noqa: E402  (the path must be set first)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
