// What a hunt reads: sealed segments and tail tables, held for as long as the hunt runs. A view is a value; segments
// and tables are shared, and go when the last view that knows them goes.
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
  std::string path;
  mutable std::atomic<bool> expired = false;  // the file is unlinked with the segment
  mutable std::atomic<bool> damage_reported = false;

  Segment(SegmentInfo about, std::string file) : info(std::move(about)), path(std::move(file)) {}
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();
};

// One generation of the tail: a table of DuckDB that is dropped with it.
class TailTable {
 public:
  static Result<std::shared_ptr<TailTable>> create(Duck& duck, std::string name);
  TailTable(const TailTable&) = delete;
  TailTable& operator=(const TailTable&) = delete;
  ~TailTable();

  const std::string& name() const { return name_; }

 private:
  TailTable(std::unique_ptr<DuckSession> session, std::string name)
      : session_(std::move(session)), name_(std::move(name)) {}
  std::unique_ptr<DuckSession> session_;
  std::string name_;
};

struct View {
  std::vector<std::shared_ptr<const Segment>> segments;
  std::vector<std::shared_ptr<const TailTable>> tails;
};

// An empty table with every column; older segments, which lack some, are read beside it.
constexpr std::string_view kSchemaTable = "event_schema";

// The columns of a segment that is written now.
std::string current_columns();
// A SELECT in parentheses with one column a field over all of the view.
std::string source_of(const View& view);

}  // namespace redoubt::store::embedded
