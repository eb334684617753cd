// Configuration in two steps: a program declares its settings in one constexpr table; the YAML file is checked against
// it (unknown names and wrong types are errors with the line), and read by dotted name afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::base {

enum class SettingType { text, integer, boolean, duration, size };

// One row of a program's settings table. `fallback` is written as it would stand in the file.
struct Setting {
  std::string_view name;  // dotted: "store.retention"
  SettingType type;
  std::string_view fallback;
  std::string_view help;
};

class Config {
 public:
  // Reads the YAML file at `path`; an empty path gives the fallbacks alone.
  static Result<Config> load(const std::string& path, std::span<const Setting> settings);
  static Result<Config> parse(const std::string& yaml, std::span<const Setting> settings);

  // The setting must be in the table with that type.
  std::string text(std::string_view name) const;
  int64_t integer(std::string_view name) const;
  bool boolean(std::string_view name) const;
  int64_t duration_us(std::string_view name) const;
  int64_t size_bytes(std::string_view name) const;

  void set(std::string_view name, std::string value);

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// "10KB", "4MiB", "512": bytes.
Result<int64_t> parse_size_bytes(std::string_view text);

}  // namespace redoubt::base
