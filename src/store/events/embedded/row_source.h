// Rows that are looked at column by column, and a distinct value of a column once: a row group of a segment, or the
// tail. One thread.
#pragma once

#include <span>
#include <vector>

#include "query/text_check.h"
#include "store/events/event_store.h"

namespace redoubt::store::embedded {

class RowSource {
 public:
  virtual ~RowSource() = default;
  // The rows, ascending, of which the check of the field holds.
  virtual Result<std::vector<uint32_t>> passing(event::Field field, query::TextCheck& check) = 0;
  // Those of these rows, ascending.
  virtual Result<std::vector<uint32_t>> passing_of(std::span<const uint32_t> rows, event::Field field,
                                                   query::TextCheck& check) = 0;
  // The fields of rows, ascending, into the first cells of `cells`.
  virtual Status read(const std::vector<event::Field>& fields, std::span<const uint32_t> rows,
                      std::span<std::vector<Cell>> cells) = 0;
};

}  // namespace redoubt::store::embedded
