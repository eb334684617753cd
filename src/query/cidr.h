// Addresses and prefixes: the one meaning of Operator::cidr and of `=` on addresses, for both back ends. Any thread.
#pragma once

#include <string_view>

namespace redoubt::query {

// True for an IPv4 or IPv6 address with a prefix length, or an address alone (then the length is full).
bool is_prefix(std::string_view text);
// True if `address` lies in `prefix`; false where either is malformed or they are of different families.
bool in_cidr(std::string_view address, std::string_view prefix);

}  // namespace redoubt::query
