// Connections of DNS over TCP: the first byte of each piece says how long it is, the second what is missing before it.
#include <cstdint>
#include <string_view>

#include "sensor/dns/dns_streams.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using redoubt::sensor::DnsStreams;
  DnsStreams streams;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  uint32_t sequence = 0;
  size_t given = 0;
  size_t taken = 0;
  while (rest.size() > 2) {
    const auto length = static_cast<uint8_t>(rest[0]);
    sequence += static_cast<uint32_t>(static_cast<int8_t>(rest[1]));
    rest.remove_prefix(2);
    const std::string_view bytes = rest.substr(0, length);
    rest.remove_prefix(bytes.size());
    given += bytes.size();
    const auto take = [&](std::string_view message) {
      if (message.size() > DnsStreams::kMessageBytesMax) __builtin_trap();
      taken += message.size();
    };
    streams.take({.connection = 1, .direction = DnsStreams::Direction::to_server, .sequence = sequence, .bytes = bytes},
                 0, take);
    sequence += static_cast<uint32_t>(bytes.size());
  }
  if (taken > given || streams.size() > 1) __builtin_trap();
  return 0;
}
