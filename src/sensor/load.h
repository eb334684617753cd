// How much the sensor tells: the steps by which it costs less, mildest first; each leaves out what those before it do.
// The names are the values of the field agent.degradation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace redoubt::sensor {

enum class Load { whole, hashing_off, reads_off, bulk_limited, bulk_scarce };

struct LoadStep {
  Load load;
  std::string_view name;
  uint32_t bulk_per_second_max;  // file and network events of one cgroup; what is above is declared lost. 0: any number
};
constexpr std::array kLoadSteps = {
    LoadStep{Load::whole, "none", 0},
    LoadStep{Load::hashing_off, "hashing_off", 0},  // programs that were not hashed before stay without a hash
    LoadStep{Load::reads_off, "reads_off", 0},      // opens for reading are not told
    LoadStep{Load::bulk_limited, "bulk_limited", 4000},
    LoadStep{Load::bulk_scarce, "bulk_scarce", 400},
};

constexpr const LoadStep& info(Load load) { return kLoadSteps[static_cast<size_t>(load)]; }
constexpr std::string_view name_of(Load load) { return info(load).name; }

}  // namespace redoubt::sensor
