// The index of a segment, from the memtable that it is written from.
#include <xxhash.h>
#include <algorithm>
#include <bit>
#include <map>

#include "base/text.h"
#include "base/time.h"
#include "store/events/embedded/index_format.h"
#include "store/events/embedded/segment_index.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

constexpr int64_t kMinuteUs = 60 * base::kSecondUs;

// Collects the keys of the distinct values of row groups.
class KeyCollector {
 public:
  explicit KeyCollector(const Memtable& table)
      : table_(table), seen_(table.text_table().size()), there_(table.fields(table.rows())) {}

  std::vector<uint64_t> keys_of(std::span<const uint32_t> rows) {
    std::vector<uint64_t> keys;
    for (const event::FieldInfo& info : event::kFields) {
      if (!is_indexed(info.field) || !has_field(there_, info.field)) continue;
      ++round_;
      for (const uint32_t row : rows) {
        const uint32_t number = table_.text_number(row, info.field);
        if (number == kNoText || seen_[number] == round_) continue;
        seen_[number] = round_;
        found_.push_back(number);
      }
      table_.text_table().for_each(found_, [&](std::string_view text) { keys.push_back(index_key(info.field, text)); });
      found_.clear();
    }
    return keys;
  }

 private:
  const Memtable& table_;
  std::vector<uint32_t> seen_;  // by text number: the round in which it was seen
  uint32_t round_ = 0;
  event::FieldSet there_;
  std::vector<uint32_t> found_;
};

std::vector<uint64_t> make_filter(const std::vector<uint64_t>& keys) {
  std::vector<uint64_t> filter(keys.size() * kFilterBitsPerKey / 64 + 1);
  for (const uint64_t key : keys) filter_add(filter, key);
  return filter;
}

// Nothing where an event has no time, or one that counts backwards.
std::vector<MinuteCount> count_minutes(const Memtable& table, std::span<const uint32_t> rows) {
  std::map<std::pair<int64_t, uint32_t>, uint32_t> counts;
  for (const uint32_t row : rows) {
    const int64_t time_us = table.number(row, event::Field::event_time);
    if (time_us <= 0) return {};
    ++counts[{time_us / kMinuteUs, table.text_number(row, event::Field::event_type)}];
  }
  std::vector<MinuteCount> minutes;
  for (const auto& [key, events] : counts) {
    const auto type =
        key.second == kNoText ? std::nullopt : event::event_type_named(table.text_table().text(key.second));
    minutes.push_back(
        {.minute = key.first, .type = static_cast<uint32_t>(type.value_or(event::EventType::none)), .events = events});
  }
  return minutes;
}

std::vector<uint64_t> trigrams_of(const Memtable& table, std::span<const uint32_t> rows) {
  std::vector<uint64_t> bits(kTrigramWords);
  std::vector<bool> seen(table.text_table().size());
  std::string folded;
  for (const uint32_t row : rows) {
    const uint32_t number = table.text_number(row, kLineField);
    if (number == kNoText || seen[number]) continue;
    seen[number] = true;
    base::fold_case_into(table.text_table().text(number), folded);
    for (size_t at = 0; at + kTrigram <= folded.size(); ++at) {
      const uint32_t bit = trigram_bit(folded.data() + at);
      bits[bit / 64] |= uint64_t{1} << (bit % 64);
    }
  }
  return bits;
}

}  // namespace

std::string make_index(const Memtable& table, std::span<const uint32_t> rows, uint32_t group_rows) {
  IndexHead head{.group_rows = group_rows};
  std::string body;
  KeyCollector collector(table);
  for (size_t at = 0; at < rows.size(); at += group_rows, ++head.groups) {
    const auto filter =
        make_filter(collector.keys_of(rows.subspan(at, std::min<size_t>(group_rows, rows.size() - at))));
    put_section<uint64_t>(body, filter);
  }
  put_section<MinuteCount>(body, count_minutes(table, rows));
  put_section<uint64_t>(body, trigrams_of(table, rows));
  head.checksum = XXH3_64bits(body.data(), body.size());
  return std::string(reinterpret_cast<const char*>(&head), sizeof head) + body;
}

}  // namespace redoubt::store::embedded
