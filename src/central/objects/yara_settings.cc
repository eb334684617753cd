#include "central/objects/yara_settings.h"

#include <soci/soci.h>

#include "central/alerts/alert.h"

namespace redoubt::central {

constexpr std::string_view kYaraSettingsSql = R"sql(
CREATE TABLE yara_settings (
  rule TEXT PRIMARY KEY,
  is_off BIGINT NOT NULL,
  importance TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_us BIGINT NOT NULL,
  generation BIGINT NOT NULL
)
)sql";
const std::string_view kYaraSettingsMigration = kYaraSettingsSql;

Result<std::unique_ptr<YaraSettings>> YaraSettings::open(store::StateDb& state) {
  std::unique_ptr<YaraSettings> settings(new YaraSettings(state));
  TRY_STATUS(base::within("settings of YARA rules", settings->load()));
  return settings;
}

Status YaraSettings::load() {
  RuleDecisions settings;
  int64_t latest = 0;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    std::string rule, importance, changed_by;
    long long is_off = 0, changed_us = 0, generation = 0;
    soci::statement statement =
        (sql.prepare << "SELECT rule, is_off, importance, changed_by, changed_us, generation FROM yara_settings",
         soci::into(rule), soci::into(is_off), soci::into(importance), soci::into(changed_by), soci::into(changed_us),
         soci::into(generation));
    statement.execute();
    while (statement.fetch()) {
      settings[rule] = {.state = is_off != 0 ? RuleSwitch::off : RuleSwitch::on,
                        .importance = importance_named(importance),
                        .changed_by = changed_by,
                        .changed = {changed_us}};
      latest = std::max<int64_t>(latest, generation);
    }
    return {};
  }));
  const std::lock_guard lock(mutex_);
  settings_ = std::move(settings);
  generation_ = latest;
  return {};
}

RuleDecisions YaraSettings::all() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

Status YaraSettings::set(const std::string& rule, const RuleDecision& decision) {
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    const long long is_off = decision.state == RuleSwitch::off ? 1 : 0, changed_us = decision.changed.us;
    const std::string importance(decision.importance ? rules::name_of(*decision.importance) : std::string_view());
    // The row stays where nothing is set any more: what was judged under the last setting is still to be judged anew.
    sql << "INSERT INTO yara_settings (rule, is_off, importance, changed_by, changed_us, generation)"
           " VALUES (:rule, :off, :importance, :by, :changed, (SELECT COALESCE(max(generation), 0) + 1 FROM"
           " yara_settings)) ON CONFLICT (rule) DO UPDATE SET is_off = excluded.is_off,"
           " importance = excluded.importance, changed_by = excluded.changed_by, changed_us = excluded.changed_us,"
           " generation = excluded.generation",
        soci::use(rule), soci::use(is_off), soci::use(importance), soci::use(decision.changed_by),
        soci::use(changed_us);
    return {};
  }));
  return load();
}

void YaraSettings::apply(scan::ScanReport& report) const {
  const std::lock_guard lock(mutex_);
  if (settings_.empty()) return;
  const auto setting_of = [&](const scan::Detection& found) {
    return found.engine == "yara" ? settings_.find(found.rule) : settings_.end();
  };
  std::erase_if(report.detections, [&](const scan::Detection& found) {
    const auto setting = setting_of(found);
    return setting != settings_.end() && setting->second.state == RuleSwitch::off;
  });
  for (scan::Detection& found : report.detections) {
    const auto setting = setting_of(found);
    if (setting != settings_.end() && setting->second.importance) {
      found.importance = rules::name_of(*setting->second.importance);
    }
  }
  if (report.verdict == scan::Verdict::detect && report.detections.empty()) {
    report.verdict = scan::Verdict::not_detected;
  }
}

}  // namespace redoubt::central
