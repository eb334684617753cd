// Addresses and prefixes: the one meaning of Operator::cidr and of `=` on addresses, for both back ends. An IPv4
// address that is written inside IPv6 (::ffff:10.0.0.1) is that IPv4 address. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace redoubt::query {

// True for an IPv4 or IPv6 address with a prefix length, or an address alone (then the length is full).
bool is_prefix(std::string_view text);
// True if `address` lies in `prefix`; false where either is malformed or they are of different families.
bool in_cidr(std::string_view address, std::string_view prefix);
// The address as the system writes it (an IPv4 address inside IPv6 as IPv4); what is none is returned as it is.
std::string canonical_address(std::string_view text);

}  // namespace redoubt::query
