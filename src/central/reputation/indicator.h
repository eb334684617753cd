// What a reputation is about: a hash, an address, a domain or a URL, in the one form in which it is kept and asked for.
// Values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::central {

enum class IndicatorKind : uint8_t { sha256, sha1, md5, ip, domain, url };

// "sha256", "ip" …
std::string_view name_of(IndicatorKind kind);
std::optional<IndicatorKind> indicator_kind_named(std::string_view name);

struct Indicator {
  IndicatorKind kind = IndicatorKind::sha256;
  std::string value;
  bool operator==(const Indicator&) const = default;
};

// The kind from the form; nothing for what is none. Defanged texts ("hxxp://", "[.]") are mended, hashes, hosts and
// schemes are in lower case, a URL has no fragment and no default port.
std::optional<Indicator> read_indicator(std::string_view text);
// The host of a URL as an indicator of its own: a domain or an address.
std::optional<Indicator> host_of(const Indicator& url);

constexpr size_t kIndicatorBytesMax = 2048;

}  // namespace redoubt::central
