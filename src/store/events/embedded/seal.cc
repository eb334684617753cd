// From tail to segment, from segment to nothing: sealing, expiry, spool clean-up, and the thread that does them in
// time.
#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>

#include "base/log.h"
#include "base/time.h"
#include "store/events/embedded/embedded_store.h"

namespace redoubt::store::embedded {

namespace {

constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kRetryAfter = std::chrono::seconds(5);
constexpr auto kExpirePeriod = std::chrono::minutes(1);
constexpr int kRowGroupRows = 122'880;

Status sync_file(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return base::fail_errno("sync " + path);
  return {};
}

// When a segment's events count as written: never later than the seal, whatever clock a host had.
int64_t age_mark(const SegmentInfo& info) { return std::min(info.max_time_us, info.sealed_us); }

}  // namespace

// After it, everything appended goes to another table and another spool file.
Status EmbeddedStore::cut_tail() {
  TRY(Tail fresh, make_tail());
  const std::lock_guard lock(ingest_mutex_);
  if (tail_.rows == 0) return {};
  TRY_STATUS(mend_tail());
  if (const Status flushed = tail_.filler->flush(); !flushed) {
    tail_broke(flushed.error());
    return flushed;
  }
  TRY(spool_file_, spool_->roll(spool_file_ + 1));
  spool_files_[spool_file_];
  Cut cut{.table = tail_.table, .next_spool_file = spool_file_};
  cut.sealed.segment = {.number = next_segment_++,
                        .min_time_us = tail_.min_time_us,
                        .max_time_us = tail_.max_time_us,
                        .rows = tail_.rows,
                        .columns = current_columns()};
  for (const BootKey& key : tail_.boots) {
    Boot& boot = boots_[key];
    boot.cut = boot.stored;
    cut.sealed.sequences[key] = boot.stored;
    cut.sealed.hosts[key.first] = hosts_[key.first];
  }
  cut_rows_ = tail_.rows;
  tail_ = std::move(fresh);
  tail_.first_spool_file = spool_file_;
  cut_ = std::move(cut);
  room_.notify_all();
  const std::lock_guard view_lock(view_mutex_);
  view_.tails.push_back(tail_.table);
  return {};
}

// DuckDB neither syncs nor renames: a segment has its name only when it is whole and on the disk.
Status EmbeddedStore::write_segment(Cut& cut) {
  const std::string path = segment_path(cut.sealed.segment.number);
  const std::string unfinished = path + ".tmp";
  TRY(const auto session, duck_->connect());
  TRY_STATUS(session->run("COPY (SELECT * FROM " + cut.table->name() +
                          " ORDER BY host_id, event_time, event_sequence) TO " + sql_quoted(unfinished) +
                          " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE " + std::to_string(kRowGroupRows) + ")"));
  TRY_STATUS(sync_file(unfinished));
  std::error_code error;
  std::filesystem::permissions(unfinished, std::filesystem::perms(base::kPrivateFile), error);
  cut.sealed.segment.bytes = std::filesystem::file_size(unfinished, error);
  if (error || rename(unfinished.c_str(), path.c_str()) != 0) return base::fail_errno("rename " + unfinished);
  cut.sealed.segment.sealed_us = base::Time::now().us;
  return base::sync_directory(std::filesystem::path(path).parent_path().string());
}

Status EmbeddedStore::finish_cut() {
  TRY_STATUS(base::within("seal segment " + std::to_string(cut_->sealed.segment.number), write_segment(*cut_)));
  TRY_STATUS(manifest_->add(cut_->sealed));
  auto segment = std::make_shared<const Segment>(cut_->sealed.segment, segment_path(cut_->sealed.segment.number));
  {
    const std::lock_guard lock(ingest_mutex_);
    const std::lock_guard view_lock(view_mutex_);
    cut_rows_ = 0;
    std::erase_if(view_.tails, [&](const auto& table) { return table == cut_->table; });
    view_.segments.push_back(std::move(segment));
  }
  sealed_before_ = cut_->next_spool_file;
  cut_.reset();
  remove_judged_spool();
  return {};
}

Status EmbeddedStore::seal() {
  const std::lock_guard seal_lock(seal_mutex_);
  if (cut_) TRY_STATUS(finish_cut());  // one that failed before
  TRY_STATUS(cut_tail());
  return cut_ ? finish_cut() : Status{};
}

bool EmbeddedStore::judged(const std::map<BootKey, uint64_t>& frames) const {
  return std::all_of(frames.begin(), frames.end(), [&](const auto& frame) {
    const auto boot = boots_.find(frame.first);
    return boot != boots_.end() && boot->second.judged >= frame.second;
  });
}

// Oldest first and without gaps: the marks for a file's frames are in that file or a later one.
void EmbeddedStore::remove_judged_spool() {
  const std::lock_guard lock(ingest_mutex_);
  while (!spool_files_.empty() && spool_files_.begin()->first < sealed_before_ &&
         judged(spool_files_.begin()->second)) {
    if (const Status removed = spool_->remove(spool_files_.begin()->first); !removed) {
      base::log_warning("store", removed.error().message);
    }
    spool_files_.erase(spool_files_.begin());
  }
}

// The oldest segments past the limits of age and size.
std::vector<std::shared_ptr<const Segment>> EmbeddedStore::choose_expired() {
  auto segments = current_view().segments;
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return age_mark(a->info) < age_mark(b->info); });
  uint64_t bytes = 0;
  for (const auto& segment : segments) bytes += segment->info.bytes;
  const int64_t oldest_us = options_.retention_us > 0 ? base::Time::now().us - options_.retention_us : INT64_MIN;
  std::vector<std::shared_ptr<const Segment>> expired;
  for (const auto& segment : segments) {
    const bool too_much = options_.disk_bytes_max > 0 && bytes > options_.disk_bytes_max;
    if (age_mark(segment->info) >= oldest_us && !too_much) break;
    bytes -= segment->info.bytes;
    expired.push_back(segment);
  }
  return expired;
}

