// Internet addresses and prefixes of them, for all who compare or keep them. An IPv4
// address that is written inside IPv6 (::ffff:10.0.0.1) is that IPv4 address. Any thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::base {

struct Address {
  int bits = 0;  // 32 or 128
  std::array<unsigned char, 16> bytes{};
};
struct Prefix {
  Address address;
  int length = 0;
};

// Nothing for what inet_pton refuses: "10.0.0.01" and names stay out.
std::optional<Address> parse_address(std::string_view text);
// An IPv4 prefix where one is written inside IPv6. The length is full where none is written.
std::optional<Prefix> parse_prefix(std::string_view text);
// The IPv4 address that is written inside an IPv6 one; nothing where there is none.
std::optional<Address> inner_address(const Address& address);
// True if the first `count` bits are the same.
bool same_bits(const Address& a, const Address& b, int count);

// True for an IPv4 or IPv6 address with a prefix length, or an address alone (then the length is full).
bool is_prefix(std::string_view text);
// An IPv4 address that is written inside IPv6 lies in IPv4 prefixes.
bool lies_in(const Address& address, const Prefix& prefix);
// True if `address` lies in `prefix`; false where either is malformed or they are of different families.
bool in_cidr(std::string_view address, std::string_view prefix);
// The address as the system writes it (an IPv4 address inside IPv6 as IPv4); what is none is returned as it is.
std::string canonical_address(std::string_view text);

}  // namespace redoubt::base
