#include "store/events/export_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace redoubt::store {

namespace {

// As files have it: in Parquet a point in time, else RFC 3339.
std::string time_in(ExportFormat format, const std::string& column) {
  if (format == ExportFormat::parquet) return "make_timestamp(" + column + ")";
  return "strftime(make_timestamp(" + column + "), '%Y-%m-%dT%H:%M:%S.%fZ')";
}

}  // namespace

bool shows_events(const query::Hunt& hunt) { return std::holds_alternative<std::monostate>(hunt.aggregate); }

bool is_sorted(const query::Hunt& hunt) {
  return !shows_events(hunt) || hunt.limit_written || hunt.sort != event::Field::event_time ||
         hunt.direction != query::Direction::descending;
}

std::string columns_of_file(const query::Hunt& hunt, ExportFormat format) {
  if (std::holds_alternative<query::CountPer>(hunt.aggregate)) return time_in(format, "bucket") + " AS bucket, count";
  const auto* by = std::get_if<query::CountBy>(&hunt.aggregate);
  const auto* distinct = std::get_if<query::Distinct>(&hunt.aggregate);
  if (!shows_events(hunt)) {
    const bool times = (by != nullptr && event::info(by->field).type == event::FieldType::time) ||
                       (distinct != nullptr && event::info(distinct->field).type == event::FieldType::time);
    return times ? time_in(format, "value") + " AS value, count" : "*";
  }
  std::string columns;
  for (const event::Field field : hunt.fields) {
    const event::FieldInfo& info = event::info(field);
    const std::string column(info.column);
    columns += (columns.empty() ? "" : ", ") +
               (info.type == event::FieldType::time ? time_in(format, column) : column) + " AS \"" +
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
  struct statvfs disk{};
  return statvfs(directory.c_str(), &disk) == 0 &&
         static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize < free_bytes_min;
}

}  // namespace redoubt::store
