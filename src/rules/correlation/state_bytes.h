// Numbers and texts as bytes and back, little-endian, for what the correlator keeps over a restart. The reader looks
// at no byte that is not there: past the end, or past a limit, it fails for good and gives zeros.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::rules::correlation {

class ByteWriter {
 public:
  void put_u32(uint32_t number);
  void put_u64(uint64_t number);
  void put_text(std::string_view text);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  uint32_t take_u32();
  uint64_t take_u64();
  std::string_view take_text(size_t size_max);
  // A number of things that follow, `size_min` bytes each at least: never more than there is room for.
  uint32_t take_count(size_t size_min);
  void fail() { sound_ = false; }
  bool sound() const { return sound_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view take(size_t size);

  std::string_view rest_;
  bool sound_ = true;
};

// Bytes with their kind, version and checksum around them, and the bytes again: corrupt, or another version.
std::string with_envelope(std::string_view kind, std::string_view bytes);
Result<std::string_view> without_envelope(std::string_view kind, std::string_view sealed);

}  // namespace redoubt::rules::correlation
