#include "store/events/embedded/view.h"

#include <unistd.h>
#include <map>

#include "base/log.h"
#include "store/events/embedded/segment_writer.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

event::FieldSet fields_named_in(std::string_view columns) {
  std::map<std::string_view, event::Field> known;
  for (const event::FieldInfo& info : event::kFields) known[info.column] = info.field;
  event::FieldSet set{};
  while (!columns.empty()) {
    const std::string_view name = columns.substr(0, columns.find(' '));
    if (const auto found = known.find(name); found != known.end()) add_field(set, found->second);
    columns.remove_prefix(std::min(name.size() + 1, columns.size()));
  }
  return set;
}

// The columns of a SELECT: those that are there, and NULL under the name of those that are not.
std::string columns_of(const event::FieldSet& wanted, const event::FieldSet& there) {
  std::string list;
  for (const event::FieldInfo& info : event::kFields) {
    if (!has_field(wanted, info.field)) continue;
    if (!list.empty()) list += ", ";
    if (!has_field(there, info.field)) {
      list += std::string("NULL::") + (event::is_textual(info.type) ? "VARCHAR" : "BIGINT") + " AS ";
    }
    list += info.column;
  }
  return list;
}

event::FieldSet both(event::FieldSet a, const event::FieldSet& b) {
  for (size_t word = 0; word < a.size(); ++word) a[word] &= b[word];
  return a;
}

// More ranges than these cost more than reading what lies between.
constexpr size_t kRangesMax = 16;

std::string condition_of(const std::vector<RowRange>& ranges) {
  std::string condition;
  if (ranges.size() > kRangesMax) return condition;
  for (const RowRange& range : ranges) {
    condition += (condition.empty() ? " WHERE (" : " OR ") + std::string(kRowColumn) + " BETWEEN " +
                 std::to_string(range.first) + " AND " + std::to_string(range.last);
  }
  return condition.empty() ? condition : condition + ")";
}

class SourceWriter {
 public:
  explicit SourceWriter(const Reading& reading) : reading_(reading) {}

  void add_tail(const TailPart& tail, size_t part) {
    const bool copies = tail.kind == TailPart::Rows::copies;
    add(columns_of(reading_.fields, reading_.fields) + place(copies ? std::string(kPartColumn) : std::to_string(part)) +
        further(part) + " FROM " + tail.shown->name());
  }

  void add_segment(const SegmentPart& segment, size_t part) {
    const event::FieldSet there = both(reading_.fields, segment.segment->fields);
    const std::string more = further(part);
    if (more.empty() && (segment.ranges.empty() || segment.ranges.size() > kRangesMax)) {
      plain_[there].emplace_back(segment.segment->path, part);
      return;
    }
    add(columns_of(reading_.fields, there) + place(std::to_string(part)) + more + " FROM read_parquet([" +
        sql_quoted(segment.segment->path) + "], hive_partitioning=false)" + condition_of(segment.ranges));
  }

  std::string finish() {
    for (const auto& [there, files] : plain_) {
      std::string list;
      std::string parts;
      for (const auto& [path, part] : files) {
        list += (list.empty() ? "" : ", ") + sql_quoted(path);
        parts += (parts.empty() ? "" : ", ") + std::to_string(part);
      }
      // Segments that have the same of the columns are read as one.
      add(columns_of(reading_.fields, there) + place("list_extract([" + parts + "], file_index::BIGINT + 1)") +
          " FROM read_parquet([" + list + "], hive_partitioning=false)");
    }
    if (source_.empty()) add(columns_of(reading_.fields, {}) + ", 0 AS part, 0 AS file_row_number WHERE FALSE");
    return "(" + source_ + ")";
  }

 private:
  void add(const std::string& select) { source_ += (source_.empty() ? "SELECT " : " UNION ALL SELECT ") + select; }
  std::string further(size_t part) const { return reading_.further ? reading_.further(part) : ""; }
  std::string place(const std::string& part) const {
    if (reading_.places == Reading::Places::hidden) return "";
    return ", (" + part + ")::BIGINT AS " + std::string(kPartColumn) + ", " + std::string(kRowColumn) + "::BIGINT AS " +
           std::string(kRowColumn);
  }

  const Reading& reading_;
  std::string source_;
  std::map<event::FieldSet, std::vector<std::pair<std::string, size_t>>> plain_;
};

}  // namespace

Segment::Segment(SegmentInfo about, std::string file)
    : info(std::move(about)), path(std::move(file)), fields(fields_named_in(info.columns)) {}

Segment::~Segment() {
  if (!expired) return;
  if (unlink(path.c_str()) != 0) base::log_warning("store", "expired segment " + path + " is not removed");
  if (info.index_bytes > 0) unlink(index_path(path).c_str());
}

std::shared_ptr<const SegmentIndex> Segment::index() const {
  std::call_once(index_asked_, [&] {
    if (info.index_bytes == 0) return;
    auto opened = SegmentIndex::open(index_path(path));
    if (opened) {
      index_ = *std::move(opened);
    } else {
      base::log_warning("store", "segment " + path + " is read without its index: " + opened.error().message);
    }
  });
  return index_;
}

const ParquetFooter* Segment::footer() const {
  std::call_once(footer_asked_, [&] {
    auto read = read_footer(path);
    if (read && (read->groups.empty() || read->groups.back().first_row + read->groups.back().rows != info.rows)) {
      read = fail(Errc::corrupt, path + " has other rows than the manifest says");
    }
    if (read) {
      footer_ = *std::move(read);
    } else {
      base::log_warning("store", "single rows of a segment are read by SQL: " + read.error().message);
    }
  });
  return footer_ ? &*footer_ : nullptr;
}

std::string source_of(const View& view, const Reading& reading) {
  SourceWriter writer(reading);
  size_t part = 0;
  for (const TailPart& tail : view.tails) writer.add_tail(tail, part++);
  for (const SegmentPart& segment : view.segments) writer.add_segment(segment, part++);
  return writer.finish();
}

}  // namespace redoubt::store::embedded
