// The two capture tiers. The names are the values of the field agent.tier.
#pragma once

#include <string_view>

namespace redoubt::sensor {

// tracepoint: typed tracepoints and the ends of system calls, with kernel objects; lsm: with them fentry and fexit
// programs at the kernel's security hooks and the like, where it allows them.
enum class Tier { lsm, tracepoint };

constexpr std::string_view name_of(Tier tier) { return tier == Tier::lsm ? "lsm" : "tracepoint"; }

}  // namespace redoubt::sensor
