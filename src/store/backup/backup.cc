#include "store/backup/backup.h"

#include <fcntl.h>
#include <unistd.h>
#include <filesystem>
#include <set>

#include "base/time.h"
#include "store/backup/backup_list.h"
#include "store/file_copy.h"

namespace redoubt::store {

namespace {

namespace fs = std::filesystem;

constexpr size_t kMarkBytesMax = 8192;
constexpr size_t kDigestDigits = 64;

Status cancelled_status(const BackupOptions& options) {
  if (!options.cancelled || !options.cancelled()) return {};
  return fail(Errc::timeout, "backup: cancelled; the same command goes on with it");
}

// The directory of a backup while it is made.
class BackupWriter {
 public:
  BackupWriter(const BackupOptions& options, std::string source)
      : options_(options), list_{.made = base::format_time(base::Time::now()), .source = std::move(source)} {}

  Status begin();
  // A file that stays as it is; 0: the checksum is not known.
  Status add(const SnapshotFile& file);
  // A file that `make` writes to a path where there is nothing.
  Status add_made(const std::string& name, const std::function<Status(const std::string& path)>& make);
  Result<BackupReport> finish(uint64_t events);

 private:
  std::string path_of(const std::string& name) const { return options_.directory + "/" + name; }
  Status make_parent(const std::string& name);
  Result<bool> link_file(const SnapshotFile& file);
  Status list(const SnapshotFile& file);
  Status remove_unlisted();

