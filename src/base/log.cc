#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <memory>
#include <string>

#include "base/hash.h"

namespace redoubt::base {

namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("redoubt", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
    return made;
  }();
  return *instance;
}

// Names and reasons come from hostile senders too: none of them begins a line of its own or speaks to a terminal.
std::string on_one_line(std::string_view message) {
  std::string line;
  for (const char c : message) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    control ? line.append("\\x").append(to_hex({&c, 1})) : line.append(1, c);
  }
  return line;
}

}  // namespace

void set_log_level(LogLevel least) { logger().set_level(spdlog_level(least)); }

void log(LogLevel level, std::string_view component, std::string_view message) {
  logger().log(spdlog_level(level), "{}: {}", component, on_one_line(message));
  if (level != LogLevel::debug) logger().flush();
}

}  // namespace redoubt::base
