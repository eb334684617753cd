#include "link/agent/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "event/batch.h"

namespace redoubt::link {

namespace {

constexpr std::string_view kSpoolLog = "spool";
constexpr std::string_view kSegmentEnding = ".spool";
constexpr size_t kSegmentBytesAnyMax = size_t{256} << 20;
constexpr size_t kRecordHeadBytes = 16;  // event/frame.h: magic, body size, checksum
constexpr size_t kRecordSizeAt = 4;
constexpr size_t kRecordBodyBytesMax = event::kBatchBytesMax + 1024;

std::string segment_path(const std::string& directory, uint64_t serial) {
  char name[32];
  std::snprintf(name, sizeof name, "%016llx%s", static_cast<unsigned long long>(serial), kSegmentEnding.data());
  return directory + "/" + name;
}

std::optional<uint64_t> serial_of(const std::string& file_name) {
  if (!file_name.ends_with(kSegmentEnding)) return std::nullopt;
  const char* const end = file_name.data() + file_name.size() - kSegmentEnding.size();
  uint64_t serial = 0;
  const auto [stop, error] = std::from_chars(file_name.data(), end, serial, 16);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return serial;
}

Result<std::string> read_at(int fd, uint64_t offset, size_t size) {
  std::string bytes(size, '\0');
  size_t got = 0;
  while (got < size) {
    const ssize_t count = pread(fd, bytes.data() + got, size - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail_errno("read spool");
    if (count == 0) return fail(Errc::corrupt, "spool record is torn");
    got += static_cast<size_t>(count);
  }
  return bytes;
}

// One record; `size` becomes what it takes on disk.
Result<event::Frame> read_record(const std::string& path, uint64_t offset, uint64_t& size) {
  const base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return base::fail_errno("open " + path);
  TRY(std::string record, read_at(fd.get(), offset, kRecordHeadBytes));
  uint32_t body_size = 0;
  std::memcpy(&body_size, record.data() + kRecordSizeAt, sizeof body_size);
  if (body_size > kRecordBodyBytesMax) return fail(Errc::corrupt, "spool record is torn");
  TRY(const std::string body, read_at(fd.get(), offset + kRecordHeadBytes, body_size));
  record += body;
  size = record.size();
  std::string_view bytes = record;
  return event::take_record(bytes);
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(SpoolOptions options) {
  CHECK(options.segment_bytes > 0 && options.segment_bytes <= kSegmentBytesAnyMax / 2);
  TRY_STATUS(base::make_directories(options.directory));
  std::unique_ptr<Spool> spool(new Spool(std::move(options)));
  TRY_STATUS(base::within("open spool", spool->load()));
  return spool;
}

Spool::Spool(SpoolOptions options) : options_(std::move(options)) {}

Spool::~Spool() {
  active_.reset();
  release(released_);  // the last segment too, if it is done
}

Status Spool::load() {
  std::vector<std::pair<uint64_t, std::string>> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory, error)) {
    if (const auto serial = serial_of(entry.path().filename().string()))
      files.emplace_back(*serial, entry.path().string());
  }
  if (error) return fail(Errc::io, options_.directory + ": " + error.message());
  std::sort(files.begin(), files.end());
  for (const auto& [serial, path] : files) TRY_STATUS(load_segment(path, serial));
  if (released_ == SpoolPosition{}) {
    released_ = {.segment = segments_.empty() ? next_serial_ : segments_.front().serial, .offset = 0};
  }
  release(released_);
  return {};
}

// Keeps the intact records at the front of a segment and cuts the rest.
Status Spool::load_segment(const std::string& path, uint64_t serial) {
  next_serial_ = serial + 1;
  TRY(const std::string content, base::read_file(path, kSegmentBytesAnyMax));
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return base::fail_errno("stat " + path);
  Segment segment{.serial = serial, .path = path, .last_append = {status.st_mtim.tv_sec * base::kSecondUs}};
  std::string_view rest = content;
  while (true) {
    const auto frame = event::take_record(rest);
    if (!frame && frame.error().code == Errc::not_found) break;
    if (!frame) {
      base::log_warning(kSpoolLog,
                        path + ": cut at byte " + std::to_string(segment.size) + ": " + frame.error().message);
      if (truncate(path.c_str(), static_cast<off_t>(segment.size)) != 0) return base::fail_errno("truncate " + path);
      break;
    }
    if (segment.size == 0) segment.first_sequence = frame->first_sequence;
    segment.size = content.size() - rest.size();
    segment.boot_id = frame->boot_id;
    segment.last_sequence = frame->last_sequence;
    if (frame->boot_id == options_.released_boot_id && frame->last_sequence <= options_.released_sequence) {
      released_ = {.segment = serial, .offset = segment.size};
    }
  }
  if (segment.size == 0) {
    unlink(path.c_str());
    return {};
  }
  const bool cut = segment.size < content.size();
  if (!segments_.empty()) {
    const Segment& before = segments_.back();
    // Only where bytes were cut: a gap elsewhere was declared when it arose.
    if (tail_cut_ && before.boot_id == segment.boot_id && before.last_sequence + 1 < segment.first_sequence) {
      gaps_at_open_.push_back({.segment = serial,
                               .boot_id = segment.boot_id,
                               .events = segment.first_sequence - before.last_sequence - 1,
                               .first_sequence = before.last_sequence + 1,
                               .last_sequence = segment.first_sequence - 1});
    }
  }
  tail_cut_ = cut;
  size_bytes_ += segment.size;
  segments_.push_back(std::move(segment));
  return {};
}

Status Spool::start_segment() {
  Segment segment{.serial = next_serial_, .path = segment_path(options_.directory, next_serial_)};
  base::UniqueFd fd(
      ::open(segment.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, base::kPrivateFile));
  if (!fd) return base::fail_errno("create " + segment.path);
  ++next_serial_;
  active_ = std::make_shared<base::UniqueFd>(std::move(fd));
  segments_.push_back(std::move(segment));
  return {};
}

Status Spool::append(const event::Frame& frame) {
  const std::string record = event::encode_record(frame);
  const std::lock_guard lock(mutex_);
  if (!active_ || segments_.empty() || segments_.back().size >= options_.segment_bytes) TRY_STATUS(start_segment());
  Segment& segment = segments_.back();
  if (Status written = base::write_all(active_->get(), record); !written) {
    // A record that is half there must not be followed by another: cut it, or leave the segment.
    if (ftruncate(active_->get(), static_cast<off_t>(segment.size)) != 0) active_.reset();
    return base::within("append to " + segment.path, std::move(written));
  }
  if (segment.size == 0) segment.first_sequence = frame.first_sequence;
  segment.boot_id = frame.boot_id;
  segment.last_sequence = frame.last_sequence;
  segment.last_append = base::Time::now();
  segment.size += record.size();
  size_bytes_ += record.size();
  if (unsynced_.empty() || unsynced_.back() != active_) unsynced_.push_back(active_);
  changed_.notify_all();
  return {};
}

Status Spool::sync() {
  std::vector<std::shared_ptr<base::UniqueFd>> files;
  {
    const std::lock_guard lock(mutex_);
    files.swap(unsynced_);
  }
  if (files.empty()) return {};
  for (const auto& file : files) {
    if (fdatasync(file->get()) != 0) return base::fail_errno("sync spool");
  }
  return base::sync_directory(options_.directory);
}

SpoolPosition Spool::released() const {
  const std::lock_guard lock(mutex_);
  return released_;
}

const Spool::Segment* Spool::readable(SpoolPosition& position) const {
  for (const Segment& segment : segments_) {
    if (segment.serial < position.segment) continue;
    if (segment.serial > position.segment) position = {.segment = segment.serial, .offset = 0};
    if (position.offset < segment.size) return &segment;
  }
  return nullptr;
}

Result<event::Frame> Spool::read(SpoolPosition& position) {
  std::string path;
  {
    const std::lock_guard lock(mutex_);
    const Segment* const segment = readable(position);
    if (segment == nullptr) return fail(Errc::not_found, "end of spool");
    path = segment->path;
  }
  uint64_t size = 0;
  auto frame = read_record(path, position.offset, size);
  // Dropped between the look-up and the opening: what follows is in a later segment.
  if (!frame && frame.error().code == Errc::not_found) return fail(Errc::unavailable, "spool segment is gone");
  if (frame) position.offset += size;
  return frame;
}

std::optional<SpoolGap> Spool::skip_damaged(SpoolPosition& position, uint64_t last_read_sequence) {
  const std::lock_guard lock(mutex_);
  const Segment* const segment = readable(position);
  if (segment == nullptr) return std::nullopt;
  base::log_error(kSpoolLog, segment->path + " is damaged at byte " + std::to_string(position.offset));
  const uint64_t first = std::max(last_read_sequence + 1, segment->first_sequence);
  SpoolGap gap{.segment = segment->serial,
               .boot_id = segment->boot_id,
               .first_sequence = first,
               .last_sequence = segment->last_sequence};
  position.offset = segment->size;
  if (first > gap.last_sequence) return std::nullopt;
  gap.events = gap.last_sequence - first + 1;
  return gap;
}

bool Spool::wait_for_more(SpoolPosition position, std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  const uint64_t wakes = wakes_;
  SpoolPosition next = position;
  changed_.wait_for(lock, at_most, [&] {
    next = position;
    return wakes_ != wakes || readable(next) != nullptr;
  });
  next = position;
  return readable(next) != nullptr;
}

void Spool::wake() {
  const std::lock_guard lock(mutex_);
  ++wakes_;
  changed_.notify_all();
}

void Spool::release(SpoolPosition position) {
  const std::lock_guard lock(mutex_);
  released_ = std::max(released_, position);
  for (auto segment = segments_.begin(); segment != segments_.end();) {
    const bool done = segment->serial < released_.segment ||
                      (segment->serial == released_.segment && released_.offset >= segment->size);
    const bool appended_to = active_ && segment->serial == segments_.back().serial;
    if (!done || appended_to) {
      ++segment;
      continue;
    }
    remove(segment);
    segment = segments_.begin();
  }
  changed_.notify_all();
}

void Spool::remove(std::deque<Segment>::iterator segment) {
  unlink(segment->path.c_str());
  size_bytes_ -= segment->size;
  segments_.erase(segment);
}

SpoolGap Spool::gap_of(const Segment& segment) const {
  SpoolGap gap{.segment = segment.serial, .boot_id = segment.boot_id};
  uint64_t offset = released_.segment == segment.serial ? released_.offset : 0;
  while (offset < segment.size) {
    uint64_t size = 0;
    const auto frame = read_record(segment.path, offset, size);
    if (!frame) break;
    if (gap.events == 0) gap.first_sequence = frame->first_sequence;
    gap.last_sequence = frame->last_sequence;
    gap.events += frame->events;
    gap.frames.push_back(*frame);
    offset += size;
  }
  if (offset < segment.size) {  // damaged: by the numbers alone
    gap.first_sequence = segment.first_sequence;
    gap.last_sequence = segment.last_sequence;
    gap.events = gap.last_sequence - gap.first_sequence + 1;
  }
  return gap;
}

std::optional<SpoolGap> Spool::past_limits() {
  const std::lock_guard lock(mutex_);
  if (segments_.empty() || segments_.front().size == 0) return std::nullopt;
  const Segment& oldest = segments_.front();
  const bool too_old = base::Time::now().us - oldest.last_append.us > options_.age_us_max;
  const bool too_much = size_bytes_ > options_.size_bytes_max && segments_.size() > 1;
  if (!too_old && !too_much) return std::nullopt;
  if (segments_.size() == 1) active_.reset();
  return gap_of(oldest);
}

std::optional<SpoolGap> Spool::gap_in(uint64_t serial) const {
  const std::lock_guard lock(mutex_);
  const auto segment =
      std::find_if(segments_.begin(), segments_.end(), [&](const Segment& s) { return s.serial == serial; });
  if (segment == segments_.end()) return std::nullopt;
  return gap_of(*segment);
}

void Spool::drop(uint64_t serial) {
  const std::lock_guard lock(mutex_);
  const auto segment =
      std::find_if(segments_.begin(), segments_.end(), [&](const Segment& s) { return s.serial == serial; });
  if (segment == segments_.end()) return;
  if (serial == segments_.back().serial) active_.reset();
  released_ = std::max(released_, SpoolPosition{.segment = serial, .offset = segment->size});
  remove(segment);
}

uint64_t Spool::last_sequence(const std::string& boot_id) const {
  const std::lock_guard lock(mutex_);
  uint64_t last = 0;
  for (const Segment& segment : segments_) {
    if (segment.boot_id == boot_id) last = std::max(last, segment.last_sequence);
  }
  return last;
}

size_t Spool::size_bytes() const {
  const std::lock_guard lock(mutex_);
  return size_bytes_;
}

bool Spool::empty() const {
  const std::lock_guard lock(mutex_);
  SpoolPosition position = released_;
  return readable(position) == nullptr;
}

}  // namespace redoubt::link
