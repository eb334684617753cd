#include "central/objects/verdict_rows.h"

#include <soci/soci.h>
#include <nlohmann/json.hpp>

namespace redoubt::central {

constexpr std::string_view kObjectVerdictsSql = R"sql(
CREATE TABLE object_verdicts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  sha256 TEXT NOT NULL,
  name TEXT NOT NULL,
  engines TEXT NOT NULL,
  lists BIGINT NOT NULL,
  verdict BIGINT NOT NULL,
  report TEXT NOT NULL,
  judged_us BIGINT NOT NULL
);
CREATE INDEX object_verdicts_by_content ON object_verdicts (sha256, name, id);
ALTER TABLE objects ADD COLUMN verdict_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE objects ADD COLUMN rescanned_us BIGINT NOT NULL DEFAULT 0;
CREATE INDEX objects_by_name ON objects (name);
)sql";
const std::string_view kObjectVerdictsMigration = kObjectVerdictsSql;

namespace {

constexpr std::string_view kVerdictColumns = "id, sha256, name, engines, lists, verdict, report";

// What is empty is left out: most reports have little to say.
template <class T>
void put(nlohmann::json& json, const char* key, const T& value) {
  if (value != T{}) json[key] = value;
}

nlohmann::json stored_detection(const scan::Detection& found) {
  nlohmann::json json = nlohmann::json::object();
  put(json, "engine", found.engine);
  put(json, "engine_version", found.engine_version);
  put(json, "rule", found.rule);
  put(json, "rule_set", found.rule_set);
  put(json, "importance", found.importance);
  put(json, "description", found.description);
  put(json, "object", found.object);
  return json;
}

nlohmann::json stored_inner_object(const scan::InnerObject& inner) {
  nlohmann::json json = nlohmann::json::object();
  put(json, "parent", inner.parent);
  put(json, "name", inner.name);
  put(json, "mime_type", inner.mime_type);
  put(json, "sha256", inner.sha256);
  put(json, "size", inner.size_bytes);
  put(json, "remark", inner.remark);
  return json;
}

const nlohmann::json& list_in(const nlohmann::json& json, const char* key) {
  static const nlohmann::json kNone = nlohmann::json::array();
  const auto found = json.find(key);
  return found == json.end() ? kNone : *found;
}

scan::Detection parse_detection(const nlohmann::json& found) {
  return {.engine = found.value("engine", ""),
          .engine_version = found.value("engine_version", ""),
          .rule = found.value("rule", ""),
          .rule_set = found.value("rule_set", ""),
          .importance = found.value("importance", ""),
          .description = found.value("description", ""),
          .object = found.value("object", size_t{0})};
}

scan::InnerObject parse_inner_object(const nlohmann::json& inner) {
  return {.parent = inner.value("parent", size_t{0}),
          .name = inner.value("name", ""),
          .mime_type = inner.value("mime_type", ""),
          .sha256 = inner.value("sha256", ""),
          .size_bytes = inner.value("size", uint64_t{0}),
          .remark = inner.value("remark", "")};
}

struct VerdictReader {
  long long verdict = 0, lists = 0;
  std::string report;
  KnownVerdict known;

  void bind(soci::details::prepare_temp_type& prepared) {
    prepared, soci::into(known.id), soci::into(known.content.sha256), soci::into(known.content.name),
        soci::into(known.judges.engines), soci::into(lists), soci::into(verdict), soci::into(report);
  }
  KnownVerdict take() {
    known.judges.lists = lists;
    known.report = parse_report(report, static_cast<scan::Verdict>(verdict));
    return known;
  }
};

}  // namespace

bool holds(scan::Verdict verdict) { return verdict == scan::Verdict::not_detected || verdict == scan::Verdict::detect; }

