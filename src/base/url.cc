#include "base/url.h"

#include <algorithm>
#include <string_view>

namespace redoubt::base {

namespace {

constexpr size_t kUrlMax = 4096;

}  // namespace

Result<Url> parse_url(const std::string& text) {
  const auto bad = [&] {
    return fail(Errc::invalid_argument, "'" + text.substr(0, kUrlMax) + "' is not http://HOST:PORT/PATH or https://…");
  };
  Url url;
  std::string_view rest = text;
  constexpr std::string_view kPlain = "http://";
  constexpr std::string_view kTls = "https://";
  const bool is_tls = rest.starts_with(kTls);
  if ((!is_tls && !rest.starts_with(kPlain)) || text.size() > kUrlMax) return bad();
  url.scheme = is_tls ? Url::Scheme::https : Url::Scheme::http;
  rest.remove_prefix(is_tls ? kTls.size() : kPlain.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  url.authority = std::string(rest.substr(0, slash));
  url.target = slash == rest.size() ? "/" : std::string(rest.substr(slash));
  const size_t colon = url.authority.rfind(':');
  const bool has_port = colon != std::string::npos && url.authority.find(']', colon) == std::string::npos;
  url.host = url.authority.substr(0, has_port ? colon : std::string::npos);
  url.port = has_port ? url.authority.substr(colon + 1) : (is_tls ? "443" : "80");
  if (url.host.starts_with('[') && url.host.ends_with(']')) url.host = url.host.substr(1, url.host.size() - 2);
  const bool is_port = !url.port.empty() && url.port.find_first_not_of("0123456789") == std::string::npos;
  const auto has_odd = [](const std::string& part) {
    return std::any_of(part.begin(), part.end(), [](char c) { return c <= ' ' || c == 0x7F || c == '@' || c == '#'; });
  };
  if (url.host.empty() || !is_port || has_odd(url.authority) || has_odd(url.target)) return bad();
  return url;
}

}  // namespace redoubt::base
