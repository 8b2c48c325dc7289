#!/bin/bash
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
#
# The long run of the host oracle: random calls against kernel/core, without sanitizers, one step of 64 judged
# and the invariants swept at the end of each sequence. docs/security.md has the results.
#
#   tests/host/long_run.sh [PROCESSES [CALLS [FIRST_SEED]]]    default: all processors, 10^9 calls, seed 1
#
# Prints a line for each part and the sum; stops at the first failure, with the command that replays it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
processes=${1:-$(nproc)}
wanted=${2:-1000000000}
seed=${3:-1}
part=100000 # sequences, about 10^7 calls

cmake --preset host > /dev/null
ninja -C build/host core_oracle_test > /dev/null
program=build/host/kernel/core/core_oracle_test
echo "$(git describe --always --dirty), $processes processes, from seed $seed"

run_part() {
  XOK_ORACLE_SPARSE=1 XOK_ORACLE_FROM=$1 XOK_ORACLE_COUNT=$part "$program" > "$2" || echo failed >> "$2"
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
calls=0
while [ "$calls" -lt "$wanted" ]; do
  for ((i = 0; i < processes; i++)); do
    run_part $((seed + i * part)) "$folder/$i" &
  done
  wait
  for ((i = 0; i < processes; i++)); do
    if grep -q failed "$folder/$i"; then
      cat "$folder/$i"
      exit 1
    fi
    calls=$((calls + $(sed -n 's/^\([0-9]*\) calls$/\1/p' "$folder/$i")))
  done
  seed=$((seed + processes * part))
  echo "$(date -u +%H:%M:%S) $calls calls, seeds below $seed"
done
