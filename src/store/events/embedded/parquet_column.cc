#include "store/events/embedded/parquet_column.h"

#include <zstd.h>
#include <algorithm>
#include <cstring>

#include "store/events/embedded/parquet_encoding.h"
#include "store/events/embedded/parquet_format.h"
#include "store/events/embedded/thrift_reader.h"

namespace redoubt::store::embedded {

namespace {

constexpr int64_t kPageBytesMax = int64_t{1} << 30;
constexpr int64_t kPageValuesMax = int64_t{1} << 24;

tl::unexpected<Error> damaged() { return fail(Errc::corrupt, "a page makes no sense"); }

struct UnpackContext {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  UnpackContext() = default;
  UnpackContext(const UnpackContext&) = delete;
  UnpackContext& operator=(const UnpackContext&) = delete;
  ~UnpackContext() { ZSTD_freeDCtx(context); }
};

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
  thread_local const UnpackContext zstd;
  const auto size = static_cast<size_t>(page.unpacked_bytes);
  char* const out = memory_->take(size);
  const size_t done = ZSTD_decompressDCtx(zstd.context, out, size, bytes_.data() + page.at, page.bytes);
  if (ZSTD_isError(done) != 0 || done != size) return damaged();
  return std::string_view(out, size);
}

// Which rows have a value, as runs of zeros and ones behind their size; then the values.
Status ParquetColumn::take_data(const Page& page) {
  TRY(std::string_view bytes, unpack(page));
  uint32_t size = 0;
  if (bytes.size() < sizeof size) return damaged();
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes.remove_prefix(sizeof size);
  if (size > bytes.size()) return damaged();
  auto present = unpack_runs(bytes.substr(0, size), 1, static_cast<size_t>(page.values));
  if (!present) return damaged();
  std::vector<uint32_t> slots;
  const auto count = static_cast<size_t>(std::count(present->begin(), present->end(), 1));
  TRY_STATUS(take_encoded(bytes.substr(size), page.encoding, count, slots));
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

Status ParquetColumn::take_encoded(std::string_view values, int64_t encoding, size_t count,
                                   std::vector<uint32_t>& slots) {
  if (count == 0) return {};
  if (encoding == parquet::kDictionary || encoding == parquet::kPlainDictionary) {
    if (values.empty()) return damaged();
    auto packed = unpack_runs(values.substr(1), static_cast<uint8_t>(values.front()), count);
    if (!packed || *std::max_element(packed->begin(), packed->end()) >= dictionary_->values) return damaged();
    slots = *std::move(packed);
    return {};
  }
  const size_t before = kind_ == Kind::texts ? texts_.size() : numbers_.size();
  for (size_t i = 0; i < count; ++i) slots.push_back(static_cast<uint32_t>(before + i));
  if (encoding == parquet::kPlain) return take_plain(values, count);
  if (encoding == parquet::kDeltas && kind_ == Kind::numbers) return take_deltas(values, count);
  if (encoding == parquet::kSizedTexts && kind_ == Kind::texts) return take_sized(values, count);
  return fail(Errc::unsupported, "encoding " + std::to_string(encoding));
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
  for (const Page& page : data_) TRY_STATUS(take_data(page));
  slots_unpacked_ = true;
  return {};
}

Status ParquetColumn::unpack_values() {
  if (values_unpacked_) return {};
  values_unpacked_ = true;
  if (!dictionary_) return unpack_slots();
  TRY(const std::string_view bytes, unpack(*dictionary_));
  return take_plain(bytes, static_cast<size_t>(dictionary_->values));
}

}  // namespace redoubt::store::embedded
