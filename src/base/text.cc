#include "base/text.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "base/hash.h"

namespace redoubt::base {

namespace {

constexpr uint64_t in_every_byte(uint8_t byte) { return 0x0101010101010101U * byte; }

constexpr size_t kWord = sizeof(uint64_t);

// Eight ASCII bytes at once: the high bit of a byte's sum says whether it is past a bound, and that bit, moved down, is
// what tells upper case from lower.
uint64_t lower_ascii(uint64_t word) {
  const uint64_t from_a = word + in_every_byte(0x80 - 'A');
  const uint64_t past_z = word + in_every_byte(0x7F - 'Z');
  const uint64_t upper = (from_a & ~past_z) & in_every_byte(0x80);
  return word | (upper >> 2);
}

// Copies the leading ASCII of `text` in lower case, in whole words; returns how many bytes that were. Four words at a
// time first: compilers make vector instructions of it.
size_t lower_words(std::string_view text, char* out) {
  constexpr size_t kStride = 4 * kWord;
  size_t at = 0;
  for (; at + kStride <= text.size(); at += kStride) {
    std::array<uint64_t, 4> words{};
    std::memcpy(words.data(), text.data() + at, kStride);
    if (((words[0] | words[1] | words[2] | words[3]) & in_every_byte(0x80)) != 0) break;
    for (uint64_t& word : words) word = lower_ascii(word);
    std::memcpy(out + at, words.data(), kStride);
  }
  for (; at + kWord <= text.size(); at += kWord) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, kWord);
    if ((word & in_every_byte(0x80)) != 0) break;
    word = lower_ascii(word);
    std::memcpy(out + at, &word, kWord);
  }
  return at;
}

}  // namespace

void fold_case_into(std::string_view text, std::string& out) {
  out.resize(text.size());
  const size_t done = lower_words(text, out.data());
  out.resize(done);
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  for (auto i = static_cast<int32_t>(done); i < size;) {
    const uint8_t byte = bytes[i];
    if (byte < 0x80) {
      out += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
      ++i;
      continue;
    }
    const int32_t start = i;
    UChar32 point = 0;
    U8_NEXT(bytes, i, size, point);
    if (point < 0) {
      out.append(text.substr(static_cast<size_t>(start), static_cast<size_t>(i - start)));
      continue;
    }
    uint8_t encoded[U8_MAX_LENGTH];
    int32_t length = 0;
    U8_APPEND_UNSAFE(encoded, length, u_foldCase(point, U_FOLD_CASE_DEFAULT));
    out.append(reinterpret_cast<const char*>(encoded), static_cast<size_t>(length));
  }
}

std::string fold_case(std::string_view text) {
  std::string out;
  fold_case_into(text, out);
  return out;
}

namespace {

// Length of the valid UTF-8 sequence at `i`, 0 if there is none.
int32_t sequence_length(const uint8_t* bytes, int32_t i, int32_t size) {
  const int32_t start = i;
  UChar32 point = 0;
  U8_NEXT(bytes, i, size, point);
  return point < 0 ? 0 : i - start;
}

}  // namespace

bool is_utf8(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080U;
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    // Most texts are ASCII, and most of any text is.
    uint64_t word = 0;
    const bool has_word = i + static_cast<int32_t>(sizeof(word)) <= size;
    if (has_word) std::memcpy(&word, bytes + i, sizeof(word));
    if (has_word && (word & kHighBits) == 0) {
      i += static_cast<int32_t>(sizeof(word));
      continue;
    }
    const int32_t length = sequence_length(bytes, i, size);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string escape_invalid_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  std::string out;
  for (int32_t i = 0; i < size;) {
    const int32_t length = sequence_length(bytes, i, size);
    if (length == 0) {
      out += "\\x" + to_hex(text.substr(static_cast<size_t>(i), 1));
      ++i;
      continue;
    }
    out.append(text.substr(static_cast<size_t>(i), static_cast<size_t>(length)));
    i += length;
  }
  return out;
}

namespace {

// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string_view> names, size_t count) {
  constexpr size_t kLengthMax = 64;
  if (name.size() > kLengthMax) return {};
  const std::string folded = fold_case(name);
  std::vector<std::pair<size_t, std::string_view>> found;
  for (const std::string_view candidate : names) {
    if (candidate.size() > kLengthMax) continue;
    const size_t distance = edit_distance(folded, fold_case(candidate));
    if (distance <= std::max<size_t>(1, name.size() / 3)) found.emplace_back(distance, candidate);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> best;
  for (const auto& [distance, candidate] : found) {
    if (best.size() == count) break;
    best.emplace_back(candidate);
  }
  return best;
}

}  // namespace redoubt::base
