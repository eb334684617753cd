// Tests of command lines, answered once a distinct line instead of once an event: in the row groups of a segment, in
// the texts of a memtable. What they say of each row becomes a boolean column of the source. One hunt, one thread.
#pragma once

#include <vector>

#include "query/hunt.h"
#include "query/text_check.h"
#include "store/events/embedded/segment_rows.h"

namespace redoubt::store::embedded {

class LineTests {
 public:
  // `go_on` is asked from time to time. Hunt and memory must outlive it.
  LineTests(Duck& duck, const query::Hunt& hunt, PageMemory& memory, std::function<Status()> go_on);

  bool empty() const { return tests_.empty(); }
  // The name of the column that answers the test; "" where none does.
  std::string column_of(const query::Test& test) const;
  // The columns of every part of the view, as Reading::further has them; nothing where a part cannot be asked, or it
  // was stopped. They are good until the next call.
  std::optional<std::vector<std::string>> answer(const View& view);

 private:
  using Answers = std::vector<Marks>;  // a test each
  Result<Answers> ask(const SegmentPart& part);
  Result<Answers> ask(const TailPart& tail);
  std::string columns_of(Answers answers, std::string_view number);

  Duck& duck_;
  PageMemory& memory_;
  std::function<Status()> go_on_;
  std::vector<const query::Test*> asked_;
  std::vector<query::TextCheck> tests_;
  std::vector<std::shared_ptr<const ShownThing>> shown_;
};

}  // namespace redoubt::store::embedded
