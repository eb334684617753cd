// The newest events in memory, by column: what the tail of the store is. A column is held in blocks of rows, and only
// where a row of the block has it; texts are numbers of one table. One thread adds; a reader is told how many rows
// there are (by whoever locks) and reads those from any thread, while more are added.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "event/batch.h"
#include "store/events/embedded/text_table.h"

namespace redoubt::store::embedded {

// The rows of a block; what DuckDB takes at once.
constexpr size_t kBlockRows = 2048;
constexpr size_t kMemtableRowsMax = kBlockRows * 16'384;

struct TextColumn {
  std::array<uint32_t, kBlockRows> texts{};  // kNoText: absent
};
struct NumberColumn {
  std::array<int64_t, kBlockRows> numbers{};
  std::array<bool, kBlockRows> present{};
};

class Memtable {
 public:
  Memtable();
  ~Memtable();
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // Begins a batch of the host and boot, which stand over what the events say of themselves.
  void begin(std::string_view host_id, std::string_view boot_id, const event::Batch& batch);
  // A row of the batch that was begun.
  void add(const event::Row& row);
  // A row field by field, in any order; then finish_row().
  void put(event::Field field, std::string_view text);
  void put(event::Field field, int64_t number);
  void finish_row() { ++rows_; }

  // By the thread that adds.
  size_t rows() const { return rows_; }
  bool full() const { return rows_ >= kMemtableRowsMax || texts_.full(); }
  uint64_t bytes() const { return bytes_ + texts_.bytes(); }

  // Null: no row of the block has the field.
  const TextColumn* texts(size_t block, event::Field field) const;
  const NumberColumn* numbers(size_t block, event::Field field) const;
  uint32_t text_number(size_t row, event::Field field) const;
  int64_t number(size_t row, event::Field field) const;  // 0 where it is absent
  const TextTable& text_table() const { return texts_; }
  // The fields that one of the first `rows` rows has.
  event::FieldSet fields(size_t rows) const;

 private:
  struct Block;
  template <class Column>
  Column& column(event::Field field);
  void number_texts(const event::Batch& batch);
  uint32_t number_of(event::Value value);

  std::unique_ptr<std::unique_ptr<Block>[]> blocks_;
  TextTable texts_;
  size_t rows_ = 0;
  uint64_t bytes_ = 0;
  uint32_t host_ = kNoText;
  uint32_t boot_ = kNoText;
  std::vector<uint32_t> batch_texts_;  // by the number of a text in its batch
  // Scratch: the batch's distinct texts, their numbers in it and here.
  std::vector<std::string_view> texts_to_number_;
  std::vector<uint32_t> numbers_in_batch_, numbers_;
};

}  // namespace redoubt::store::embedded
