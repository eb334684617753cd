// From spool to ClickHouse: blocks, one after the other, and the thread that sends them in time.
#include <algorithm>

#include "base/log.h"
#include "base/time.h"
#include "query/sql/clickhouse_row.h"
#include "store/events/clickhouse/clickhouse_store.h"
#include "store/events/clickhouse/schema.h"

namespace redoubt::store::clickhouse {

namespace {

constexpr auto kSendTick = std::chrono::milliseconds(100);
constexpr auto kSendAgainAfter = std::chrono::seconds(2);
constexpr auto kHuntWaitMax = std::chrono::milliseconds(3000);
constexpr auto kUpkeepPeriod = std::chrono::minutes(1);
constexpr int64_t kInsertMs = 120'000;
constexpr int64_t kAskMs = 60'000;
// More than a block has: a part of it is never alone there.
constexpr std::string_view kInsertRowsMax = "10000000";

}  // namespace

Status ClickHouseStore::begin_file() {
  TRY(spool_file_, spool_->roll(spool_file_ + 1));
  spool_files_[spool_file_];
  return {};
}

bool ClickHouseStore::is_block_due() const {
  const auto file = spool_files_.find(spool_file_);
  if (file == spool_files_.end() || file->second.frames.empty()) return false;
  return hurry_ || file->second.events >= options_.block_events ||
         Clock::now() - file_began_ >= std::chrono::microseconds(options_.block_age_us);
}

uint64_t ClickHouseStore::last_file_with_events() const {
  const auto last = std::find_if(spool_files_.rbegin(), spool_files_.rend(),
                                 [](const auto& file) { return !file.second.frames.empty(); });
  return last == spool_files_.rend() ? 0 : last->first;
}

bool ClickHouseStore::wait_sent(const HuntLimits& limits) {
  const auto wait_max = std::min(kHuntWaitMax, std::chrono::milliseconds(limits.time_ms_max));
  std::unique_lock lock(ingest_mutex_);
  const uint64_t wanted = last_file_with_events();
  const auto is_sent = [&] { return sent_through_ >= wanted; };
  if (is_sent() || options_.upkeep == Upkeep::on_demand) return true;
  hurry_ = true;
  wake_.notify_one();
  sent_more_.wait_for(lock, wait_max, [&] { return is_sent() || failing_ || stopping_; });
  return is_sent();
}

Status ClickHouseStore::seal() {
  const std::lock_guard send_lock(send_mutex_);
  {
    const std::lock_guard lock(ingest_mutex_);
    if (!spool_files_[spool_file_].frames.empty()) TRY_STATUS(begin_file());
  }
  return send_blocks();
}

// All files but the one that takes events.
Status ClickHouseStore::send_blocks() {
  while (true) {
    uint64_t next = 0;
    {
      const std::lock_guard lock(ingest_mutex_);
      if (stopping_) return {};
      const auto file = spool_files_.upper_bound(sent_through_);
      if (file == spool_files_.end() || file->first >= spool_file_) break;
      next = file->first;
    }
    TRY_STATUS(base::within("block " + std::to_string(next), send_block(next)));
  }
  remove_done_spool();
  return {};
}

Status ClickHouseStore::send_block(uint64_t number) {
  TRY_STATUS(migrate_servers());
  TRY(const auto begun, ledger_->begin(number, query::sql::day_of(base::Time::now().us)));
  BlockMaker maker(*cluster_, begun.head, sent_);
  TRY_STATUS(spool_->read(number, Spool::Torn::keep, [&](SpoolRecord record) -> Status {
    if (const auto* frame = std::get_if<SpooledFrame>(&record)) maker.add(*frame);
    return {};
  }));
  for (size_t shard = 0; shard < maker.shards().size(); ++shard) {
    TRY_STATUS(send_shard(shard, begun.head, maker.shards()[shard], begun.attempt));
  }
  TRY_STATUS(ledger_->finish(number, maker.changed()));
  for (const auto& [key, sequence] : maker.changed().sequences) sent_.sequences[key] = sequence;
  for (const auto& [id, host] : maker.changed().hosts) sent_.hosts[id] = host;
  sent_through_ = number;
  return {};
}

// A day's rows are there together or not at all: they are one part of the table. Replicated tables know by themselves
// what is sent again; of one server it is asked.
Status ClickHouseStore::send_shard(size_t shard, const BlockHead& head, const ShardRows& rows,
                                   Ledger::Begun::Try attempt) {
  if (rows.by_day.empty()) return {};
  std::map<int64_t, uint64_t> there;
  if (attempt == Ledger::Begun::Try::again && !cluster_->is_replicated()) {
    TRY(there, rows_there(shard, head, rows));
  }
  for (const auto& [day, bytes] : rows.by_day) {
    const auto found = there.find(day);
    if (found == there.end()) {
      TRY_STATUS(insert(shard, bytes));
    } else if (found->second != rows.counts.at(day)) {
      return fail(Errc::corrupt, "ClickHouse has " + std::to_string(found->second) + " of " +
                                     std::to_string(rows.counts.at(day)) + " events of a day of the block");
    }
  }
  return {};
}

Result<std::map<int64_t, uint64_t>> ClickHouseStore::rows_there(size_t shard, const BlockHead& head,
                                                                const ShardRows& rows) {
  std::string days;
  for (const auto& [day, bytes] : rows.by_day)
    days += (days.empty() ? "toDate(" : ", toDate(") + std::to_string(day) + ")";
  TRY(const Table found, cluster_->select(shard, {.sql = "SELECT toInt64(toUInt16(day)), toInt64(count()) FROM " +
                                                         std::string(rows_table(*cluster_)) + " WHERE day IN (" + days +
                                                         ") AND node = " + std::to_string(head.node) + " AND block = " +
                                                         std::to_string(head.number) + " GROUP BY day",
                                                  .data = {},
                                                  .settings = {},
                                                  .time_ms_max = kAskMs,
                                                  .cancelled = {},
                                                  .sink = {}}));
  std::map<int64_t, uint64_t> there;
  for (const auto& row : found.rows) {
    there[std::get<int64_t>(row.at(0))] = static_cast<uint64_t>(std::get<int64_t>(row.at(1)));
  }
  return there;
}

Status ClickHouseStore::insert(size_t shard, const std::string& rows) {
  Settings settings = {{"max_insert_block_size", std::string(kInsertRowsMax)}};
  if (const size_t quorum = Cluster::quorum(cluster_->shards()[shard]); quorum > 0) {
    settings.emplace_back("insert_quorum", std::to_string(quorum));
    settings.emplace_back("insert_quorum_timeout", std::to_string(options_.quorum_ms_max));
  }
  return cluster_
      ->call(shard,
             {.sql = "INSERT INTO " + std::string(rows_table(*cluster_)) + " (" + column_names() + ") FORMAT RowBinary",
              .data = rows,
              .settings = settings,
              .time_ms_max = kInsertMs,
              .cancelled = {},
              .sink = {}})
      .map([](const std::string&) {});
}

bool ClickHouseStore::judged(const SpoolFile& file) const {
  return std::all_of(file.frames.begin(), file.frames.end(), [&](const auto& frame) {
    const auto boot = boots_.find(frame.first);
    return boot != boots_.end() && boot->second.judged >= frame.second;
  });
}

// Oldest first and without gaps: the marks for a file's frames are in that file or a later one.
void ClickHouseStore::remove_done_spool() {
  const std::lock_guard lock(ingest_mutex_);
  while (!spool_files_.empty() && spool_files_.begin()->first <= sent_through_ &&
         judged(spool_files_.begin()->second)) {
    if (const Status removed = spool_->remove(spool_files_.begin()->first); !removed) {
      base::log_warning("store", removed.error().message);
    }
    spool_files_.erase(spool_files_.begin());
  }
}

void ClickHouseStore::run() {
  Clock::time_point upkeep_next = Clock::now();
  Clock::time_point send_next{};
  std::unique_lock lock(ingest_mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kSendTick, [&] { return stopping_ || is_block_due(); });
    if (stopping_) return;
    const Status begun = is_block_due() ? begin_file() : Status{};
    hurry_ = false;
    lock.unlock();
    if (!begun) base::log_error("store", begun.error().message);
    if (Clock::now() >= send_next) {
      const std::lock_guard send_lock(send_mutex_);
      const Status sent = send_blocks();
      if (!sent) {
        base::log_error("store", sent.error().message);
        send_next = Clock::now() + kSendAgainAfter;
      }
      const std::lock_guard ingest_lock(ingest_mutex_);
      failing_ = !sent;
    }
    sent_more_.notify_all();
    if (Clock::now() >= upkeep_next) {
      upkeep_next = Clock::now() + kUpkeepPeriod;
      if (const auto expired = expire(); !expired) base::log_error("store", expired.error().message);
    }
    lock.lock();
    if (!begun) wake_.wait_for(lock, kSendAgainAfter, [&] { return stopping_; });
  }
}

}  // namespace redoubt::store::clickhouse