  const BackupOptions& options_;
  BackupList list_;
  std::set<std::string> parents_;
  bool can_link_ = true;
  uint64_t linked_ = 0;
  std::vector<Damage> damage_;
};

Status BackupWriter::begin() {
  std::error_code error;
  const std::string& directory = options_.directory;
  const fs::path inside = fs::path(directory).lexically_normal().lexically_relative(list_.source);
  if (!fs::path(directory).is_absolute()) return fail(Errc::invalid_argument, "'" + directory + "' is not absolute");
  if (!inside.empty() && *inside.begin() != "..") {
    return fail(Errc::invalid_argument, directory + " is in the data directory itself");
  }
  if (fs::exists(path_of(kBackupList), error)) {
    return fail(Errc::already_exists, directory + " holds a backup that is whole: give another directory");
  }
  TRY_STATUS(base::make_directories(directory));
  const auto mark = base::read_file(path_of(kBackupUnfinished), kMarkBytesMax);
  if (!mark && !fs::is_empty(directory, error)) {
    return fail(Errc::already_exists, directory + " is not empty, and holds no backup that was broken off");
  }
  if (mark && *mark != list_.source) {
    return fail(Errc::already_exists, directory + " holds a backup of " + *mark + " that was broken off");
  }
  return mark ? Status{} : base::write_file_atomic(path_of(kBackupUnfinished), list_.source, base::kPrivateFile);
}

Status BackupWriter::make_parent(const std::string& name) {
  const std::string parent = fs::path(path_of(name)).parent_path().string();
  if (!parents_.insert(parent).second) return {};
  return base::make_directories(parent);
}

// False: it has to be copied.
Result<bool> BackupWriter::link_file(const SnapshotFile& file) {
  if (!can_link_ || options_.files == BackupFiles::copied) return false;
  const std::string path = path_of(file.name);
  unlink(path.c_str());
  if (link(file.path.c_str(), path.c_str()) == 0) {
    ++linked_;
    return true;
  }
  if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != EOPNOTSUPP) {
    return base::fail_errno("link " + file.path);
  }
  can_link_ = errno == EMLINK;
  return false;
}

Status BackupWriter::add(const SnapshotFile& file) {
  TRY_STATUS(cancelled_status(options_));
  if (access(file.path.c_str(), F_OK) != 0) {
    damage_.push_back({.what = file.path, .why = "it is missing"});
    return {};
  }
  TRY_STATUS(make_parent(file.name));
  if (is_copy_of(path_of(file.name), file.path)) return list(file);
  TRY(const bool done, link_file(file));
  if (done) return list(file);
  const auto going_on = [this] { return cancelled_status(options_); };
  TRY(const FileChecksum sum, copy_file(file.path, path_of(file.name), going_on));
  if (file.checksum != 0 && file.checksum != sum.checksum) {
    damage_.push_back({.what = file.path, .why = "it is not as it was written"});
  }
  list_.files.push_back({.name = file.name, .bytes = sum.bytes, .checksum = sum.checksum});
  return {};
}

Status BackupWriter::list(const SnapshotFile& file) {
  BackupFile listed{.name = file.name, .checksum = file.checksum};
  std::error_code error;
  listed.bytes = fs::file_size(path_of(file.name), error);
  if (error) return fail(Errc::io, "size of " + path_of(file.name) + ": " + error.message());
  if (listed.checksum == 0) {
    TRY(const FileChecksum sum, checksum_of_file(path_of(file.name), [this] { return cancelled_status(options_); }));
    listed.checksum = sum.checksum;
  }
  list_.files.push_back(std::move(listed));
  return {};
}

Status BackupWriter::add_made(const std::string& name, const std::function<Status(const std::string& path)>& make) {
  TRY_STATUS(make_parent(name));
  unlink(path_of(name).c_str());
  TRY_STATUS(make(path_of(name)));
  return list({.path = "", .name = name});
}

// What an earlier try has left, segments that were merged since, say.
Status BackupWriter::remove_unlisted() {
  std::set<std::string> listed;
  for (const BackupFile& file : list_.files) listed.insert(path_of(file.name));
  std::error_code error;
  std::vector<fs::path> others;
  for (const auto& entry : fs::recursive_directory_iterator(options_.directory, error)) {
    if (entry.is_directory(error) || listed.contains(entry.path().string())) continue;
    if (entry.path() != path_of(kBackupUnfinished)) others.push_back(entry.path());
  }
  for (const fs::path& other : others) fs::remove(other, error);
  return error ? Status(fail(Errc::io, "tidy " + options_.directory + ": " + error.message())) : Status{};
}

Result<BackupReport> BackupWriter::finish(uint64_t events) {
  TRY_STATUS(remove_unlisted());
  std::set<std::string> directories = {options_.directory};
  for (const std::string& parent : parents_) {
    for (fs::path path = parent; path != options_.directory; path = path.parent_path()) directories.insert(path);
  }
  for (const std::string& directory : directories) TRY_STATUS(base::sync_directory(directory));
  list_.events = events;
  TRY_STATUS(base::write_file_atomic(path_of(kBackupList), encode_backup_list(list_), base::kPrivateFile));
  unlink(path_of(kBackupUnfinished).c_str());
  BackupReport report{
      .directory = options_.directory, .events = events, .files = list_.files.size(), .files_linked = linked_};
  for (const BackupFile& file : list_.files) report.bytes += file.bytes;
  report.damage = damage_;
  return report;
}

// Objects that are gone when their turn comes were removed by somebody who may.
Status add_objects(const NodeFiles& files, BackupWriter& writer) {
  std::error_code error;
  if (!fs::exists(files.objects(), error)) return {};
  for (const auto& entry : fs::recursive_directory_iterator(files.objects(), error)) {
    const std::string name = entry.path().filename().string();
    if (name.size() != kDigestDigits || !entry.is_regular_file()) continue;
    const std::string below = entry.path().lexically_relative(files.directory).string();
    std::error_code gone;
    const Status added = writer.add({.path = entry.path().string(), .name = below});
    if (!added && fs::exists(entry.path(), gone)) return added;
  }
  return error ? Status(fail(Errc::io, "read " + files.objects() + ": " + error.message())) : Status{};
}

// Whoever has these is the node: they are copied, and server.pem, which makes a directory that of a node, is last.
Status add_identity(const NodeFiles& files, BackupWriter& writer) {
  std::error_code error;
  for (const std::string& path :
       {files.attack(), files.ca_certificate(), files.ca_key(), files.key(), files.certificate()}) {
    if (!fs::exists(path, error)) continue;
    TRY_STATUS(writer.add_made(fs::path(path).filename().string(), [&](const std::string& to) {
      return copy_file(path, to).map([](const FileChecksum&) {});
    }));
  }
  return {};
}

}  // namespace

Result<BackupReport> back_up(const BackupSource& source, const BackupOptions& options) {
  std::error_code error;
  if (!fs::exists(source.files.state(), error)) {
    return fail(Errc::unsupported,
                "the state of this node is in PostgreSQL: there is no one moment of two servers to back up (see "
                "docs/store.md)");
  }
  BackupWriter writer(options, fs::absolute(source.files.directory, error).lexically_normal().string());
  TRY_STATUS(writer.begin());
  uint64_t events = 0;
  {
    TRY(const StoreSnapshot snapshot, source.events.snapshot());
    events = snapshot.events;
    for (SnapshotFile file : snapshot.files) {
      file.name = "events/" + file.name;
      TRY_STATUS(writer.add(file));
    }
  }
  TRY_STATUS(writer.add_made("state.db", source.copy_state));
  TRY_STATUS(add_objects(source.files, writer));
  TRY_STATUS(add_identity(source.files, writer));
  return writer.finish(events);
}

}  // namespace redoubt::store
