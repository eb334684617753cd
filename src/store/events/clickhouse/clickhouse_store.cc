#include "store/events/clickhouse/clickhouse_store.h"

#include <algorithm>

#include "base/log.h"

namespace redoubt::store::clickhouse {

namespace {

void tell_unsent(HuntResult& result) {
  result.partial = true;
  result.partial_why += (result.partial_why.empty() ? "" : "; ") + std::string(kUnsentWhy);
}

}  // namespace

ClickHouseStore::ClickHouseStore(ClickHouseOptions options) : options_(std::move(options)) {}

ClickHouseStore::~ClickHouseStore() {
  {
    const std::lock_guard lock(ingest_mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  sent_more_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<Appended> ClickHouseStore::append(const std::string& host_id, const event::Frame& frame,
                                         const event::Batch& batch) {
  TRY_STATUS(check_frame(host_id, frame, batch));
  Appended done;
  uint64_t position = 0;
  {
    const std::lock_guard lock(ingest_mutex_);
    TRY(done, take(host_id, frame, batch));
    // Repeated events too are answered only when they are durable: another thread may be writing them just now.
    position = spool_->position();
    if (is_block_due()) wake_.notify_one();
  }
  TRY_STATUS(spool_->wait_durable(position));
  return done;
}

Result<Appended> ClickHouseStore::take(const std::string& host_id, const event::Frame& frame,
                                       const event::Batch& batch) {
  const BootKey key{host_id, frame.boot_id};
  Appended done{.last_sequence = frame.last_sequence};
  if (const auto boot = boots_.find(key); boot != boots_.end() && frame.last_sequence <= boot->second.stored) {
    done.events_repeated = frame.events;
    return done;
  }
  TRY_STATUS(refuse_on_full_disk(options_.directory, options_.free_bytes_min));
  uint64_t bytes = 0;
  for (const auto& [number, file] : spool_files_) bytes += file.bytes;
  if (bytes >= options_.spool_bytes_max) {
    return fail(Errc::exhausted, "event store: ClickHouse does not take events, and the spool is full");
  }
  if (spool_files_[spool_file_].events >= options_.block_events) TRY_STATUS(begin_file());
  const std::string record = encode_spooled(host_id, frame, batch.notes());
  TRY_STATUS(spool_->append(record).map([](uint64_t) {}));
  SpoolFile& file = spool_files_[spool_file_];
  if (file.frames.empty()) file_began_ = Clock::now();
  file.frames[key] = frame.last_sequence;
  file.bytes += record.size();
  Boot& boot = boots_[key];
  HostActivity& host = hosts_[host_id];
  host.host_id = host_id;
  for (size_t i = 0; i < batch.size(); ++i) {
    const event::Row row = batch.row(i);
    const auto sequence = static_cast<uint64_t>(row.integer(event::Field::event_sequence));
    if (sequence <= boot.stored) {
      ++done.events_repeated;
      continue;
    }
    boot.stored = sequence;
    count_row(row, host);
    ++done.events_new;
  }
  file.events += done.events_new;
  return done;
}

uint64_t ClickHouseStore::stored_sequence(const std::string& host_id, const std::string& boot_id) {
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

Status ClickHouseStore::mark_judged(const std::string& host_id, const std::string& boot_id, uint64_t sequence) {
  const std::lock_guard lock(ingest_mutex_);
  const auto boot = boots_.find({host_id, boot_id});
  if (boot == boots_.end()) return fail(Errc::not_found, "no events of host " + host_id + ", boot " + boot_id);
  if (sequence <= boot->second.judged) return {};
  boot->second.judged = sequence;
  // Not synced, and a full disk is no error: a mark that is lost means that its frames are judged again.
  (void)spool_->append(encode_spooled(SpooledMark{.host_id = host_id, .boot_id = boot_id, .sequence = sequence}));
  return {};
}

Status ClickHouseStore::replay_unjudged(const std::function<Status(const std::string&, const event::Batch&)>& judge) {
  // No file is removed meanwhile.
  const std::lock_guard send_lock(send_mutex_);
  std::vector<uint64_t> files;
  {
    const std::lock_guard lock(ingest_mutex_);
    for (const auto& [number, file] : spool_files_) {
      if (!judged(file)) files.push_back(number);
    }
  }
  const auto each = [&](SpoolRecord record) -> Status {
    const auto* spooled = std::get_if<SpooledFrame>(&record);
    if (spooled == nullptr) return {};
    {
      const std::lock_guard lock(ingest_mutex_);
      if (spooled->frame.last_sequence <= boots_[{spooled->host_id, spooled->frame.boot_id}].judged) return {};
    }
    if (const auto batch = decode_spooled(*spooled)) TRY_STATUS(judge(spooled->host_id, *batch));
    return mark_judged(spooled->host_id, spooled->frame.boot_id, spooled->frame.last_sequence);
  };
  for (const uint64_t file : files) TRY_STATUS(spool_->read(file, Spool::Torn::keep, each));
  return {};
}

Result<HuntResult> ClickHouseStore::hunt(const query::Hunt& hunt, const HuntLimits& limits, const RowsFound&) {
  const bool sent = wait_sent(limits);
  auto result = hunter_->hunt(hunt, limits);
  if (result && !sent) tell_unsent(*result);
  return result;
}

Result<HuntResult> ClickHouseStore::histogram(const query::Hunt& hunt, int64_t width_us, const HuntLimits& limits) {
  if (width_us < 1) return fail(Errc::invalid_argument, "histogram: bucket width is not positive");
  const bool sent = wait_sent(limits);
  auto result = hunter_->histogram(hunt, width_us, limits);
  if (result && !sent) tell_unsent(*result);
  return result;
}

std::vector<HostActivity> ClickHouseStore::activity() {
  const std::lock_guard lock(ingest_mutex_);
  std::vector<HostActivity> all;
  for (const auto& [id, host] : hosts_) all.push_back(host);
  return all;
}

StoreStats ClickHouseStore::stats() {
  StoreStats stats{.segments = table_days_, .segment_bytes = table_bytes_};
  const std::lock_guard lock(ingest_mutex_);
  for (const auto& [id, host] : hosts_) stats.events += host.events;
  for (const auto& [number, file] : spool_files_) {
    stats.spool_bytes += file.bytes;
    if (number > sent_through_) stats.tail_events += file.events;
  }
  return stats;
}

}  // namespace redoubt::store::clickhouse
