// TNEF streams for tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace redoubt::scan {

constexpr uint32_t kTnefBody = 0x0002'800c, kTnefStartsAttachment = 0x0006'9002, kTnefTitle = 0x0001'8010;
constexpr uint32_t kTnefData = 0x0006'800f, kTnefAttachmentProperties = 0x0006'9005;

inline std::string little_endian(uint64_t value, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

inline std::string tnef_start() { return "\x78\x9f\x3e\x22" + std::string("\1\0", 2); }

inline std::string tnef_attribute(uint32_t id, const std::string& data) {
  uint32_t sum = 0;
  for (const char byte : data) sum += static_cast<uint8_t>(byte);
  return "\2" + little_endian(id, 4) + little_endian(data.size(), 4) + data + little_endian(sum & 0xffff, 2);
}

// Of attachments by name and content.
inline std::string tnef_of(const std::vector<std::pair<std::string, std::string>>& attachments,
                           const std::string& body) {
  std::string stream = tnef_start();
  if (!body.empty()) stream += tnef_attribute(kTnefBody, body);
  for (const auto& [name, content] : attachments) {
    stream += tnef_attribute(kTnefStartsAttachment, std::string(14, '\0'));
    stream += tnef_attribute(kTnefTitle, name + std::string(1, '\0')) + tnef_attribute(kTnefData, content);
  }
  return stream;
}

}  // namespace redoubt::scan
