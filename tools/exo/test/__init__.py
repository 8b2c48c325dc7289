# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""`exo test`: one module per suite, each with `run(report)`; see runner."""
