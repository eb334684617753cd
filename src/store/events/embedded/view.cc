#include "store/events/embedded/view.h"

#include <unistd.h>
#include <map>

#include "base/log.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

event::FieldSet fields_named_in(std::string_view columns) {
  event::FieldSet set{};
  for (const event::FieldInfo& info : event::kFields) {
    for (size_t at = columns.find(info.column); at != std::string_view::npos; at = columns.find(info.column, at + 1)) {
      const size_t end = at + info.column.size();
      const bool whole = (at == 0 || columns[at - 1] == ' ') && (end == columns.size() || columns[end] == ' ');
      if (whole) add_field(set, info.field);
    }
  }
  return set;
}

std::string_view sql_type(const event::FieldInfo& info) { return event::is_textual(info.type) ? "VARCHAR" : "BIGINT"; }

// The columns of a SELECT: those that are there, and NULL under the name of those that are not.
std::string columns_of(const event::FieldSet& wanted, const event::FieldSet& there) {
  std::string list;
  for (const event::FieldInfo& info : event::kFields) {
    if (!has_field(wanted, info.field)) continue;
    if (!list.empty()) list += ", ";
    if (!has_field(there, info.field)) list += "NULL::" + std::string(sql_type(info)) + " AS ";
    list += info.column;
  }
  return list;
}

event::FieldSet both(event::FieldSet a, const event::FieldSet& b) {
  for (size_t word = 0; word < a.size(); ++word) a[word] &= b[word];
  return a;
}

}  // namespace

Segment::Segment(SegmentInfo about, std::string file)
    : info(std::move(about)), fields(fields_named_in(info.columns)), path(std::move(file)) {}

Segment::~Segment() {
  if (expired && unlink(path.c_str()) != 0) base::log_warning("store", "expired segment " + path + " is not removed");
}

std::string source_of(const View& view, const event::FieldSet& fields) {
  std::string source;
  const auto add = [&](const std::string& select) { source += (source.empty() ? "(" : " UNION ALL ") + select; };
  for (const auto& tail : view.tails) add("SELECT " + columns_of(fields, fields) + " FROM " + tail->name());
  // Segments that have the same of the columns are read as one.
  std::map<event::FieldSet, std::string> files;
  for (const auto& segment : view.segments) {
    std::string& list = files[both(fields, segment->fields)];
    list += (list.empty() ? "" : ", ") + sql_quoted(segment->path);
  }
  for (const auto& [there, list] : files) {
    add("SELECT " + columns_of(fields, there) + " FROM read_parquet([" + list + "], hive_partitioning=false)");
  }
  if (source.empty()) add("SELECT " + columns_of(fields, {}) + " WHERE FALSE");
  return source + ")";
}

}  // namespace redoubt::store::embedded
