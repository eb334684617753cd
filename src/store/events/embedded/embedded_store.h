// The embedded event store: spool, tail, segments and manifest, and the thread that seals. open_embedded_store() makes
// it.
//
// Locks are taken in this order: seal_mutex_ (one seal, expiry or spool clean-up at a time), ingest_mutex_ (what
// append() changes), view_mutex_ (what hunts read).
#pragma once

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
#include "store/events/embedded/spool.h"
#include "store/events/event_store.h"

namespace redoubt::store::embedded {

class EmbeddedStore final : public EventStore {
 public:
  explicit EmbeddedStore(EmbeddedOptions options);
  ~EmbeddedStore() override;
  Status open();

  Result<Appended> append(const std::string& host_id, const event::Frame& frame, const event::Batch& batch) override;
  uint64_t stored_sequence(const std::string& host_id, const std::string& boot_id) override;
  Result<HuntResult> hunt(const query::Hunt& hunt, const HuntLimits& limits) override;
  Result<HuntResult> histogram(const query::Hunt& hunt, int64_t width_us, const HuntLimits& limits) override;
  Status replay_unjudged(const std::function<Status(const std::string&, const event::Batch&)>& judge) override;
  Status mark_judged(const std::string& host_id, const std::string& boot_id, uint64_t sequence) override;
  Status seal() override;
  Result<size_t> expire() override;
  std::vector<HostActivity> activity() override;
  StoreStats stats() override;

 private:
  using Clock = std::chrono::steady_clock;

  // How far a host's boot is.
  struct Boot {
    uint64_t stored = 0;
    uint64_t cut = 0;  // stored when the tail began
    uint64_t judged = 0;
  };

  // The generation of the tail that takes events.
  struct Tail {
    std::shared_ptr<TailTable> table;
    std::unique_ptr<TableFiller> filler;
    uint64_t rows = 0;
    uint64_t bytes = 0;  // about what it holds in memory
    int64_t min_time_us = 0;
    int64_t max_time_us = 0;
    Clock::time_point began{};
    std::set<BootKey> boots;        // with events in it
    uint64_t first_spool_file = 0;  // its events are in this file and later ones
  };

  // A generation that is cut off and not yet a segment.
  struct Cut {
    std::shared_ptr<TailTable> table;
    Sealed sealed;
    uint64_t next_spool_file = 0;  // the events are in files before this
  };

  std::string segment_path(uint64_t number) const;
  Status open_directories();
  Status open_segments();
  Status replay_spool();
  Status replay_record(uint64_t file, SpoolRecord record);
  Status replay_frame(uint64_t file, const SpooledFrame& spooled);
  Result<Tail> make_tail();

  Status wait_for_room(std::unique_lock<std::mutex>& lock);
  bool over(uint64_t factor) const;
  Result<Appended> take(const std::string& host_id, const event::Frame& frame, const event::Batch& batch);
  void fill_tail(const BootKey& key, const event::Batch& batch, Appended& done);
  void tail_broke(const Error& error);
  Status mend_tail();
  Status refill(TableFiller& filler, std::map<BootKey, uint64_t>& reached, const SpooledFrame& spooled);
  void count_row(const event::Row& row, HostActivity& host);

  Status cut_tail();
  Status write_segment(Cut& cut);
  Status finish_cut();
  void remove_judged_spool();
  bool judged(const std::map<BootKey, uint64_t>& frames) const;
  std::vector<std::shared_ptr<const Segment>> choose_expired();
  View current_view();
  Result<View> seen_view();

  bool seal_due() const;
  void run();

  EmbeddedOptions options_;
  base::UniqueFd lock_file_;
  std::unique_ptr<Duck> duck_;
  std::unique_ptr<Manifest> manifest_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Hunter> hunter_;
  std::shared_ptr<TailTable> schema_table_;

  std::mutex seal_mutex_;
  std::optional<Cut> cut_;
  uint64_t next_segment_ = 1;
  std::atomic<uint64_t> next_generation_ = 1;
  uint64_t sealed_before_ = 0;  // spool files before this hold sealed events only

  std::mutex ingest_mutex_;
  std::condition_variable room_;
  Tail tail_;
  uint64_t cut_rows_ = 0;
  std::map<BootKey, Boot> boots_;
  std::map<std::string, HostActivity> hosts_;
  uint64_t spool_file_ = 0;
  std::map<uint64_t, std::map<BootKey, uint64_t>> spool_files_;  // file → highest sequence of the frames in it
  // The table lacks events that the spool has, for want of memory: it is filled anew before anything is taken, found or
  // sealed.
  bool tail_broken_ = false;
  Clock::time_point mend_not_before_{};

  std::mutex view_mutex_;
  View view_;

  std::condition_variable wake_;
  bool stopping_ = false;
  Clock::time_point seal_not_before_{};
  Clock::time_point expire_next_{};
  std::thread thread_;
};

}  // namespace redoubt::store::embedded
