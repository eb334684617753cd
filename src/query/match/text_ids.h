// Ids of texts that stay when a batch goes: what was found of a text is remembered by its id and not found again in
// later batches. Bounded; what is forgotten gets a new id when it comes again. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "event/batch.h"
#include "query/match/memo.h"

namespace redoubt::query::match {

class TextIds {
 public:
  explicit TextIds(size_t slots) : rests_(slots) {}
  // Numbers of texts mean other texts from now on.
  void start_batch();
  // Of a value, a text, of that slot. No two texts ever have one id. kNoTextId where the text has no number in its
  // batch, or where texts of the slot hardly ever come again.
  TextId of(uint32_t slot, const event::Value& text) {
    const TextId id = of_known(text);
    return id != kNoTextId || text.text_number() == event::kNoTextNumber ? id : learn(slot, text);
  }
  // The same where it was asked for before; kNoTextId where it was not.
  TextId of_known(const event::Value& text) const {
    const uint32_t number = text.text_number();
    return number < by_number_.size() ? by_number_[number] : kNoTextId;
  }
  // Of what is no text of a batch.
  TextId next() { return ++latest_; }

 private:
  TextId learn(uint32_t slot, const event::Value& text);

  std::vector<TextId> by_number_;  // of the texts of the batch in hand that were asked for; kNoTextNumber has none
  uint32_t number_max_ = 0;
  ValueMemo values_;         // those of earlier batches
  std::vector<Rest> rests_;  // by slot
  TextId latest_ = kNoTextId;
};

}  // namespace redoubt::query::match
