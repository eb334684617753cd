#include "store/events/embedded/parquet_writer.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>
#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "base/file.h"
#include "store/events/embedded/parquet_encoding.h"
#include "store/events/embedded/parquet_format.h"
#include "store/events/embedded/thrift_writer.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

// Texts are read more often than they are written.
constexpr int kZstdLevelOfTexts = 6;
constexpr int kZstdLevelOfNumbers = 3;
constexpr size_t kBlockBytes = 65'536;
constexpr size_t kBlockHeadMax = 16;
// What others leave out of a search by: least and most of a row group's texts, where these are few and short.
constexpr size_t kBoundedTextsMax = 64;
constexpr size_t kBoundBytesMax = 64;

struct FreePacker {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

// The pages of a column in one row group, as the footer tells of them.
struct Chunk {
  int64_t values = 0;
  int64_t absent = 0;
  uint64_t unpacked_bytes = 0;  // heads counted
  uint64_t packed_bytes = 0;
  uint64_t dictionary_offset = 0;  // 0: none
  uint64_t data_offset = 0;
  parquet::Encoding encoding = parquet::kPlain;
  std::optional<std::pair<std::string, std::string>> bounds;
};

struct Group {
  int64_t rows = 0;
  std::vector<Chunk> chunks;
};

template <class Number>
void put_little(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

std::string bytes_of(int64_t number) {
  std::string bytes;
  put_little(bytes, number);
  return bytes;
}

// Which values of a row group are the same: their slots, in the order in which they come first.
class TextSlots {
 public:
  explicit TextSlots(uint32_t texts) : seen_(texts) {}

  void begin() {
    ++round_;
    distinct_.clear();
  }
  uint32_t slot_of(uint32_t text) {
    Seen& seen = seen_[text];
    if (seen.round != round_) {
      seen = {round_, static_cast<uint32_t>(distinct_.size())};
      distinct_.push_back(text);
    }
    return seen.slot;
  }
  const std::vector<uint32_t>& distinct() const { return distinct_; }

 private:
  struct Seen {
    uint32_t round = 0;
    uint32_t slot = 0;
  };
  std::vector<Seen> seen_;  // by text number
  uint32_t round_ = 0;
  std::vector<uint32_t> distinct_;
};

class NumberSlots {
 public:
  explicit NumberSlots(uint32_t distinct_max) : cells_(std::bit_ceil(size_t{distinct_max} * 2 + 2)) {}

  void begin() {
    ++round_;
    distinct_.clear();
  }
  // Asked of no more than distinct_max + 1 distinct numbers.
  uint32_t slot_of(int64_t number) {
    constexpr uint64_t kSpread = 0x9E3779B97F4A7C15;
    const size_t mask = cells_.size() - 1;
    for (size_t at = static_cast<uint64_t>(number) * kSpread >> 32 & mask;; at = (at + 1) & mask) {
      Cell& cell = cells_[at];
      if (cell.round != round_) {
        cell = {number, round_, static_cast<uint32_t>(distinct_.size())};
        distinct_.push_back(number);
      }
      if (cell.number == number) return cell.slot;
    }
  }
  const std::vector<int64_t>& distinct() const { return distinct_; }

 private:
  struct Cell {
    int64_t number = 0;
    uint32_t round = 0;
    uint32_t slot = 0;
  };
  std::vector<Cell> cells_;
  uint32_t round_ = 0;
  std::vector<int64_t> distinct_;
};

// Packs columns of one row group after the other; the pages of a group come behind each other in bytes().
class GroupPacker {
 public:
  GroupPacker(const Memtable& table, const ParquetShape& shape)
      : table_(table),
        shape_(shape),
        text_slots_(table.text_table().size()),
        number_slots_(shape.dictionary_values_max),
        zstd_(ZSTD_createCCtx()) {
    CHECK(zstd_ != nullptr);
  }

  const std::string& bytes() const { return bytes_; }
  void begin(uint64_t file_offset) {
    bytes_.clear();
    begin_ = file_offset;
  }

  Chunk pack(event::Field field, std::span<const uint32_t> rows) {
    Chunk chunk{.values = std::ssize(rows), .bounds = {}};
    present_.clear();
    slots_.clear();
    page_.clear();
    const size_t begin = bytes_.size();
    if (event::is_textual(event::info(field).type)) {
      pack_texts(field, rows, chunk);
    } else {
      pack_numbers(field, rows, chunk);
    }
    chunk.packed_bytes = bytes_.size() - begin;
    return chunk;
  }

 private:
  void pack_texts(event::Field field, std::span<const uint32_t> rows, Chunk& chunk) {
    texts_.clear();
    text_slots_.begin();
    for (const uint32_t row : rows) {
      const uint32_t text = table_.text_number(row, field);
      present_.push_back(text != kNoText ? 1 : 0);
      if (text == kNoText) continue;
      texts_.push_back(text);
      slots_.push_back(text_slots_.slot_of(text));
    }
    chunk.absent = std::ssize(rows) - std::ssize(texts_);
    const std::vector<uint32_t>& distinct = text_slots_.distinct();
    chunk.bounds = bounds_of(distinct);
    if (!distinct.empty() && distinct.size() <= shape_.dictionary_values_max) {
      table_.text_table().for_each(distinct, [this](std::string_view text) { put_text(text); });
      put_dictionary(distinct.size(), chunk);
      put_slots(distinct.size(), chunk);
      return;
    }
    put_present();
    if (!texts_.empty()) put_sized_texts();
    put_data(texts_.empty() ? parquet::kPlain : parquet::kSizedTexts, chunk);
  }

  void put_text(std::string_view text) {
    put_little(page_, static_cast<uint32_t>(text.size()));
    page_ += text;
  }

  void put_sized_texts() {
    numbers_.clear();
    table_.text_table().for_each(texts_, [this](std::string_view text) { numbers_.push_back(std::ssize(text)); });
    pack_deltas(numbers_, page_);
    table_.text_table().for_each(texts_, [this](std::string_view text) { page_ += text; });
  }

  std::optional<std::pair<std::string, std::string>> bounds_of(const std::vector<uint32_t>& texts) const {
    if (texts.empty() || texts.size() > kBoundedTextsMax) return std::nullopt;
    std::string_view least = table_.text_table().text(texts.front());
    std::string_view most = least;
    for (const uint32_t number : texts) {
      const std::string_view text = table_.text_table().text(number);
      least = std::min(least, text);
      most = std::max(most, text);
    }
    if (least.size() > kBoundBytesMax || most.size() > kBoundBytesMax) return std::nullopt;
    return std::pair<std::string, std::string>(least, most);
  }

  void pack_numbers(event::Field field, std::span<const uint32_t> rows, Chunk& chunk) {
    numbers_.clear();
    number_slots_.begin();
    for (const uint32_t row : rows) {
      const NumberColumn* column = table_.numbers(row / kBlockRows, field);
      const bool present = column != nullptr && column->present[row % kBlockRows];
      present_.push_back(present ? 1 : 0);
      if (!present) continue;
      const int64_t number = column->numbers[row % kBlockRows];
      numbers_.push_back(number);
      if (number_slots_.distinct().size() > shape_.dictionary_values_max) continue;
      slots_.push_back(number_slots_.slot_of(number));
    }
    chunk.absent = std::ssize(rows) - std::ssize(numbers_);
    if (!numbers_.empty()) {
      const auto [least, most] = std::minmax_element(numbers_.begin(), numbers_.end());
      chunk.bounds = std::pair(bytes_of(*least), bytes_of(*most));
    }
    const std::vector<int64_t>& distinct = number_slots_.distinct();
    if (!distinct.empty() && distinct.size() <= shape_.dictionary_values_max) {
      for (const int64_t number : distinct) put_little(page_, number);
      put_dictionary(distinct.size(), chunk);
      put_slots(distinct.size(), chunk);
      return;
    }
    put_present();
    if (!numbers_.empty()) pack_deltas(numbers_, page_);
    put_data(numbers_.empty() ? parquet::kPlain : parquet::kDeltas, chunk);
  }

  // Which rows have a value, behind its size.
  void put_present() {
    const size_t at = page_.size();
    put_little(page_, uint32_t{0});
    pack_runs(present_, 1, page_);
    const auto size = static_cast<uint32_t>(page_.size() - at - sizeof(uint32_t));
    std::memcpy(page_.data() + at, &size, sizeof size);
  }

  void put_slots(size_t distinct, Chunk& chunk) {
    put_present();
    const auto width = std::max<unsigned>(1, static_cast<unsigned>(std::bit_width(distinct - 1)));
    page_ += static_cast<char>(width);
    pack_runs(slots_, width, page_);
    put_data(parquet::kDictionary, chunk);
  }

  void put_dictionary(size_t values, Chunk& chunk) {
    chunk.dictionary_offset = begin_ + bytes_.size();
    put_page(parquet::kDictionaryPage, chunk, [&](ThriftWriter& head) {
      constexpr int64_t kDictionaryHead = 7;
      head.structure(kDictionaryHead, [&] {
        head.integer32(1, static_cast<int32_t>(values));
        head.integer32(2, parquet::kPlain);
      });
    });
  }

  void put_data(parquet::Encoding encoding, Chunk& chunk) {
    chunk.encoding = encoding;
    chunk.data_offset = begin_ + bytes_.size();
    put_page(parquet::kDataPage, chunk, [&](ThriftWriter& head) {
      constexpr int64_t kDataHead = 5;
      head.structure(kDataHead, [&] {
        head.integer32(1, static_cast<int32_t>(chunk.values));
        head.integer32(2, encoding);
        head.integer32(3, parquet::kRuns);  // of what is present
        head.integer32(4, parquet::kRuns);  // of what is repeated: nothing
      });
    });
  }

  template <class HeadOf>
  void put_page(parquet::PageType type, Chunk& chunk, HeadOf&& head_of) {
    const bool of_texts = type == parquet::kDictionaryPage || chunk.encoding == parquet::kSizedTexts;
    const size_t size = compress(of_texts ? kZstdLevelOfTexts : kZstdLevelOfNumbers);
    const size_t begin = bytes_.size();
    ThriftWriter head(bytes_);
    head.integer32(1, type);
    head.integer32(2, static_cast<int32_t>(page_.size()));
    head.integer32(3, static_cast<int32_t>(size));
    head_of(head);
    head.end();
    chunk.unpacked_bytes += bytes_.size() - begin + page_.size();
    bytes_.append(packed_.data(), size);
    page_.clear();
  }

  // The page in blocks that can be unpacked one after the other, so that what comes first in a dictionary is there
  // before the rest. Its size.
  size_t compress(int level) {
    ZSTD_CCtx_setParameter(zstd_.get(), ZSTD_c_compressionLevel, level);
    packed_.resize(ZSTD_compressBound(page_.size()) + page_.size() / kBlockBytes * kBlockHeadMax);
    ZSTD_CCtx_setPledgedSrcSize(zstd_.get(), page_.size());
    ZSTD_outBuffer out{packed_.data(), packed_.size(), 0};
    ZSTD_inBuffer in{page_.data(), 0, 0};
    while (in.size < page_.size()) {
      in.size = std::min(in.size + kBlockBytes, page_.size());
      const auto end = in.size == page_.size() ? ZSTD_e_end : ZSTD_e_flush;
      CHECK(ZSTD_compressStream2(zstd_.get(), &out, &in, end) == 0);
    }
    return out.pos;
  }

  const Memtable& table_;
  const ParquetShape shape_;
  TextSlots text_slots_;
  NumberSlots number_slots_;
  std::unique_ptr<ZSTD_CCtx, FreePacker> zstd_;
  std::string bytes_;
  uint64_t begin_ = 0;  // of the group in the file
  // Of the column that is packed.
  std::vector<uint32_t> present_;
  std::vector<uint32_t> slots_;
  std::vector<uint32_t> texts_;
  std::vector<int64_t> numbers_;
  std::string page_;
  std::vector<char> packed_;
};

parquet::Type type_of(event::Field field) {
  return event::is_textual(event::info(field).type) ? parquet::kByteArray : parquet::kInt64;
}

class FooterWriter {
 public:
  explicit FooterWriter(const std::vector<event::Field>& fields) : fields_(fields), out_(footer_) {}

  // From FileMetaData on, the names are parquet.thrift's.
  std::string write(const std::vector<Group>& groups, size_t rows) {
    constexpr int32_t kVersion = 2;
    out_.integer32(1, kVersion);
    write_schema();
    out_.integer64(3, static_cast<int64_t>(rows));
    out_.list(4, ThriftWriter::Type::structure, groups.size());
    for (const Group& group : groups) out_.element([&] { write_group(group); });
    out_.text(6, "redoubt");
    out_.list(7, ThriftWriter::Type::structure, fields_.size());  // all are ordered as their type is
    for (size_t i = 0; i < fields_.size(); ++i) out_.element([&] { out_.structure(1, [] {}); });
    out_.end();
    put_little(footer_, static_cast<uint32_t>(footer_.size()));
    footer_ += parquet::kMagic;
    return std::move(footer_);
  }

 private:
  void write_schema() {
    out_.list(2, ThriftWriter::Type::structure, fields_.size() + 1);
    out_.element([&] {
      out_.integer32(3, parquet::kRequired);
      out_.text(4, "events");
      out_.integer32(5, static_cast<int32_t>(fields_.size()));
    });
    for (const event::Field field : fields_) out_.element([&] { write_column(field); });
  }

  void write_column(event::Field field) {
    out_.integer32(1, type_of(field));
    out_.integer32(3, parquet::kOptional);
    out_.text(4, event::info(field).column);
    if (type_of(field) != parquet::kByteArray) return;
    constexpr int64_t kLogicalType = 10;
    out_.integer32(6, parquet::kUtf8);
    out_.structure(kLogicalType, [&] { out_.structure(1, [] {}); });
  }

  void write_group(const Group& group) {
    uint64_t bytes = 0;
    out_.list(1, ThriftWriter::Type::structure, group.chunks.size());
    for (size_t i = 0; i < group.chunks.size(); ++i) {
      bytes += group.chunks[i].unpacked_bytes;
      out_.element([&] { write_chunk(fields_[i], group.chunks[i]); });
    }
    out_.integer64(2, static_cast<int64_t>(bytes));
    out_.integer64(3, group.rows);
  }

  void write_chunk(event::Field field, const Chunk& chunk) {
    const uint64_t first = chunk.dictionary_offset != 0 ? chunk.dictionary_offset : chunk.data_offset;
    out_.integer64(2, static_cast<int64_t>(first));
    out_.structure(3, [&] { write_about(field, chunk); });
  }

  void write_about(event::Field field, const Chunk& chunk) {
    constexpr int64_t kDictionaryOffset = 11;
    constexpr int64_t kStatistics = 12;
    out_.integer32(1, type_of(field));
    out_.list(2, ThriftWriter::Type::integer32, chunk.dictionary_offset != 0 ? 3 : 2);
    if (chunk.dictionary_offset != 0) out_.element(int32_t{parquet::kPlain});
    out_.element(int32_t{parquet::kRuns});
    out_.element(int32_t{chunk.encoding});
    out_.list(3, ThriftWriter::Type::binary, 1);
    out_.text(event::info(field).column);
    out_.integer32(4, parquet::kZstd);
    out_.integer64(5, chunk.values);
    out_.integer64(6, static_cast<int64_t>(chunk.unpacked_bytes));
    out_.integer64(7, static_cast<int64_t>(chunk.packed_bytes));
    out_.integer64(9, static_cast<int64_t>(chunk.data_offset));
    if (chunk.dictionary_offset != 0) out_.integer64(kDictionaryOffset, static_cast<int64_t>(chunk.dictionary_offset));
    out_.structure(kStatistics, [&] {
      out_.integer64(3, chunk.absent);
      if (!chunk.bounds) return;
      out_.text(5, chunk.bounds->second);
      out_.text(6, chunk.bounds->first);
    });
  }

  const std::vector<event::Field>& fields_;
  std::string footer_;
  ThriftWriter out_;
};

}  // namespace

Status write_parquet(const Memtable& table, std::span<const uint32_t> rows, const event::FieldSet& fields,
                     const ParquetShape& shape, const std::string& path) {
  const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, base::kPrivateFile));
  if (!file) return base::fail_errno("open " + path);
  std::vector<event::Field> there;
  for (const event::FieldInfo& info : event::kFields) {
    if (has_field(fields, info.field)) there.push_back(info.field);
  }
  TRY_STATUS(base::write_all(file.get(), parquet::kMagic));
  uint64_t offset = parquet::kMagic.size();
  std::vector<Group> groups;
  GroupPacker packer(table, shape);
  for (size_t at = 0; at < rows.size(); at += shape.group_rows) {
    const auto part = rows.subspan(at, std::min<size_t>(shape.group_rows, rows.size() - at));
    packer.begin(offset);
    groups.push_back({.rows = std::ssize(part), .chunks = {}});
    for (const event::Field field : there) groups.back().chunks.push_back(packer.pack(field, part));
    TRY_STATUS(base::write_all(file.get(), packer.bytes()));
    offset += packer.bytes().size();
  }
  TRY_STATUS(base::write_all(file.get(), FooterWriter(there).write(groups, rows.size())));
  return fsync(file.get()) == 0 ? Status{} : base::fail_errno("sync " + path);
}

}  // namespace redoubt::store::embedded
