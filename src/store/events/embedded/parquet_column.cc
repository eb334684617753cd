#include "store/events/embedded/parquet_column.h"

#include <zstd.h>
#include <algorithm>
#include <cstring>
#include <numeric>

#include "store/events/embedded/parquet_encoding.h"
#include "store/events/embedded/parquet_format.h"
#include "store/events/embedded/thrift_reader.h"

namespace redoubt::store::embedded {

namespace {

constexpr int64_t kPageBytesMax = int64_t{1} << 30;
constexpr int64_t kPageValuesMax = int64_t{1} << 24;
// One row of so many is worth looking up.
constexpr uint32_t kFewRows = 64;

tl::unexpected<Error> damaged() { return fail(Errc::corrupt, "a page makes no sense"); }

struct UnpackContext {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  UnpackContext() = default;
  UnpackContext(const UnpackContext&) = delete;
  UnpackContext& operator=(const UnpackContext&) = delete;
  ~UnpackContext() { ZSTD_freeDCtx(context); }
};

ZSTD_DCtx* unpack_context() {
  thread_local const UnpackContext kContext;
  return kContext.context;
}

// A dictionary is unpacked in such steps where not all of it is wanted.
constexpr size_t kStepBytes = 32'768;

}  // namespace

Result<ParquetColumn> ParquetColumn::read(const base::UniqueFd& file, const ColumnPlace& place, Kind kind,
                                          PageMemory& memory) {
  ParquetColumn column(kind, place.values, memory);
  const std::span<char> bytes(memory.take(place.bytes), place.bytes);
  TRY_STATUS(read_at(file, place.offset, bytes));
  column.bytes_ = {bytes.data(), bytes.size()};
  TRY_STATUS(column.find_pages());
  return column;
}

Status ParquetColumn::find_pages() {
  int64_t rows = 0;
  for (size_t at = 0; rows < rows_;) {
    TRY(const Page page, next_page(at));
    if (page.type == parquet::kDictionaryPage && !dictionary_ && data_.empty()) {
      dictionary_ = page;
    } else if (page.type == parquet::kDataPage) {
      const bool by_dictionary = page.encoding == parquet::kDictionary || page.encoding == parquet::kPlainDictionary;
      if (by_dictionary != dictionary_.has_value()) return fail(Errc::unsupported, "pages of different encodings");
      data_.push_back(page);
      rows += page.values;
    } else {
      return fail(Errc::unsupported, "page of type " + std::to_string(page.type));
    }
  }
  return rows == rows_ ? Status{} : damaged();
}

Result<ParquetColumn::Page> ParquetColumn::next_page(size_t& at) const {
  ThriftReader reader(bytes_.substr(at));
  Page page;
  int64_t packed_bytes = -1;
  for (ThriftReader::FieldHead head; reader.next_field(head);) {
    if (head.id == 1) {
      page.type = reader.integer();
    } else if (head.id == 2) {
      page.unpacked_bytes = reader.integer();
    } else if (head.id == 3) {
      packed_bytes = reader.integer();
    } else if (head.id == 5 || head.id == 7) {  // of a data page, of a dictionary
      for (ThriftReader::FieldHead inner; reader.next_field(inner);) {
        if (inner.id == 1) {
          page.values = reader.integer();
        } else if (inner.id == 2) {
          page.encoding = reader.integer();
        } else {
          reader.skip(inner.type);
        }
      }
    } else {
      reader.skip(head.type);
    }
  }
  at += reader.position();
  if (!reader.sound() || packed_bytes < 0 || static_cast<uint64_t>(packed_bytes) > bytes_.size() - at) return damaged();
  if (page.values <= 0 || page.values > kPageValuesMax || page.unpacked_bytes < 0 ||
      page.unpacked_bytes > kPageBytesMax)
    return damaged();
  page.at = at;
  page.bytes = static_cast<size_t>(packed_bytes);
  at += page.bytes;
  return page;
}

Result<std::string_view> ParquetColumn::unpack(const Page& page) {
  const auto size = static_cast<size_t>(page.unpacked_bytes);
  char* const out = memory_->take(size);
  const size_t done = ZSTD_decompressDCtx(unpack_context(), out, size, bytes_.data() + page.at, page.bytes);
  if (ZSTD_isError(done) != 0 || done != size) return damaged();
  return std::string_view(out, size);
}

// Which rows have a value, as runs of zeros and ones behind their size; then the values.
Status ParquetColumn::unpack_data(Page& page) {
  if (!page.present.empty()) return {};
  TRY(std::string_view bytes, unpack(page));
  uint32_t size = 0;
  if (bytes.size() < sizeof size) return damaged();
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes.remove_prefix(sizeof size);
  if (size == 0 || size > bytes.size()) return damaged();
  page.present = bytes.substr(0, size);
  page.encoded = bytes.substr(size);
  return {};
}

// Without a dictionary the values have the slots of their order.
Status ParquetColumn::take_slots(Page& page) {
  TRY_STATUS(unpack_data(page));
  const auto present = unpack_runs(page.present, 1, static_cast<size_t>(page.values));
  if (!present) return damaged();
  const auto count = static_cast<size_t>(std::count(present->begin(), present->end(), 1));
  std::vector<uint32_t> slots(count);
  if (by_dictionary()) {
    TRY(slots, page_slots(page));
  } else {
    std::iota(slots.begin(), slots.end(), values_in_slots_);
    values_in_slots_ += static_cast<uint32_t>(count);
  }
  if (count == present->size()) {
    slots_.insert(slots_.end(), slots.begin(), slots.end());
    return {};
  }
  slots.push_back(kAbsent);  // read, not taken, behind the last value
  size_t next = 0;
  size_t row = slots_.size();
  slots_.resize(row + present->size());
  for (const uint32_t is : *present) {
    slots_[row++] = is != 0 ? slots[next] : kAbsent;
    next += is;
  }
  return {};
}

// Of a page that has the values themselves.
Status ParquetColumn::take_values(Page& page) {
  TRY_STATUS(unpack_data(page));
  const auto count = RunWalker(page.present, 1).ones_before(static_cast<size_t>(page.values));
  if (!count) return damaged();
  if (*count == 0) return {};
  if (page.encoding == parquet::kPlain) return take_plain(page.encoded, *count);
  if (page.encoding == parquet::kDeltas && kind_ == Kind::numbers) return take_deltas(page.encoded, *count);
  if (page.encoding == parquet::kSizedTexts && kind_ == Kind::texts) return take_sized(page.encoded, *count);
  return fail(Errc::unsupported, "encoding " + std::to_string(page.encoding));
}

Status ParquetColumn::take_plain(std::string_view values, size_t count) {
  for (; count > 0; --count) {
    if (kind_ == Kind::numbers) {
      int64_t number = 0;
      if (values.size() < sizeof number) return damaged();
      std::memcpy(&number, values.data(), sizeof number);
      values.remove_prefix(sizeof number);
      numbers_.push_back(number);
      continue;
    }
    uint32_t size = 0;
    if (values.size() < sizeof size) return damaged();
    std::memcpy(&size, values.data(), sizeof size);
    values.remove_prefix(sizeof size);
    if (size > values.size()) return damaged();
    texts_.push_back(values.substr(0, size));
    values.remove_prefix(size);
  }
  return {};
}

Status ParquetColumn::take_deltas(std::string_view values, size_t count) {
  const auto numbers = unpack_deltas(values, count);
  if (!numbers) return damaged();
  numbers_.insert(numbers_.end(), numbers->begin(), numbers->end());
  return {};
}

Status ParquetColumn::take_sized(std::string_view values, size_t count) {
  const auto sizes = unpack_deltas(values, count);
  if (!sizes) return damaged();
  for (const int64_t size : *sizes) {
    if (size < 0 || static_cast<uint64_t>(size) > values.size()) return damaged();
    texts_.push_back(values.substr(0, static_cast<size_t>(size)));
    values.remove_prefix(static_cast<size_t>(size));
  }
  return {};
}

Status ParquetColumn::unpack_slots() {
  if (slots_unpacked_) return {};
  slots_.reserve(rows_);
  for (Page& page : data_) TRY_STATUS(take_slots(page));
  slots_unpacked_ = true;
  return {};
}

// The rows of one page; `first_value` is that of the page, and of the next one then.
Status ParquetColumn::look_up(Page& page, std::span<const uint32_t> rows, size_t first_row, size_t& first_value,
                              std::vector<uint32_t>& slots) {
  TRY_STATUS(unpack_data(page));
  RunWalker present(page.present, 1);
  const auto width = static_cast<uint8_t>(page.encoded.empty() ? '\0' : page.encoded.front());
  RunWalker values(page.encoded.substr(std::min<size_t>(1, page.encoded.size())), width);
  for (const uint32_t row : rows) {
    const auto is = present.number_at(row - first_row);
    if (!is) return damaged();
    slots.push_back(kAbsent);
    if (*is == 0) continue;
    const auto before = present.ones_before(row - first_row);
    if (!before) return damaged();
    slots.back() = static_cast<uint32_t>(first_value + *before);
    if (!by_dictionary()) continue;
    const auto slot = values.number_at(*before);
    if (!slot || *slot >= dictionary_->values) return damaged();
    slots.back() = *slot;
  }
  const auto count = by_dictionary() ? size_t{0} : present.ones_before(static_cast<size_t>(page.values));
  if (!count) return damaged();
  first_value += *count;
  return {};
}

Status ParquetColumn::find_slots(std::span<const uint32_t> rows, std::vector<uint32_t>& slots) {
  slots.clear();
  if (slots_unpacked_ || rows.size() > rows_ / kFewRows) {
    TRY_STATUS(unpack_slots());
    for (const uint32_t row : rows) slots.push_back(slots_[row]);
    return {};
  }
  size_t first_row = 0;
  size_t first_value = 0;
  for (Page& page : data_) {
    const size_t behind = first_row + static_cast<size_t>(page.values);
    const auto end = std::find_if(rows.begin(), rows.end(), [&](uint32_t row) { return row >= behind; });
    const auto in_page = rows.first(static_cast<size_t>(end - rows.begin()));
    TRY_STATUS(look_up(page, in_page, first_row, first_value, slots));
    rows = rows.subspan(in_page.size());
    first_row = behind;
  }
  return {};
}

Result<std::string_view> ParquetColumn::value_bytes() {
  if (by_dictionary() && dictionary_bytes_.empty()) {
    TRY(dictionary_bytes_, unpack(*dictionary_));
  }
  return dictionary_bytes_;
}

Status ParquetColumn::unpack_values() {
  if (values_unpacked_) return {};
  values_unpacked_ = true;
  if (!by_dictionary()) {
    for (Page& page : data_) TRY_STATUS(take_values(page));
    return {};
  }
  TRY(const std::string_view bytes, value_bytes());
  texts_.clear();
  return take_plain(bytes, static_cast<size_t>(dictionary_->values));
}

Status ParquetColumn::unpack_values_to(uint32_t slot) {
  const bool all = values_unpacked_ || !by_dictionary() || kind_ == Kind::numbers || !dictionary_bytes_.empty();
  const auto wanted = size_t{slot} + 1;
  if (all || wanted > static_cast<size_t>(dictionary_->values)) return unpack_values();
  if (wanted <= texts_.size()) return {};
  texts_.clear();
  const auto size = static_cast<size_t>(dictionary_->unpacked_bytes);
  char* const memory = memory_->take(size);
  ZSTD_DCtx_reset(unpack_context(), ZSTD_reset_session_only);
  ZSTD_inBuffer in{bytes_.data() + dictionary_->at, dictionary_->bytes, 0};
  ZSTD_outBuffer out{memory, 0, 0};
  for (size_t taken = 0; texts_.size() < wanted;) {
    if (out.size == size) return damaged();
    out.size = std::min(out.size + kStepBytes, size);
    if (ZSTD_isError(ZSTD_decompressStream(unpack_context(), &out, &in)) != 0 || out.pos != out.size) return damaged();
    TRY(taken, take_front({memory, out.pos}, taken, wanted));
  }
  return {};
}

// Texts of a dictionary as far as the bytes have them, up to `count` in all; where the next one begins.
Result<size_t> ParquetColumn::take_front(std::string_view bytes, size_t at, size_t count) {
  while (texts_.size() < count) {
    uint32_t size = 0;
    if (bytes.size() - at < sizeof size) break;
    std::memcpy(&size, bytes.data() + at, sizeof size);
    if (size > bytes.size() - at - sizeof size) break;
    texts_.push_back(bytes.substr(at + sizeof size, size));
    at += sizeof size + size;
  }
  return at;
}

Status ParquetColumn::find_rows(const std::vector<bool>& pass, std::vector<uint32_t>& rows) {
  if (slots_unpacked_ || !by_dictionary()) {
    TRY_STATUS(unpack_slots());
    for (uint32_t row = 0; row < slots_.size(); ++row) {
      if (slots_[row] != kAbsent && pass[slots_[row]]) rows.push_back(row);
    }
    return {};
  }
  size_t first_row = 0;
  for (Page& page : data_) {
    TRY_STATUS(unpack_data(page));
    TRY(const std::vector<uint32_t> slots, page_slots(page));
    RunWalker present(page.present, 1);
    for (size_t value = 0; value < slots.size(); ++value) {
      if (!pass[slots[value]]) continue;
      const auto place = present.place_of_one(value);
      if (!place) return damaged();
      rows.push_back(static_cast<uint32_t>(first_row + *place));
    }
    first_row += static_cast<size_t>(page.values);
  }
  return {};
}

// Of the values of a page, those that are absent left out.
Result<std::vector<uint32_t>> ParquetColumn::page_slots(const Page& page) {
  const auto count = RunWalker(page.present, 1).ones_before(static_cast<size_t>(page.values));
  if (!count || (*count > 0 && page.encoded.empty())) return damaged();
  if (*count == 0) return std::vector<uint32_t>{};
  auto slots = unpack_runs(page.encoded.substr(1), static_cast<uint8_t>(page.encoded.front()), *count);
  if (!slots || *std::max_element(slots->begin(), slots->end()) >= dictionary_->values) return damaged();
  return *std::move(slots);
}

}  // namespace redoubt::store::embedded
