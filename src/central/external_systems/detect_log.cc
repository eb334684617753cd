#include "central/external_systems/detect_log.h"

#include <openssl/evp.h>
#include <soci/soci.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/hash.h"

namespace redoubt::central {

constexpr std::string_view kDetectLogSql = R"sql(
CREATE TABLE detect_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  alert_id TEXT NOT NULL,
  object_id TEXT NOT NULL,
  technology TEXT NOT NULL,
  md5 TEXT NOT NULL,
  time_us BIGINT NOT NULL,
  UNIQUE (object_id, technology)
);
)sql";
const std::string_view kDetectLogMigration = kDetectLogSql;

namespace {

struct TechnologyRow {
  std::string_view engine;
  std::string_view technology;
};
// What is not here is an anti-malware engine.
constexpr auto kTechnologies = std::to_array<TechnologyRow>(
    {{"yara", "yara"}, {"sandbox", "sb"}, {"url", "url_reputation"}, {"suricata", "ids"}, {"clamav", "am"}});

// Empty where the content cannot be read: that is no reason to keep a detection back.
std::string md5_of(store::ObjectStore& content, const std::string& sha256) {
  const auto file = content.open(sha256);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!file || EVP_DigestInit_ex(digest.get(), EVP_md5(), nullptr) != 1) return "";
  constexpr size_t kPieceBytes = size_t{64} << 10;
  std::string piece(kPieceBytes, '\0');
  off_t at = 0;
  while (true) {
    const ssize_t got = ::pread(file->get(), piece.data(), piece.size(), at);
    if (got < 0) return "";
    if (got == 0) break;
    EVP_DigestUpdate(digest.get(), piece.data(), static_cast<size_t>(got));
    at += got;
  }
  std::string bytes(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  EVP_DigestFinal_ex(digest.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
  return base::to_hex(std::string_view(bytes).substr(0, size));
}

bool knows_detect(soci::session& sql, const LoggedDetect& detect) {
  long long count = 0;
  sql << "SELECT count(*) FROM detect_log WHERE object_id = :object AND technology = :technology", soci::into(count),
      soci::use(detect.object_id), soci::use(detect.technology);
  return count > 0;
}

void insert_detect(soci::session& sql, const LoggedDetect& detect) {
  const long long time_us = detect.time.us, most = kDetectsMax;
  sql << "INSERT INTO detect_log (alert_id, object_id, technology, md5, time_us)"
         " VALUES (:alert, :object, :technology, :md5, :time)",
      soci::use(detect.alert_id), soci::use(detect.object_id), soci::use(detect.technology), soci::use(detect.md5),
      soci::use(time_us);
  sql << "DELETE FROM detect_log WHERE id <= last_insert_rowid() - :most", soci::use(most);
}

// Names of technologies are those of the table above alone.
std::string technology_condition(std::span<const std::string> technologies) {
  std::string condition;
  for (const std::string& name : technologies) {
    if (is_technology(name)) condition += (condition.empty() ? " AND technology IN ('" : ", '") + name + "'";
  }
  return condition.empty() ? "" : condition + ")";
}

}  // namespace

std::string_view technology_of(std::string_view engine) {
  const auto* const found = std::find_if(kTechnologies.begin(), kTechnologies.end(),
                                         [&](const TechnologyRow& row) { return row.engine == engine; });
  return found != kTechnologies.end() ? found->technology : "am";
}

bool is_technology(std::string_view name) {
  return std::any_of(kTechnologies.begin(), kTechnologies.end(),
                     [&](const TechnologyRow& row) { return row.technology == name; });
}

Result<bool> DetectLog::knows(const LoggedDetect& detect) {
  bool known = false;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    known = knows_detect(sql, detect);
    return {};
  }));
  return known;
}

Result<std::string> DetectLog::add(const NewDetection& detection) {
  TRY(std::string alert_id, alerts_.add(detection));
  if (detection.object.engines.empty()) return alert_id;
  std::vector<LoggedDetect> fresh;
  for (const std::string& engine : detection.object.engines) {
    LoggedDetect detect{.alert_id = alert_id,
                        .object_id = detection.object.id,
                        .technology = std::string(technology_of(engine)),
                        .time = detection.time};
    TRY(const bool known, knows(detect));
    if (!known) fresh.push_back(std::move(detect));
  }
  if (fresh.empty()) return alert_id;
  const std::string md5 = md5_of(content_, detection.object.sha256);
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    for (LoggedDetect& detect : fresh) {
      detect.md5 = md5;
      if (!knows_detect(sql, detect)) insert_detect(sql, detect);
    }
    return {};
  }));
  return alert_id;
}

Result<std::vector<LoggedDetect>> DetectLog::after(int64_t number, std::span<const std::string> technologies,
                                                   size_t limit) {
  std::vector<LoggedDetect> detects;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    const long long after = number, most = static_cast<long long>(limit);
    long long id = 0, time_us = 0;
    LoggedDetect row;
    soci::statement statement =
        (sql.prepare << "SELECT id, alert_id, object_id, technology, md5, time_us FROM detect_log WHERE id > :after" +
                            technology_condition(technologies) + " ORDER BY id LIMIT :most",
         soci::into(id), soci::into(row.alert_id), soci::into(row.object_id), soci::into(row.technology),
         soci::into(row.md5), soci::into(time_us), soci::use(after), soci::use(most));
    statement.execute();
    while (statement.fetch()) {
      row.number = id;
      row.time = {time_us};
      detects.push_back(row);
    }
    return {};
  }));
  return detects;
}

}  // namespace redoubt::central
