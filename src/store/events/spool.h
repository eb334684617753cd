// The node's spool: what an acknowledgement stands on. Append-only files of records; each is a frame as it came, with
// its host, or the mark that a host's events are judged. Files are deleted once their events are sealed and judged.
//
// A record: magic, size of the body, XXH3-64 of the body; body: kind, host id, and the frame (event::encode_record), if
// need be behind the node's notes on its events, or the mark.
//
// append(), roll() and remove() from one thread at a time; wait_durable() from any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "event/batch.h"
#include "event/frame.h"
#include "store/coming.h"

namespace redoubt::store {

struct SpooledFrame {
  std::string host_id;
  event::Frame frame;
  std::vector<event::Note> notes;  // what the node added to its events
};
struct SpooledMark {
  std::string host_id;
  std::string boot_id;
  uint64_t sequence = 0;
};
using SpoolRecord = std::variant<SpooledFrame, SpooledMark>;

std::string encode_spooled(const std::string& host_id, const event::Frame& frame,
                           std::span<const event::Note> notes = {});
std::string encode_spooled(const SpooledMark& mark);

struct SpoolScan {
  uint64_t valid_end = 0;      // where the last whole record ends
  uint64_t bytes_damaged = 0;  // not readable, before that
};
// Calls `each` with every whole record, in order. Damage in the middle is skipped and counted.
Result<SpoolScan> scan_spool(std::string_view bytes, const std::function<Status(SpoolRecord)>& each);

class Spool {
 public:
  explicit Spool(std::string directory) : directory_(std::move(directory)) {}

  // The files that are there, oldest first.
  Result<std::vector<uint64_t>> files() const;
  // Reads a file through; the newest file's torn end is cut off.
  enum class Torn { keep, cut };
  Status read(uint64_t number, Torn torn, const std::function<Status(SpoolRecord)>& each) const;
  // The records in the first bytes of a file, which stays as it is.
  Result<SpoolScan> scan(uint64_t number, uint64_t bytes, const std::function<Status(SpoolRecord)>& each) const;
  Status remove(uint64_t number);

  // Begins the next file (durable name); what was appended before is durable on return.
  Result<uint64_t> roll(uint64_t number);
  // Writes the record; its position, for wait_durable(). exhausted where the disk is full (nothing of it stays).
  Result<uint64_t> append(std::string_view record);
  // Callers on their way to wait_durable().
  Arrivals& arrivals() { return arrivals_; }
  // Returns when everything up to `position` is on the disk. Callers that wait together share one sync.
  Status wait_durable(uint64_t position);
  // The same; who comes within kShareWait may share the sync.
  Status wait_durable(uint64_t position, Coming& own);

  uint64_t position() const;
  uint64_t bytes_in(uint64_t number) const;
  std::string path_of(uint64_t number) const;

 private:
  using Clock = std::chrono::steady_clock;
  Status refuse_if_failed() const;
  Status wait_durable(uint64_t position, std::unique_lock<std::mutex>& lock, Clock::time_point share_until);

  std::string directory_;
  Arrivals arrivals_;
  mutable std::mutex mutex_;
  std::condition_variable synced_;
  std::shared_ptr<base::UniqueFd> file_;
  uint64_t file_bytes_ = 0;
  uint64_t written_ = 0;  // positions count the bytes since open, over all files
  uint64_t durable_ = 0;
  bool syncing_ = false;
  // A sync or truncation that failed leaves it unknown what is on the disk: nothing is taken until the next open.
  std::string failure_;
};

}  // namespace redoubt::store
