#include "store/events/embedded/embedded_store.h"

#include <algorithm>

#include "base/log.h"

namespace redoubt::store::embedded {

namespace {

// Appends wait while the tail is this many times what is sealed at once …
constexpr uint64_t kTailFactorMax = 2;
// … for at most so long.
constexpr auto kRoomWaitMax = std::chrono::seconds(30);
constexpr uint64_t kTailMemoryShare = 4;  // a seal is due when the tail takes this part of the memory limit

}  // namespace

EmbeddedStore::EmbeddedStore(EmbeddedOptions options) : options_(std::move(options)) {}

EmbeddedStore::~EmbeddedStore() {
  {
    const std::lock_guard lock(ingest_mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool EmbeddedStore::over(uint64_t factor) const {
  return tail_.table->rows() >= options_.seal_events * factor || tail_.table->full() ||
         tail_.table->bytes() >= options_.memory_bytes_max / kTailMemoryShare * factor;
}

Status EmbeddedStore::wait_for_room(std::unique_lock<std::mutex>& lock) {
  if (!over(kTailFactorMax)) return {};
  wake_.notify_one();
  if (room_.wait_for(lock, kRoomWaitMax, [&] { return !over(kTailFactorMax); })) return {};
  return fail(Errc::exhausted, "event store: the tail is full and cannot be sealed");
}

Result<Appended> EmbeddedStore::append(const std::string& host_id, const event::Frame& frame,
                                       const event::Batch& batch) {
  TRY_STATUS(check_frame(host_id, frame, batch));
  Appended done;
  uint64_t position = 0;
  Coming coming(spool_->arrivals());
  {
    std::unique_lock lock(ingest_mutex_);
    TRY_STATUS(wait_for_room(lock));
    TRY(done, take(host_id, frame, batch));
    // Repeated events too are answered only when they are durable: another thread may be writing them just now.
    position = spool_->position();
    if (seal_due()) wake_.notify_one();
  }
  TRY_STATUS(spool_->wait_durable(position, coming));
  return done;
}

Result<Appended> EmbeddedStore::take(const std::string& host_id, const event::Frame& frame, const event::Batch& batch) {
  const BootKey key{host_id, frame.boot_id};
  Appended done{.last_sequence = frame.last_sequence};
  if (const auto boot = boots_.find(key); boot != boots_.end() && frame.last_sequence <= boot->second.stored) {
    done.events_repeated = frame.events;
    return done;
  }
  TRY_STATUS(refuse_on_full_disk(options_.directory, options_.free_bytes_min));
  TRY_STATUS(spool_->append(encode_spooled(host_id, frame, batch.notes())).map([](uint64_t) {}));
  spool_files_[spool_file_][key] = frame.last_sequence;
  fill_tail(key, batch, done);
  return done;
}

void EmbeddedStore::fill_tail(const BootKey& key, const event::Batch& batch, Appended& done) {
  Boot& boot = boots_[key];
  HostActivity& host = hosts_[key.first];
  host.host_id = key.first;
  if (tail_.table->rows() == 0) tail_.began = Clock::now();
  tail_.table->begin(key.first, key.second, batch);
  for (size_t i = 0; i < batch.size(); ++i) {
    const event::Row row = batch.row(i);
    const auto sequence = static_cast<uint64_t>(row.integer(event::Field::event_sequence));
    if (sequence <= boot.stored) {
      ++done.events_repeated;
      continue;
    }
    tail_.table->add(row);
    boot.stored = sequence;
    count_row(row, host);
    ++done.events_new;
  }
  if (done.events_new > 0) tail_.boots.insert(key);
}

uint64_t EmbeddedStore::stored_sequence(const std::string& host_id, const std::string& boot_id) {
  uint64_t sequence = 0;
  uint64_t position = 0;
  {
    const std::lock_guard lock(ingest_mutex_);
    const auto boot = boots_.find({host_id, boot_id});
    if (boot == boots_.end()) return 0;
    sequence = boot->second.stored;
    position = spool_->position();
  }
  // What cannot be made durable is not held.
  return spool_->wait_durable(position) ? sequence : 0;
}

std::vector<std::shared_ptr<const Segment>> EmbeddedStore::current_segments() {
  const std::lock_guard lock(view_mutex_);
  return segments_;
}

// All that was appended so far.
View EmbeddedStore::seen_view() {
  const std::lock_guard lock(ingest_mutex_);
  View view;
  for (auto& segment : current_segments()) view.segments.push_back({.segment = std::move(segment), .ranges = {}});
  for (const std::shared_ptr<const Memtable>& table : {cut_table_, std::shared_ptr<const Memtable>(tail_.table)}) {
    if (!table || table->rows() == 0) continue;
    view.tails.push_back(
        {table, table->rows(), duck_->show({.table = table, .rows = table->rows(), .places = {}, .fields = {}})});
  }
  return view;
}

Result<HuntResult> EmbeddedStore::hunt(const query::Hunt& hunt, const HuntLimits& limits, const RowsFound& found) {
  return hunter_->hunt(seen_view(), hunt, limits, found);
}

Result<HuntResult> EmbeddedStore::histogram(const query::Hunt& hunt, int64_t width_us, const HuntLimits& limits) {
  if (width_us < 1) return fail(Errc::invalid_argument, "histogram: bucket width is not positive");
  return hunter_->histogram(seen_view(), hunt, width_us, limits);
}

Status EmbeddedStore::mark_judged(const std::string& host_id, const std::string& boot_id, uint64_t sequence) {
  const std::lock_guard lock(ingest_mutex_);
  const auto boot = boots_.find({host_id, boot_id});
  if (boot == boots_.end()) return fail(Errc::not_found, "no events of host " + host_id + ", boot " + boot_id);
  if (sequence <= boot->second.judged) return {};
  boot->second.judged = sequence;
  // Not synced, and a full disk is no error: a mark that is lost means that its frames are judged again.
  (void)spool_->append(encode_spooled(SpooledMark{.host_id = host_id, .boot_id = boot_id, .sequence = sequence}));
  return {};
}

std::vector<HostActivity> EmbeddedStore::activity() {
  const std::lock_guard lock(ingest_mutex_);
  std::vector<HostActivity> all;
  for (const auto& [id, host] : hosts_) all.push_back(host);
  return all;
}

StoreStats EmbeddedStore::stats() {
  StoreStats stats;
  const auto segments = current_segments();
  stats.segments = segments.size();
  for (const auto& segment : segments) stats.segment_bytes += segment->info.bytes + segment->info.index_bytes;
  const std::lock_guard lock(ingest_mutex_);
  for (const auto& [id, host] : hosts_) stats.events += host.events;
  for (const auto& [number, frames] : spool_files_) stats.spool_bytes += spool_->bytes_in(number);
  stats.tail_events = tail_.table->rows() + (cut_table_ ? cut_table_->rows() : 0);
  return stats;
}

}  // namespace redoubt::store::embedded