std::string stored_report(const scan::ScanReport& report) {
  nlohmann::json json = nlohmann::json::object();
  put(json, "error", report.error);
  put(json, "mime_type", report.mime_type);
  put(json, "engines", report.engines);
  put(json, "finished_us", report.finished.us);
  put(json, "duration_us", report.duration_us);
  put(json, "not_scanned", report.not_scanned);
  put(json, "links", report.links);
  for (const scan::InnerObject& inner : report.objects) json["objects"].push_back(stored_inner_object(inner));
  for (const scan::Detection& found : report.detections) json["detections"].push_back(stored_detection(found));
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
  report.not_scanned = json.value("not_scanned", std::vector<std::string>());
  report.links = json.value("links", std::vector<std::string>());
  report.finished.us = json.value("finished_us", int64_t{0});
  report.duration_us = json.value("duration_us", int64_t{0});
  for (const auto& inner : list_in(json, "objects")) {
    report.objects.push_back(parse_inner_object(inner));
  }
  for (const auto& found : list_in(json, "detections")) {
    report.detections.push_back(parse_detection(found));
  }
  return report;
}

long long insert_verdict(soci::session& sql, const KnownVerdict& known) {
  const long long verdict = static_cast<long long>(known.report.verdict), judged_us = known.report.finished.us,
                  lists = known.judges.lists;
  const std::string report = stored_report(known.report);
  sql << "INSERT INTO object_verdicts (sha256, name, engines, lists, verdict, report, judged_us)"
         " VALUES (:sha256, :name, :engines, :lists, :verdict, :report, :judged)",
      soci::use(known.content.sha256), soci::use(known.content.name), soci::use(known.judges.engines), soci::use(lists),
      soci::use(verdict), soci::use(report), soci::use(judged_us);
  long long id = 0;
  sql << "SELECT last_insert_rowid()", soci::into(id);
  return id;
}

std::optional<KnownVerdict> find_latest_verdict(soci::session& sql, const ContentKey& content) {
  VerdictReader reader;
  auto prepared = sql.prepare << "SELECT " + std::string(kVerdictColumns) +
                                     " FROM object_verdicts WHERE sha256 = :sha256 AND name = :name"
                                     " ORDER BY id DESC LIMIT 1";
  reader.bind(prepared);
  prepared, soci::use(content.sha256), soci::use(content.name);
  soci::statement statement(prepared);
  statement.execute();
  if (!statement.fetch()) return std::nullopt;
  return reader.take();
}

void renew_verdict(soci::session& sql, const KnownVerdict& known) {
  const std::string report = stored_report(known.report);
  const long long judged_us = known.report.finished.us, lists = known.judges.lists;
  sql << "UPDATE object_verdicts SET engines = :engines, lists = :lists, report = :report, judged_us = :judged WHERE "
         "id = :id",
      soci::use(known.judges.engines), soci::use(lists), soci::use(report), soci::use(judged_us), soci::use(known.id);
}

void disown_verdict(soci::session& sql, const ContentKey& content) {
  sql << "UPDATE object_verdicts SET engines = '' WHERE sha256 = :sha256 AND name = :name", soci::use(content.sha256),
      soci::use(content.name);
}

std::vector<KnownVerdict> read_outdated_verdicts(soci::session& sql, const Judges& judges, long long before,
                                                 size_t limit) {
  const long long most = static_cast<long long>(limit), lists = judges.lists;
  VerdictReader reader;
  auto prepared =
      sql.prepare << "SELECT " + std::string(kVerdictColumns) +
                         " FROM object_verdicts v WHERE id < :before AND (engines <> :engines OR lists <> :lists)"
                         " AND NOT EXISTS (SELECT 1 FROM object_verdicts w WHERE w.sha256 = v.sha256"
                         " AND w.name = v.name AND w.id > v.id) ORDER BY id DESC LIMIT :most";
  reader.bind(prepared);
  prepared, soci::use(before), soci::use(judges.engines), soci::use(lists), soci::use(most);
  soci::statement statement(prepared);
  statement.execute();
  std::vector<KnownVerdict> verdicts;
  while (statement.fetch()) verdicts.push_back(reader.take());
  return verdicts;
}

}  // namespace redoubt::central
