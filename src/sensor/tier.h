// The two capture tiers. The names are the values of the field agent.tier.
#pragma once

#include <string_view>

namespace redoubt::sensor {

// lsm: LSM and fentry programs (kernels that allow them); tracepoint: typed and raw tracepoints with kernel objects.
enum class Tier { lsm, tracepoint };

constexpr std::string_view name_of(Tier tier) { return tier == Tier::lsm ? "lsm" : "tracepoint"; }

}  // namespace redoubt::sensor
