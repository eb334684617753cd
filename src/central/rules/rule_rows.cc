#include "central/rules/rule_rows.h"

#include <soci/soci.h>

namespace redoubt::central {

namespace {

// Of a decision that leaves the importance to the rule.
constexpr long long kOwnImportance = -1;

}  // namespace

const std::string_view kRulesMigration = R"sql(
CREATE TABLE rule_decisions (
  rule_id TEXT PRIMARY KEY,
  is_off BIGINT NOT NULL,
  importance BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_us BIGINT NOT NULL
);
CREATE TABLE rule_exclusions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  rule_id TEXT NOT NULL,
  name TEXT NOT NULL,
  condition TEXT NOT NULL,
  note TEXT NOT NULL,
  author TEXT NOT NULL,
  created_us BIGINT NOT NULL,
  expires_us BIGINT NOT NULL
);
ALTER TABLE rule_hits ADD COLUMN last_hit_us BIGINT NOT NULL DEFAULT 0;
)sql";

RuleDecisions read_decisions(soci::session& sql) {
  RuleDecisions decisions;
  std::string rule_id, changed_by;
  long long is_off = 0, importance = 0, changed_us = 0;
  soci::statement statement =
      (sql.prepare << "SELECT rule_id, is_off, importance, changed_by, changed_us FROM rule_decisions",
       soci::into(rule_id), soci::into(is_off), soci::into(importance), soci::into(changed_by), soci::into(changed_us));
  statement.execute();
  while (statement.fetch()) {
    RuleDecision& decision = decisions[rule_id];
    decision = {.state = is_off != 0 ? RuleSwitch::off : RuleSwitch::on,
                .importance = std::nullopt,
                .changed_by = changed_by,
                .changed = {changed_us}};
    if (importance != kOwnImportance) decision.importance = static_cast<rules::Importance>(importance);
  }
  return decisions;
}

void write_decision(soci::session& sql, const std::string& rule_id, const RuleDecision& decision) {
  const long long is_off = decision.state == RuleSwitch::off ? 1 : 0, changed_us = decision.changed.us;
  const long long importance = decision.importance ? static_cast<long long>(*decision.importance) : kOwnImportance;
  sql << "INSERT INTO rule_decisions (rule_id, is_off, importance, changed_by, changed_us)"
         " VALUES (:rule, :off, :importance, :who, :time) ON CONFLICT (rule_id) DO UPDATE SET is_off = excluded.is_off,"
         " importance = excluded.importance, changed_by = excluded.changed_by, changed_us = excluded.changed_us",
      soci::use(rule_id), soci::use(is_off), soci::use(importance), soci::use(decision.changed_by),
      soci::use(changed_us);
}

std::vector<Exclusion> read_exclusions(soci::session& sql) {
  std::vector<Exclusion> exclusions;
  Exclusion row;
  long long id = 0, created_us = 0, expires_us = 0;
  soci::statement statement =
      (sql.prepare << "SELECT id, rule_id, name, condition, note, author, created_us, expires_us FROM rule_exclusions"
                      " ORDER BY id",
       soci::into(id), soci::into(row.rule_id), soci::into(row.name), soci::into(row.condition), soci::into(row.note),
       soci::into(row.author), soci::into(created_us), soci::into(expires_us));
  statement.execute();
  while (statement.fetch()) {
    row.id = id;
    row.created = {created_us};
    row.expires = {expires_us};
    exclusions.push_back(row);
  }
  return exclusions;
}

void insert_exclusion(soci::session& sql, Exclusion& exclusion) {
  const long long created_us = exclusion.created.us, expires_us = exclusion.expires.us;
  sql << "INSERT INTO rule_exclusions (rule_id, name, condition, note, author, created_us, expires_us)"
         " VALUES (:rule, :name, :condition, :note, :author, :created, :expires)",
      soci::use(exclusion.rule_id), soci::use(exclusion.name), soci::use(exclusion.condition),
      soci::use(exclusion.note), soci::use(exclusion.author), soci::use(created_us), soci::use(expires_us);
  long long id = 0;
  sql << "SELECT last_insert_rowid()", soci::into(id);
  exclusion.id = id;
}

void update_exclusion(soci::session& sql, const Exclusion& exclusion) {
  const long long id = exclusion.id, expires_us = exclusion.expires.us;
  sql << "UPDATE rule_exclusions SET name = :name, condition = :condition, note = :note, expires_us = :expires"
         " WHERE id = :id",
      soci::use(exclusion.name), soci::use(exclusion.condition), soci::use(exclusion.note), soci::use(expires_us),
      soci::use(id);
}

void delete_exclusion(soci::session& sql, int64_t id) {
  const long long row = id;
  sql << "DELETE FROM rule_exclusions WHERE id = :id", soci::use(row);
}

}  // namespace redoubt::central
