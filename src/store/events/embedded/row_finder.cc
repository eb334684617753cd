#include "store/events/embedded/row_finder.h"

#include <algorithm>
#include <iterator>

#include "store/events/embedded/tail_rows.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

constexpr size_t kTestsMax = 256;

// Tests that few rows pass, for most values: what the index knows, and command lines.
bool is_telling(const query::Test& test) {
  if (!query::TextCheck::takes(test)) return false;
  return test.field == kLineField || (test.op == query::Operator::equal && is_indexed(test.field));
}

void put_row(Memtable& table, const std::vector<event::Field>& fields, const std::vector<Cell>& cells) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (const auto* text = std::get_if<std::string>(&cells[i])) table.put(fields[i], *text);
    if (const auto* number = std::get_if<int64_t>(&cells[i])) table.put(fields[i], *number);
  }
  table.finish_row();
}

}  // namespace

// What is found so far.
struct RowFinder::Found {
  std::vector<event::Field> fields;
  std::vector<event::Field> all_fields;  // the further ones, too
  size_t whole_max = 0;
  size_t whole = 0;
  std::shared_ptr<Memtable> table = std::make_shared<Memtable>();
  std::vector<RowPlace> places;
};

RowFinder::RowFinder(const query::Hunt& hunt, PageMemory& memory, std::function<Status()> go_on)
    : hunt_(hunt),
      memory_(memory),
      go_on_(std::move(go_on)),
      narrows_(narrows(hunt.where) && checks_.size() <= kTestsMax),
      exact_(narrows_ && is_exact(hunt.where)) {}

// Whether it is true of few rows, as far as its form says; the tests that say so get their checks.
bool RowFinder::narrows(const query::Expression& expression) {
  const auto child_narrows = [this](const query::Expression& child) { return narrows(child); };
  bool yes = false;
  if (const auto* node = std::get_if<query::And>(&expression.node)) {
    yes = std::count_if(node->children.begin(), node->children.end(), child_narrows) > 0;
  } else if (const auto* node = std::get_if<query::Or>(&expression.node)) {
    yes = std::all_of(node->children.begin(), node->children.end(), child_narrows);
  } else if (const auto* test = std::get_if<query::Test>(&expression.node); test != nullptr && is_telling(*test)) {
    yes = true;
  }
  if (const auto* test = std::get_if<query::Test>(&expression.node);
      test != nullptr && query::TextCheck::takes(*test)) {
    checks_.try_emplace(test, *test);
  }
  if (yes) narrowing_.insert(&expression);
  return yes;
}

// Whether all that decides on a row is asked.
bool RowFinder::is_exact(const query::Expression& expression) const {
  const auto* test = std::get_if<query::Test>(&expression.node);
  if (test != nullptr) return checks_.contains(test);
  if (!narrowing_.contains(&expression)) return false;
  const auto child_is_exact = [this](const query::Expression& child) { return is_exact(child); };
  if (const auto* node = std::get_if<query::And>(&expression.node)) {
    return std::all_of(node->children.begin(), node->children.end(), child_is_exact);
  }
  const auto* node = std::get_if<query::Or>(&expression.node);
  return node != nullptr && std::all_of(node->children.begin(), node->children.end(), child_is_exact);
}

Result<RowFinder::InGroup> RowFinder::rows_of(const query::Expression& expression, RowSource& source) {
  if (!narrowing_.contains(&expression)) return std::nullopt;
  if (const auto* node = std::get_if<query::And>(&expression.node)) return rows_of(*node, source);
  if (const auto* node = std::get_if<query::Or>(&expression.node)) return rows_of(*node, source);
  if (const auto* node = std::get_if<query::Test>(&expression.node)) return rows_of(*node, source);
  return std::nullopt;
}

Result<RowFinder::InGroup> RowFinder::rows_of(const query::And& node, RowSource& source) {
  InGroup rows;
  for (const query::Expression& child : node.children) {
    TRY(InGroup more, rows_of(child, source));
    if (rows && more) {
      std::vector<uint32_t> both;
      std::set_intersection(rows->begin(), rows->end(), more->begin(), more->end(), std::back_inserter(both));
      rows = std::move(both);
    } else if (more) {
      rows = std::move(more);
    }
    if (rows && rows->empty()) return rows;
  }
  return rest_of(node, std::move(rows), source);
}