Result<size_t> EmbeddedStore::expire() {
  const std::lock_guard seal_lock(seal_mutex_);
  const auto expired = choose_expired();
  if (expired.empty()) return 0;
  std::vector<uint64_t> numbers;
  for (const auto& segment : expired) numbers.push_back(segment->info.number);
  // Out of the manifest first: a file that a crash leaves behind is an orphan, removed at the next open.
  TRY_STATUS(manifest_->remove(numbers));
  const std::lock_guard lock(view_mutex_);
  std::erase_if(view_.segments, [&](const auto& segment) {
    return std::find(expired.begin(), expired.end(), segment) != expired.end();
  });
  for (const auto& segment : expired) segment->expired = true;
  return expired.size();
}

bool EmbeddedStore::seal_due() const {
  if (tail_.rows == 0 || Clock::now() < seal_not_before_) return false;
  return over(1) || Clock::now() - tail_.began >= std::chrono::microseconds(options_.seal_age_us);
}

void EmbeddedStore::run() {
  std::unique_lock lock(ingest_mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kTick, [&] { return stopping_ || seal_due(); });
    if (stopping_) return;
    const bool due = seal_due();
    lock.unlock();
    const Status sealed = due ? seal() : Status{};
    if (!sealed) base::log_error("store", sealed.error().message);
    if (Clock::now() >= expire_next_) {
      expire_next_ = Clock::now() + kExpirePeriod;
      if (const auto expired = expire(); !expired) base::log_error("store", expired.error().message);
    }
    {
      const std::lock_guard seal_lock(seal_mutex_);
      remove_judged_spool();
    }
    lock.lock();
    if (!sealed) seal_not_before_ = Clock::now() + kRetryAfter;
  }
}

}  // namespace redoubt::store::embedded
