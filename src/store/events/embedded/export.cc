// What a hunt finds, as a file of a format that others read. DuckDB writes it; what it takes in memory does not grow
// with the rows.
#include <unistd.h>

#include "store/events/embedded/embedded_store.h"
#include "store/events/embedded/prune.h"
#include "store/events/embedded/run.h"
#include "store/events/export_file.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

using query::sql::Dialect;
using query::sql::Statement;

// The fields that rows of the view can have, in the order of the table.
std::vector<event::Field> occurring(const View& view) {
  event::FieldSet set{};
  const auto add = [&](const event::FieldSet& more) {
    for (size_t word = 0; word < set.size(); ++word) set[word] |= more[word];
  };
  for (const SegmentPart& part : view.segments) add(part.segment->fields);
  for (const TailPart& tail : view.tails) add(tail.table->fields(tail.rows));
  std::vector<event::Field> fields;
  for (const event::FieldInfo& info : event::kFields) {
    if (has_field(set, info.field)) fields.push_back(info.field);
  }
  if (fields.empty()) fields.push_back(event::Field::event_time);
  return fields;
}

struct ExportTarget {
  std::string path;
  ExportFormat format;
};

Statement copy_of(const query::Hunt& hunt, const std::string& source, const query::sql::Answered& answered,
                  const ExportTarget& target) {
  Statement rows;
  if (is_sorted(hunt)) {
    rows = query::sql::select(hunt, source, Dialect::duckdb, answered);
    rows.text = "(" + rows.text + ")";
  } else {
    rows = query::sql::where(hunt, Dialect::duckdb, answered);
    rows.text = source + rows.text;
  }
  rows.text = "COPY (SELECT " + columns_of_file(hunt, target.format) + " FROM " + rows.text + ") TO " +
              sql_quoted(target.path) + " " + std::string(options_of(target.format));
  return rows;
}

}  // namespace

Result<Exported> EmbeddedStore::export_hunt(const query::Hunt& asked, ExportFormat format, const HuntLimits& limits) {
  const ExportTarget target{.path = options_.directory + "/tmp/export-" + std::to_string(next_export_++),
                            .format = format};
  ExportGuard guard(
      limits, {.directory = options_.directory, .free_bytes_min = options_.free_bytes_min, .files = {target.path}});
  const View view = seen_view();
  query::Hunt hunt = without_limit(asked);
  if (hunt.fields.empty()) hunt.fields = occurring(view);
  auto written = hunter_->write(
      view, hunt,
      [&](const std::string& source, const query::sql::Answered& answered) {
        return copy_of(hunt, source, answered, target);
      },
      guard.limits());
  if (!written) {
    unlink(target.path.c_str());
    return tl::unexpected(guard.ended_by(std::move(written).error()));
  }
  Exported exported{.rows = static_cast<uint64_t>(std::get<int64_t>(written->rows.at(0).at(0))),
                    .partial = written->partial,
                    .partial_why = written->partial_why};
  TRY(exported.file, take_file(target.path, exported.bytes));
  TRY_STATUS(guard.check_size(exported.bytes));
  return exported;
}

}  // namespace redoubt::store::embedded
