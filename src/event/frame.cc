#include "event/frame.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <xxhash.h>
#include <zstd.h>
#include <cstring>

#include "event/batch.h"
#include "redoubt/event.pb.h"

namespace redoubt::event {

namespace {

constexpr int kCompressionLevel = 1;
constexpr uint32_t kRecordMagic = 0x31465252;  // "RRF1"
constexpr size_t kRecordHead = 16;
constexpr size_t kRecordNumbers = 36;  // of a body: what is not text
constexpr size_t kRecordBodyMax = kBatchBytesMax + 1024;
// Tags of message EventBatch: schema (varint), the others length-delimited.
constexpr char kSchemaTag = 0x08;
constexpr char kCommonTag = 0x12;
constexpr char kEventsTag = 0x1a;
constexpr char kAttributeNamesTag = 0x22;

void append_sized(std::string& out, char tag, const v1::Event& event) {
  using google::protobuf::io::CodedOutputStream;
  const auto bytes = static_cast<uint32_t>(event.ByteSizeLong());
  const size_t at = out.size();
  // A stream over the text would write zeros as far as its memory goes first, an event each.
  out.resize(at + sizeof tag + CodedOutputStream::VarintSize32(bytes) + bytes);
  out[at] = tag;
  auto* const sized = reinterpret_cast<uint8_t*>(out.data() + at + sizeof tag);
  event.SerializeWithCachedSizesToArray(CodedOutputStream::WriteVarint32ToArray(bytes, sized));
}

template <class Number>
void append_number(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// Bounds-checked reads at the front of a view.
template <class Number>
bool take_number(std::string_view& bytes, Number& number) {
  if (bytes.size() < sizeof number) return false;
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return true;
}

bool take_text(std::string_view& bytes, std::string& text) {
  uint32_t size = 0;
  if (!take_number(bytes, size) || size > bytes.size()) return false;
  text.assign(bytes.substr(0, size));
  bytes.remove_prefix(size);
  return true;
}

void append_text(std::string& out, std::string_view text) {
  append_number(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

}  // namespace

FrameBuilder::FrameBuilder(const v1::Event& common) {
  header_ = {kSchemaTag, 1};
  append_sized(header_, kCommonTag, common);
}

void FrameBuilder::add(const v1::Event& event) {
  CHECK(events_ < kBatchEventsMax);
  const auto sequence = static_cast<uint64_t>(event.event_sequence());
  CHECK(events_ == 0 || sequence > last_sequence_);
  if (events_ == 0) first_sequence_ = sequence;
  last_sequence_ = sequence;
  ++events_;
  append_sized(body_, kEventsTag, event);
}

uint32_t FrameBuilder::attribute_name(std::string_view name) {
  const auto found = attribute_names_.find(name);
  if (found != attribute_names_.end()) return found->second;
  const auto number = static_cast<uint32_t>(attribute_names_.size());
  attribute_names_.emplace(name, number);
  names_ += kAttributeNamesTag;
  google::protobuf::io::StringOutputStream stream(&names_);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.WriteVarint32(static_cast<uint32_t>(name.size()));
  coded.WriteRaw(name.data(), static_cast<int>(name.size()));
  return number;
}

Frame FrameBuilder::finish(std::string boot_id) {
  CHECK(events_ > 0);
  const std::string whole = header_ + names_ + body_;
  Frame frame{.boot_id = std::move(boot_id),
              .first_sequence = first_sequence_,
              .last_sequence = last_sequence_,
              .events = events_};
  frame.payload.resize(ZSTD_compressBound(whole.size()));
  const size_t size =
      ZSTD_compress(frame.payload.data(), frame.payload.size(), whole.data(), whole.size(), kCompressionLevel);
  CHECK(ZSTD_isError(size) == 0);
  frame.payload.resize(size);
  frame.checksum = frame_checksum(frame.payload);
  body_.clear();
  names_.clear();
  attribute_names_.clear();
  events_ = 0;
  return frame;
}

uint64_t frame_checksum(std::string_view payload) { return XXH3_64bits(payload.data(), payload.size()); }

Result<std::string> open_frame(std::string_view payload, uint64_t checksum) {
  if (frame_checksum(payload) != checksum) return fail(Errc::corrupt, "frame checksum does not match");
  const auto size = ZSTD_getFrameContentSize(payload.data(), payload.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
    return fail(Errc::invalid_argument, "frame is not zstd with a known size");
  }
  if (size > kBatchBytesMax)
    return fail(Errc::too_large, "frame holds more than " + std::to_string(kBatchBytesMax) + " bytes");
  std::string bytes(static_cast<size_t>(size), '\0');
  const size_t got = ZSTD_decompress(bytes.data(), bytes.size(), payload.data(), payload.size());
  if (ZSTD_isError(got) != 0 || got != bytes.size()) return fail(Errc::invalid_argument, "frame does not decompress");
  return bytes;
}

std::string encode_record(const Frame& frame) {
  std::string body;
  body.reserve(frame.boot_id.size() + frame.payload.size() + kRecordNumbers);
  append_text(body, frame.boot_id);
  append_number(body, frame.first_sequence);
  append_number(body, frame.last_sequence);
  append_number(body, frame.events);
  append_number(body, frame.checksum);
  append_text(body, frame.payload);
  std::string record;
  record.reserve(kRecordHead + body.size());
  append_number(record, kRecordMagic);
  append_number(record, static_cast<uint32_t>(body.size()));
  append_number(record, static_cast<uint64_t>(XXH3_64bits(body.data(), body.size())));
  record += body;
  return record;
}

Result<Frame> take_record(std::string_view& bytes) {
  if (bytes.empty()) return fail(Errc::not_found, "end of spool");
  std::string_view rest = bytes;
  uint32_t magic = 0;
  uint32_t size = 0;
  uint64_t checksum = 0;
  static_assert(sizeof magic + sizeof size + sizeof checksum == kRecordHead);
  if (!take_number(rest, magic) || !take_number(rest, size) || !take_number(rest, checksum) || magic != kRecordMagic ||
      size > kRecordBodyMax || size > rest.size()) {
    return fail(Errc::corrupt, "spool record is torn");
  }
  std::string_view body = rest.substr(0, size);
  if (XXH3_64bits(body.data(), body.size()) != checksum)
    return fail(Errc::corrupt, "spool record checksum does not match");
  Frame frame;
  if (!take_text(body, frame.boot_id) || !take_number(body, frame.first_sequence) ||
      !take_number(body, frame.last_sequence) || !take_number(body, frame.events) ||
      !take_number(body, frame.checksum) || !take_text(body, frame.payload)) {
    return fail(Errc::corrupt, "spool record is malformed");
  }
  bytes.remove_prefix(kRecordHead + size);
  return frame;
}

}  // namespace redoubt::event
