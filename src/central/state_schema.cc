#include "central/state_schema.h"

#include <unistd.h>

#include "central/external_systems/detect_log.h"
#include "central/external_systems/external_systems.h"
#include "central/external_systems/scan_book.h"
#include "central/fleet/policy_book.h"
#include "central/hunts/scheduled_hunt.h"
#include "central/ingest/correlation_book.h"
#include "central/objects/object_service.h"
#include "central/objects/verdict_rows.h"
#include "central/objects/webhooks.h"
#include "central/prevalence/prevalence_book.h"
#include "central/reputation/reputation_book.h"
#include "central/rules/rule_rows.h"

namespace redoubt::central {

namespace {

// Times are microseconds since the epoch; what a person cannot guess is stored as its hash. Empty text and 0 stand for
// "none", so that no column is NULL.
constexpr std::string_view kPeopleSql = R"sql(
CREATE TABLE users (
  name TEXT PRIMARY KEY,
  role TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  created_us BIGINT NOT NULL
);
CREATE TABLE api_tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_name TEXT NOT NULL,
  name TEXT NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  created_us BIGINT NOT NULL
);
CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time_us BIGINT NOT NULL,
  actor TEXT NOT NULL,
  via TEXT NOT NULL,
  address TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL
);
)sql";

constexpr std::string_view kFleetSql = R"sql(
CREATE TABLE enrollment_tokens (
  token_hash TEXT PRIMARY KEY,
  created_by TEXT NOT NULL,
  expires_us BIGINT NOT NULL,
  uses_left BIGINT NOT NULL
);
CREATE TABLE hosts (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  ip TEXT NOT NULL DEFAULT '',
  os TEXT NOT NULL DEFAULT '',
  agent_version TEXT NOT NULL DEFAULT '',
  tier TEXT NOT NULL DEFAULT '',
  certificate_fingerprint TEXT NOT NULL UNIQUE,
  enrolled_us BIGINT NOT NULL,
  last_contact_us BIGINT NOT NULL DEFAULT 0,
  revoked_us BIGINT NOT NULL DEFAULT 0
);
)sql";

// subject: entity id of the acting process, or SHA-256 of the object; with rule and host what detections group by.
constexpr std::string_view kAlertsSql = R"sql(
CREATE TABLE alerts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  created_us BIGINT NOT NULL,
  updated_us BIGINT NOT NULL,
  title TEXT NOT NULL,
  status BIGINT NOT NULL,
  assignee TEXT NOT NULL DEFAULT '',
  source BIGINT NOT NULL,
  importance BIGINT NOT NULL,
  rule_id TEXT NOT NULL,
  rule TEXT NOT NULL,
  techniques TEXT NOT NULL,
  tactics TEXT NOT NULL,
  host_id TEXT NOT NULL,
  host_name TEXT NOT NULL,
  user_name TEXT NOT NULL,
  subject TEXT NOT NULL,
  detections BIGINT NOT NULL,
  first_event_us BIGINT NOT NULL,
  last_event_us BIGINT NOT NULL,
  process TEXT NOT NULL,
  object TEXT NOT NULL,
  event TEXT NOT NULL
);
CREATE INDEX alerts_by_group ON alerts (rule_id, host_id, subject);
CREATE INDEX alerts_by_rank ON alerts (importance DESC, updated_us DESC, id DESC);
CREATE TABLE detections (
  key TEXT PRIMARY KEY,
  alert_id BIGINT NOT NULL,
  time_us BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX detections_by_alert ON detections (alert_id);
CREATE TABLE alert_comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  alert_id BIGINT NOT NULL,
  time_us BIGINT NOT NULL,
  user_name TEXT NOT NULL,
  comment TEXT NOT NULL
);
CREATE INDEX comments_by_alert ON alert_comments (alert_id);
CREATE TABLE rule_hits (
  rule_id TEXT PRIMARY KEY,
  hits BIGINT NOT NULL
);
)sql";

constexpr std::string_view kAlertMessageSql = "ALTER TABLE alerts ADD COLUMN message TEXT NOT NULL DEFAULT ''";

}  // namespace

Result<std::unique_ptr<store::StateDb>> open_state(const store::NodeFiles& files,
                                                   const store::PostgresOptions& postgres) {
  if (postgres.connection.empty()) return store::open_sqlite_state(files.state(), state_migrations());
  if (access(files.state().c_str(), F_OK) == 0) {
    return fail(Errc::invalid_argument, "state.postgres is set, but the state of this node is in " + files.state() +
                                            ": it is not moved; put the file aside to begin with an empty state");
  }
  return store::open_postgres_state(postgres, state_migrations());
}

std::vector<store::Migration> state_migrations() {
  return {
      {.version = 1, .name = "people", .sql = kPeopleSql},
      {.version = 2, .name = "fleet", .sql = kFleetSql},
      {.version = 3, .name = "alerts", .sql = kAlertsSql},
      {.version = 4, .name = "objects", .sql = kObjectsMigration},
      {.version = 5, .name = "correlations", .sql = kCorrelationsMigration},
      {.version = 6, .name = "rule book", .sql = kRulesMigration},
      {.version = 7, .name = "scheduled hunts", .sql = kHuntsMigration},
      {.version = 8, .name = "alert_message", .sql = kAlertMessageSql},
      {.version = 9, .name = "host policy", .sql = kPolicyMigration},
      {.version = 10, .name = "reads that rules ask about", .sql = kPolicyReadsMigration},
      {.version = 11, .name = "prevalence", .sql = kPrevalenceMigration},
      {.version = 12, .name = "object verdicts", .sql = kObjectVerdictsMigration},
      {.version = 13, .name = "reputation", .sql = kReputationMigration},
      {.version = 14, .name = "external systems", .sql = kExternalSystemsMigration},
      {.version = 15, .name = "external scans", .sql = kExternalScansMigration},
      {.version = 16, .name = "detect log", .sql = kDetectLogMigration},
      {.version = 17, .name = "object webhooks", .sql = kWebhooksMigration},
      {.version = 18, .name = "settings of YARA rules", .sql = kYaraSettingsMigration},
  };
}

}  // namespace redoubt::central
