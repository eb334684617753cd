#include "store/backup/backup_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "store/backup/backup.h"

namespace redoubt::store {

namespace {

using nlohmann::ordered_json;

constexpr int kBackupFormat = 1;
constexpr int kHexadecimal = 16;

std::string hex_of(uint64_t number) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, kHexadecimal);
  return {digits.data(), end.ptr};
}

uint64_t number_of(const std::string& hex) {
  uint64_t number = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), number, kHexadecimal);
  return number;
}

bool stays_inside(const std::string& name) {
  const std::filesystem::path path(name);
  if (name.empty() || path.is_absolute() || path.lexically_normal() != path) return false;
  return std::none_of(path.begin(), path.end(), [](const auto& part) { return part == ".." || part == "."; });
}

}  // namespace

std::string encode_backup_list(const BackupList& list) {
  ordered_json files = ordered_json::array();
  for (const BackupFile& file : list.files) {
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"checksum", hex_of(file.checksum)}});
  }
  const ordered_json json = {{"format", kBackupFormat},
                             {"made", list.made},
                             {"source", list.source},
                             {"events", list.events},
                             {"files", std::move(files)}};
  return json.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<BackupList> decode_backup_list(const std::string& text) {
  const ordered_json json = ordered_json::parse(text, nullptr, false);
  try {
    if (json.at("format").get<int>() != kBackupFormat) {
      return fail(Errc::unsupported, "its format is that of another version of the program");
    }
    BackupList list{.made = json.at("made"), .source = json.at("source"), .events = json.at("events")};
    for (const ordered_json& each : json.at("files")) {
      BackupFile file{.name = each.at("name"), .bytes = each.at("bytes"), .checksum = number_of(each.at("checksum"))};
      if (!stays_inside(file.name)) return fail(Errc::corrupt, "the name '" + file.name + "' leads out of it");
      list.files.push_back(std::move(file));
    }
    return list;
  } catch (const nlohmann::json::exception&) {
    return fail(Errc::corrupt, "it is not the list of a backup");
  }
}

std::string json_of(const BackupReport& report) {
  ordered_json damage = ordered_json::array();
  for (const Damage& each : report.damage) damage.push_back({{"what", each.what}, {"why", each.why}});
  const ordered_json json = {{"directory", report.directory}, {"events", report.events},
                             {"files", report.files},         {"files_linked", report.files_linked},
                             {"bytes", report.bytes},         {"damage", std::move(damage)}};
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace redoubt::store
