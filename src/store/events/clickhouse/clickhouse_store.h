// The event store in ClickHouse: spool and ledger here, rows there, and the thread that sends blocks.
// open_clickhouse_store() makes it.
//
// A block is the events of one spool file. It is sent until it is there as a whole, one after the other in their order,
// and its file goes once its events are judged as well.
//
// Locks are taken in this order: send_mutex_ (one block on its way, one clean-up at a time), ingest_mutex_ (what
// append() changes).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/file.h"
#include "store/events/clickhouse/days.h"
#include "store/events/clickhouse/hunter.h"
#include "store/events/clickhouse/ledger.h"
#include "store/events/clickhouse/options.h"
#include "store/events/intake.h"

namespace redoubt::store::clickhouse {

// Why an answer is partial that could not wait for the spool.
inline constexpr std::string_view kUnsentWhy = "the newest events are not in ClickHouse yet";

class ClickHouseStore final : public EventStore {
 public:
  explicit ClickHouseStore(ClickHouseOptions options);
  ~ClickHouseStore() override;
  Status open();

  Result<Appended> append(const std::string& host_id, const event::Frame& frame, const event::Batch& batch) override;
  uint64_t stored_sequence(const std::string& host_id, const std::string& boot_id) override;
  using EventStore::hunt;
  Result<HuntResult> hunt(const query::Hunt& hunt, const HuntLimits& limits, const RowsFound& found) override;
  Result<HuntResult> histogram(const query::Hunt& hunt, int64_t width_us, const HuntLimits& limits) override;
  Status replay_unjudged(const std::function<Status(const std::string&, const event::Batch&)>& judge) override;
  Status mark_judged(const std::string& host_id, const std::string& boot_id, uint64_t sequence) override;
  // Sends all that was appended.
  Status seal() override;
  Result<size_t> expire() override;
  // The servers merge by themselves.
  Result<size_t> merge() override { return 0; }
  std::vector<HostActivity> activity() override;
  StoreStats stats() override;
  Result<StoreReport> report() override;
  Result<VerifyReport> verify(const HuntLimits& limits) override;
  Result<CompactReport> compact(const HuntLimits& limits) override;
  Result<StoreSnapshot> snapshot() override;
  Result<Exported> export_hunt(const query::Hunt& hunt, ExportFormat format, const HuntLimits& limits) override;

 private:
  using Clock = std::chrono::steady_clock;

  // What a spool file holds.
  struct SpoolFile {
    std::map<BootKey, uint64_t> frames;  // highest sequence of those in it
    uint64_t events = 0;                 // that were new
    uint64_t bytes = 0;
  };

  Status open_directories();
  Status replay_spool();
  Status replay_record(uint64_t file, SpoolRecord record);
  void replay_frame(uint64_t file, const SpooledFrame& spooled);
  Status migrate_servers();

  Result<Appended> take(const std::string& host_id, const event::Frame& frame, const event::Batch& batch);
  Status begin_file();
  bool is_block_due() const;
  uint64_t last_file_with_events() const;
  bool judged(const SpoolFile& file) const;

  Status send_blocks();
  Status send_block(uint64_t number);
  Status send_shard(size_t shard, const BlockHead& head, const ShardRows& rows, Ledger::Begun::Try attempt);
  Status insert(size_t shard, const std::string& rows);
  Result<std::map<int64_t, uint64_t>> rows_there(size_t shard, const BlockHead& head, const ShardRows& rows);
  void remove_done_spool();
  void run();
  // What was acknowledged before a hunt is found by it; false where it is not there in time.
  bool wait_sent(const HuntLimits& limits);

  Status drop_day(int64_t day);
  std::vector<int64_t> choose_expired(const std::vector<DayParts>& days) const;
  Result<std::vector<DayParts>> look_at_days();
  Status verify_day(const DayParts& day, const HuntLimits& limits);
  Status verify_spool(VerifyReport& report);
  Status write_rows(const query::Hunt& hunt, const std::string& path, const HuntLimits& limits);

  ClickHouseOptions options_;
  base::UniqueFd lock_file_;
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Hunter> hunter_;
  std::atomic<uint64_t> next_export_ = 1;

  std::mutex send_mutex_;
  Sent sent_;
  std::atomic<uint64_t> sent_through_ = 0;  // the last block that is there
  std::set<std::pair<size_t, size_t>> migrated_;

  std::mutex ingest_mutex_;
  std::map<BootKey, Boot> boots_;
  std::map<std::string, HostActivity> hosts_;
  uint64_t spool_file_ = 0;
  Clock::time_point file_began_{};
  std::map<uint64_t, SpoolFile> spool_files_;

  std::condition_variable wake_;
  std::condition_variable sent_more_;
  bool hurry_ = false;  // a hunt waits for what is in the spool
  bool failing_ = false;
  bool stopping_ = false;
  std::atomic<uint64_t> table_bytes_ = 0;  // as last looked
  std::atomic<uint64_t> table_days_ = 0;
  std::thread thread_;
};

}  // namespace redoubt::store::clickhouse
