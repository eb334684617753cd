#include "central/objects/object_rows.h"

#include <soci/soci.h>
#include <charconv>
#include <limits>

#include "central/objects/verdict_rows.h"

namespace redoubt::central {

constexpr std::string_view kObjectsSql = R"sql(
CREATE TABLE objects (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes BIGINT NOT NULL,
  source BIGINT NOT NULL,
  submitted_by TEXT NOT NULL,
  submitted_us BIGINT NOT NULL,
  verdict BIGINT NOT NULL,
  report TEXT NOT NULL DEFAULT '',
  alert_id TEXT NOT NULL DEFAULT ''
);
CREATE INDEX objects_by_content ON objects (sha256);
CREATE INDEX objects_processing ON objects (id) WHERE verdict = 0;
)sql";
const std::string_view kObjectsMigration = kObjectsSql;

static_assert(static_cast<int>(scan::Verdict::processing) == 0, "the index of the table names the number");

namespace {

// Rows of before there was a table of verdicts hold their report themselves.
constexpr std::string_view kSelectObjects =
    "SELECT o.id, o.name, o.sha256, o.size_bytes, o.source, o.submitted_by, o.submitted_us, o.verdict,"
    " COALESCE(v.report, o.report), o.alert_id, o.rescanned_us"
    " FROM objects o LEFT JOIN object_verdicts v ON v.id = o.verdict_id";

struct ObjectReader {
  long long id = 0, size_bytes = 0, source = 0, submitted_us = 0, verdict = 0, rescanned_us = 0;
  std::string report;
  Object object;

  void bind(soci::details::prepare_temp_type& prepared) {
    prepared, soci::into(id), soci::into(object.name), soci::into(object.sha256), soci::into(size_bytes),
        soci::into(source), soci::into(object.submitted_by), soci::into(submitted_us), soci::into(verdict),
        soci::into(report), soci::into(object.alert_id), soci::into(rescanned_us);
  }

  Object take() {
    object.id = std::to_string(id);
    object.size_bytes = static_cast<uint64_t>(size_bytes);
    object.source = static_cast<ObjectSource>(source);
    object.submitted = {submitted_us};
    object.rescanned = {rescanned_us};
    object.verdict = static_cast<scan::Verdict>(verdict);
    object.report.reset();
    if (object.verdict != scan::Verdict::processing) object.report = parse_report(report, object.verdict);
    return object;
  }
};

}  // namespace

long long object_row_id(const std::string& id) {
  long long row = 0;
  const char* end = id.data() + id.size();
  const auto [stop, error] = std::from_chars(id.data(), end, row);
  return error == std::errc{} && stop == end && row > 0 ? row : 0;
}

void insert_object(soci::session& sql, Object& object, long long verdict_id) {
  const long long size_bytes = static_cast<long long>(object.size_bytes),
                  source = static_cast<long long>(object.source), submitted_us = object.submitted.us,
                  verdict = static_cast<long long>(object.verdict);
  sql << "INSERT INTO objects (name, sha256, size_bytes, source, submitted_by, submitted_us, verdict, verdict_id)"
         " VALUES (:name, :sha256, :size, :source, :by, :submitted, :verdict, :verdict_id)",
      soci::use(object.name), soci::use(object.sha256), soci::use(size_bytes), soci::use(source),
      soci::use(object.submitted_by), soci::use(submitted_us), soci::use(verdict), soci::use(verdict_id);
  long long id = 0;
  sql << "SELECT last_insert_rowid()", soci::into(id);
  object.id = std::to_string(id);
}

std::optional<Object> read_object(soci::session& sql, long long id) {
  ObjectReader reader;
  auto prepared = sql.prepare << std::string(kSelectObjects) + " WHERE o.id = :id";
  reader.bind(prepared);
  prepared, soci::use(id);
  soci::statement statement(prepared);
  statement.execute();
  if (!statement.fetch()) return std::nullopt;
  return reader.take();
}

std::vector<Object> read_objects(soci::session& sql, const ObjectFilter& filter, long long before, size_t limit) {
  const long long most = static_cast<long long>(limit);
  const long long verdict = filter.verdict ? static_cast<long long>(*filter.verdict) : 0;
  // Only what is asked for is a condition: the indexes serve those.
  std::string where = " WHERE o.id < :before";
  if (!filter.sha256.empty()) where += " AND o.sha256 = :sha256";
  if (!filter.name.empty()) where += " AND o.name = :name";
  if (!filter.submitted_by.empty()) where += " AND o.submitted_by = :submitted_by";
  if (filter.verdict) where += " AND o.verdict = :verdict";
  ObjectReader reader;
  auto prepared = sql.prepare << std::string(kSelectObjects) + where + " ORDER BY o.id DESC LIMIT :most";
  reader.bind(prepared);
  prepared, soci::use(before);
  if (!filter.sha256.empty()) prepared, soci::use(filter.sha256);
  if (!filter.name.empty()) prepared, soci::use(filter.name);
  if (!filter.submitted_by.empty()) prepared, soci::use(filter.submitted_by);
  if (filter.verdict) prepared, soci::use(verdict);
  prepared, soci::use(most);
  soci::statement statement(prepared);
  statement.execute();
  std::vector<Object> objects;
  for (size_t bytes = 0; bytes < kPageReportBytesMax && statement.fetch(); bytes += reader.report.size()) {
    objects.push_back(reader.take());
  }
  return objects;
}

std::vector<WaitingObject> read_processing(soci::session& sql) {
  WaitingObject waiting;
  long long source = 0;
  soci::statement statement =
      (sql.prepare << "SELECT id, sha256, name, source FROM objects WHERE verdict = 0 ORDER BY id",
       soci::into(waiting.row), soci::into(waiting.content.sha256), soci::into(waiting.content.name),
       soci::into(source));
  statement.execute();
  std::vector<WaitingObject> all;
  while (statement.fetch()) {
    waiting.priority = priority_of(static_cast<ObjectSource>(source));
    all.push_back(waiting);
  }
  return all;
}

std::vector<Object> read_objects_of(soci::session& sql, const ContentKey& content, size_t limit) {
  return read_objects(sql, {.name = content.name, .sha256 = content.sha256}, std::numeric_limits<long long>::max(),
                      limit);
}

void write_judgement(soci::session& sql, long long id, const Judged& judged) {
  const long long verdict = static_cast<long long>(judged.verdict);
  sql << "UPDATE objects SET verdict = :verdict, verdict_id = :verdict_id, alert_id = :alert WHERE id = :id",
      soci::use(verdict), soci::use(judged.verdict_id), soci::use(judged.alert_id), soci::use(id);
}

void write_rescan(soci::session& sql, const ContentKey& content, const Judged& judged, base::Time now) {
  const long long verdict = static_cast<long long>(judged.verdict), now_us = now.us;
  sql << "UPDATE objects SET verdict = :verdict, verdict_id = :verdict_id, rescanned_us = :now,"
         " alert_id = CASE WHEN :any = '' THEN alert_id ELSE :alert END"
         " WHERE sha256 = :sha256 AND name = :name AND verdict <> 0",
      soci::use(verdict), soci::use(judged.verdict_id), soci::use(now_us), soci::use(judged.alert_id),
      soci::use(judged.alert_id), soci::use(content.sha256), soci::use(content.name);
}

}  // namespace redoubt::central
