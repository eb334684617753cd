// Numbers of variable length, as Parquet, Thrift, ClickHouse and RAR have them: seven bits a byte, the low ones first.
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::base {

// The number at the front of `bytes`, which lose it; nothing where it does not end within ten bytes.
inline std::optional<uint64_t> take_varint(std::string_view& bytes) {
  constexpr unsigned kBits = 64;
  uint64_t value = 0;
  for (unsigned shift = 0; shift < kBits && !bytes.empty(); shift += 7) {
    const auto next = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{next & 0x7FU} << shift;
    if ((next & 0x80) == 0) return value;
  }
  return std::nullopt;
}

inline void put_varint(std::string& out, uint64_t value) {
  for (; value > 0x7F; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

inline int64_t of_zigzag(uint64_t zigzag) { return static_cast<int64_t>(zigzag >> 1 ^ (~(zigzag & 1) + 1)); }
inline uint64_t zigzag_of(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}

}  // namespace redoubt::base
