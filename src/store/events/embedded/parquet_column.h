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
  // texts() or numbers() may be looked at from then on. Where the column has a dictionary, they are distinct, and slots
  // are not unpacked for them.
  Status unpack_values();
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
  };
  ParquetColumn(Kind kind, uint32_t rows, PageMemory& memory) : kind_(kind), rows_(rows), memory_(&memory) {}
  Status find_pages();
  Result<Page> next_page(size_t& at) const;
  Result<std::string_view> unpack(const Page& page);
  Status take_data(const Page& page);
  Status take_encoded(std::string_view values, int64_t encoding, size_t count, std::vector<uint32_t>& slots);
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
  std::vector<uint32_t> slots_;
  std::vector<std::string_view> texts_;
  std::vector<int64_t> numbers_;
};

}  // namespace redoubt::store::embedded
