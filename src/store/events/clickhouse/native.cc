#include "store/events/clickhouse/native.h"

#include <cstring>
#include <span>

#include "base/varint.h"

namespace redoubt::store::clickhouse {

namespace {

constexpr uint64_t kColumnsMax = 10'000;
constexpr uint64_t kRowsMax = 100'000'000;

tl::unexpected<Error> torn() { return fail(Errc::corrupt, "answer of ClickHouse is torn"); }

class NativeReader {
 public:
  explicit NativeReader(std::string_view bytes) : bytes_(bytes) {}

  bool done() const { return bytes_.empty(); }

  bool varint(uint64_t& number) {
    const auto taken = base::take_varint(bytes_);
    number = taken.value_or(0);
    return taken.has_value();
  }

  bool text(std::string_view& text) {
    uint64_t size = 0;
    return varint(size) && take(size, text);
  }

  bool take(uint64_t size, std::string_view& part) {
    if (size > bytes_.size()) return false;
    part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return true;
  }

 private:
  std::string_view bytes_;
};

template <class Number>
int64_t number_at(std::string_view bytes, size_t position) {
  Number number{};
  std::memcpy(&number, bytes.data() + position * sizeof number, sizeof number);
  return static_cast<int64_t>(number);
}

// How wide a number of the type is, and how it is read.
struct NumberType {
  std::string_view name;
  size_t size;
  int64_t (*read)(std::string_view, size_t);
};
constexpr NumberType kNumberTypes[] = {
    {"Int8", 1, number_at<int8_t>},     {"UInt8", 1, number_at<uint8_t>},   {"Int16", 2, number_at<int16_t>},
    {"UInt16", 2, number_at<uint16_t>}, {"Int32", 4, number_at<int32_t>},   {"UInt32", 4, number_at<uint32_t>},
    {"Int64", 8, number_at<int64_t>},   {"UInt64", 8, number_at<uint64_t>}, {"Date", 2, number_at<uint16_t>},
};

// One column of a block, into the last place of each of its rows.
Status read_column(NativeReader& reader, std::string_view type, std::span<std::vector<Cell>> rows) {
  constexpr std::string_view kNullable = "Nullable(";
  std::string_view nulls;
  if (type.starts_with(kNullable) && type.ends_with(')')) {
    type = type.substr(kNullable.size(), type.size() - kNullable.size() - 1);
    if (!reader.take(rows.size(), nulls)) return torn();
  }
  const auto is_null = [&](size_t row) { return !nulls.empty() && nulls[row] != 0; };
  if (type == "String") {
    for (size_t row = 0; row < rows.size(); ++row) {
      std::string_view text;
      if (!reader.text(text)) return torn();
      rows[row].push_back(is_null(row) ? Cell{} : Cell{std::string(text)});
    }
    return {};
  }
  for (const NumberType& number : kNumberTypes) {
    if (number.name != type) continue;
    std::string_view numbers;
    if (!reader.take(rows.size() * number.size, numbers)) return torn();
    for (size_t row = 0; row < rows.size(); ++row) {
      rows[row].push_back(is_null(row) ? Cell{} : Cell{number.read(numbers, row)});
    }
    return {};
  }
  return fail(Errc::unsupported, "answer of ClickHouse has a column of type " + std::string(type));
}

}  // namespace

Result<Table> read_native(std::string_view bytes) {
  NativeReader reader(bytes);
  Table table;
  while (!reader.done()) {
    uint64_t columns = 0;
    uint64_t rows = 0;
    if (!reader.varint(columns) || !reader.varint(rows) || columns > kColumnsMax || rows > kRowsMax) return torn();
    const size_t before = table.rows.size();
    const bool first = table.names.empty();
    if (rows > bytes.size()) return torn();  // a row has a byte at least
    // All blocks have the columns of the first; one without any has no rows either.
    const bool is_empty = columns == 0 && rows == 0;
    if (!is_empty && (columns == 0 || (!first && columns != table.names.size()))) return torn();
    table.rows.resize(before + rows);
    for (uint64_t column = 0; column < columns; ++column) {
      std::string_view name;
      std::string_view type;
      if (!reader.text(name) || !reader.text(type)) return torn();
      if (first) table.names.emplace_back(name);
      TRY_STATUS(read_column(reader, type, std::span(table.rows).subspan(before)));
    }
  }
  return table;
}

}  // namespace redoubt::store::clickhouse
