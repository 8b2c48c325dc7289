# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""`exo plot`: runs an example that prints comma-separated values, and draws them as SVG with gnuplot."""
import os
import re
import subprocess
import tempfile

from . import build, errors, install, paths
from .errors import Fail

# Example -> what gnuplot is told; DATA stands for the file with its values.
PLOTS = {
    "stride": """
set title "Three programs scheduled 3 : 2 : 1 by stride"
set xlabel "slices of 10 ms"
set ylabel "slices given to each"
set key left top
plot for [i=2:4] DATA using 1:i with lines linewidth 2 title word("3 2 1", i - 1)." tickets"
""",
}


def main(options) -> int:
    if options.name not in PLOTS:
        raise Fail(f"plot {options.name}: unknown; known: {', '.join(PLOTS)}", errors.USAGE)
    install.ensure("run", "plot")
    build.ensure(paths.GUEST_PRESET)
    path = options.output or os.path.join(paths.BUILD, f"{options.name}.svg")
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as data:
        data.write(values(options.name))
        data.flush()
        script = (f'set terminal svg size 640,420 dynamic background "white"\nset output {quoted(path)}\n'
                  f'set datafile separator ","\nset grid\n')
        draw(script + PLOTS[options.name].replace("DATA", quoted(data.name)))
    print(path)
    return 0


def values(name: str) -> str:
    """The lines of numbers that the example prints."""
    program = os.path.join(paths.GUEST_APPS, "examples", f"{name}.elf")
    done = subprocess.run([os.path.join(paths.ROOT, "exo"), "run", "--init", program], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Fail(f"{name} ended with status {done.returncode}: {(done.stderr or done.stdout)[-400:].strip()}")
    rows = re.findall(r"^\d+(?:,\d+)+$", done.stdout.replace("\r", ""), re.M)
    if not rows:
        raise Fail(f"{name} printed no values")
    return "\n".join(rows) + "\n"


def quoted(path: str) -> str:
    return "'" + path.replace("'", "''") + "'"


def draw(script: str) -> None:
    done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        raise Fail(f"gnuplot: {done.stderr.strip()}")
