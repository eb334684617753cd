// The configuration of `redoubt-gateway folder`: JSON, with the keys of the original (in_dir, out_dir, qrnt_dir,
// cert_pem, cert_key, kata_cn_addr, system_id) and more. It is read once, at the start; docs/folder-gateway.md lists
// the keys.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/folder/masks.h"
#include "gateway/scanner_client.h"

namespace redoubt::gateway::folder {

// Where a file goes.
enum class Action : uint8_t {
  pass,  // to the output folder
  quarantine,
  leave,  // stays in the input folder, and is looked at again when it changes
};
enum class Subfolders : uint8_t { no, yes };
enum class SameName : uint8_t { replace, keep_both };

struct FolderSet {
  std::string name;
  std::string input;
  std::string output;
  std::string quarantine;
  std::string work;  // on the file system of the input; empty: input/.redoubt-work
  Subfolders subfolders = Subfolders::no;
  uint64_t size_limit = 0;  // 0: what the node takes
  Action over_limit = Action::quarantine;
  Masks exclude;
  Action excluded = Action::leave;
  SameName same_name = SameName::keep_both;
  Action on_detect = Action::quarantine;  // never pass
  Action on_error = Action::quarantine;
  Action on_timeout = Action::quarantine;
  int64_t retries = 3;        // after an error or a timeout
  int64_t settle_ms = 5'000;  // a file whose end of writing nobody told is taken when it is unchanged for so long
  int64_t temporary_settle_ms = 60'000;  // hidden names, *.part and the like
  int64_t sweep_ms = 10'000;
};

struct Settings {
  ScannerClientOptions scanner;
  std::string state_directory = "/var/lib/redoubt-gateway";
  int64_t parallel = 8;  // files under way at a time
  int64_t poll_ms = 1'000;
  int64_t verdict_ms = 600'000;
  std::vector<FolderSet> folders;
};

constexpr size_t kSettingsBytesMax = size_t{4} << 20;
Result<Settings> load_settings(const std::string& path);
// `directory`: what relative paths in the text start from; empty: they stay as they are.
Result<Settings> parse_settings(const std::string& json, const std::string& directory);

}  // namespace redoubt::gateway::folder
