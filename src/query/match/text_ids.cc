#include "query/match/text_ids.h"

#include <algorithm>

namespace redoubt::query::match {

void TextIds::start_batch() {
  // A matcher that is never used takes no memory for this.
  constexpr size_t kNumbersAtFirst = 4096;
  if (by_number_.empty()) by_number_.resize(kNumbersAtFirst);
  const auto used = std::min(by_number_.size(), size_t{number_max_} + 1);
  std::fill_n(by_number_.begin(), used, kNoTextId);
  number_max_ = 0;
}

TextId TextIds::learn(uint32_t slot, const event::Value& text) {
  Rest& rest = rests_[slot];
  if (rest.rests()) return kNoTextId;
  const uint32_t number = text.text_number();
  if (number >= by_number_.size()) by_number_.resize(std::max(size_t{number} + 1, by_number_.size() * 2));
  number_max_ = std::max(number_max_, number);
  TextId& id = by_number_[number];
  // What is too long to be kept is known within its batch.
  if (text.text().size() > ValueMemo::kValueBytesMax) return id = ++latest_;
  const ValueMemo::Key key = ValueMemo::key_of(text.text());
  if (const auto known = values_.find(key)) {
    rest.note_known();
    return id = TextId{(*known)[0]} << 32 | (*known)[1];
  }
  id = ++latest_;
  values_.keep(key, std::array{static_cast<uint32_t>(id >> 32), static_cast<uint32_t>(id)});
  return id;
}

}  // namespace redoubt::query::match
