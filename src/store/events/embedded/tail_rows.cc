#include "store/events/embedded/tail_rows.h"

#include <algorithm>
#include <string_view>

namespace redoubt::store::embedded {

namespace {

// Calls `each` with every row of the field that has a text, and its number.
template <class Each>
void each_text(const Memtable& table, size_t rows, event::Field field, Each&& each) {
  for (size_t first = 0; first < rows; first += kBlockRows) {
    const TextColumn* column = table.texts(first / kBlockRows, field);
    const size_t count = std::min(kBlockRows, rows - first);
    for (size_t i = 0; column != nullptr && i < count; ++i) {
      if (column->texts[i] != kNoText) each(static_cast<uint32_t>(first + i), column->texts[i]);
    }
  }
}

}  // namespace

Cell cell_of(const Memtable& table, size_t row, event::Field field) {
  if (event::is_textual(event::info(field).type)) {
    const uint32_t number = table.text_number(row, field);
    return number == kNoText ? Cell{} : Cell{std::string(table.text_table().text(number))};
  }
  const NumberColumn* column = table.numbers(row / kBlockRows, field);
  const bool present = column != nullptr && column->present[row % kBlockRows];
  return present ? Cell{column->numbers[row % kBlockRows]} : Cell{};
}

Result<std::vector<uint32_t>> TailRows::passing(event::Field field, query::TextCheck& check) {
  std::vector<bool> seen;  // by number
  std::vector<uint32_t> numbers;
  std::vector<std::string_view> texts;
  each_text(table_, rows_, field, [&](uint32_t, uint32_t number) {
    if (number >= seen.size()) seen.resize(std::max<size_t>(number + 1, seen.size() * 2));
    if (seen[number]) return;
    seen[number] = true;
    numbers.push_back(number);
    texts.push_back(table_.text_table().text(number));
  });
  std::vector<bool> pass(seen.size());
  bool any = false;
  check.find(texts, [&](size_t at) { pass[numbers[at]] = any = true; });
  std::vector<uint32_t> rows;
  if (!any) return rows;
  each_text(table_, rows_, field, [&](uint32_t row, uint32_t number) {
    if (pass[number]) rows.push_back(row);
  });
  return rows;
}

Result<std::vector<uint32_t>> TailRows::passing_of(std::span<const uint32_t> rows, event::Field field,
                                                   query::TextCheck& check) {
  std::vector<uint32_t> passing;
  for (const uint32_t row : rows) {
    const uint32_t number = table_.text_number(row, field);
    if (number != kNoText && check.holds(table_.text_table().text(number))) passing.push_back(row);
  }
  return passing;
}

Status TailRows::read(const std::vector<event::Field>& fields, std::span<const uint32_t> rows,
                      std::span<std::vector<Cell>> cells) {
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t column = 0; column < fields.size(); ++column) {
      cells[i][column] = cell_of(table_, rows[i], fields[column]);
    }
  }
  return {};
}

}  // namespace redoubt::store::embedded
