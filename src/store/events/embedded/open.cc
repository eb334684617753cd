// How the embedded store comes up: lock, manifest, orphans, spool replay.
#include <fcntl.h>
#include <filesystem>

#include "base/log.h"
#include "store/events/embedded/embedded_store.h"
#include "store/events/embedded/segment_writer.h"

namespace redoubt::store {

namespace embedded {

namespace {

// read_parquet() would take them for patterns.
constexpr std::string_view kPatternCharacters = "*?[]{}";
constexpr std::string_view kSegmentDirectory = "segments";
constexpr std::string_view kSpoolDirectory = "spool";
constexpr std::string_view kTemporaryDirectory = "tmp";

// Removes the files of a directory that are not in `kept`; how many.
Result<size_t> remove_all_but(const std::string& directory, const std::set<std::string>& kept) {
  std::error_code error;
  size_t removed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (kept.contains(entry.path().string())) continue;
    std::error_code failed;
    if (std::filesystem::remove_all(entry.path(), failed) > 0) ++removed;
    if (failed) return fail(Errc::io, "remove " + entry.path().string() + ": " + failed.message());
  }
  if (error) return fail(Errc::io, "read " + directory + ": " + error.message());
  return removed;
}

}  // namespace

std::string EmbeddedStore::segment_path(uint64_t number) const {
  return options_.directory + "/" + std::string(kSegmentDirectory) + "/" + std::to_string(number) + ".parquet";
}

Status EmbeddedStore::open_directories() {
  if (options_.seal_events == 0) return fail(Errc::invalid_argument, "seal_events is 0");
  if (options_.memory_bytes_max < kStoreMemoryBytesMin) {
    return fail(Errc::invalid_argument, "memory_bytes_max is less than " + std::to_string(kStoreMemoryBytesMin));
  }
  if (options_.directory.find_first_of(kPatternCharacters) != std::string::npos) {
    return fail(Errc::invalid_argument, "the directory's name has one of " + std::string(kPatternCharacters));
  }
  std::error_code error;
  options_.directory = std::filesystem::absolute(options_.directory, error).lexically_normal().string();
  for (const std::string_view name : {kSegmentDirectory, kSpoolDirectory, kTemporaryDirectory}) {
    TRY_STATUS(base::make_directories(options_.directory + "/" + std::string(name)));
  }
  TRY(lock_file_, base::lock_file(options_.directory + "/lock", base::kTakeoverMs));
  TRY_STATUS(remove_all_but(options_.directory + "/" + std::string(kTemporaryDirectory), {}).map([](size_t) {}));
  return {};
}

Status EmbeddedStore::open_segments() {
  TRY(const std::vector<SegmentInfo> segments, manifest_->segments());
  std::set<std::string> kept;
  for (const SegmentInfo& info : segments) {
    auto segment = std::make_shared<const Segment>(info, segment_path(info.number));
    std::error_code error;
    const uint64_t bytes = std::filesystem::file_size(segment->path, error);
    if (error || bytes != info.bytes) {
      // Hunts that need it say so; the rest of the store stays of use.
      base::log_error("store", "segment " + segment->path + " is damaged: it has not the size that the manifest says");
    }
    kept.insert(segment->path);
    kept.insert(index_path(segment->path));
    next_segment_ = std::max(next_segment_, info.number + 1);
    segments_.push_back(std::move(segment));
  }
  TRY(const size_t orphans, remove_all_but(options_.directory + "/" + std::string(kSegmentDirectory), kept));
  if (orphans > 0) base::log_info("store", "removed " + std::to_string(orphans) + " segments that were not finished");
  TRY(const auto sequences, manifest_->sequences());
  for (const auto& [key, sequence] : sequences) boots_[key] = {.stored = sequence};
  TRY(hosts_, manifest_->hosts());
  return {};
}

Status EmbeddedStore::replay_frame(uint64_t file, const SpooledFrame& spooled) {
  const BootKey key{spooled.host_id, spooled.frame.boot_id};
  uint64_t& last = spool_files_[file][key];
  last = std::max(last, spooled.frame.last_sequence);
  const auto boot = boots_.find(key);
  if (boot != boots_.end() && spooled.frame.last_sequence <= boot->second.stored) return {};
  const auto batch = decode_spooled(spooled);
  if (!batch) return {};
  if (tail_.table->rows() == 0) tail_.first_spool_file = file;
  Appended done;
  fill_tail(key, *batch, done);
  return {};
}

Status EmbeddedStore::replay_record(uint64_t file, SpoolRecord record) {
  if (const auto* mark = std::get_if<SpooledMark>(&record)) {
    uint64_t& judged = boots_[{mark->host_id, mark->boot_id}].judged;
    judged = std::max(judged, mark->sequence);
    return {};
  }
  return replay_frame(file, std::get<SpooledFrame>(record));
}

Status EmbeddedStore::replay_spool() {
  TRY(const std::vector<uint64_t> files, spool_->files());
  spool_file_ = files.empty() ? 1 : files.back() + 1;
  tail_.first_spool_file = spool_file_;
  for (const uint64_t file : files) {
    spool_files_[file];
    const auto torn = file == files.back() ? Spool::Torn::cut : Spool::Torn::keep;
    TRY_STATUS(spool_->read(file, torn, [&](SpoolRecord record) { return replay_record(file, std::move(record)); }));
  }
  if (const size_t rows = tail_.table->rows(); rows > 0) {
    base::log_info("store", "replayed " + std::to_string(rows) + " events from the spool");
  }
  sealed_before_ = tail_.first_spool_file;
  TRY_STATUS(spool_->roll(spool_file_).map([](uint64_t) {}));
  spool_files_[spool_file_];
  return {};
}

Status EmbeddedStore::open() {
  TRY_STATUS(open_directories());
  TRY(manifest_, Manifest::open(options_.directory + "/manifest.db"));
  TRY(duck_, Duck::open({.segment_directory = options_.directory + "/" + std::string(kSegmentDirectory),
                         .temporary_directory = options_.directory + "/" + std::string(kTemporaryDirectory),
                         .memory_bytes_max = options_.memory_bytes_max,
                         .threads = options_.threads}));
  hunter_ = std::make_unique<Hunter>(*duck_);
  spool_ = std::make_unique<Spool>(options_.directory + "/" + std::string(kSpoolDirectory));
  TRY_STATUS(open_segments());
  TRY_STATUS(replay_spool());
  expire_next_ = Clock::now();
  if (options_.upkeep == Upkeep::automatic) thread_ = std::thread([this] { run(); });
  return {};
}

Status EmbeddedStore::replay_unjudged(const std::function<Status(const std::string&, const event::Batch&)>& judge) {
  // No file is removed meanwhile.
  const std::lock_guard seal_lock(seal_mutex_);
  std::vector<uint64_t> files;
  {
    const std::lock_guard lock(ingest_mutex_);
    for (const auto& [file, frames] : spool_files_) {
      if (!judged(frames)) files.push_back(file);
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

}  // namespace embedded

Result<std::unique_ptr<EventStore>> open_embedded_store(const EmbeddedOptions& options) {
  auto store = std::make_unique<embedded::EmbeddedStore>(options);
  TRY_STATUS(base::within("open event store " + options.directory, store->open()));
  return store;
}

}  // namespace redoubt::store
