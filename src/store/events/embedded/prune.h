// Leaves out of a view what cannot hold anything for a hunt, by the times, columns and indexes of its segments. One
// thread.
#pragma once

#include <map>

#include "query/hunt.h"
#include "store/events/embedded/view.h"

namespace redoubt::store::embedded {

class Pruner {
 public:
  explicit Pruner(const query::Hunt& hunt);
  View prune(const View& view) const;

 private:
  void collect_keys(const query::Expression& expression);
  bool may_hold(const query::Test& test, const Segment& segment, const SegmentIndex* index, size_t group) const;
  std::vector<RowRange> ranges_in(const Segment& segment, const SegmentIndex& index) const;

  const query::Hunt& hunt_;
  // What the index is asked for tests that it knows something about.
  std::map<const query::Test*, std::vector<uint64_t>> keys_;
};

}  // namespace redoubt::store::embedded
