#include "store/events/export_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace redoubt::store {

namespace {

// As files have it: in Parquet a point in time, else RFC 3339.
std::string time_in(ExportFormat format, const std::string& column) {
  if (format == ExportFormat::parquet) return "make_timestamp(" + column + ")";
  return "strftime(make_timestamp(" + column + "), '%Y-%m-%dT%H:%M:%S.%fZ')";
}

// Spreadsheets take what begins so for a formula, and what an event says is an attacker's: an apostrophe makes it text.
std::string harmless(const std::string& column) {
  return "CASE WHEN left(" + column + ", 1) IN ('=', '+', '-', '@', chr(9), chr(13)) THEN chr(39) || " + column +
         " ELSE " + column + " END";
}

std::string value_in(ExportFormat format, event::FieldType type, const std::string& column) {
  if (type == event::FieldType::time) return time_in(format, column);
  return format == ExportFormat::csv && event::is_textual(type) ? harmless(column) : column;
}

// The field whose values a hunt counts.
const event::FieldInfo* counted_field(const query::Hunt& hunt) {
  if (const auto* by = std::get_if<query::CountBy>(&hunt.aggregate)) return &event::info(by->field);
  if (const auto* distinct = std::get_if<query::Distinct>(&hunt.aggregate)) return &event::info(distinct->field);
  if (const auto* rare = std::get_if<query::Rare>(&hunt.aggregate)) return &event::info(rare->field);
  return nullptr;
}

}  // namespace

bool shows_events(const query::Hunt& hunt) { return std::holds_alternative<std::monostate>(hunt.aggregate); }

bool is_sorted(const query::Hunt& hunt) {
  return !shows_events(hunt) || hunt.limit_written || hunt.sort != event::Field::event_time ||
         hunt.direction != query::Direction::descending;
}

query::Hunt without_limit(const query::Hunt& asked) {
  constexpr uint32_t kExportRowsMax = UINT32_MAX;
  return {.where = asked.where.clone(),
          .since = asked.since,
          .until = asked.until,
          .sort = asked.sort,
          .direction = asked.direction,
          .limit = asked.limit_written ? asked.limit : kExportRowsMax,
          .offset = asked.offset,
          .fields = asked.fields,
          .aggregate = asked.aggregate,
          .limit_written = asked.limit_written};
}

std::string columns_of_file(const query::Hunt& hunt, ExportFormat format) {
  if (std::holds_alternative<query::CountPer>(hunt.aggregate)) return time_in(format, "bucket") + " AS bucket, count";
  if (!shows_events(hunt)) {
    const event::FieldInfo* counted = counted_field(hunt);
    if (counted == nullptr) return "*";
    const std::string value = value_in(format, counted->type, "value");
    return value == "value" ? "*" : "* REPLACE (" + value + " AS value)";
  }
  std::string columns;
  for (const event::Field field : hunt.fields) {
    const event::FieldInfo& info = event::info(field);
    columns += (columns.empty() ? "" : ", ") + value_in(format, info.type, std::string(info.column)) + " AS \"" +
               std::string(info.name) + "\"";
  }
  return columns;
}

std::string_view options_of(ExportFormat format) {
  switch (format) {
    case ExportFormat::csv: return "(FORMAT csv, HEADER true)";
    case ExportFormat::json_lines: return "(FORMAT json)";
    case ExportFormat::parquet: return "(FORMAT parquet, COMPRESSION zstd)";
  }
  return "";
}

Result<base::UniqueFd> take_file(const std::string& path, uint64_t& bytes) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd || fstat(fd.get(), &info) != 0) return base::fail_errno("open " + path);
  unlink(path.c_str());
  bytes = static_cast<uint64_t>(info.st_size);
  return fd;
}

bool is_disk_low(const std::string& directory, uint64_t free_bytes_min) {
  const auto free = base::free_bytes(directory);
  return free && *free < free_bytes_min;
}

ExportGuard::ExportGuard(const HuntLimits& limits, Place place)
    : asked_(limits),
      place_(std::move(place)),
      guarded_{.time_ms_max = limits.time_ms_max, .file_bytes_max = limits.file_bytes_max, .cancelled = [this] {
                 return must_end();
               }} {}

bool ExportGuard::must_end() {
  if (is_disk_low(place_.directory, place_.free_bytes_min)) disk_low_ = true;
  for (const std::string& file : place_.files) {
    struct stat info{};
    const bool there = asked_.file_bytes_max != 0 && stat(file.c_str(), &info) == 0;
    if (there && static_cast<uint64_t>(info.st_size) > asked_.file_bytes_max) grew_too_large_ = true;
  }
  return disk_low_ || grew_too_large_ || (asked_.cancelled && asked_.cancelled());
}

Error ExportGuard::too_large() const {
  return {Errc::too_large, "export: its file is larger than " + std::to_string(asked_.file_bytes_max) +
                               " bytes: find less, or name the columns with | fields"};
}

Error ExportGuard::ended_by(Error error) const {
  if (disk_low_) return {Errc::exhausted, "export: the disk has no room for it"};
  if (grew_too_large_) return too_large();
  return std::move(error).within("export");
}

Status ExportGuard::check_size(uint64_t bytes) const {
  if (asked_.file_bytes_max == 0 || bytes <= asked_.file_bytes_max) return {};
  return tl::unexpected(too_large());
}

}  // namespace redoubt::store
