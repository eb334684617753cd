#include "store/events/embedded/view.h"

#include <unistd.h>

#include "base/log.h"

namespace redoubt::store::embedded {

namespace {

std::string file_list(const std::vector<const Segment*>& segments) {
  std::string list;
  for (const Segment* segment : segments) list += (list.empty() ? "[" : ", ") + sql_quoted(segment->path);
  return list + "]";
}

}  // namespace

Segment::~Segment() {
  if (expired && unlink(path.c_str()) != 0) base::log_warning("store", "expired segment " + path + " is not removed");
}

Result<std::shared_ptr<TailTable>> TailTable::create(Duck& duck, std::string name) {
  TRY(auto session, duck.connect());
  std::string columns;
  for (const event::FieldInfo& field : event::kFields) {
    columns += (columns.empty() ? "" : ", ") + std::string(field.column) +
               (event::is_textual(field.type) ? " VARCHAR" : " BIGINT");
  }
  TRY_STATUS(session->run("CREATE TABLE " + name + " (" + columns + ")"));
  return std::shared_ptr<TailTable>(new TailTable(std::move(session), std::move(name)));
}

TailTable::~TailTable() {
  if (const Status dropped = session_->run("DROP TABLE " + name_); !dropped) {
    base::log_warning("store", "drop " + name_ + ": " + dropped.error().message);
  }
}

std::string current_columns() {
  std::string columns;
  for (const event::FieldInfo& field : event::kFields) {
    columns += (columns.empty() ? "" : " ") + std::string(field.column);
  }
  return columns;
}

std::string source_of(const View& view) {
  static const std::string current = current_columns();
  std::vector<const Segment*> same;
  std::vector<const Segment*> older;
  for (const auto& segment : view.segments) (segment->info.columns == current ? same : older).push_back(segment.get());
  std::string source;
  const auto add = [&](std::string_view glue, const std::string& select) {
    source += (source.empty() ? "(" : std::string(glue)) + select;
  };
  for (const auto& tail : view.tails) add(" UNION ALL ", "SELECT * FROM " + tail->name());
  if (!same.empty()) {
    add(" UNION ALL ", "SELECT * FROM read_parquet(" + file_list(same) + ", hive_partitioning=false)");
  }
  if (source.empty()) add("", "SELECT * FROM " + std::string(kSchemaTable));
  if (!older.empty()) {
    add(" UNION ALL BY NAME ",
        "SELECT * FROM read_parquet(" + file_list(older) + ", union_by_name=true, hive_partitioning=false)");
  }
  return source + ")";
}

}  // namespace redoubt::store::embedded
