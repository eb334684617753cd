#include "rules/correlation/key.h"

#include <array>
#include <charconv>

#include "base/hash.h"

namespace redoubt::rules::correlation {

namespace {

constexpr size_t kLengthBytes = 2;
constexpr size_t kDigestBytes = 64;
static_assert(kKeyValueBytesMax < size_t{1} << (8 * kLengthBytes));

}  // namespace

event::Value value_of(const Key& key, const EventFields& fields) {
  for (const KeyPlace& place : key.places) {
    const bool named = place.field == event::Field::attributes;
    const event::Value value = named ? fields.attribute(place.attribute) : fields.get(place.field);
    if (value.present() && !(value.is_text() && value.text().empty())) return value;
  }
  return {};
}

void append_part(std::string& parts, std::string_view value) {
  std::string shortened;
  if (value.size() > kKeyValueBytesMax) {
    shortened = std::string(value.substr(0, kKeyValueBytesMax - kDigestBytes)) + base::sha256_hex(value);
    value = shortened;
  }
  parts.push_back(static_cast<char>(value.size() & 0xFF));
  parts.push_back(static_cast<char>(value.size() >> 8));
  parts.append(value);
}

void append_part(std::string& parts, const event::Value& value) {
  if (value.is_text()) return append_part(parts, value.text());
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value.integer()).ptr;
  append_part(parts, std::string_view(digits.data(), static_cast<size_t>(end - digits.data())));
}

std::optional<std::vector<std::string>> split_parts(std::string_view parts) {
  std::vector<std::string> values;
  while (!parts.empty()) {
    if (parts.size() < kLengthBytes) return std::nullopt;
    const size_t size = static_cast<unsigned char>(parts[0]) | size_t{static_cast<unsigned char>(parts[1])} << 8;
    parts.remove_prefix(kLengthBytes);
    if (size > kKeyValueBytesMax || size > parts.size()) return std::nullopt;
    values.emplace_back(parts.substr(0, size));
    parts.remove_prefix(size);
  }
  return values;
}

}  // namespace redoubt::rules::correlation
