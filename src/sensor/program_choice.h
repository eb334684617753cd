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
// Before loading: which programs there will be, and what they know of each other.
void choose_programs(redoubt_sensor& skeleton, Tier tier, const Probe& probe);
// That which is asked for, or the best that the host offers.
Result<Tier> choose_tier(const SensorOptions& options, const Probe& probe);
// Whether the kernel takes the tier's programs: it can offer the hooks and yet refuse to load one or to attach it.
// Attaches them for a moment.
Status try_programs(Tier tier, const Probe& probe);

}  // namespace redoubt::sensor
