// The store tools on the data directory of a node that is stopped. The directory is locked meanwhile. One thread.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "store/backup/backup.h"
#include "store/events/clickhouse/options.h"
#include "store/events/store_report.h"

namespace redoubt::cli {

// What the node's API answers, from the directory: the JSON of a report.
Result<std::string> report_directory(const std::string& data);
Result<std::string> verify_directory(const std::string& data);
Result<std::string> compact_directory(const std::string& data);
// Absolute paths.
Result<std::string> back_up_directory(const std::string& data, const store::BackupOptions& options);
// Restores, then verifies what is there.
Result<std::string> restore_directory(const std::string& data, const std::string& backup);
// Moves the events of the directory to ClickHouse; afterwards they are there in `events.moved`. `tell` hears how many
// were moved so far.
Result<std::string> migrate_directory(const std::string& data, store::ClickHouseOptions clickhouse,
                                      const std::function<void(uint64_t)>& tell);
// A mistake in the query is an invalid_argument that shows the place.
Result<store::Exported> export_directory(const std::string& data, const std::string& query, store::ExportFormat format);

}  // namespace redoubt::cli
