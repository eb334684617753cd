#include "query/match/window_literals.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

namespace redoubt::query::match {

namespace {

// Sixteen bits a literal let few positions pass; the table stays in the first-level cache.
constexpr int kFilterBitsPerLiteralLog = 4;
constexpr int kFilterSizeLogMin = 9;
constexpr int kFilterSizeLogMax = 18;

uint32_t word_at(const char* bytes) {
  uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// Multiplicative; the upper bits are the good ones.
uint32_t spread(uint32_t window) { return window * 0x9E3779B1U; }

constexpr std::array<size_t, 3> kStrides{4, 2, 1};

int log_of(size_t count) { return std::bit_width(std::bit_ceil(count)) - 1; }

}  // namespace

void WindowLiterals::build(const std::vector<std::pair<std::string, LiteralId>>& literals) {
  std::vector<Entry> long_entries;
  std::vector<Entry> short_entries;
  for (const auto& [literal, id] : literals) {
    const Entry entry{.window = 0,
                      .before = 0,
                      .offset = static_cast<uint32_t>(texts_.size()),
                      .size = static_cast<uint32_t>(literal.size()),
                      .id = id};
    texts_ += literal;
    (literal.size() < kWindow ? short_entries : long_entries).push_back(entry);
  }
  set_aside(long_entries, short_entries);
  if (!long_entries.empty()) add_long(std::move(long_entries));
  if (!short_entries.empty()) add_short(std::move(short_entries));
}

// A few that are shorter than the rest would have every position looked at: they are looked for one by one.
void WindowLiterals::set_aside(std::vector<Entry>& long_entries, std::vector<Entry>& short_entries) {
  constexpr size_t kFew = 8;
  const auto is_longest = [](const Entry& entry) { return entry.size >= kWindow + kStrides.front() - 1; };
  const auto middle = std::partition(long_entries.begin(), long_entries.end(), is_longest);
  const auto middles = static_cast<size_t>(long_entries.end() - middle);
  const auto move_to_few = [this](auto begin, auto end) {
    for (auto at = begin; at != end; ++at) {
      few_.push_back({.needle = Needle(texts_.substr(at->offset, at->size)), .id = at->id});
    }
  };
  if (middle != long_entries.begin() && middles <= kFew) {
    move_to_few(middle, long_entries.end());
    long_entries.erase(middle, long_entries.end());
  }
  if (few_.size() + short_entries.size() > kFew) return;
  move_to_few(short_entries.begin(), short_entries.end());
  short_entries.clear();
}

void WindowLiterals::add_long(std::vector<Entry> entries) {
  std::unordered_map<uint32_t, uint32_t> shared;
  for (const Entry& entry : entries) {
    for (uint32_t at = 0; at + kWindow <= entry.size; ++at) ++shared[word_at(texts_.data() + entry.offset + at)];
  }
  const auto shortest =
      std::min_element(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.size < b.size; });
  stride_ = *std::find_if(kStrides.begin(), kStrides.end(),
                          [&](size_t stride) { return kWindow + stride - 1 <= shortest->size; });
  std::unordered_map<uint32_t, uint32_t> taken;
  std::vector<Entry> windows;
  for (Entry& entry : entries) {
    std::pair<uint32_t, uint32_t> best{UINT32_MAX, UINT32_MAX};
    for (uint32_t at = 0; at + kWindow + stride_ - 1 <= entry.size; ++at) {
      const uint32_t window = word_at(texts_.data() + entry.offset + at);
      const std::pair<uint32_t, uint32_t> cost{taken[window], shared[window]};
      if (cost > best) continue;  // the later of equals: beginnings are what texts share
      best = cost;
      entry.before = at;
    }
    for (size_t i = 0; i < stride_; ++i, ++entry.before) {
      entry.window = word_at(texts_.data() + entry.offset + entry.before);
      ++taken[entry.window];
      windows.push_back(entry);
    }
  }
  entries = std::move(windows);
  const int size_log = log_of(entries.size());
  filter_shift_ = 32 - std::clamp(size_log + kFilterBitsPerLiteralLog, kFilterSizeLogMin, kFilterSizeLogMax);
  bucket_shift_ = 32 - std::max(1, size_log + 1);
  filter_.assign((size_t{1} << (32 - filter_shift_)) / 64, 0);
  first_.assign((size_t{1} << (32 - bucket_shift_)) + 1, 0);
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return spread(a.window) < spread(b.window); });
  for (const Entry& entry : entries) {
    const uint32_t bit = spread(entry.window) >> filter_shift_;
    filter_[bit / 64] |= uint64_t{1} << (bit % 64);
    ++first_[(spread(entry.window) >> bucket_shift_) + 1];
  }
  for (size_t i = 1; i < first_.size(); ++i) first_[i] += first_[i - 1];
  long_ = std::move(entries);
}

void WindowLiterals::add_short(std::vector<Entry> entries) {
  const auto lead = [this](const Entry& entry) { return static_cast<unsigned char>(texts_[entry.offset]); };
  std::sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) { return lead(a) < lead(b); });
  for (const Entry& entry : entries) ++short_first_[lead(entry) + size_t{1}];
  for (size_t i = 1; i < short_first_.size(); ++i) short_first_[i] += short_first_[i - 1];
  short_ = std::move(entries);
}

void WindowLiterals::find(std::string_view text, std::vector<LiteralId>& found) const {
  if (!long_.empty() && text.size() >= kWindow) find_long(text, found);
  if (!short_.empty()) find_short(text, found);
  for (const Few& each : few_) {
    if (each.needle.is_in(text)) found.push_back(each.id);
  }
}

void WindowLiterals::find_long(std::string_view text, std::vector<LiteralId>& found) const {
  const uint64_t* const filter = filter_.data();
  const size_t last = text.size() - kWindow;
  for (size_t at = 0; at <= last; at += stride_) {
    const uint32_t window = word_at(text.data() + at);
    const uint32_t hash = spread(window);
    const uint32_t bit = hash >> filter_shift_;
    if ((filter[bit / 64] >> (bit % 64) & 1) == 0) continue;
    const uint32_t bucket = hash >> bucket_shift_;
    for (uint32_t i = first_[bucket]; i < first_[bucket + 1]; ++i) {
      const Entry& entry = long_[i];
      if (entry.window != window || entry.before > at || entry.size > text.size() - (at - entry.before)) continue;
      const char* const literal = texts_.data() + entry.offset;
      if (std::memcmp(text.data() + at - entry.before, literal, entry.size) == 0) found.push_back(entry.id);
    }
  }
}

void WindowLiterals::find_short(std::string_view text, std::vector<LiteralId>& found) const {
  for (size_t at = 0; at < text.size(); ++at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    for (uint32_t i = short_first_[lead]; i < short_first_[lead + size_t{1}]; ++i) {
      const Entry& entry = short_[i];
      if (text.substr(at).starts_with(std::string_view(texts_).substr(entry.offset, entry.size)))
        found.push_back(entry.id);
    }
  }
}

}  // namespace redoubt::query::match
