// The list of a backup's files, as backup.json holds it. Values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace redoubt::store {

constexpr const char* kBackupList = "backup.json";
constexpr const char* kBackupUnfinished = "backup.unfinished";

struct BackupFile {
  std::string name;  // below the directory: "events/segments/12.parquet"
  uint64_t bytes = 0;
  uint64_t checksum = 0;  // store::checksum_of_file
};

struct BackupList {
  std::string made;    // RFC 3339
  std::string source;  // data directory
  uint64_t events = 0;
  std::vector<BackupFile> files;
};

std::string encode_backup_list(const BackupList& list);
// corrupt, unsupported; names that lead out of the directory are refused.
Result<BackupList> decode_backup_list(const std::string& text);

}  // namespace redoubt::store
