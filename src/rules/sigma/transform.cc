#include "rules/sigma/transform.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "rules/sigma/pattern.h"
#include "rules/sigma/placeholders.h"

namespace redoubt::rules::sigma {

namespace {

// Hyphen, slash, en dash, em dash, horizontal bar: what programs of Windows take as the start of a switch.
constexpr std::array<std::string_view, 5> kSwitchMarks = {"-", "/", "\xE2\x80\x93", "\xE2\x80\x94", "\xE2\x80\x95"};

struct CodePoint {
  char32_t value = 0;
  size_t length = 1;
};

// Of valid UTF-8, which is all that parse_yaml lets through.
CodePoint code_point_at(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t value = length == 1 ? lead : lead & (0x7FU >> length);
  for (size_t i = 1; i < length && at + i < text.size(); ++i) {
    value = (value << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
  }
  return {value, length};
}

// A character of `\w`: wildcards, punctuation and symbols are none.
bool is_word_character(char32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  const bool latin_symbol = c < 0xC0 && c != 0xAA && c != 0xB5 && c != 0xBA;
  const bool punctuation = (c >= 0x2000 && c < 0x2070) || (c >= 0x2100 && c < 0x2C00) || (c >= 0x3000 && c < 0x3004);
  const bool private_use = (c >= 0xE000 && c < 0xF900) || c >= 0xF0000;
  return !latin_symbol && !punctuation && !private_use;
}

// Where a hyphen or slash starts a switch: nothing of a word before it, a word behind it (`\B[-/]\b`).
std::vector<size_t> switch_marks(std::string_view text) {
  std::vector<size_t> marks;
  bool word_before = false;
  for (size_t i = 0; i < text.size();) {
    const CodePoint here = code_point_at(text, i);
    const size_t next = i + here.length;
    const bool mark = here.value == '-' || here.value == '/';
    if (mark && !word_before && next < text.size() && is_word_character(code_point_at(text, next).value)) {
      marks.push_back(i);
    }
    word_before = is_word_character(here.value);
    i = next;
  }
  return marks;
}

std::vector<std::string> with_every_dash(std::string_view text) {
  std::vector<std::string> texts(1);
  size_t done = 0;
  for (const size_t mark : switch_marks(text)) {
    std::vector<std::string> longer;
    for (const std::string& start : texts) {
      for (const std::string_view dash : kSwitchMarks) {
        longer.push_back(start + std::string(text.substr(done, mark - done)) + std::string(dash));
      }
    }
    texts = std::move(longer);
    done = mark + 1;
    if (texts.size() > kAlternativesMax) return texts;
  }
  for (std::string& each : texts) each += text.substr(done);
  return texts;
}

void put_unit(std::string& bytes, uint32_t unit, Transform order) {
  const char high = static_cast<char>(unit >> 8);
  const char low = static_cast<char>(unit & 0xFF);
  bytes += order == Transform::utf16be ? high : low;
  bytes += order == Transform::utf16be ? low : high;
}

std::string encode_utf16(std::string_view text, Transform order) {
  std::string bytes;
  if (order == Transform::utf16) put_unit(bytes, 0xFEFF, order);
  for (size_t i = 0; i < text.size();) {
    const CodePoint here = code_point_at(text, i);
    i += here.length;
    if (here.value < 0x10000) {
      put_unit(bytes, here.value, order);
    } else {
      put_unit(bytes, 0xD800 + ((here.value - 0x10000) >> 10), order);
      put_unit(bytes, 0xDC00 + ((here.value - 0x10000) & 0x3FF), order);
    }
  }
  return bytes;
}

std::string encode_base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) group = (group << 8) | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[(group >> (18 - 6 * k)) & 0x3F] : '=';
  }
  return text;
}

// The part of the encoded value that stays the same whatever stands around it, for each place in a group of three
// bytes. After pySigma, SigmaBase64OffsetModifier.
std::vector<std::string> encode_base64_offsets(std::string_view bytes) {
  constexpr std::array<size_t, 3> kStart = {0, 2, 3};
  constexpr std::array<size_t, 3> kCutAtEnd = {0, 3, 2};
  std::vector<std::string> texts;
  for (size_t shift = 0; shift < 3; ++shift) {
    const std::string encoded = encode_base64(std::string(shift, ' ') + std::string(bytes));
    const size_t end = encoded.size() - std::min(encoded.size(), kCutAtEnd[(bytes.size() + shift) % 3]);
    texts.push_back(end > kStart[shift] ? encoded.substr(kStart[shift], end - kStart[shift]) : "");
  }
  return texts;
}

std::vector<std::string> transformed(std::string text, Transform transform) {
  switch (transform) {
    case Transform::expand: break;
    case Transform::windash: return with_every_dash(text);
    case Transform::utf16le:
    case Transform::utf16be:
    case Transform::utf16: return {encode_utf16(text, transform)};
    case Transform::base64: return {encode_base64(text)};
    case Transform::base64offset: return encode_base64_offsets(text);
  }
  return {std::move(text)};
}

}  // namespace

std::vector<std::string> transform_text(std::string text, std::span<const Transform> transforms, Place place,
                                        Problems& problems) {
  std::vector<std::string> texts{std::move(text)};
  for (const Transform transform : transforms) {
    const bool encodes = transform != Transform::expand && transform != Transform::windash;
    if (encodes && std::any_of(texts.begin(), texts.end(), [](const auto& each) { return has_wildcard(each); })) {
      problems.add(code::kValue, place, "a value with wildcards cannot be encoded", "escape them: \\* or \\?");
      return {};
    }
    std::vector<std::string> results;
    for (std::string& each : texts) {
      std::vector<std::string> more = transformed(std::move(each), transform);
      std::move(more.begin(), more.end(), std::back_inserter(results));
      if (results.size() <= kAlternativesMax) continue;
      problems.add(code::kTooBig, place,
                   "the value stands for more than " + std::to_string(kAlternativesMax) + " texts");
      return {};
    }
    texts = std::move(results);
  }
  const bool offsets = !transforms.empty() && transforms.back() == Transform::base64offset;
  if (offsets && std::any_of(texts.begin(), texts.end(), [](const auto& each) { return each.empty(); })) {
    problems.add(code::kValue, place, "the value is too short to be found in encoded text", "three bytes or more");
  }
  return texts;
}

}  // namespace redoubt::rules::sigma
