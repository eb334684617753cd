// What a hunt reads: rows of sealed segments and of the tails, held for as long as the hunt runs. A view is a value;
// segments and tables are shared, and go when the last view that knows them goes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/events/embedded/duck.h"
#include "store/events/embedded/manifest.h"
#include "store/events/embedded/parquet_footer.h"
#include "store/events/embedded/segment_index.h"

namespace redoubt::store::embedded {

class Segment {
 public:
  Segment(SegmentInfo about, std::string file);
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();

  const SegmentInfo info;
  const std::string path;
  const event::FieldSet fields;  // that it has columns of
  // Null where it is missing or damaged.
  std::shared_ptr<const SegmentIndex> index() const;
  // Null where it is damaged, or not as segments are written here: SQL reads the segment then.
  const ParquetFooter* footer() const;

  mutable std::atomic<bool> expired = false;  // the files are unlinked with the segment
  mutable std::atomic<bool> damage_reported = false;

 private:
  mutable std::once_flag index_asked_;
  mutable std::shared_ptr<const SegmentIndex> index_;
  mutable std::once_flag footer_asked_;
  mutable std::optional<ParquetFooter> footer_;
};

struct RowRange {
  uint64_t first = 0;
  uint64_t last = 0;
};

// Rows of a segment: those in the ranges; none: all.
struct SegmentPart {
  std::shared_ptr<const Segment> segment;
  std::vector<RowRange> ranges;
};

// The rows that a memtable had when the view was taken, or copies of rows of another view, which keep their places.
struct TailPart {
  std::shared_ptr<const Memtable> table;
  size_t rows = 0;
  std::shared_ptr<const ShownThing> shown;
  enum class Rows : uint8_t { own, copies } kind = Rows::own;
};

struct View {
  std::vector<SegmentPart> segments;
  std::vector<TailPart> tails;
};

struct Reading {
  event::FieldSet fields{};
  // Whether there are kPartColumn, the part of the view that a row is of (tails, then segments, from zero on), and
  // kRowColumn, its place there.
  enum class Places { hidden, shown };
  Places places = Places::hidden;
  // Further columns of a part, as SQL puts them behind others (", x AS y"); a part that has some is read by itself.
  std::function<std::string(size_t part)> further;
};

// A SELECT in parentheses with a column for each of the fields over all of the view; fields that a segment has no
// column of are absent in it.
std::string source_of(const View& view, const Reading& reading);

}  // namespace redoubt::store::embedded
