#include "scan/worker/unpack/tnef_reader.h"

#include <cstdint>
#include <optional>

namespace redoubt::scan {

namespace {

constexpr std::string_view kTnefSignature = "\x78\x9f\x3e\x22";
constexpr size_t kTnefKeyBytes = 2;
constexpr size_t kChecksumBytes = 2;
constexpr size_t kAttributeBytesMin = 11;  // some streams end in a line feed
constexpr size_t kTnefNameBytesMax = 512;
constexpr size_t kPropertyAlignment = 4;
constexpr size_t kGuidBytes = 16;

// Attributes, by the low half of their id (MS-OXTNEF 2.1.3.3).
constexpr uint16_t kBody = 0x800c, kMessageProperties = 0x9003, kAttachmentProperties = 0x9005;
constexpr uint16_t kAttachmentStart = 0x9002, kAttachmentTitle = 0x8010, kAttachmentData = 0x800f;

// Properties (MS-OXPROPS) and the types of those that have a length of their own.
constexpr uint16_t kAttachedObject = 0x3701, kLongFileName = 0x3707, kFirstNamedProperty = 0x8000;
constexpr uint16_t kMultiple = 0x1000, kText8 = 0x1e, kText16 = 0x1f, kObject = 0x0d, kBinary = 0x102;

// Reads past the end give zeros and are remembered.
class TnefBytes {
 public:
  explicit TnefBytes(std::string_view bytes) : rest_(bytes) {}
  std::string_view take(size_t size) {
    if (size > rest_.size()) {
      rest_ = {};
      state_ = State::cut;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  uint32_t number(size_t size) {
    uint32_t value = 0;
    const std::string_view raw = take(size);
    for (size_t i = 0; i < raw.size(); ++i) value |= uint32_t{static_cast<uint8_t>(raw[i])} << (8 * i);
    return value;
  }
  std::string_view padded(size_t size) {
    const std::string_view taken = take(size);
    take((kPropertyAlignment - size % kPropertyAlignment) % kPropertyAlignment);
    return taken;
  }
  bool is_cut() const { return state_ == State::cut; }
  size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  enum class State { whole, cut } state_ = State::whole;
};

std::string tnef_name(std::string_view raw) {
  raw = raw.substr(0, kTnefNameBytesMax);
  return std::string(raw.substr(0, raw.find('\0')));
}

// The plain characters of UTF-16; others are '?': a name is for people to read.
std::string name_of_utf16(std::string_view raw) {
  std::string name;
  for (size_t at = 0; at + 1 < raw.size() && name.size() < kTnefNameBytesMax; at += 2) {
    if (raw[at] == '\0' && raw[at + 1] == '\0') break;
    const bool is_plain = raw[at + 1] == '\0' && static_cast<uint8_t>(raw[at]) < 0x80;
    name += is_plain ? raw[at] : '?';
  }
  return name;
}

// Bytes of a value of a fixed size; nothing for types that have a length of their own, or are unknown.
std::optional<size_t> fixed_bytes(uint16_t type) {
  switch (type) {
    case 0x02:
    case 0x03:
    case 0x04:
    case 0x0a:
    case 0x0b: return 4;
    case 0x05:
    case 0x06:
    case 0x07:
    case 0x14:
    case 0x40: return 8;
    case 0x48: return kGuidBytes;
    default: return std::nullopt;
  }
}

struct Property {
  uint16_t id = 0, type = 0;
  std::string_view value;  // the last one, where there are several
};

// Nothing: the list is damaged, or of a type that nobody knows.
std::optional<Property> take_property(TnefBytes& in) {
  Property property;
  property.type = static_cast<uint16_t>(in.number(2));
  property.id = static_cast<uint16_t>(in.number(2));
  if (property.id >= kFirstNamedProperty) {
    in.take(kGuidBytes);
    const bool has_name = in.number(4) != 0;
    const uint32_t number_or_size = in.number(4);
    if (has_name) in.padded(number_or_size);
  }
  const uint16_t type = property.type & static_cast<uint16_t>(~kMultiple);
  const bool has_length = type == kText8 || type == kText16 || type == kObject || type == kBinary;
  const auto fixed = fixed_bytes(type);
  if (!has_length && !fixed) return std::nullopt;
  const bool is_counted = has_length || (property.type & kMultiple) != 0;
  const uint32_t count = is_counted ? in.number(4) : 1;
  for (uint32_t i = 0; i < count && !in.is_cut(); ++i) property.value = in.padded(has_length ? in.number(4) : *fixed);
  if (in.is_cut()) return std::nullopt;
  return property;
}

class TnefReader {
 public:
  explicit TnefReader(std::string_view content) : in_(content) { in_.take(kTnefSignature.size() + kTnefKeyBytes); }

  Tnef read() {
    while (in_.left() >= kAttributeBytesMin && result_.problem.empty()) attribute();
    finish_attachment();
    return std::move(result_);
  }

 private:
  void attribute() {
    in_.number(1);  // level
    const uint16_t id = static_cast<uint16_t>(in_.number(4) & 0xffff);
    const std::string_view data = in_.take(in_.number(4));
    in_.take(kChecksumBytes);
    if (in_.is_cut()) return problem("tnef: it is cut");
    switch (id) {
      case kBody: return add({TnefItem::Kind::body, "body.txt", data});
      case kMessageProperties: return add({TnefItem::Kind::properties, "properties", data});
      case kAttachmentStart: return finish_attachment();
      case kAttachmentTitle: title_ = tnef_name(data); return;
      case kAttachmentData: data_ = data; return;
      case kAttachmentProperties: return attachment_properties(data);
      default: return;
    }
  }

  void attachment_properties(std::string_view data) {
    TnefBytes in(data);
    const uint32_t count = in.number(4);
    for (uint32_t i = 0; i < count; ++i) {
      const auto property = take_property(in);
      if (!property) return problem("tnef: properties of an attachment are damaged");
      if (property->id == kLongFileName) {
        title_ = property->type == kText16 ? name_of_utf16(property->value) : tnef_name(property->value);
      }
      // Of an object its interface comes first.
      const size_t before = property->type == kObject ? kGuidBytes : 0;
      if (property->id == kAttachedObject && property->value.size() > before) {
        add({TnefItem::Kind::attachment, title_, property->value.substr(before)});
      }
    }
  }

  void finish_attachment() {
    if (!data_.empty()) add({TnefItem::Kind::attachment, title_, data_});
    title_.clear();
    data_ = {};
  }

  void add(TnefItem item) {
    if (result_.items.size() == kTnefItemsMax) return problem("tnef: too many attachments");
    result_.items.push_back(std::move(item));
  }
  void problem(std::string_view what) {
    if (result_.problem.empty()) result_.problem = what;
  }

  TnefBytes in_;
  Tnef result_;
  std::string title_;
  std::string_view data_;
};

}  // namespace

bool is_tnef(std::string_view content) { return content.starts_with(kTnefSignature); }

Tnef read_tnef(std::string_view content) { return TnefReader(content).read(); }

}  // namespace redoubt::scan
