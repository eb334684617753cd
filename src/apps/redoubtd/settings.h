// The settings of redoubtd: one table for the configuration file, and what becomes of it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/config.h"
#include "base/result.h"
#include "central/node.h"

namespace redoubt::app {

std::span<const base::Setting> node_settings();

// Comma-separated extra names of the server certificate.
std::vector<std::string> certificate_names(const base::Config& config);
store::PostgresOptions postgres_options(const base::Config& config);
store::ClickHouseOptions clickhouse_options(const base::Config& config);
// Empty directories are looked for beside the program: an installed tree, or the source tree it was built in.
Result<central::NodeOptions> node_options(const base::Config& config);

}  // namespace redoubt::app
