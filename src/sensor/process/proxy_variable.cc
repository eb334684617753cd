#include "sensor/process/proxy_variable.h"

#include <strings.h>

#include <algorithm>

#include "sensor/process/process_record.h"

namespace redoubt::sensor {

namespace {

constexpr std::string_view kNameEnd = "_proxy";
constexpr std::string_view kSchemeEnd = "://";
constexpr std::string_view kHidden = "***";

bool is_proxy_name(std::string_view name) {
  if (name.size() < kNameEnd.size()) return false;
  return strncasecmp(name.data() + name.size() - kNameEnd.size(), kNameEnd.data(), kNameEnd.size()) == 0;
}

// Where the credentials would begin: behind the scheme, if there is one.
size_t scheme_bytes(std::string_view value) {
  constexpr std::string_view kSchemeMarks = "+-.";
  const size_t end = value.find(kSchemeEnd);
  if (end == std::string_view::npos) return 0;
  const bool is_scheme = std::all_of(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(end), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kSchemeMarks.find(c) != std::string_view::npos;
  });
  return is_scheme ? end + kSchemeEnd.size() : 0;
}

// Whether the end of the variable was left out, so that nobody knows whether a host follows.
bool is_cut(std::string_view variable) { return variable.size() + 1 >= RD_VARIABLE_MAX; }

}  // namespace

// Passwords are not always escaped as they should be: the last "@" is the one before the host.
std::string without_credentials(std::string_view variable) {
  const size_t name_end = variable.find('=');
  if (name_end == std::string_view::npos || !is_proxy_name(variable.substr(0, name_end))) return std::string(variable);
  const size_t begin = name_end + 1 + scheme_bytes(variable.substr(name_end + 1));
  const size_t host = is_cut(variable) ? variable.size() : variable.rfind('@');
  if (host == std::string_view::npos || host < begin) return std::string(variable);
  return std::string(variable.substr(0, begin)) + std::string(kHidden) + std::string(variable.substr(host));
}

}  // namespace redoubt::sensor
