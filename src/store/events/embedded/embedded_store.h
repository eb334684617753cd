// The embedded event store: spool, tail, segments and manifest, and the thread that seals. open_embedded_store() makes
// it.
//
// Locks are taken in this order: seal_mutex_ (one seal, expiry or spool clean-up at a time), ingest_mutex_ (what
// append() changes), view_mutex_ (what hunts read).
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/file.h"
#include "store/events/embedded/hunter.h"
#include "store/events/embedded/manifest.h"
#include "store/events/event_store.h"
#include "store/events/intake.h"
#include "store/events/limit.h"
#include "store/events/spool.h"

namespace redoubt::store::embedded {

// Segments that one seal makes at most: of what came in time, and of what came late.
constexpr size_t kSlices = 2;

class EmbeddedStore final : public EventStore {
 public:
  explicit EmbeddedStore(EmbeddedOptions options);
  ~EmbeddedStore() override;
  Status open();

  Result<Appended> append(const std::string& host_id, const event::Frame& frame, const event::Batch& batch) override;
  uint64_t stored_sequence(const std::string& host_id, const std::string& boot_id) override;
  using EventStore::hunt;
  Result<HuntResult> hunt(const query::Hunt& hunt, const HuntLimits& limits, const RowsFound& found) override;
  Result<HuntResult> histogram(const query::Hunt& hunt, int64_t width_us, const HuntLimits& limits) override;
  Status replay_unjudged(const std::function<Status(const std::string&, const event::Batch&)>& judge) override;
  Status mark_judged(const std::string& host_id, const std::string& boot_id, uint64_t sequence) override;
  Status seal() override;
  Result<size_t> expire() override;
  Result<size_t> merge() override;
  std::vector<HostActivity> activity() override;
  StoreStats stats() override;
  Result<StoreReport> report() override;
  Result<VerifyReport> verify(const HuntLimits& limits) override;
  Result<CompactReport> compact(const HuntLimits& limits) override;
  Result<StoreSnapshot> snapshot() override;
  Result<Exported> export_hunt(const query::Hunt& hunt, ExportFormat format, const HuntLimits& limits) override;

 private:
  using Clock = std::chrono::steady_clock;

  // The generation of the tail that takes events.
  struct Tail {
    std::shared_ptr<Memtable> table = std::make_shared<Memtable>();
    Clock::time_point began{};
    std::set<BootKey> boots;        // with events in it
    uint64_t first_spool_file = 0;  // its events are in this file and later ones
  };

  // A generation that is cut off and not yet a segment.
  struct Cut {
    std::shared_ptr<const Memtable> table;
    std::vector<uint64_t> numbers;  // of the segments that it may become
    Sealed sealed;
    uint64_t next_spool_file = 0;  // the events are in files before this
  };

  std::string segment_path(uint64_t number) const;
  Status open_directories();
  Status open_segments();
  Status replay_spool();
  Status replay_record(uint64_t file, SpoolRecord record);
  Status replay_frame(uint64_t file, const SpooledFrame& spooled);

  Status wait_for_room(std::unique_lock<std::mutex>& lock);
  bool over(uint64_t factor) const;
  Result<Appended> take(const std::string& host_id, const event::Frame& frame, const event::Batch& batch);
  void fill_tail(const BootKey& key, const event::Batch& batch, Appended& done);

  Status cut_tail();
  static std::array<std::vector<uint32_t>, kSlices> slices(const Memtable& table);
  Status finish_cut();
  void remove_judged_spool();
  bool judged(const std::map<BootKey, uint64_t>& frames) const;
  std::vector<std::shared_ptr<const Segment>> choose_expired();
  std::vector<std::shared_ptr<const Segment>> choose_merge(size_t files_min);
  Result<size_t> merge(size_t files_min);
  Result<std::vector<uint64_t>> close_spool_file();
  void count_kinds(StoreReport& report);
  Status verify_spool(const Limit& limit, VerifyReport& report);
  void replace_segments(const std::vector<std::shared_ptr<const Segment>>& old, std::shared_ptr<const Segment> fresh);
  std::vector<std::shared_ptr<const Segment>> current_segments();
  View seen_view();

  bool seal_due() const;
  void run();

  EmbeddedOptions options_;
  base::UniqueFd lock_file_;
  std::unique_ptr<Duck> duck_;
  std::unique_ptr<Manifest> manifest_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Hunter> hunter_;
  std::atomic<uint64_t> next_export_ = 1;

  std::mutex seal_mutex_;
  std::optional<Cut> cut_;
  uint64_t next_segment_ = 1;
  uint64_t sealed_before_ = 0;  // spool files before this hold sealed events only

  std::mutex ingest_mutex_;
  std::condition_variable room_;
  Tail tail_;
  std::shared_ptr<const Memtable> cut_table_;  // between its cut and its segment
  std::map<BootKey, Boot> boots_;
  std::map<std::string, HostActivity> hosts_;
  uint64_t spool_file_ = 0;
  std::map<uint64_t, std::map<BootKey, uint64_t>> spool_files_;  // file → highest sequence of the frames in it

  std::mutex view_mutex_;
  std::vector<std::shared_ptr<const Segment>> segments_;

  std::condition_variable wake_;
  bool stopping_ = false;
  Clock::time_point seal_not_before_{};
  Clock::time_point expire_next_{};
  std::thread thread_;
};

}  // namespace redoubt::store::embedded
