// The event store: where every event of the fleet is kept and searched. Interface; embedded/ is the engine that runs
// without any other program. Safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "event/batch.h"
#include "event/frame.h"
#include "query/hunt.h"
#include "store/events/store_report.h"

namespace redoubt::store {

// One column value of a result row; absent fields are monostate.
using Cell = std::variant<std::monostate, std::string, int64_t>;

struct Column {
  std::string name;                   // canonical field name, or "count", "bucket", "value"
  std::optional<event::Field> field;  // where it is one
};

struct HuntResult {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  bool partial = false;  // a limit of time or memory cut it short
  std::string partial_why;
};

struct HuntLimits {
  int64_t time_ms_max = 30'000;
  uint64_t file_bytes_max = 0;  // of export_hunt(); 0: as long as the disk has room
  // Asked from time to time; true cancels.
  std::function<bool()> cancelled;
};

// Told how an answer begins while the rest of it is still looked for: columns, and rows that follow those told before.
using RowsFound = std::function<void(const HuntResult& rows)>;

// The range of sequence numbers that became durable, and what of it was new.
struct Appended {
  uint64_t last_sequence = 0;
  uint32_t events_new = 0;
  uint32_t events_repeated = 0;  // had been stored before: skipped
};

class EventStore {
 public:
  virtual ~EventStore() = default;

  // Stores the frame's events, `batch` being its decoded form. Durable on return (group commit). Events of a
  // (host, boot) whose sequence number is not above stored_sequence() are skipped: repeating a frame is harmless.
  virtual Result<Appended> append(const std::string& host_id, const event::Frame& frame, const event::Batch& batch) = 0;
  // Highest sequence number held for the host and boot; 0 where there is none.
  virtual uint64_t stored_sequence(const std::string& host_id, const std::string& boot_id) = 0;

  Result<HuntResult> hunt(const query::Hunt& hunt, const HuntLimits& limits) { return this->hunt(hunt, limits, {}); }
  // The result has the rows that `found` was told, too. An engine that finds all rows at once tells none.
  virtual Result<HuntResult> hunt(const query::Hunt& hunt, const HuntLimits& limits, const RowsFound& found) = 0;
  // (bucket microseconds, count), buckets of width_us, empty ones left out.
  virtual Result<HuntResult> histogram(const query::Hunt& hunt, int64_t width_us, const HuntLimits& limits) = 0;

  // Frames that became durable but may not have been judged before the last stop (see mark_judged), oldest first.
  // Called once, before the first append.
  virtual Status replay_unjudged(
      const std::function<Status(const std::string& host_id, const event::Batch&)>& judge) = 0;
  // The detections of everything appended so far for the host and boot, up to `sequence`, are durable.
  virtual Status mark_judged(const std::string& host_id, const std::string& boot_id, uint64_t sequence) = 0;

  // Writes the tail to a sealed segment now.
  virtual Status seal() = 0;
  // Deletes the oldest segments past the age and size limits; how many.
  virtual Result<size_t> expire() = 0;
  // Makes one segment of small ones that are next to each other, if there are enough; of how many.
  virtual Result<size_t> merge() = 0;

  virtual std::vector<HostActivity> activity() = 0;
  virtual StoreStats stats() = 0;

  // For people who look after the store; see store_report.h.
  virtual Result<StoreReport> report() = 0;
  // Reads everything and compares checksums. Damage is no error; a limit that ends it is.
  virtual Result<VerifyReport> verify(const HuntLimits& limits) = 0;
  // Merges as long as there is something to merge.
  virtual Result<CompactReport> compact(const HuntLimits& limits) = 0;
  // What is acknowledged before it begins is in it. Appends wait for a moment, sealing a little longer.
  virtual Result<StoreSnapshot> snapshot() = 0;
  // Writes what the hunt finds to a file. Without a limit of its own and another order the hunt finds everything, in
  // the order in which it lies there. timeout, too_large or exhausted where a limit ended it: half
  // a file is none.
  virtual Result<Exported> export_hunt(const query::Hunt& hunt, ExportFormat format, const HuntLimits& limits) = 0;
};

// The least that the embedded store works with: what DuckDB takes to write a row group.
constexpr uint64_t kStoreMemoryBytesMin = uint64_t{96} << 20;

// Who seals, merges and expires: a thread of the store, or whoever calls.
enum class Upkeep : uint8_t { automatic, on_demand };

struct EmbeddedOptions {
  std::string directory;
  uint64_t seal_events = 500'000;                 // the tail is sealed at this size …
  int64_t seal_age_us = 300'000'000;              // … or age
  int64_t retention_us = 0;                       // 0: by size alone
  uint64_t disk_bytes_max = 0;                    // 0: by age alone
  uint64_t memory_bytes_max = uint64_t{1} << 30;  // of DuckDB; the newest events take up to half as much beside it
  unsigned threads = 2;
  uint64_t free_bytes_min = uint64_t{512} << 20;  // below it append() fails with exhausted
  Upkeep upkeep = Upkeep::automatic;
};

// Opens (or makes) the embedded store: server spool, in-memory tail, Parquet segments, manifest; see
// docs/architecture.md. Spool records that were not sealed are replayed into the tail.
Result<std::unique_ptr<EventStore>> open_embedded_store(const EmbeddedOptions& options);

}  // namespace redoubt::store
