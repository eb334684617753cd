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
  // Numbers of texts mean other texts from now on.
  void start_batch();
  // Of a value that is a text. No two texts ever have one id. kNoTextId where it has no number in its batch.
  TextId of(const event::Value& text) {
    const uint32_t number = text.text_number();
    if (number == event::kNoTextNumber) return kNoTextId;
    if (number < by_number_.size() && by_number_[number] != kNoTextId) return by_number_[number];
    return learn(text);
  }

 private:
  TextId learn(const event::Value& text);

  std::vector<TextId> by_number_;  // of the texts of the batch in hand that were asked for
  uint32_t number_max_ = 0;
  ValueMemo values_;  // those of earlier batches
  TextId latest_ = kNoTextId;
};

}  // namespace redoubt::query::match
