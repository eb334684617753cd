#include "store/events/embedded/row_finder.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>

#include "store/events/embedded/tail_rows.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

constexpr size_t kFinderThreadsMax = 4;

void put_row(Memtable& table, const std::vector<event::Field>& fields, const std::vector<Cell>& cells) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (const auto* text = std::get_if<std::string>(&cells[i])) table.put(fields[i], *text);
    if (const auto* number = std::get_if<int64_t>(&cells[i])) table.put(fields[i], *number);
  }
  table.finish_row();
}

uint64_t rows_in(const View& view) {
  uint64_t rows = 0;
  for (const TailPart& tail : view.tails) rows += tail.rows;
  for (const SegmentPart& part : view.segments) {
    if (part.ranges.empty()) rows += part.segment->info.rows;
    for (const RowRange& range : part.ranges) rows += range.last - range.first + 1;
  }
  return rows;
}

}  // namespace

// What is found in one part.
struct RowFinder::Piece {
  std::vector<uint64_t> rows;
  std::vector<std::vector<Cell>> cells;  // of all fields, or without the further ones
};

// One find(). What threads share is atomic, or theirs alone by its part.
struct RowFinder::Search {
  const View& view;
  std::vector<event::Field> fields;
  std::vector<event::Field> all_fields;  // the further ones, too
  size_t whole_max = 0;
  std::vector<Piece> pieces;
  std::atomic<size_t> next_part = 0;
  std::atomic<size_t> rows = 0;
  std::atomic<bool> too_many = false;
  std::atomic<bool> failed = false;
};

RowFinder::RowFinder(const query::Hunt& hunt, PageMemory& memory, std::function<Status()> go_on, uint64_t rows_a_thread)
    : hunt_(hunt), memory_(memory), go_on_(std::move(go_on)), rows_a_thread_(rows_a_thread), asker_(hunt.where) {}

Status RowFinder::add_rows(Search& search, RowAsker& asker, RowSource& source, uint64_t first_row, Piece& piece) {
  TRY(const RowAsker::Rows rows, asker.rows_of(source));
  const size_t before = rows ? search.rows.fetch_add(rows->size()) : 0;
  if (!rows || before + rows->size() > kFoundRowsMax) search.too_many = true;
  if (search.too_many || rows->empty()) return {};
  const auto& fields = before + rows->size() <= search.whole_max ? search.all_fields : search.fields;
  std::vector<std::vector<Cell>> cells(rows->size(), std::vector<Cell>(fields.size()));
  TRY_STATUS(source.read(fields, *rows, cells));
  for (const uint32_t row : *rows) piece.rows.push_back(first_row + row);
  std::move(cells.begin(), cells.end(), std::back_inserter(piece.cells));
  return {};
}

Status RowFinder::look_into(Search& search, size_t part, RowAsker& asker, PageMemory& memory) {
  const std::vector<TailPart>& tails = search.view.tails;
  Piece& piece = search.pieces[part];
  if (part < tails.size()) {
    TRY_STATUS(go_on_());
    TailRows rows(*tails[part].table, tails[part].rows);
    return add_rows(search, asker, rows, 0, piece);
  }
  const SegmentPart& segment = search.view.segments[part - tails.size()];
  TRY(const SegmentFile file, SegmentFile::open(*segment.segment));
  for (size_t group = 0; group < file.footer().groups.size() && !search.too_many; ++group) {
    if (!in_ranges(file.footer().groups[group], segment.ranges)) continue;
    TRY_STATUS(go_on_());
    GroupColumns columns(file, group, memory);
    TRY_STATUS(add_rows(search, asker, columns, columns.group().first_row, piece));
  }
  return {};
}

// Part after part, until none is left or there is no use in going on.
Status RowFinder::look(Search& search, RowAsker& asker, PageMemory& memory) {
  while (!search.too_many && !search.failed) {
    const size_t part = search.next_part.fetch_add(1);
    if (part >= search.pieces.size()) break;
    const Status looked = look_into(search, part, asker, memory);
    if (!looked) search.failed = true;
    TRY_STATUS(looked);
  }
  return {};
}

Status RowFinder::look_in_threads(Search& search, size_t threads) {
  std::vector<Status> results(threads);
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) {
    others.emplace_back([this, &search, &result = results[i]] {
      RowAsker asker(hunt_.where);
      PageMemory memory;
      result = look(search, asker, memory);
    });
  }
  results[0] = look(search, asker_, memory_);
  for (std::thread& other : others) other.join();
  for (Status& result : results) TRY_STATUS(result);
  return {};
}

Result<std::optional<FoundRows>> RowFinder::find(const View& view, const event::FieldSet& fields,
                                                 const Further& further) {
  if (!asker_.narrows()) return std::nullopt;
  Search search{.view = view, .whole_max = further.rows_max};
  search.pieces.resize(view.tails.size() + view.segments.size());
  for (const event::FieldInfo& info : event::kFields) {
    const bool asked = has_field(fields, info.field);
    if (asked) search.fields.push_back(info.field);
    if (asked || has_field(further.fields, info.field)) search.all_fields.push_back(info.field);
  }
  const size_t processors = std::max(1U, std::thread::hardware_concurrency());
  const size_t worth = rows_in(view) / rows_a_thread_ + 1;
  const size_t threads = std::min({processors, kFinderThreadsMax, search.pieces.size(), worth});
  TRY_STATUS(look_in_threads(search, std::max<size_t>(threads, 1)));
  if (search.too_many) return std::nullopt;
  FoundRows found{.rows = {.table = nullptr, .rows = 0, .places = {}, .fields = fields}, .whole = {}};
  auto table = std::make_shared<Memtable>();
  for (size_t part = 0; part < search.pieces.size(); ++part) {
    const Piece& piece = search.pieces[part];
    for (size_t i = 0; i < piece.rows.size(); ++i) {
      found.whole.push_back(piece.cells[i].size() == search.all_fields.size());
      put_row(*table, found.whole.back() ? search.all_fields : search.fields, piece.cells[i]);
      found.rows.places.push_back({.part = static_cast<int64_t>(part), .row = static_cast<int64_t>(piece.rows[i])});
    }
  }
  found.rows.rows = table->rows();
  found.rows.table = std::move(table);
  return found;
}

}  // namespace redoubt::store::embedded
