// What a hunt finds, as a file: ClickHouse gives JSON lines, DuckDB makes of them what was asked for. Neither keeps the
// rows in memory.
#include <fcntl.h>
#include <unistd.h>

#include "query/sql/sql.h"
#include "store/events/clickhouse/clickhouse_store.h"
#include "store/events/clickhouse/hunt_run.h"
#include "store/events/clickhouse/schema.h"
#include "store/events/embedded/duck.h"
#include "store/events/export_file.h"
#include "store/events/limit.h"

namespace redoubt::store::clickhouse {

namespace {

namespace sql = query::sql;

constexpr uint64_t kDuckMemoryBytes = uint64_t{256} << 20;
constexpr int64_t kWaitForDuckMs = 20;

struct ExportColumn {
  std::string name;
  bool is_number = false;
};

std::vector<ExportColumn> columns_between(const query::Hunt& hunt) {
  const auto of_field = [](const std::string& name, event::Field field) {
    return ExportColumn{name, !event::is_textual(event::info(field).type)};
  };
  std::vector<ExportColumn> columns;
  if (const auto* by = std::get_if<query::CountBy>(&hunt.aggregate)) columns.push_back(of_field("value", by->field));
  if (const auto* of = std::get_if<query::Distinct>(&hunt.aggregate)) columns.push_back(of_field("value", of->field));
  if (const auto* rare = std::get_if<query::Rare>(&hunt.aggregate)) {
    columns.push_back(of_field("value", rare->field));
    columns.push_back({"spread", true});
  }
  if (std::holds_alternative<query::CountPer>(hunt.aggregate)) columns.push_back({"bucket", true});
  if (!shows_events(hunt)) {
    columns.push_back({"count", true});
    return columns;
  }
  for (const event::Field field : hunt.fields) {
    columns.push_back(of_field(std::string(event::info(field).column), field));
  }
  return columns;
}

// Rows with the names of columns_between(). The numbers of columns stand for fields: a field's own name would be taken
// for the column in the condition.
std::string statement_of(const query::Hunt& hunt) {
  if (!shows_events(hunt)) return sql::select(hunt, kEventsTable, sql::Dialect::clickhouse).text;
  std::string columns;
  for (size_t i = 0; i < hunt.fields.size(); ++i) {
    columns +=
        (i == 0 ? "" : ", ") + std::string(event::info(hunt.fields[i]).column) + " AS shown_" + std::to_string(i);
  }
  std::string out =
      "SELECT " + columns + " FROM " + std::string(kEventsTable) + sql::where(hunt, sql::Dialect::clickhouse).text;
  if (!is_sorted(hunt)) return out;
  const std::string direction = hunt.direction == query::Direction::descending ? " DESC" : " ASC";
  out += " ORDER BY " + std::string(event::info(hunt.sort).column) + direction + " NULLS LAST, event_sequence" +
         direction + ", host_id LIMIT ";
  if (hunt.offset > 0) out += std::to_string(hunt.offset) + ", ";
  return out + std::to_string(hunt.limit);
}

// The JSON lines as a source with the columns of a hunt's SQL.
std::string source_of(const query::Hunt& hunt, const std::string& path) {
  std::string names;
  std::string types;
  size_t number = 0;
  for (const ExportColumn& column : columns_between(hunt)) {
    const std::string there = shows_events(hunt) ? "shown_" + std::to_string(number++) : column.name;
    const std::string joint = names.empty() ? "" : ", ";
    names += joint + "\"" + there + "\"" + (column.is_number ? "::BIGINT" : "") + " AS \"" + column.name + "\"";
    types += joint + "'" + there + "': 'VARCHAR'";
  }
  return "(SELECT " + names + " FROM read_json(" + embedded::sql_quoted(path) +
         ", format='newline_delimited', columns={" + types + "}))";
}

// Of all fields, those that an event has.
Result<std::vector<event::Field>> occurring_fields(Cluster& cluster, const Call& like) {
  Call call = like;
  call.sql = "SELECT ";
  for (const event::FieldInfo& info : event::kFields) {
    call.sql += "toInt64(count(" + std::string(event::info(info.field).column) + ")), ";
  }
  call.sql += "1 FROM " + std::string(kEventsTable);
  TRY(const Table counts, cluster.select(call));
  std::vector<event::Field> fields;
  for (const event::FieldInfo& info : event::kFields) {
    const size_t at = static_cast<size_t>(info.field);
    if (!counts.rows.empty() && std::get<int64_t>(counts.rows.front().at(at)) > 0) fields.push_back(info.field);
  }
  if (fields.empty()) fields.push_back(event::Field::event_time);
  return fields;
}

// Removes the file when it is done with.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// Interrupts DuckDB when the limits say so.
class DuckWatch {
 public:
  DuckWatch(embedded::DuckSession& session, const Limit& limit)
      : thread_([this, &session, &limit] {
          std::unique_lock lock(mutex_);
          while (!wake_.wait_for(lock, std::chrono::milliseconds(kWaitForDuckMs), [this] { return done_; })) {
            if (!limit.status("export")) session.interrupt();
          }
        }) {}
  ~DuckWatch() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  DuckWatch(const DuckWatch&) = delete;
  DuckWatch& operator=(const DuckWatch&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace

// The rows as JSON lines.
Status ClickHouseStore::write_rows(const query::Hunt& hunt, const std::string& path, const HuntLimits& limits) {
  const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, base::kPrivateFile));
  if (!file) return base::fail_errno("create " + path);
  Call call{.sql = statement_of(hunt),
            .data = {},
            .settings = hunter_->settings(limits.time_ms_max),
            .time_ms_max = limits.time_ms_max,
            .cancelled = limits.cancelled,
            .sink = [&](std::string_view piece) { return base::write_all(file.get(), piece); }};
  // Sent when it is whole: an error in the middle would look like rows.
  call.settings.emplace_back("wait_end_of_query", "1");
  call.settings.emplace_back("default_format", "JSONEachRow");
  return cluster_->call(call).map([](const std::string&) {});
}

Result<Exported> ClickHouseStore::export_hunt(const query::Hunt& asked, ExportFormat format, const HuntLimits& limits) {
  const std::string directory = options_.directory + "/tmp";
  const std::string number = std::to_string(next_export_++);
  const TemporaryFile rows(directory + "/rows-" + number + ".jsonl");
  const TemporaryFile made(directory + "/export-" + number);
  // The limit is that of the rows in between too.
  ExportGuard guard(limits, {.directory = options_.directory,
                             .free_bytes_min = options_.free_bytes_min,
                             .files = {rows.path(), made.path()}});
  const Limit limit(guard.limits());
  const auto ended = [&](Error error) { return tl::unexpected(guard.ended_by(std::move(error))); };
  query::Hunt hunt = without_limit(asked);
  const bool sent = wait_sent(guard.limits());
  if (shows_events(hunt) && hunt.fields.empty()) {
    auto fields = occurring_fields(*cluster_, {.sql = {},
                                               .data = {},
                                               .settings = hunter_->settings(limits.time_ms_max),
                                               .time_ms_max = limits.time_ms_max,
                                               .cancelled = guard.limits().cancelled,
                                               .sink = {}});
    if (!fields) return ended(std::move(fields).error());
    hunt.fields = *std::move(fields);
  }
  if (auto written = write_rows(hunt, rows.path(), guard.limits()); !written) return ended(std::move(written).error());
  TRY(const auto duck, embedded::Duck::open({.segment_directory = directory,
                                             .temporary_directory = directory,
                                             .memory_bytes_max = kDuckMemoryBytes,
                                             .threads = 1}));
  TRY(const auto session, duck->connect());
  const DuckWatch watch(*session, limit);
  const auto copied = session->select(
      {.text = "COPY (SELECT " + columns_of_file(hunt, format) + " FROM " + source_of(hunt, rows.path()) + ") TO " +
               embedded::sql_quoted(made.path()) + " " + std::string(options_of(format)),
       .parameters = {}});
  if (!copied) return ended(copied.error());
  Exported exported{.rows = static_cast<uint64_t>(std::get<int64_t>(copied->rows.at(0).at(0)))};
  if (!sent) {
    exported.partial = true;
    exported.partial_why = kUnsentWhy;
  }
  TRY(exported.file, take_file(made.path(), exported.bytes));
  TRY_STATUS(guard.check_size(exported.bytes));
  return exported;
}

}  // namespace redoubt::store::clickhouse
