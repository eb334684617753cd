// A ClickHouse server with the same events, through the store's own engine for it: what the server alone spends, and
// what it needs on disk.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "bench/generator.h"

namespace redoubt::bench {

struct ClickHouseIngest {
  double rate = 0;   // events a second of the server's CPU time
  double bytes = 0;  // an event on disk, while parts are still being merged
};

// Nothing where the machine has no ClickHouse.
std::optional<ClickHouseIngest> fill_clickhouse(const std::string& directory, const GeneratorOptions& options,
                                                size_t events);

}  // namespace redoubt::bench
