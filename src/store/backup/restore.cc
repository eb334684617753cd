#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <set>

#include "store/backup/backup.h"
#include "store/backup/backup_list.h"
#include "store/file_copy.h"

namespace redoubt::store {

namespace {

namespace fs = std::filesystem;

constexpr size_t kListBytesMax = size_t{256} << 20;

Result<BackupList> read_list(const std::string& backup) {
  std::error_code error;
  if (!fs::is_directory(backup, error)) return fail(Errc::not_found, backup + " is no directory");
  if (fs::exists(backup + "/" + kBackupUnfinished, error) && !fs::exists(backup + "/" + kBackupList, error)) {
    return fail(Errc::invalid_argument, backup + " is not whole: the backup was broken off; run it again");
  }
  if (!fs::exists(backup + "/" + kBackupList, error)) {
    return fail(Errc::not_found, backup + " is no backup: there is no " + kBackupList);
  }
  TRY(const std::string text, base::read_file(backup + "/" + kBackupList, kListBytesMax));
  return base::within(backup + "/" + kBackupList, decode_backup_list(text));
}

// Before anything is touched.
Status check_files(const std::string& backup, const BackupList& list) {
  for (const BackupFile& file : list.files) {
    std::error_code error;
    const uint64_t bytes = fs::file_size(backup + "/" + file.name, error);
    if (error) return fail(Errc::corrupt, backup + "/" + file.name + ": " + error.message());
    if (bytes == file.bytes) continue;
    return fail(Errc::corrupt, backup + "/" + file.name + " has " + std::to_string(bytes) + " bytes; it had " +
                                   std::to_string(file.bytes) + " when the backup was made");
  }
  return {};
}

Status check_target(const NodeFiles& target, const BackupList& list) {
  TRY_STATUS(base::make_directories(target.directory));
  struct stat info{};
  if (stat(target.directory.c_str(), &info) != 0) return base::fail_errno(target.directory);
  if (info.st_uid != geteuid()) {
    return fail(Errc::permission_denied, target.directory + " belongs to user " + std::to_string(info.st_uid) +
                                             ": run this as that user, or the node could not open its files");
  }
  std::error_code error;
  const bool again = fs::exists(target.unfinished_restore(), error);
  for (const auto& entry : fs::directory_iterator(target.directory, error)) {
    const std::string name = entry.path().filename().string();
    if (again || name == "lock" || name == "lost+found") continue;
    return fail(Errc::already_exists, target.directory + " is not empty (" + name +
                                          "): nothing is written over; move it aside, or give another directory");
  }
  if (error) return fail(Errc::io, "read " + target.directory + ": " + error.message());
  uint64_t bytes = 0;
  for (const BackupFile& file : list.files) bytes += file.bytes;
  if (const auto free = base::free_bytes(target.directory); free && *free < bytes) {
    return fail(Errc::exhausted, target.directory + " has no room for " + std::to_string(bytes) + " bytes");
  }
  return {};
}

// Files of a try that was broken off, of another backup perhaps, do not stay.
Status empty_target(const NodeFiles& target) {
  std::error_code error;
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(target.directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name != "lock" && name != "lost+found" && entry.path() != target.unfinished_restore()) {
      others.push_back(entry.path());
    }
  }
  for (const fs::path& other : others) fs::remove_all(other, error);
  return error ? Status(fail(Errc::io, "tidy " + target.directory + ": " + error.message())) : Status{};
}

// What costs its own content only where it is damaged.
bool is_one_of_many(const std::string& name) {
  return name.starts_with("events/segments/") || name.starts_with("objects/");
}

Status copy_in(const std::string& backup, const BackupList& list, const NodeFiles& target, BackupReport& report) {
  std::set<std::string> directories = {target.directory};
  for (const BackupFile& file : list.files) {
    const std::string to = target.directory + "/" + file.name;
    for (fs::path parent = fs::path(to).parent_path(); parent != target.directory; parent = parent.parent_path()) {
      directories.insert(parent.string());
    }
    TRY_STATUS(base::make_directories(fs::path(to).parent_path().string()));
    TRY(const FileChecksum sum, copy_file(backup + "/" + file.name, to));
    if (sum.checksum == file.checksum) continue;
    if (is_one_of_many(file.name)) {
      report.damage.push_back({.what = backup + "/" + file.name, .why = "its checksum is not the one of the backup"});
      continue;
    }
    return fail(Errc::corrupt, backup + "/" + file.name + " is damaged: its checksum is not the one of the backup");
  }
  for (const std::string& directory : directories) TRY_STATUS(base::sync_directory(directory));
  return {};
}

}  // namespace

Result<BackupReport> restore_backup(const std::string& backup, const NodeFiles& target) {
  TRY(const BackupList list, read_list(backup));
  TRY_STATUS(check_files(backup, list));
  TRY_STATUS(check_target(target, list));
  auto lock = base::lock_file(target.lock(), 0);
  if (!lock) return fail(Errc::already_exists, target.directory + ": a node runs on it, or another restore");
  TRY_STATUS(base::write_file_atomic(target.unfinished_restore(), backup + "\n", base::kPrivateFile));
  TRY_STATUS(empty_target(target));
  BackupReport report{.directory = target.directory, .events = list.events, .files = list.files.size()};
  TRY_STATUS(copy_in(backup, list, target, report));
  if (unlink(target.unfinished_restore().c_str()) != 0) return base::fail_errno("finish the restore");
  TRY_STATUS(base::sync_directory(target.directory));
  for (const BackupFile& file : list.files) report.bytes += file.bytes;
  return report;
}

}  // namespace redoubt::store
