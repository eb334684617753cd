// The values of one column in one row group of a segment, without SQL: what a hunt pays for single rows is then the
// pages that they are in, and their dictionary only where a row has a value. One thread.
//
// Every read is bounds-checked; what DuckDB may write but does not write here is `unsupported`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "store/events/embedded/page_memory.h"
#include "store/events/embedded/parquet_footer.h"

namespace redoubt::store::embedded {

constexpr uint32_t kAbsent = UINT32_MAX;

class ParquetColumn {
 public:
  enum class Kind : uint8_t { texts, numbers };
  // The memory must stay as it is for as long as the column is used.
  static Result<ParquetColumn> read(const base::UniqueFd& file, const ColumnPlace& place, Kind kind,
                                    PageMemory& memory);

  // slots() may be looked at from then on.
  Status unpack_slots();
  // By row of the group: which of the values it has, kAbsent where none.
  std::span<const uint32_t> slots() const { return slots_; }
  // The slots of rows, which ascend. Of few rows they are looked up, and the others' stay packed.
  Status find_slots(std::span<const uint32_t> rows, std::vector<uint32_t>& slots);
  // Bytes in which all values lie, among others; empty where only all pages have them.
  Result<std::string_view> value_bytes();
  // The rows, ascending, whose slots `pass`; texts() or numbers() must be there.
  Status find_rows(const std::vector<bool>& pass, std::vector<uint32_t>& rows);
  // texts() or numbers() may be looked at from then on. Where the column has a dictionary, they are distinct, and slots
  // are not unpacked for them.
  Status unpack_values();
  // The same, but of a dictionary of texts no more than the values up to that slot need be there.
  Status unpack_values_to(uint32_t slot);
  std::span<const std::string_view> texts() const { return texts_; }
  std::span<const int64_t> numbers() const { return numbers_; }

 private:
  struct Page {
    int64_t type = -1;
    int64_t encoding = -1;
    int64_t values = 0;
    int64_t unpacked_bytes = 0;
    size_t at = 0;  // of what is packed, in the bytes of the column
    size_t bytes = 0;
    std::string_view present;  // once it is unpacked: which rows have a value, and the values
    std::string_view encoded;
  };
  ParquetColumn(Kind kind, uint32_t rows, PageMemory& memory) : kind_(kind), rows_(rows), memory_(&memory) {}
  Status find_pages();
  Result<Page> next_page(size_t& at) const;
  Result<std::string_view> unpack(const Page& page);
  bool by_dictionary() const { return dictionary_.has_value(); }
  Status unpack_data(Page& page);
  Result<std::vector<uint32_t>> page_slots(const Page& page);
  Status take_slots(Page& page);
  Status take_values(Page& page);
  Status look_up(Page& page, std::span<const uint32_t> rows, size_t first_row, size_t& first_value,
                 std::vector<uint32_t>& slots);
  Result<size_t> take_front(std::string_view bytes, size_t at, size_t count);
  Status take_plain(std::string_view values, size_t count);
  Status take_deltas(std::string_view values, size_t count);
  Status take_sized(std::string_view values, size_t count);

  Kind kind_;
  uint32_t rows_;
  PageMemory* memory_;
  std::string_view bytes_;
  std::optional<Page> dictionary_;
  std::vector<Page> data_;  // of the rows, in their order
  bool slots_unpacked_ = false;
  bool values_unpacked_ = false;
  std::string_view dictionary_bytes_;  // unpacked
  std::vector<uint32_t> slots_;
  uint32_t values_in_slots_ = 0;  // that pages without a dictionary have
  std::vector<std::string_view> texts_;
  std::vector<int64_t> numbers_;
};

}  // namespace redoubt::store::embedded
