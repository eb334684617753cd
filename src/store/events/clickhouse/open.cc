// How the store comes up: lock, ledger, spool replay, tables.
#include <filesystem>

#include "base/log.h"
#include "store/events/clickhouse/clickhouse_store.h"
#include "store/events/clickhouse/schema.h"

namespace redoubt::store {

namespace clickhouse {

namespace {

constexpr std::string_view kSpoolPlace = "/spool";
constexpr std::string_view kExportPlace = "/tmp";

}  // namespace

Status ClickHouseStore::open_directories() {
  if (options_.block_events == 0) return fail(Errc::invalid_argument, "block_events is 0");
  std::error_code error;
  options_.directory = std::filesystem::absolute(options_.directory, error).lexically_normal().string();
  TRY_STATUS(base::make_directories(options_.directory + std::string(kSpoolPlace)));
  TRY_STATUS(base::make_directories(options_.directory + std::string(kExportPlace)));
  TRY(lock_file_, base::lock_file(options_.directory + "/lock", base::kTakeoverMs));
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory + std::string(kExportPlace), error)) {
    std::filesystem::remove(entry.path(), error);
  }
  return {};
}

void ClickHouseStore::replay_frame(uint64_t number, const SpooledFrame& spooled) {
  const BootKey key{spooled.host_id, spooled.frame.boot_id};
  SpoolFile& file = spool_files_[number];
  uint64_t& last = file.frames[key];
  last = std::max(last, spooled.frame.last_sequence);
  uint64_t& stored = boots_[key].stored;
  if (number <= sent_through_ || spooled.frame.last_sequence <= stored) return;
  const auto batch = decode_spooled(spooled);
  if (!batch) return;
  HostActivity& host = hosts_[key.first];
  host.host_id = key.first;
  for (size_t i = 0; i < batch->size(); ++i) {
    const event::Row row = batch->row(i);
    const auto sequence = static_cast<uint64_t>(row.integer(event::Field::event_sequence));
    if (sequence <= stored) continue;
    stored = sequence;
    count_row(row, host);
    ++file.events;
  }
}

Status ClickHouseStore::replay_record(uint64_t file, SpoolRecord record) {
  if (const auto* mark = std::get_if<SpooledMark>(&record)) {
    uint64_t& judged = boots_[{mark->host_id, mark->boot_id}].judged;
    judged = std::max(judged, mark->sequence);
    return {};
  }
  replay_frame(file, std::get<SpooledFrame>(record));
  return {};
}

Status ClickHouseStore::replay_spool() {
  TRY(const std::vector<uint64_t> files, spool_->files());
  for (const uint64_t number : files) {
    const auto torn = number == files.back() ? Spool::Torn::cut : Spool::Torn::keep;
    TRY_STATUS(
        spool_->read(number, torn, [&](SpoolRecord record) { return replay_record(number, std::move(record)); }));
    spool_files_[number].bytes = spool_->bytes_in(number);
  }
  // Numbers of blocks are never used again, even where no file is left.
  spool_file_ = std::max(files.empty() ? 0 : files.back(), sent_through_.load());
  return begin_file();
}

// Servers that are away are migrated when blocks go to them again.
Status ClickHouseStore::migrate_servers() {
  for (size_t shard = 0; shard < cluster_->shards().size(); ++shard) {
    size_t there = 0;
    Status last;
    for (size_t replica = 0; replica < cluster_->shards()[shard].size(); ++replica) {
      if (migrated_.contains({shard, replica})) {
        ++there;
        continue;
      }
      last = migrate(*cluster_, shard, replica);
      if (!last && last.error().code != Errc::unavailable) return last;
      if (!last) continue;
      migrated_.insert({shard, replica});
      ++there;
    }
    if (there == 0) return last;
  }
  return {};
}

Status ClickHouseStore::open() {
  TRY_STATUS(open_directories());
  TRY(cluster_, Cluster::make(options_));
  // Its ledger says that a node's events are in ClickHouse: there is none before they can be.
  const std::string ledger = options_.directory + "/ledger.db";
  if (!std::filesystem::exists(ledger)) TRY_STATUS(migrate_servers());
  TRY(ledger_, Ledger::open(ledger));
  hunter_ = std::make_unique<Hunter>(*cluster_, options_);
  spool_ = std::make_unique<Spool>(options_.directory + std::string(kSpoolPlace));
  TRY(sent_, ledger_->sent());
  TRY(sent_through_, ledger_->last_block());
  for (const auto& [key, sequence] : sent_.sequences) boots_[key] = {.stored = sequence};
  hosts_ = sent_.hosts;
  TRY_STATUS(replay_spool());
  // Without ClickHouse events are taken all the same; what is wrong with the tables is told at once.
  const Status migrated = migrate_servers();
  if (!migrated && migrated.error().code != Errc::unavailable) return migrated;
  if (!migrated) base::log_error("store", migrated.error().message + "; events wait in the spool");
  if (options_.upkeep == Upkeep::automatic) thread_ = std::thread([this] { run(); });
  return {};
}

}  // namespace clickhouse

Result<std::unique_ptr<EventStore>> open_clickhouse_store(const ClickHouseOptions& options) {
  auto store = std::make_unique<clickhouse::ClickHouseStore>(options);
  TRY_STATUS(base::within("open event store " + options.directory, store->open()));
  return store;
}

}  // namespace redoubt::store
