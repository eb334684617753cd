#include "base/address.h"

#include <arpa/inet.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace redoubt::base {

namespace {

constexpr int kBits4 = 32;
constexpr int kBits6 = 128;
constexpr int kMappedBits = 96;

bool is_mapped(const Address& address) {
  constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return address.bits == kBits6 && std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin());
}

Address unmapped(const Address& address) {
  Address inner{.bits = kBits4};
  std::copy_n(address.bytes.begin() + kMappedBits / 8, 4, inner.bytes.begin());
  return inner;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (text.empty() || text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), buffer.begin());
  Address address;
  if (inet_pton(AF_INET, buffer.data(), address.bytes.data()) == 1) {
    address.bits = kBits4;
    return address;
  }
  if (inet_pton(AF_INET6, buffer.data(), address.bytes.data()) != 1) return std::nullopt;
  address.bits = kBits6;
  return address;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  int length = address->bits;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length < 0 || length > address->bits) {
      return std::nullopt;
    }
  }
  if (is_mapped(*address) && length >= kMappedBits) return Prefix{unmapped(*address), length - kMappedBits};
  return Prefix{*address, length};
}

bool same_bits(const Address& a, const Address& b, int count) {
  const auto whole = static_cast<size_t>(count / 8);
  if (!std::equal(a.bytes.begin(), a.bytes.begin() + static_cast<ptrdiff_t>(whole), b.bytes.begin())) return false;
  const int rest = count % 8;
  if (rest == 0) return true;
  return ((a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest)) == 0;
}

std::optional<Address> inner_address(const Address& address) {
  if (!is_mapped(address)) return std::nullopt;
  return unmapped(address);
}

bool is_prefix(std::string_view text) { return parse_prefix(text).has_value(); }

bool lies_in(const Address& address, const Prefix& prefix) {
  if (is_mapped(address) && prefix.address.bits == kBits4) return lies_in(unmapped(address), prefix);
  return address.bits == prefix.address.bits && same_bits(address, prefix.address, prefix.length);
}

bool in_cidr(std::string_view address, std::string_view prefix) {
  const auto left = parse_address(address);
  const auto right = parse_prefix(prefix);
  return left && right && lies_in(*left, *right);
}

std::string canonical_address(std::string_view text) {
  auto address = parse_address(text);
  if (!address) return std::string(text);
  if (is_mapped(*address)) address = unmapped(*address);
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(address->bits == kBits4 ? AF_INET : AF_INET6, address->bytes.data(), buffer.data(), buffer.size());
  return buffer.data();
}

}  // namespace redoubt::base
