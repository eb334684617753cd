#include "base/config.h"

#include <yaml-cpp/yaml.h>
#include <charconv>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "base/time.h"

namespace redoubt::base {

namespace {

constexpr size_t kConfigSizeMax = size_t{1} << 20;
constexpr int kConfigDepthMax = 8;

const Setting* find_setting(std::span<const Setting> settings, std::string_view name) {
  for (const Setting& setting : settings) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

Result<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || rest != text.data() + text.size()) {
    return fail(Errc::invalid_argument, "'" + std::string(text) + "' is not a whole number");
  }
  return value;
}

Status check_value(const Setting& setting, const std::string& value) {
  const auto status_of = [](const auto& result) -> Status {
    if (!result) return tl::unexpected<Error>(result.error());
    return {};
  };
  switch (setting.type) {
    case SettingType::text: return {};
    case SettingType::integer: return status_of(parse_integer(value));
    case SettingType::boolean:
      if (value != "true" && value != "false") {
        return fail(Errc::invalid_argument, "'" + value + "' is neither true nor false");
      }
      return {};
    case SettingType::duration: return status_of(parse_duration_us(value));
    case SettingType::size: return status_of(parse_size_bytes(value));
  }
  return {};
}

tl::unexpected<Error> unknown_setting(const std::string& name, std::span<const Setting> settings) {
  std::vector<std::string_view> names;
  for (const Setting& setting : settings) names.push_back(setting.name);
  std::string message = "setting '" + name + "' is not known";
  const auto nearest = nearest_names(name, names, 1);
  if (!nearest.empty()) message += "; did you mean '" + nearest.front() + "'?";
  return fail(Errc::invalid_argument, message);
}

Status flatten(const YAML::Node& node, const std::string& prefix, int depth, std::span<const Setting> settings,
               std::map<std::string, std::string, std::less<>>& values) {
  if (depth > kConfigDepthMax) return fail(Errc::invalid_argument, "configuration is nested too deeply");
  for (const auto& entry : node) {
    const std::string name = prefix + entry.first.as<std::string>();
    const std::string at = "line " + std::to_string(entry.first.Mark().line + 1);
    if (entry.second.IsMap()) {
      TRY_STATUS(flatten(entry.second, name + ".", depth + 1, settings, values));
      continue;
    }
    const Setting* setting = find_setting(settings, name);
    if (setting == nullptr) return within(at, Status(unknown_setting(name, settings)));
    if (!entry.second.IsScalar()) return fail(Errc::invalid_argument, at + ": setting '" + name + "' takes one value");
    const auto value = entry.second.as<std::string>();
    TRY_STATUS(within(at + ": setting '" + name + "'", check_value(*setting, value)));
    values[name] = value;
  }
  return {};
}

}  // namespace

Result<Config> Config::parse(const std::string& yaml, std::span<const Setting> settings) {
  Config config;
  for (const Setting& setting : settings) config.values_.emplace(setting.name, setting.fallback);
  try {
    const YAML::Node root = YAML::Load(yaml);
    if (root.IsNull()) return config;
    if (!root.IsMap()) return fail(Errc::invalid_argument, "configuration is not a map of settings");
    TRY_STATUS(flatten(root, "", 0, settings, config.values_));
  } catch (const YAML::Exception& error) {
    return fail(Errc::invalid_argument, error.what());
  }
  return config;
}

Result<Config> Config::load(const std::string& path, std::span<const Setting> settings) {
  if (path.empty()) return parse("", settings);
  TRY(const std::string yaml, read_file(path, kConfigSizeMax));
  return within("configuration " + path, parse(yaml, settings));
}

std::string Config::text(std::string_view name) const {
  const auto found = values_.find(name);
  CHECK(found != values_.end());
  return found->second;
}

int64_t Config::integer(std::string_view name) const { return parse_integer(text(name)).value(); }
bool Config::boolean(std::string_view name) const { return text(name) == "true"; }
int64_t Config::duration_us(std::string_view name) const { return parse_duration_us(text(name)).value(); }
int64_t Config::size_bytes(std::string_view name) const { return parse_size_bytes(text(name)).value(); }

void Config::set(std::string_view name, std::string value) { values_[std::string(name)] = std::move(value); }

Result<int64_t> parse_size_bytes(std::string_view text) {
  struct Unit {
    std::string_view name;
    int64_t bytes;
  };
  constexpr Unit kUnits[] = {{"", 1},
                             {"B", 1},
                             {"KB", 1000},
                             {"MB", 1000'000},
                             {"GB", 1000'000'000},
                             {"TB", 1000'000'000'000},
                             {"KiB", 1 << 10},
                             {"MiB", 1 << 20},
                             {"GiB", 1 << 30},
                             {"TiB", int64_t{1} << 40}};
  constexpr int64_t kSizeMax = int64_t{1} << 60;
  int64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view suffix(rest, static_cast<size_t>(text.data() + text.size() - rest));
  if (error == std::errc{} && count >= 0) {
    for (const Unit& unit : kUnits) {
      if (suffix == unit.name && count <= kSizeMax / unit.bytes) return count * unit.bytes;
    }
  }
  return fail(Errc::invalid_argument, "'" + std::string(text) + "' is not a size such as 512, 10KB or 4MiB");
}

}  // namespace redoubt::base