// Tests that many rows pass are asked of those that are left alone.
Result<RowFinder::InGroup> RowFinder::rest_of(const query::And& node, InGroup rows, RowSource& source) {
  for (const query::Expression& child : node.children) {
    const auto* test = std::get_if<query::Test>(&child.node);
    if (test == nullptr || narrowing_.contains(&child) || !checks_.contains(test) || !rows || rows->empty()) continue;
    TRY(rows, source.passing_of(*rows, test->field, checks_.at(test)));
  }
  return rows;
}

Result<RowFinder::InGroup> RowFinder::rows_of(const query::Or& node, RowSource& source) {
  std::vector<uint32_t> rows;
  for (const query::Expression& child : node.children) {
    TRY(const InGroup more, rows_of(child, source));
    if (!more) return std::nullopt;
    std::vector<uint32_t> either;
    std::set_union(rows.begin(), rows.end(), more->begin(), more->end(), std::back_inserter(either));
    rows = std::move(either);
  }
  return rows;
}

Result<RowFinder::InGroup> RowFinder::rows_of(const query::Test& test, RowSource& source) {
  TRY(auto rows, source.passing(test.field, checks_.at(&test)));
  return rows;
}

// False: they are too many.
Result<bool> RowFinder::add_rows(RowSource& source, uint64_t first_row, size_t number, Found& found) {
  TRY(const InGroup rows, rows_of(hunt_.where, source));
  if (!rows || found.places.size() + rows->size() > kFoundRowsMax) return false;
  if (rows->empty()) return true;
  const bool whole = found.whole == found.places.size() && found.whole + rows->size() <= found.whole_max;
  const auto& fields = whole ? found.all_fields : found.fields;
  if (whole) found.whole += rows->size();
  std::vector<std::vector<Cell>> cells(rows->size(), std::vector<Cell>(fields.size()));
  TRY_STATUS(source.read(fields, *rows, cells));
  for (size_t i = 0; i < rows->size(); ++i) {
    put_row(*found.table, fields, cells[i]);
    found.places.push_back({.part = static_cast<int64_t>(number), .row = static_cast<int64_t>(first_row + (*rows)[i])});
  }
  return true;
}

Result<bool> RowFinder::add_segment(const SegmentPart& part, size_t number, Found& found) {
  TRY(const SegmentFile file, SegmentFile::open(*part.segment));
  for (size_t group = 0; group < file.footer().groups.size(); ++group) {
    if (!in_ranges(file.footer().groups[group], part.ranges)) continue;
    TRY_STATUS(go_on_());
    GroupColumns columns(file, group, memory_);
    TRY(const bool few, add_rows(columns, columns.group().first_row, number, found));
    if (!few) return false;
  }
  return true;
}

Result<std::optional<FoundRows>> RowFinder::find(const View& view, const event::FieldSet& fields,
                                                 const Further& further) {
  if (!narrows_) return std::nullopt;
  Found found{.whole_max = further.rows_max};
  for (const event::FieldInfo& info : event::kFields) {
    const bool asked = has_field(fields, info.field);
    if (asked) found.fields.push_back(info.field);
    if (asked || has_field(further.fields, info.field)) found.all_fields.push_back(info.field);
  }
  size_t number = 0;
  for (const TailPart& tail : view.tails) {
    TRY_STATUS(go_on_());
    TailRows rows(*tail.table, tail.rows);
    TRY(const bool few, add_rows(rows, 0, number++, found));
    if (!few) return std::nullopt;
  }
  for (const SegmentPart& part : view.segments) {
    TRY(const bool few, add_segment(part, number++, found));
    if (!few) return std::nullopt;
  }
  const size_t rows = found.table->rows();
  return FoundRows{
      .rows = {.table = std::move(found.table), .rows = rows, .places = std::move(found.places), .fields = fields},
      .whole = found.whole};
}

}  // namespace redoubt::store::embedded
