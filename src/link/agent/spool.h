// The agent's spool: frames on disk, in order, until the node has acknowledged them. Segment files of records
// (event/frame.h) in one directory; a torn tail is cut at open; a segment goes when all of it is released, or when the
// spool is past its limits and the loss of it is declared. The spooler appends, the link client reads and releases; any
// thread.
#pragma once

#include <chrono>
#include <compare>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/time.h"
#include "event/frame.h"

namespace redoubt::link {

// A place between two records.
struct SpoolPosition {
  uint64_t segment = 0;
  uint64_t offset = 0;
  friend auto operator<=>(const SpoolPosition&, const SpoolPosition&) = default;
};

struct SpoolOptions {
  std::string directory;
  size_t size_bytes_max = size_t{512} << 20;
  int64_t age_us_max = 7 * base::kDayUs;
  size_t segment_bytes = size_t{8} << 20;
  // What the node has acknowledged of this boot, from the account: it is not sent or counted as lost again.
  std::string released_boot_id;
  uint64_t released_sequence = 0;
};

// Unreleased frames of one boot that the spool gives up.
struct SpoolGap {
  uint64_t segment = 0;
  std::string boot_id;
  uint64_t events = 0;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  std::vector<event::Frame> frames;  // what could be read of it: it may hold declarations of earlier losses
};

class Spool {
 public:
  static Result<std::unique_ptr<Spool>> open(SpoolOptions options);
  ~Spool();

  // Writes (to the page cache; sync() makes it durable). exhausted: the disk is full; the spool is as before.
  Status append(const event::Frame& frame);
  Status sync();

  // The first position that is not released.
  SpoolPosition released() const;
  // The frame at `position`, which moves behind it. not_found: no more for now; corrupt: see skip_damaged().
  Result<event::Frame> read(SpoolPosition& position);
  // After corrupt: moves behind the damaged segment; the gap is what of it was not read, where anything was.
  std::optional<SpoolGap> skip_damaged(SpoolPosition& position, uint64_t last_read_sequence);
  // True once there is something at `position`, false at the deadline or after wake().
  bool wait_for_more(SpoolPosition position, std::chrono::milliseconds at_most);
  void wake();
  // Everything before `position` is acknowledged.
  void release(SpoolPosition position);

  // What goes with the oldest segment, where the spool is past its limits (0 events: all of it is released); what is
  // appended from then on is not in it. The caller notes it and calls drop().
  std::optional<SpoolGap> past_limits();
  // The same of a segment as it is now; nothing where it is gone.
  std::optional<SpoolGap> gap_in(uint64_t segment) const;
  void drop(uint64_t segment);

  // The highest sequence of that boot in the spool; 0 where there is none.
  uint64_t last_sequence(const std::string& boot_id) const;
  // What open() found missing between intact segments of one boot.
  const std::vector<SpoolGap>& gaps_at_open() const { return gaps_at_open_; }
  size_t size_bytes() const;
  bool empty() const;  // nothing unreleased

 private:
  struct Segment {
    uint64_t serial = 0;
    std::string path;
    uint64_t size = 0;
    std::string boot_id;  // one boot a segment
    uint64_t first_sequence = 0;
    uint64_t last_sequence = 0;
    base::Time last_append;
  };
  explicit Spool(SpoolOptions options);
  Status load();
  Status load_segment(const std::string& path, uint64_t serial);
  Status start_segment();
  // The segment that holds a record at `position`, moved to the next segment where that is the end of one.
  const Segment* readable(SpoolPosition& position) const;
  SpoolGap gap_of(const Segment& segment) const;
  void remove(std::deque<Segment>::iterator segment);

  const SpoolOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Segment> segments_;  // oldest first; the last one is appended to if active_ is open
  std::shared_ptr<base::UniqueFd> active_;
  std::vector<std::shared_ptr<base::UniqueFd>> unsynced_;
  std::vector<SpoolGap> gaps_at_open_;
  uint64_t next_serial_ = 1;
  SpoolPosition released_;
  uint64_t size_bytes_ = 0;
  bool tail_cut_ = false;  // while loading: the segment before lost its tail
  uint64_t wakes_ = 0;
};

}  // namespace redoubt::link
