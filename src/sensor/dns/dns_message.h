// Reads the messages of DNS (RFC 1035). What is read came from anyone: it is looked at once from front to back, names
// with at most kHopsMax jumps, and every count has a limit. A message that is cut gives what is whole in it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::sensor {

struct DnsAnswer {
  std::string type;  // as in DnsMessage
  std::string text;  // the data as zone files write it; an address for A and AAAA
  uint32_t ttl_s = 0;
  enum class Kind { address, other } kind = Kind::other;
};

struct DnsMessage {
  uint16_t id = 0;
  enum class Direction { query, answer } direction = Direction::query;
  std::string name;           // that was asked for: lower case, without the last dot; "." is the root
  std::string type;           // A, AAAA, TXT; TYPE1234 where there is no name
  std::string response_code;  // NOERROR, NXDOMAIN; RCODE12 where there is no name; of answers
  std::vector<DnsAnswer> answers;
};

// Nothing for what is no question of one name, or no answer to such.
std::optional<DnsMessage> parse_dns(std::string_view bytes);

constexpr size_t kDnsAnswersMax = 32;

}  // namespace redoubt::sensor
