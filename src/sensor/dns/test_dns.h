// Messages of DNS for tests, as they are on the wire.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::sensor {

// Its zeros included.
template <size_t kSize>
std::string wire(const char (&bytes)[kSize]) {
  return {bytes, kSize - 1};
}

inline std::string wire_u16(unsigned number) { return {static_cast<char>(number >> 8), static_cast<char>(number)}; }

// `name` without a last dot; empty is the root.
inline std::string wire_name(std::string_view name) {
  std::string wire;
  while (!name.empty()) {
    const size_t end = std::min(name.find('.'), name.size());
    wire += static_cast<char>(end);
    wire += name.substr(0, end);
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return wire + '\0';
}

struct DnsQuestionText {
  uint16_t id = 1;
  std::string name;
  uint16_t type = 1;
};

struct DnsRecordText {
  uint16_t type;
  std::string data;
};

inline std::string dns_query(const DnsQuestionText& question) {
  return wire_u16(question.id) + wire_u16(0x0100) + wire_u16(1) + wire_u16(0) + wire_u16(0) + wire_u16(0) +
         wire_name(question.name) + wire_u16(question.type) + wire_u16(1);
}

// Every record is of the name that was asked for, and holds 300 seconds.
inline std::string dns_answer(const DnsQuestionText& question, unsigned response_code,
                              const std::vector<DnsRecordText>& records) {
  std::string wire = dns_query(question);
  wire.replace(2, 2, wire_u16(0x8180 | response_code));
  wire.replace(6, 2, wire_u16(static_cast<unsigned>(records.size())));
  for (const DnsRecordText& record : records) {
    wire += wire_u16(0xC00C) + wire_u16(record.type) + wire_u16(1) + wire_u16(0) + wire_u16(300);
    wire += wire_u16(static_cast<unsigned>(record.data.size())) + record.data;
  }
  return wire;
}

}  // namespace redoubt::sensor
