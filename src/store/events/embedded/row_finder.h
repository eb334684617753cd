// The rows of tails and segments that may match, where tests of texts that few have (ids, hashes, addresses, command
// lines) say so: found column by column without SQL, once a distinct value of a row group. SQL then reads those rows
// alone, from a table in memory. One hunt, one thread.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "query/text_check.h"
#include "store/events/embedded/segment_rows.h"

namespace redoubt::store::embedded {

// More rows than these are read by SQL where they are.
constexpr size_t kFoundRowsMax = 16'384;

struct FoundRows {
  ShownRows rows;
  size_t whole = 0;  // the first ones, which have the further fields too
};

class RowFinder {
 public:
  // Fields that are read of so many rows along with the others: where no more are found, they need not be fetched.
  struct Further {
    event::FieldSet fields{};
    size_t rows_max = 0;
  };

  // `go_on` is asked before each row group. Hunt and memory must outlive it.
  RowFinder(const query::Hunt& hunt, PageMemory& memory, std::function<Status()> go_on);

  // The fields of all rows of the parts that may match, each with its place: the part of the view that it is of, and
  // its row there. Nothing where any row may match, or too many do.
  Result<std::optional<FoundRows>> find(const View& view, const event::FieldSet& fields, const Further& further);
  // Whether what is found is all that the condition is true of, and nothing else, but for the bounds of time.
  bool exact() const { return exact_; }

 private:
  using InGroup = std::optional<std::vector<uint32_t>>;  // rows of a group, ascending; nothing: all of them

  bool narrows(const query::Expression& expression);
  bool is_exact(const query::Expression& expression) const;
  Result<InGroup> rows_of(const query::Expression& expression, RowSource& source);
  Result<InGroup> rows_of(const query::And& node, RowSource& source);
  Result<InGroup> rows_of(const query::Or& node, RowSource& source);
  Result<InGroup> rows_of(const query::Test& test, RowSource& source);
  Result<InGroup> rest_of(const query::And& node, InGroup rows, RowSource& source);
  struct Found;
  Result<bool> add_rows(RowSource& source, uint64_t first_row, size_t number, Found& found);
  Result<bool> add_segment(const SegmentPart& part, size_t number, Found& found);

  const query::Hunt& hunt_;
  PageMemory& memory_;
  std::function<Status()> go_on_;
  std::map<const query::Test*, query::TextCheck> checks_;
  std::set<const query::Expression*> narrowing_;  // parts of the condition; of the others only tests are asked
  const bool narrows_;
  const bool exact_;
};

}  // namespace redoubt::store::embedded
