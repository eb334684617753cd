#include "proxy_file.h"

#include <cctype>

#include "base/file.h"

namespace redoubt::agent {

namespace {

constexpr size_t kProxyBytesMax = 4096;
constexpr std::string_view kProxyScheme = "http://";

}  // namespace

Result<std::string> read_proxy(const std::string& path) {
  if (path.empty()) return std::string();
  TRY(std::string proxy, base::read_file(path, kProxyBytesMax));
  while (!proxy.empty() && std::isspace(static_cast<unsigned char>(proxy.back())) != 0) proxy.pop_back();
  const size_t port = proxy.rfind(':');
  if (!proxy.starts_with(kProxyScheme) || port == std::string::npos || port < kProxyScheme.size() ||
      proxy.find_first_of(" \t\r\n") != std::string::npos) {
    return fail(Errc::invalid_argument, path + " must hold one line: http://[USER:PASSWORD@]HOST:PORT");
  }
  return proxy;
}

}  // namespace redoubt::agent
