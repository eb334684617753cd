#include "central/objects/object_rows.h"

#include <soci/soci.h>
#include <charconv>
#include <nlohmann/json.hpp>

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

constexpr std::string_view kObjectColumns =
    "id, name, sha256, size_bytes, source, submitted_by, submitted_us, verdict, report, alert_id";

std::string stored_report(const scan::ScanReport& report) {
  nlohmann::json json = {{"error", report.error},
                         {"mime_type", report.mime_type},
                         {"engines", report.engines},
                         {"finished_us", report.finished.us},
                         {"duration_us", report.duration_us},
                         {"detections", nlohmann::json::array()}};
  for (const scan::Detection& found : report.detections) {
    json["detections"].push_back({{"engine", found.engine},
                                  {"engine_version", found.engine_version},
                                  {"rule", found.rule},
                                  {"rule_set", found.rule_set},
                                  {"importance", found.importance},
                                  {"description", found.description}});
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

scan::ScanReport parse_report(const std::string& text, scan::Verdict verdict) {
  scan::ScanReport report;
  report.verdict = verdict;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return report;
  report.error = json.value("error", "");
  report.mime_type = json.value("mime_type", "");
  report.engines = json.value("engines", std::vector<std::string>());
  report.finished.us = json.value("finished_us", int64_t{0});
  report.duration_us = json.value("duration_us", int64_t{0});
  for (const auto& found : json.value("detections", nlohmann::json::array())) {
    report.detections.push_back({found.value("engine", ""), found.value("engine_version", ""), found.value("rule", ""),
                                 found.value("rule_set", ""), found.value("importance", ""),
                                 found.value("description", "")});
  }
  return report;
}

struct ObjectReader {
  long long id = 0, size_bytes = 0, source = 0, submitted_us = 0, verdict = 0;
  std::string report;
  Object object;

  void bind(soci::details::prepare_temp_type& prepared) {
    prepared, soci::into(id), soci::into(object.name), soci::into(object.sha256), soci::into(size_bytes),
        soci::into(source), soci::into(object.submitted_by), soci::into(submitted_us), soci::into(verdict),
        soci::into(report), soci::into(object.alert_id);
  }

  Object take() {
    object.id = std::to_string(id);
    object.size_bytes = static_cast<uint64_t>(size_bytes);
    object.source = static_cast<ObjectSource>(source);
    object.submitted = {submitted_us};
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

void insert_object(soci::session& sql, Object& object) {
  const long long size_bytes = static_cast<long long>(object.size_bytes),
                  source = static_cast<long long>(object.source), submitted_us = object.submitted.us,
                  verdict = static_cast<long long>(object.verdict);
  sql << "INSERT INTO objects (name, sha256, size_bytes, source, submitted_by, submitted_us, verdict)"
         " VALUES (:name, :sha256, :size, :source, :by, :submitted, :verdict)",
      soci::use(object.name), soci::use(object.sha256), soci::use(size_bytes), soci::use(source),
      soci::use(object.submitted_by), soci::use(submitted_us), soci::use(verdict);
  long long id = 0;
  sql << "SELECT last_insert_rowid()", soci::into(id);
  object.id = std::to_string(id);
}

std::optional<Object> read_object(soci::session& sql, long long id) {
  ObjectReader reader;
  auto prepared = sql.prepare << "SELECT " + std::string(kObjectColumns) + " FROM objects WHERE id = :id";
  reader.bind(prepared);
  prepared, soci::use(id);
  soci::statement statement(prepared);
  statement.execute();
  if (!statement.fetch()) return std::nullopt;
  return reader.take();
}

std::vector<Object> read_objects(soci::session& sql, long long before, size_t limit) {
  const long long most = static_cast<long long>(limit);
  ObjectReader reader;
  auto prepared = sql.prepare << "SELECT " + std::string(kObjectColumns) +
                                     " FROM objects WHERE id < :before ORDER BY id DESC LIMIT :most";
  reader.bind(prepared);
  prepared, soci::use(before), soci::use(most);
  soci::statement statement(prepared);
  statement.execute();
  std::vector<Object> objects;
  while (statement.fetch()) objects.push_back(reader.take());
  return objects;
}

std::vector<long long> read_processing_ids(soci::session& sql) {
  long long id = 0;
  soci::statement statement = (sql.prepare << "SELECT id FROM objects WHERE verdict = 0 ORDER BY id", soci::into(id));
  statement.execute();
  std::vector<long long> ids;
  while (statement.fetch()) ids.push_back(id);
  return ids;
}

void write_judgement(soci::session& sql, long long id, const Judged& judged) {
  const long long verdict = static_cast<long long>(judged.report.verdict);
  const std::string report = stored_report(judged.report);
  sql << "UPDATE objects SET verdict = :verdict, report = :report, alert_id = :alert WHERE id = :id",
      soci::use(verdict), soci::use(report), soci::use(judged.alert_id), soci::use(id);
}

}  // namespace redoubt::central
