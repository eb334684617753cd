// The store at one moment, for a backup: files that stay as they are as long as somebody holds the snapshot.
#include <unistd.h>
#include <filesystem>

#include "base/log.h"
#include "store/events/embedded/embedded_store.h"
#include "store/events/embedded/segment_writer.h"
#include "store/file_copy.h"

namespace redoubt::store::embedded {

namespace {

// Segments that are held are not unlinked; spool files and the manifest have other names here.
struct Hold {
  std::string directory;
  std::vector<std::shared_ptr<const Segment>> segments;

  Hold() = default;
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() {
    std::error_code failed;
    std::filesystem::remove_all(directory, failed);
    if (failed) base::log_warning("store", "snapshot " + directory + " is not removed: " + failed.message());
  }
};

Status link_or_copy(const std::string& from, const std::string& to) {
  if (link(from.c_str(), to.c_str()) == 0) return {};
  return copy_file(from, to).map([](const FileChecksum&) {});
}

std::string file_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

}  // namespace

// The files of the spool that hold what was appended so far; nothing is written to them any more.
Result<std::vector<uint64_t>> EmbeddedStore::close_spool_file() {
  const std::lock_guard lock(ingest_mutex_);
  TRY(spool_file_, spool_->roll(spool_file_ + 1));
  std::vector<uint64_t> files;
  for (const auto& [number, frames] : spool_files_) files.push_back(number);
  spool_files_[spool_file_];
  return files;
}

Result<StoreSnapshot> EmbeddedStore::snapshot() {
  const auto hold = std::make_shared<Hold>();
  StoreSnapshot snapshot{.hold = hold};
  const auto add = [&](const std::string& path, const std::string& name, uint64_t checksum) {
    snapshot.files.push_back({.path = path, .name = name, .checksum = checksum});
  };
  // Nothing is sealed, merged or dropped meanwhile, so manifest, segments and spool are of one moment.
  const std::lock_guard seal_lock(seal_mutex_);
  const std::string directory = options_.directory + "/tmp/snapshot-" + std::to_string(next_export_++);
  TRY_STATUS(base::make_directories(directory));
  hold->directory = directory;
  TRY(const std::vector<uint64_t> spool_files, close_spool_file());
  for (const uint64_t number : spool_files) {
    const std::string name = file_name(spool_->path_of(number));
    TRY_STATUS(link_or_copy(spool_->path_of(number), directory + "/" + name));
    add(directory + "/" + name, "spool/" + name, 0);
  }
  TRY_STATUS(manifest_->backup(directory + "/manifest.db"));
  add(directory + "/manifest.db", "manifest.db", 0);
  hold->segments = current_segments();
  for (const auto& segment : hold->segments) {
    add(segment->path, "segments/" + file_name(segment->path), segment->info.checksum);
    const std::string index = index_path(segment->path);
    if (segment->info.index_bytes > 0) add(index, "segments/" + file_name(index), 0);
    snapshot.events += segment->info.rows;
  }
  snapshot.events += stats().tail_events;
  return snapshot;
}

}  // namespace redoubt::store::embedded
