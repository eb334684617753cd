#include "store/events/embedded/segment_rows.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>

#include "base/text.h"

namespace redoubt::store::embedded {

namespace {

bool is_text_field(event::Field field) { return event::is_textual(event::info(field).type); }

Status put_cells(ParquetColumn& column, event::Field field, std::span<const uint32_t> rows, size_t position,
                 std::span<std::vector<Cell>> cells) {
  std::vector<uint32_t> slots;
  TRY_STATUS(column.find_slots(rows, slots));
  uint32_t behind = 0;  // the highest slot
  for (const uint32_t slot : slots) behind = slot == kAbsent ? behind : std::max(behind, slot + 1);
  if (behind == 0) return {};
  TRY_STATUS(column.unpack_values_to(behind - 1));
  for (size_t i = 0; i < rows.size(); ++i) {
    const uint32_t slot = slots[i];
    if (slot == kAbsent) continue;
    if (!is_text_field(field)) {
      cells[i][position] = column.numbers()[slot];
      continue;
    }
    const std::string_view text = column.texts()[slot];
    if (!base::is_utf8(text)) return fail(Errc::corrupt, "a text is not UTF-8");
    cells[i][position] = std::string(text);
  }
  return {};
}

}  // namespace

bool in_ranges(const ParquetGroup& group, const std::vector<RowRange>& ranges) {
  return ranges.empty() || std::any_of(ranges.begin(), ranges.end(), [&](const RowRange& range) {
           return range.first < group.first_row + group.rows && range.last >= group.first_row;
         });
}

Result<SegmentFile> SegmentFile::open(const Segment& segment) {
  const ParquetFooter* footer = segment.footer();
  if (footer == nullptr) return fail(Errc::unsupported, "segment " + segment.path + " is read by SQL alone");
  base::UniqueFd file(::open(segment.path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!file || fstat(file.get(), &info) != 0) return base::fail_errno("open " + segment.path);
  if (static_cast<uint64_t>(info.st_size) != footer->file_bytes) return fail(Errc::corrupt, "its size has changed");
  return SegmentFile(std::move(file), *footer);
}

Result<ParquetColumn*> GroupColumns::column(event::Field field) {
  if (const auto known = columns_.find(field); known != columns_.end()) return &known->second;
  const uint16_t position = file_.footer().column_of[static_cast<size_t>(field)];
  if (position == kNoColumn) return nullptr;
  if (position >= group_.columns.size()) return fail(Errc::corrupt, "a column is missing");
  const auto kind = is_text_field(field) ? ParquetColumn::Kind::texts : ParquetColumn::Kind::numbers;
  const ColumnPlace& place = group_.columns[position];
  if (place.values != group_.rows) return fail(Errc::corrupt, "a column has other rows than its group");
  TRY(auto column, ParquetColumn::read(file_.file(), place, kind, memory_));
  return &columns_.emplace(field, std::move(column)).first->second;
}

Result<std::vector<uint32_t>> GroupColumns::passing(event::Field field, query::TextCheck& check) {
  std::vector<uint32_t> rows;
  TRY(ParquetColumn* const column, this->column(field));
  if (column == nullptr) return rows;
  TRY(const std::string_view bytes, column->value_bytes());
  if (!bytes.empty() && !check.may_hold_in(bytes)) return rows;
  TRY_STATUS(column->unpack_values());
  std::vector<bool> pass(column->texts().size());
  bool any = false;
  check.find(column->texts(), [&](size_t at) { pass[at] = any = true; });
  if (any) TRY_STATUS(column->find_rows(pass, rows));
  return rows;
}

Result<std::vector<uint32_t>> GroupColumns::passing_of(std::span<const uint32_t> rows, event::Field field,
                                                       query::TextCheck& check) {
  std::vector<uint32_t> passing;
  TRY(ParquetColumn* const column, this->column(field));
  if (column == nullptr) return passing;
  std::vector<uint32_t> slots;
  TRY_STATUS(column->find_slots(rows, slots));
  TRY_STATUS(column->unpack_values());
  std::map<uint32_t, bool> known;  // by slot
  for (size_t i = 0; i < rows.size(); ++i) {
    if (slots[i] == kAbsent) continue;
    const auto [place, is_new] = known.try_emplace(slots[i]);
    if (is_new) place->second = check.holds(column->texts()[slots[i]]);
    if (place->second) passing.push_back(rows[i]);
  }
  return passing;
}

Status GroupColumns::read(const std::vector<event::Field>& fields, std::span<const uint32_t> rows,
                          std::span<std::vector<Cell>> cells) {
  for (size_t i = 0; i < fields.size(); ++i) {
    TRY(ParquetColumn* const column, this->column(fields[i]));
    if (column != nullptr) TRY_STATUS(put_cells(*column, fields[i], rows, i, cells));
  }
  return {};
}

Result<Rows> read_rows(const Segment& segment, const std::vector<event::Field>& fields,
                       std::span<const uint64_t> places, PageMemory& memory, const std::function<Status()>& go_on) {
  TRY(const SegmentFile file, SegmentFile::open(segment));
  Rows read;
  for (size_t at = 0; at < places.size();) {
    TRY_STATUS(go_on());
    const size_t number = file.footer().group_of(places[at]);
    if (number == file.footer().groups.size()) return fail(Errc::corrupt, "rows are missing");
    GroupColumns columns(file, number, memory);
    const ParquetGroup& group = columns.group();
    std::vector<uint32_t> in_group;
    for (; at < places.size() && places[at] - group.first_row < group.rows; ++at) {
      in_group.push_back(static_cast<uint32_t>(places[at] - group.first_row));
      read.rows.emplace_back(fields.size() + 1).back() = static_cast<int64_t>(places[at]);
    }
    TRY_STATUS(columns.read(fields, in_group, std::span(read.rows).last(in_group.size())));
  }
  return read;
}

}  // namespace redoubt::store::embedded
