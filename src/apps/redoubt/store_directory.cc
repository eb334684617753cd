#include "apps/redoubt/store_directory.h"

#include <filesystem>
#include <limits>

#include "base/log.h"
#include "query/hunt.h"
#include "store/events/event_store.h"
#include "store/events/move_events.h"
#include "store/events/report_json.h"
#include "store/node_files.h"
#include "store/state/state_db.h"

namespace redoubt::cli {

namespace {

const store::HuntLimits kUnhurried{.time_ms_max = std::numeric_limits<int32_t>::max(), .cancelled = {}};

// The lock goes last.
struct StoppedStore {
  store::NodeFiles files;
  base::UniqueFd lock;
  std::unique_ptr<store::EventStore> events;
};

// A state in PostgreSQL leaves no file here.
void verify_state(const store::NodeFiles& files, std::vector<store::Damage>& damage) {
  std::error_code failed;
  if (!std::filesystem::exists(files.state(), failed)) return;
  const Status state = store::verify_sqlite_state(files.state());
  if (!state) damage.push_back({.what = files.state(), .why = state.error().message});
}

Result<StoppedStore> open_embedded(const std::string& data) {
  std::error_code failed;
  StoppedStore stopped{.files = {std::filesystem::absolute(data, failed).lexically_normal().string()}};
  TRY(stopped.lock, store::lock_stopped_node(stopped.files));
  if (!std::filesystem::exists(stopped.files.events(), failed)) {
    return fail(Errc::not_found, "data directory " + stopped.files.directory + ": the node never took events");
  }
  TRY(stopped.events,
      store::open_embedded_store({.directory = stopped.files.events(), .upkeep = store::Upkeep::on_demand}));
  return stopped;
}

Result<StoppedStore> open_stopped(const std::string& data) {
  std::error_code failed;
  if (std::filesystem::exists(store::NodeFiles{data}.clickhouse() + "/ledger.db", failed)) {
    return fail(Errc::unsupported, "data directory " + data +
                                       ": the node's events are in ClickHouse; ask the running node, without --data");
  }
  return open_embedded(data);
}

}  // namespace

Result<std::string> migrate_directory(const std::string& data, store::ClickHouseOptions clickhouse,
                                      const std::function<void(uint64_t)>& tell) {
  TRY(StoppedStore stopped, open_embedded(data));
  clickhouse.directory = stopped.files.clickhouse();
  clickhouse.upkeep = store::Upkeep::on_demand;
  TRY(const auto target, store::open_clickhouse_store(clickhouse));
  TRY(store::MoveReport moved, store::move_events(*stopped.events, *target, tell));
  stopped.events.reset();
  moved.kept = stopped.files.events() + ".moved";
  std::error_code failed;
  std::filesystem::rename(stopped.files.events(), moved.kept, failed);
  if (failed) return fail(Errc::io, "rename " + stopped.files.events() + ": " + failed.message());
  return store::json_of(moved);
}

Result<std::string> report_directory(const std::string& data) {
  TRY(const StoppedStore stopped, open_stopped(data));
  return stopped.events->report().map([](const auto& report) { return store::json_of(report); });
}

Result<std::string> verify_directory(const std::string& data) {
  TRY(const StoppedStore stopped, open_stopped(data));
  TRY(store::VerifyReport report, stopped.events->verify(kUnhurried));
  verify_state(stopped.files, report.damage);
  return store::json_of(report);
}

Result<std::string> compact_directory(const std::string& data) {
  TRY(const StoppedStore stopped, open_stopped(data));
  return stopped.events->compact(kUnhurried).map([](const auto& report) { return store::json_of(report); });
}

Result<std::string> back_up_directory(const std::string& data, const store::BackupOptions& options) {
  TRY(const StoppedStore stopped, open_stopped(data));
  const auto copy_state = [&](const std::string& path) {
    return store::backup_sqlite_state(stopped.files.state(), path);
  };
  return store::back_up({.files = stopped.files, .events = *stopped.events, .copy_state = copy_state}, options)
      .map([](const auto& report) { return store::json_of(report); });
}

Result<std::string> restore_directory(const std::string& data, const std::string& backup) {
  TRY(store::BackupReport report, store::restore_backup(backup, {data}));
  TRY(const StoppedStore stopped, open_stopped(data));
  TRY(const store::VerifyReport verified, stopped.events->verify(kUnhurried));
  report.damage.insert(report.damage.end(), verified.damage.begin(), verified.damage.end());
  verify_state(stopped.files, report.damage);
  return store::json_of(report);
}

Result<store::Exported> export_directory(const std::string& data, const std::string& query,
                                         store::ExportFormat format) {
  const auto hunt = query::parse_hunt(query, base::Time::now());
  if (!hunt) return fail(Errc::invalid_argument, hunt.error().render(query));
  TRY(const StoppedStore stopped, open_stopped(data));
  return stopped.events->export_hunt(*hunt, format, kUnhurried);
}

}  // namespace redoubt::cli
