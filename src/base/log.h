// One line a fact, to standard error: time, level, component, message. Any thread.
#pragma once

#include <string_view>

namespace redoubt::base {

enum class LogLevel { debug, info, warning, error };

// Sets the least level that is written; info at start.
void set_log_level(LogLevel least);

void log(LogLevel level, std::string_view component, std::string_view message);

inline void log_info(std::string_view component, std::string_view message) { log(LogLevel::info, component, message); }
inline void log_warning(std::string_view component, std::string_view message) {
  log(LogLevel::warning, component, message);
}
inline void log_error(std::string_view component, std::string_view message) {
  log(LogLevel::error, component, message);
}

}  // namespace redoubt::base
