# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""Measuring guests: counts what a program, a boot or a request costs in guest instructions.

    tools.py        the programs of bench/, compiled once
    counters.py     what bench/plugin writes, and the figures that come out of it
    linux_guest.py  the peer: a tuned Debian kernel with just our programs
    our_guest.py    Xok, started by `exo run`
    http_load.py    requests against either of them
    cache.py        the peer's results, which change only when it does
"""
