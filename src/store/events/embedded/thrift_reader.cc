#include "store/events/embedded/thrift_reader.h"

#include "base/varint.h"

namespace redoubt::store::embedded {

namespace {

constexpr int kThriftDepthMax = 16;

// Types of the compact protocol.
enum : uint8_t { kTrue = 1, kFalse = 2, kByte = 3, kInteger16 = 4, kInteger64 = 6, kDouble = 7, kBinary = 8 };
enum : uint8_t { kList = 9, kSet = 10, kStruct = 12 };
constexpr size_t kDoubleBytes = 8;
constexpr uint8_t kLongList = 15;

}  // namespace

uint8_t ThriftReader::byte() {
  if (at_ < bytes_.size()) return static_cast<uint8_t>(bytes_[at_++]);
  spoil();
  return 0;
}

uint64_t ThriftReader::varint() {
  std::string_view rest = bytes_.substr(at_);
  const auto value = base::take_varint(rest);
  at_ = bytes_.size() - rest.size();
  if (!value) spoil();
  return value.value_or(0);
}

int64_t ThriftReader::integer() { return base::of_zigzag(varint()); }

std::string_view ThriftReader::text() {
  const uint64_t size = varint();
  if (size > bytes_.size() - at_) {
    spoil();
    return {};
  }
  at_ += size;
  return bytes_.substr(at_ - size, size);
}

bool ThriftReader::next_field(FieldHead& head) {
  const uint8_t first = byte();
  head.type = first & 15;
  if (head.type == 0) return false;
  head.id = first >> 4 != 0 ? head.id + (first >> 4) : integer();
  return sound_;
}

uint64_t ThriftReader::list_head(uint8_t& type) {
  const uint8_t first = byte();
  type = first & 15;
  const uint64_t count = first >> 4 == kLongList ? varint() : first >> 4;
  if (count <= bytes_.size() - at_) return count;  // an element has a byte at least
  spoil();
  return 0;
}

void ThriftReader::skip_elements(int depth) {
  uint8_t type = 0;
  for (uint64_t left = list_head(type); left > 0 && sound_; --left) {
    if (type == kTrue || type == kFalse) {
      byte();
    } else {
      skip(type, depth);
    }
  }
}

void ThriftReader::skip(uint8_t type, int depth) {
  if (depth > kThriftDepthMax) return spoil();
  if (type == kTrue || type == kFalse) return;
  if (type == kByte) {
    byte();
  } else if (type >= kInteger16 && type <= kInteger64) {
    varint();
  } else if (type == kDouble) {
    for (size_t i = 0; i < kDoubleBytes; ++i) byte();
  } else if (type == kBinary) {
    text();
  } else if (type == kList || type == kSet) {
    skip_elements(depth + 1);
  } else if (type == kStruct) {
    for (FieldHead head; next_field(head);) skip(head.type, depth + 1);
  } else {
    spoil();
  }
}

}  // namespace redoubt::store::embedded
