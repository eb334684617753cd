// Reads Thrift's compact protocol, in which Parquet has its footer and the heads of its pages. What is cut off or makes
// no sense reads as zero or as nothing, and the reader is unsound from then on. One thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace redoubt::store::embedded {

class ThriftReader {
 public:
  // Before the first field of a struct it is {}.
  struct FieldHead {
    int64_t id = 0;
    uint8_t type = 0;
  };

  explicit ThriftReader(std::string_view bytes) : bytes_(bytes) {}

  bool sound() const { return sound_; }
  size_t position() const { return at_; }

  // The next field of a struct, whose value comes next; false at its end.
  bool next_field(FieldHead& head);
  // How many elements of what type come next.
  uint64_t list_head(uint8_t& type);
  int64_t integer();
  std::string_view text();
  // A value of the type that is not wanted.
  void skip(uint8_t type) { skip(type, 0); }

 private:
  uint8_t byte();
  uint64_t varint();
  void skip(uint8_t type, int depth);
  void skip_elements(int depth);
  void spoil() {
    sound_ = false;
    at_ = bytes_.size();
  }

  std::string_view bytes_;
  size_t at_ = 0;
  bool sound_ = true;
};

}  // namespace redoubt::store::embedded
