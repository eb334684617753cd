#!/usr/bin/env bash
# The long forms of tests: tests/soak.sh NAME. Results worth keeping go to docs/measurements.md.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
  crash) REDOUBT_ROUNDS=100 REDOUBT_EVENTS=1000000 exec python3 tests/crash_test.py ;;
  agent) REDOUBT_SECONDS=3600 exec python3 tests/agent_soak_test.py ;;
  benign) REDOUBT_SECONDS=3600 exec python3 tests/benign_test.py ;;
  folder) REDOUBT_FILES=50000 REDOUBT_ROUNDS=200 exec python3 tests/folder_gateway_test.py ;;
  agreement) REDOUBT_PAIRS=5000000 exec build/release/bin/test_query_unit --gtest_filter='*gree*' ;;
  scan) REDOUBT_KILLS=1000 exec build/release/bin/test_central_component --gtest_filter='*workers_that_are_killed*' ;;
  lsm) exec python3 tests/vm/sensor_test.py 6.12 lsm whole ;;
  fuzz) exec fuzz/run.sh 3600 ;;
  *) echo 'soak: crash, agent, benign, folder, agreement, scan, lsm or fuzz' >&2; exit 2 ;;
esac
