// Which programs of the BPF object a tier is made of.
#pragma once

#include <memory>

#include "base/result.h"
#include "sensor/probe.h"
#include "sensor/sensor.h"

struct bpf_program;
struct redoubt_sensor;

namespace redoubt::sensor {

class Programs;

// At a function of the kernel: only in the lsm tier.
bool is_at_function(const bpf_program* program);
// Before loading: which programs there will be, and what they know of each other.
void choose_programs(redoubt_sensor& skeleton, Tier tier, const Probe& probe);
// The programs of the tier that is asked for, or of the best that the kernel takes: it can offer the hooks and yet
// refuse a program.
Result<std::unique_ptr<Programs>> load_programs(const SensorOptions& options, const Probe& probe);

}  // namespace redoubt::sensor
