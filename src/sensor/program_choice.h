// Which programs of the BPF object a tier is made of.
#pragma once

#include "base/result.h"
#include "sensor/probe.h"
#include "sensor/sensor.h"

struct bpf_program;
struct redoubt_sensor;

namespace redoubt::sensor {

// At a function of the kernel: only in the lsm tier.
bool is_at_function(const bpf_program* program);
// Whether handlers of system calls stand at the functions of those, and not at the tracepoint of all calls.
bool has_calls_at_functions(Tier tier, const Probe& probe);
// Before loading: which programs there will be, and what they know of each other.
Status choose_programs(redoubt_sensor& skeleton, Tier tier, const Probe& probe);
// That which is asked for, or the best that the host offers.
Result<Tier> choose_tier(const SensorOptions& options, const Probe& probe);
// Whether the kernel takes the tier's programs: it can offer the hooks and yet refuse to load one or to attach it.
// Attaches them for a moment.
Status try_programs(Tier tier, const Probe& probe);

// Runs `attempt(tier, probe)` for the way that the probe found to be the best, and where the kernel refuses a program
// all the same, for the next: without handlers at functions, then, `or_tracepoints`, in the other tier. The probe then
// says what was refused.
enum class Other { none, or_tracepoints };
template <typename Attempt>
auto in_best_way(Tier tier, Probe& probe, Other other, const Attempt& attempt) {
  auto done = attempt(tier, probe);
  const auto is_refused = [&] { return !done && done.error().code != Errc::invalid_argument; };
  if (is_refused() && has_calls_at_functions(tier, probe)) {
    probe.calls.why_not = done.error().message;
    done = attempt(tier, probe);
  }
  if (is_refused() && tier == Tier::lsm && other == Other::or_tracepoints) {
    probe.refuse_lsm(done.error().message);
    done = attempt(Tier::tracepoint, probe);
  }
  return done;
}

}  // namespace redoubt::sensor
