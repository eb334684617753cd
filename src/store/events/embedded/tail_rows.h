// The rows that a memtable had when a view was taken, without SQL. One thread; more rows may come meanwhile.
#pragma once

#include "store/events/embedded/memtable.h"
#include "store/events/embedded/row_source.h"

namespace redoubt::store::embedded {

// The value of a row.
Cell cell_of(const Memtable& table, size_t row, event::Field field);

class TailRows final : public RowSource {
 public:
  // The table must outlive it.
  TailRows(const Memtable& table, size_t rows) : table_(table), rows_(rows) {}

  Result<std::vector<uint32_t>> passing(event::Field field, query::TextCheck& check) override;
  Result<std::vector<uint32_t>> passing_of(std::span<const uint32_t> rows, event::Field field,
                                           query::TextCheck& check) override;
  Status read(const std::vector<event::Field>& fields, std::span<const uint32_t> rows,
              std::span<std::vector<Cell>> cells) override;

 private:
  const Memtable& table_;
  const size_t rows_;
};

}  // namespace redoubt::store::embedded
