#include "store/events/embedded/row_asker.h"

#include <algorithm>
#include <iterator>

#include "store/events/embedded/memory_functions.h"
#include "store/events/embedded/segment_index.h"

namespace redoubt::store::embedded {

namespace {

constexpr size_t kTestsMax = 256;

// Tests that few rows pass, for most values: what the index knows, and command lines.
bool is_telling(const query::Test& test) {
  if (!query::TextCheck::takes(test)) return false;
  return test.field == kLineField || (test.op == query::Operator::equal && is_indexed(test.field));
}

}  // namespace

RowAsker::RowAsker(const query::Expression& where)
    : where_(where), narrows_(narrows(where) && checks_.size() <= kTestsMax), exact_(narrows_ && is_exact(where)) {}

// Whether it is true of few rows, as far as its form says; the tests that say so get their checks.
bool RowAsker::narrows(const query::Expression& expression) {
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
bool RowAsker::is_exact(const query::Expression& expression) const {
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

Result<RowAsker::Rows> RowAsker::rows_of(const query::Expression& expression, RowSource& source) {
  if (!narrowing_.contains(&expression)) return std::nullopt;
  if (const auto* node = std::get_if<query::And>(&expression.node)) return rows_of(*node, source);
  if (const auto* node = std::get_if<query::Or>(&expression.node)) return rows_of(*node, source);
  if (const auto* node = std::get_if<query::Test>(&expression.node)) return rows_of(*node, source);
  return std::nullopt;
}

Result<RowAsker::Rows> RowAsker::rows_of(const query::And& node, RowSource& source) {
  Rows rows;
  for (const query::Expression& child : node.children) {
    TRY(Rows more, rows_of(child, source));
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
Result<RowAsker::Rows> RowAsker::rest_of(const query::And& node, Rows rows, RowSource& source) {
  for (const query::Expression& child : node.children) {
    const auto* test = std::get_if<query::Test>(&child.node);
    if (test == nullptr || narrowing_.contains(&child) || !checks_.contains(test) || !rows || rows->empty()) continue;
    TRY(rows, source.passing_of(*rows, test->field, checks_.at(test)));
  }
  return rows;
}

Result<RowAsker::Rows> RowAsker::rows_of(const query::Or& node, RowSource& source) {
  std::vector<uint32_t> rows;
  for (const query::Expression& child : node.children) {
    TRY(const Rows more, rows_of(child, source));
    if (!more) return std::nullopt;
    std::vector<uint32_t> either;
    std::set_union(rows.begin(), rows.end(), more->begin(), more->end(), std::back_inserter(either));
    rows = std::move(either);
  }
  return rows;
}

Result<RowAsker::Rows> RowAsker::rows_of(const query::Test& test, RowSource& source) {
  TRY(auto rows, source.passing(test.field, checks_.at(&test)));
  return rows;
}

}  // namespace redoubt::store::embedded
