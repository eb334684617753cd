#!/usr/bin/env bash
# Runs the benches: bench/run.sh [NAME…] [--json]. One JSON object a line; without --json a short table of them.
set -euo pipefail
cd "$(dirname "$0")/.."

names=()
json=no
for word in "$@"; do
  case "$word" in --json) json=yes ;; *) names+=("$word") ;; esac
done

wanted() { # wanted NAME…: true if one of them was asked for, or nothing was
  [ ${#names[@]} -eq 0 ] && return 0
  local name
  for name in "${names[@]}"; do case " $* " in *" $name "*) return 0 ;; esac; done
  return 1
}

measure() {
  if wanted spine.pipeline spine.wire spine.disk spine.hunt_selective spine.hunt_contains; then
    build/release/bin/bench_spine "${names[@]}"
  fi
  if wanted store.ingest store.disk_bytes store.needle store.contains store.newest100 store.tree store.histogram \
    store.ack_p99; then
    build/release/bin/bench_store "${names[@]}"
  fi
  if wanted store.fleet15000_cpu; then build/release/bin/bench_fleet; fi
  if wanted store.hunt_shown store.hunt_shown_p95; then python3 bench/hunts.py; fi
  if wanted objects.own_ms objects.cached_rate objects.pipeline objects.overload_rss objects.pipeline_clamav objects.text_type_us; then
    build/release/bin/bench_objects "${names[@]}"
  fi
  if wanted rules.sigma3000 rules.sigma_json rules.falco93 rules.curve_10000 rules.naive; then
    build/release/bin/bench_rules "${names[@]}"
  fi
  if wanted rules.correlation_event_count rules.correlation_value_count; then
    build/release/bin/bench_correlation "${names[@]}"
  fi
  if wanted spine.agent_cpu spine.agent_rss; then python3 bench/agent.py; fi
  if wanted sensor.untraced_ns sensor.filtered_ns sensor.shipped_ns sensor.exec_ratio sensor.compile_ratio \
    sensor.rss_10k sensor.wire_bytes sensor.rss_forkbomb sensor.untraced_tracepoint_instructions \
    sensor.untraced_lsm_instructions sensor.filtered_tracepoint_instructions sensor.filtered_lsm_instructions; then
    python3 bench/sensor.py "${names[@]}"
  fi
  if wanted sensor.flood_exec_lost; then python3 tests/flood_test.py --bench; fi
}

scripts/configure.sh release >&2
ninja -C build/release programs bench_spine bench_store bench_fleet bench_objects bench_fill_store bench_rules bench_correlation bench_sensor_loops >&2
if [ "$json" = yes ]; then
  measure
else
  measure | python3 -c '
import json, sys
for line in sys.stdin:
    row = json.loads(line)
    print("{name:24} {value:12.1f} {unit:14} {note}".format(**row))'
fi
