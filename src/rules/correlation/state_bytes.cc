#include "rules/correlation/state_bytes.h"

#include <xxhash.h>

namespace redoubt::rules::correlation {

namespace {

constexpr uint32_t kVersion = 1;

template <class Number>
void put(std::string& bytes, Number number) {
  for (size_t i = 0; i < sizeof(Number); ++i) bytes.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
}

template <class Number>
Number number_of(std::string_view bytes) {
  Number number = 0;
  for (size_t i = 0; i < bytes.size(); ++i) number |= Number{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return number;
}

}  // namespace

void ByteWriter::put_u32(uint32_t number) { put(bytes_, number); }
void ByteWriter::put_u64(uint64_t number) { put(bytes_, number); }
void ByteWriter::put_text(std::string_view text) {
  put_u32(static_cast<uint32_t>(text.size()));
  bytes_.append(text);
}

std::string_view ByteReader::take(size_t size) {
  if (size > rest_.size()) sound_ = false;
  if (!sound_) return {};
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

uint32_t ByteReader::take_u32() { return number_of<uint32_t>(take(sizeof(uint32_t))); }
uint64_t ByteReader::take_u64() { return number_of<uint64_t>(take(sizeof(uint64_t))); }

std::string_view ByteReader::take_text(size_t size_max) {
  const uint32_t size = take_u32();
  if (size > size_max) sound_ = false;
  return take(size);
}

uint32_t ByteReader::take_count(size_t size_min) {
  const uint32_t count = take_u32();
  if (count > rest_.size() / size_min) sound_ = false;
  return sound_ ? count : 0;
}

std::string with_envelope(std::string_view kind, std::string_view bytes) {
  ByteWriter writer;
  writer.put_text(kind);
  writer.put_u32(kVersion);
  writer.put_u64(XXH3_64bits(bytes.data(), bytes.size()));
  return writer.bytes() + std::string(bytes);
}

Result<std::string_view> without_envelope(std::string_view kind, std::string_view sealed) {
  const size_t head = 4 + kind.size() + 4 + 8;
  ByteReader reader(sealed);
  const std::string_view found = reader.take_text(kind.size());
  const uint32_t version = reader.take_u32();
  const uint64_t checksum = reader.take_u64();
  if (!reader.sound() || found != kind) return base::fail(Errc::corrupt, std::string(kind) + ": not such a state");
  if (version != kVersion) {
    return base::fail(Errc::unsupported, std::string(kind) + ": version " + std::to_string(version) + " is not known");
  }
  const std::string_view bytes = sealed.substr(head);
  if (XXH3_64bits(bytes.data(), bytes.size()) != checksum) {
    return base::fail(Errc::corrupt, std::string(kind) + ": its checksum is another one");
  }
  return bytes;
}

}  // namespace redoubt::rules::correlation
