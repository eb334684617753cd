// The rows of tails and segments that may match, where tests of texts that few have (ids, hashes, addresses, command
// lines) say so: found column by column without SQL, once a distinct value of a row group. SQL then reads those rows
// alone, from a table in memory. One hunt; many parts are shared among threads.
#pragma once

#include <functional>
#include <optional>

#include "store/events/embedded/row_asker.h"
#include "store/events/embedded/segment_rows.h"

namespace redoubt::store::embedded {

// More rows than these are read by SQL where they are.
constexpr size_t kFoundRowsMax = 16'384;

struct FoundRows {
  ShownRows rows;
  std::vector<bool> whole;  // by row: it has the further fields, too
};

class RowFinder {
 public:
  // Fields that are read of so many rows along with the others: where no more are found, they need not be fetched.
  struct Further {
    event::FieldSet fields{};
    size_t rows_max = 0;
  };

  // Fewer rows than these are not worth a thread more.
  static constexpr uint64_t kRowsAThread = 250'000;

  // `go_on` is asked before each row group, from any thread. Hunt and memory must outlive it.
  RowFinder(const query::Hunt& hunt, PageMemory& memory, std::function<Status()> go_on,
            uint64_t rows_a_thread = kRowsAThread);

  // The fields of all rows of the parts that may match, each with its place: the part of the view that it is of, and
  // its row there. Nothing where any row may match, or too many do.
  Result<std::optional<FoundRows>> find(const View& view, const event::FieldSet& fields, const Further& further);
  // Whether what is found is all that the condition is true of, and nothing else, but for the bounds of time.
  bool exact() const { return asker_.exact(); }

 private:
  struct Piece;
  struct Search;
  Status look(Search& search, RowAsker& asker, PageMemory& memory);
  Status look_into(Search& search, size_t part, RowAsker& asker, PageMemory& memory);
  Status add_rows(Search& search, RowAsker& asker, RowSource& source, uint64_t first_row, Piece& piece);
  Status look_in_threads(Search& search, size_t threads);

  const query::Hunt& hunt_;
  PageMemory& memory_;
  std::function<Status()> go_on_;
  const uint64_t rows_a_thread_;
  RowAsker asker_;
};

}  // namespace redoubt::store::embedded
