// Which rows the condition of a hunt may be true of, column by column. One thread.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "query/hunt.h"
#include "store/events/embedded/row_source.h"

namespace redoubt::store::embedded {

class RowAsker {
 public:
  // The condition must outlive it.
  explicit RowAsker(const query::Expression& where);

  // Whether it is true of few rows, as far as its form says: there are tests of texts that few have.
  bool narrows() const { return narrows_; }
  // Whether all that decides on a row is asked.
  bool exact() const { return exact_; }
  // Ascending; nothing: all of them may be.
  using Rows = std::optional<std::vector<uint32_t>>;
  Result<Rows> rows_of(RowSource& source) { return rows_of(where_, source); }

 private:
  bool narrows(const query::Expression& expression);
  bool is_exact(const query::Expression& expression) const;
  Result<Rows> rows_of(const query::Expression& expression, RowSource& source);
  Result<Rows> rows_of(const query::And& node, RowSource& source);
  Result<Rows> rows_of(const query::Or& node, RowSource& source);
  Result<Rows> rows_of(const query::Test& test, RowSource& source);
  Result<Rows> rest_of(const query::And& node, Rows rows, RowSource& source);

  const query::Expression& where_;
  std::map<const query::Test*, query::TextCheck> checks_;
  std::set<const query::Expression*> narrowing_;  // parts of the condition; of the others only tests are asked
  const bool narrows_;
  const bool exact_;
};

}  // namespace redoubt::store::embedded
