// Addresses of HTTP services, as configurations have them. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace redoubt::base {

struct Url {
  enum class Scheme : uint8_t { http, https } scheme = Scheme::http;
  std::string host;  // without brackets
  std::string port;
  std::string authority;  // as the Host field has it
  std::string target;     // "/" where there is none
};

// http://host:port/path or https://…; no user name.
Result<Url> parse_url(const std::string& text);

}  // namespace redoubt::base
