// From tail to segment, from segment to nothing: sealing, expiry, spool clean-up, and the thread that does them in
// time.
#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "base/time.h"
#include "store/events/embedded/embedded_store.h"
#include "store/events/embedded/segment_writer.h"

namespace redoubt::store::embedded {

namespace {

constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kRetryAfter = std::chrono::seconds(5);
constexpr auto kExpirePeriod = std::chrono::minutes(1);
// Events that are so much older than the newest of their tail make a segment of their own, so that times of segments
// stay narrow.
constexpr int64_t kLateUs = int64_t{6} * 3600 * base::kSecondUs;

}  // namespace

// After it, everything appended goes to another table and another spool file.
Status EmbeddedStore::cut_tail() {
  const std::lock_guard lock(ingest_mutex_);
  if (tail_.table->rows() == 0) return {};
  TRY(spool_file_, spool_->roll(spool_file_ + 1));
  spool_files_[spool_file_];
  Cut cut{.table = tail_.table, .next_spool_file = spool_file_};
  for (const BootKey& key : tail_.boots) {
    cut.sealed.sequences[key] = boots_[key].stored;
    cut.sealed.hosts[key.first] = hosts_[key.first];
  }
  cut_table_ = tail_.table;
  tail_ = {};
  tail_.first_spool_file = spool_file_;
  cut_ = std::move(cut);
  room_.notify_all();
  return {};
}

// What came in time, and what came late.
std::array<std::vector<uint32_t>, kSlices> EmbeddedStore::slices(const Memtable& table) {
  const int64_t now_us = base::Time::now().us;
  int64_t newest_us = INT64_MIN;
  for (size_t row = 0; row < table.rows(); ++row) {
    newest_us = std::max(newest_us, std::min(table.number(row, event::Field::event_time), now_us));
  }
  std::array<std::vector<uint32_t>, kSlices> slices;
  for (uint32_t row = 0; row < table.rows(); ++row) {
    const bool late = table.number(row, event::Field::event_time) < newest_us - kLateUs;
    slices[late ? 1 : 0].push_back(row);
  }
  return slices;
}

Status EmbeddedStore::finish_cut() {
  cut_->sealed.segments.clear();
  std::vector<std::shared_ptr<const Segment>> fresh;
  for (auto& rows : slices(*cut_->table)) {
    if (rows.empty()) continue;
    // A seal that is tried again writes the same files.
    if (cut_->numbers.size() == fresh.size()) cut_->numbers.push_back(next_segment_++);
    const uint64_t number = cut_->numbers[fresh.size()];
    TRY(SegmentInfo info, base::within("seal segment " + std::to_string(number),
                                       write_segment(*cut_->table, sorted_rows(*cut_->table, std::move(rows)), number,
                                                     segment_path(number))));
    fresh.push_back(std::make_shared<const Segment>(info, segment_path(number)));
    cut_->sealed.segments.push_back(std::move(info));
  }
  TRY_STATUS(manifest_->add(cut_->sealed));
  {
    const std::lock_guard lock(ingest_mutex_);
    const std::lock_guard view_lock(view_mutex_);
    cut_table_.reset();
    std::move(fresh.begin(), fresh.end(), std::back_inserter(segments_));
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
  auto segments = current_segments();
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return a->info.age_mark_us() < b->info.age_mark_us(); });
  uint64_t bytes = 0;
  for (const auto& segment : segments) bytes += segment->info.bytes + segment->info.index_bytes;
  const int64_t oldest_us = options_.retention_us > 0 ? base::Time::now().us - options_.retention_us : INT64_MIN;
  std::vector<std::shared_ptr<const Segment>> expired;
  for (const auto& segment : segments) {
    const bool too_much = options_.disk_bytes_max > 0 && bytes > options_.disk_bytes_max;
    if (segment->info.age_mark_us() >= oldest_us && !too_much) break;
    bytes -= segment->info.bytes + segment->info.index_bytes;
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
  replace_segments(expired, nullptr);
  return expired.size();
}

bool EmbeddedStore::seal_due() const {
  if (tail_.table->rows() == 0 || Clock::now() < seal_not_before_) return false;
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
      if (const auto merged = merge(); !merged) base::log_error("store", merged.error().message);
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
