// What a hunt reads: sealed segments and the tails, held for as long as the hunt runs. A view is a value; segments and
// tables are shared, and go when the last view that knows them goes.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "store/events/embedded/duck.h"
#include "store/events/embedded/manifest.h"

namespace redoubt::store::embedded {

struct Segment {
  SegmentInfo info;
  event::FieldSet fields{};  // that it has columns of
  std::string path;
  mutable std::atomic<bool> expired = false;  // the file is unlinked with the segment
  mutable std::atomic<bool> damage_reported = false;

  Segment(SegmentInfo about, std::string file);
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();
};

struct View {
  std::vector<std::shared_ptr<const Segment>> segments;
  std::vector<std::shared_ptr<const ShownTable>> tails;
};

// A SELECT in parentheses with a column for each of the fields over all of the view; fields that a segment has no
// column of are absent in it.
std::string source_of(const View& view, const event::FieldSet& fields);

}  // namespace redoubt::store::embedded
