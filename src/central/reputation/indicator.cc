#include "central/reputation/indicator.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/address.h"

namespace redoubt::central {

namespace {

constexpr std::array<std::string_view, 6> kKindNames = {"sha256", "sha1", "md5", "ip", "domain", "url"};
constexpr size_t kMd5Digits = 32, kSha1Digits = 40, kSha256Digits = 64;
constexpr size_t kDomainBytesMax = 253, kLabelBytesMax = 63;

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

// Until none is left: what comes of one may complete another.
std::string refanged(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kDefanged = {
      {{"[.]", "."}, {"(.)", "."}, {"[:]", ":"}}};
  std::string mended(text);
  for (size_t before = mended.size() + 1; mended.size() < before;) {
    before = mended.size();
    for (const auto& [from, to] : kDefanged) {
      for (size_t at = mended.find(from); at != std::string::npos; at = mended.find(from, at)) {
        mended.replace(at, from.size(), to);
      }
    }
  }
  if (lowered(mended.substr(0, 4)) == "hxxp") mended.replace(0, 4, "http");
  return mended;
}

std::optional<Indicator> read_hash(std::string_view text) {
  std::string digits = lowered(text);
  if (digits.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  if (digits.size() == kSha256Digits) return Indicator{IndicatorKind::sha256, std::move(digits)};
  if (digits.size() == kSha1Digits) return Indicator{IndicatorKind::sha1, std::move(digits)};
  if (digits.size() == kMd5Digits) return Indicator{IndicatorKind::md5, std::move(digits)};
  return std::nullopt;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLabelBytesMax && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c >= 0x80; });
}

std::optional<Indicator> read_host(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  if (base::parse_address(text)) return Indicator{IndicatorKind::ip, base::canonical_address(text)};
  if (text.ends_with('.')) text.remove_suffix(1);
  const size_t last = text.rfind('.');
  if (last == std::string_view::npos || text.size() > kDomainBytesMax) return std::nullopt;
  // A last label of digits alone is a malformed address.
  if (text.find_first_not_of("0123456789", last + 1) == std::string_view::npos) return std::nullopt;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t dot = std::min(rest.find('.'), rest.size());
    if (!is_label(rest.substr(0, dot))) return std::nullopt;
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  return Indicator{IndicatorKind::domain, lowered(text)};
}

struct UrlParts {
  std::string scheme;
  std::string_view host, port, rest;  // rest: from the path on
};

std::optional<UrlParts> split_url(std::string_view text) {
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  UrlParts parts{.scheme = lowered(text.substr(0, colon))};
  if (parts.scheme != "http" && parts.scheme != "https" && parts.scheme != "ftp") return std::nullopt;
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  const size_t slash = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, slash);
  parts.rest = text.substr(slash);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  const size_t bracket = authority.rfind(']');
  const size_t port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  parts.host = authority.substr(0, port);
  if (port != std::string_view::npos) parts.port = authority.substr(port + 1);
  return parts;
}

bool is_default_port(const UrlParts& parts) {
  return parts.port.empty() || (parts.scheme == "http" && parts.port == "80") ||
         (parts.scheme == "https" && parts.port == "443") || (parts.scheme == "ftp" && parts.port == "21");
}

std::optional<Indicator> read_url(std::string_view text) {
  const auto parts = split_url(text);
  if (!parts) return std::nullopt;
  // Intranet names have no dot; as part of a URL they are hosts all the same.
  const auto host = read_host(parts->host);
  const std::string name = host ? host->value : lowered(parts->host);
  if (name.empty()) return std::nullopt;
  std::string url = parts->scheme + "://" + (name.find(':') != std::string::npos ? "[" + name + "]" : name);
  if (!is_default_port(*parts)) url += ":" + std::string(parts->port);
  url += parts->rest.starts_with('/') ? "" : "/";
  url += parts->rest;
  return Indicator{IndicatorKind::url, std::move(url)};
}

}  // namespace

std::string_view name_of(IndicatorKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::optional<IndicatorKind> indicator_kind_named(std::string_view name) {
  for (size_t i = 0; i < kKindNames.size(); ++i) {
    if (kKindNames[i] == name) return static_cast<IndicatorKind>(i);
  }
  return std::nullopt;
}

std::optional<Indicator> read_indicator(std::string_view text) {
  if (text.empty() || text.size() > kIndicatorBytesMax) return std::nullopt;
  if (text.find_first_of(std::string_view(" \t\r\n\0\"<>", 8)) != std::string_view::npos) return std::nullopt;
  if (auto hash = read_hash(text)) return hash;
  const std::string mended = refanged(text);
  if (auto url = read_url(mended)) return url;
  return read_host(mended);
}

std::optional<Indicator> host_of(const Indicator& url) {
  const auto parts = split_url(url.value);
  return parts ? read_host(parts->host) : std::nullopt;
}

}  // namespace redoubt::central
