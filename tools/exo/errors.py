# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The one exception of the command `exo`: something is wrong that the user can read and act on."""

# Exit statuses of `exo` itself; any other status is that of the program that ran.
FAILED = 1  # building, installing, a missing file, a port in use
USAGE = 2  # a wrong option
TIMED_OUT = 124  # --timeout, as timeout(1)
GUEST_FAILED = 125  # the kernel stopped, or the machine ended without a program's status
NOT_STARTED = 127  # the program is not in the image, as sh(1)


class Fail(Exception):
    """Ends the command: prints `exo: MESSAGE` and leaves with `status`."""

    def __init__(self, message: str, status: int = FAILED):
        super().__init__(message)
        self.status = status
