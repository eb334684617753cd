#include "gateway/folder/journal.h"

#include <dirent.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/hash.h"

namespace redoubt::gateway::folder {

namespace {

constexpr size_t kRecordBytesMax = size_t{64} << 10;
constexpr std::string_view kSuffix = ".json";

std::string record_text(const Record& record) {
  const nlohmann::ordered_json json = {
      {"id", record.id},
      {"folder", base::to_hex(record.folder)},  // names are bytes, JSON is UTF-8
      {"work", base::to_hex(record.work)},
      {"relative", base::to_hex(record.relative)},
      {"phase", static_cast<int>(record.phase)},
      {"target", base::to_hex(record.target)},
      {"destination", base::to_hex(record.destination)},
      {"sha256", record.sha256},
      {"device", record.state.device},
      {"inode", record.state.inode},
      {"size", record.state.size},
      {"mtime_ns", record.state.mtime_ns},
      {"ctime_ns", record.state.ctime_ns},
      {"links", record.state.links},
  };
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<Record> record_from(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    Record record{.id = json.at("id"), .sha256 = json.at("sha256")};
    TRY(record.folder, base::from_hex(json.at("folder").get<std::string>()));
    TRY(record.work, base::from_hex(json.at("work").get<std::string>()));
    TRY(record.relative, base::from_hex(json.at("relative").get<std::string>()));
    record.phase = static_cast<Phase>(std::clamp(json.at("phase").get<int>(), 0, static_cast<int>(Phase::publishing)));
    TRY(record.target, base::from_hex(json.at("target").get<std::string>()));
    TRY(record.destination, base::from_hex(json.at("destination").get<std::string>()));
    record.state = {.device = json.at("device"),
                    .inode = json.at("inode"),
                    .size = json.at("size"),
                    .mtime_ns = json.at("mtime_ns"),
                    .ctime_ns = json.at("ctime_ns"),
                    .links = json.at("links")};
    return record;
  } catch (const std::exception& error) {
    return fail(Errc::corrupt, error.what());
  }
}

}  // namespace

Result<Journal> Journal::open(const std::string& directory) {
  TRY_STATUS(base::make_directories(directory));
  return Journal(directory);
}

Status Journal::write(const Record& record) const {
  return base::write_file_atomic(path_of(record.id), record_text(record), base::kPrivateFile);
}

void Journal::erase(const Record& record) const { unlink(path_of(record.id).c_str()); }

Result<std::vector<Record>> Journal::load() const {
  std::error_code error;
  std::vector<Record> records;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) paths.push_back(entry.path());
  if (error) return fail(Errc::io, directory_ + ": " + error.message());
  for (const auto& path : paths) {
    if (path.extension() != kSuffix) {  // a write that a crash cut short: the record before it holds
      unlink(path.c_str());
      continue;
    }
    TRY(const std::string text, base::read_file(path, kRecordBytesMax));
    TRY(Record record, base::within(path.string(), record_from(text)));
    records.push_back(std::move(record));
  }
  std::sort(records.begin(), records.end(), [](const Record& a, const Record& b) { return a.id < b.id; });
  return records;
}

}  // namespace redoubt::gateway::folder
