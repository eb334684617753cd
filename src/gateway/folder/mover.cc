#include "gateway/folder/mover.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "base/hash.h"
#include "base/time.h"

namespace redoubt::gateway::folder {

namespace {

constexpr mode_t kWorkMode = 0700;
constexpr mode_t kOutputMode = 0755;
constexpr mode_t kPermissions = 0777;  // no set-user-id of a stranger's file on another file system
constexpr size_t kIdRandomBytes = 6;
constexpr size_t kNameBytesMax = 255;
constexpr int kNamesMax = 10'000;
constexpr size_t kPieceBytes = size_t{256} << 10;

std::string make_id() {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%015llx", static_cast<unsigned long long>(base::Time::now().us));
  return std::string(text.data()) + base::to_hex(base::random_bytes(kIdRandomBytes));
}

std::string temporary_name(const Record& record) { return std::string(kOwnPrefix) + record.id + ".part"; }

bool is_same_file(const FileState& a, const FileState& b) { return a.device == b.device && a.inode == b.inode; }

// Under the first name that is free. It has one already if a crash came between the two halves of such a rename.
Result<std::string> rename_numbered(int from, const std::string& name, int to, const std::string& wanted) {
  TRY(const FileState own, state_at(from, name));
  for (int number = 1; number <= kNamesMax; ++number) {
    std::string candidate = numbered_name(wanted, number);
    const Status renamed = rename_if_free(from, name, to, candidate);
    if (renamed) return candidate;
    if (renamed.error().code != Errc::already_exists) return tl::unexpected(renamed.error());
    const auto there = state_at(to, candidate);
    if (!there || !is_same_file(*there, own)) continue;
    if (unlinkat(from, name.c_str(), 0) != 0) return base::fail_errno("remove " + name);
    return candidate;
  }
  return fail(Errc::unsupported, "there are too many files named " + wanted);
}

Result<std::string> rename_over(int from, const std::string& name, int to, const std::string& wanted) {
  if (renameat(from, name.c_str(), to, wanted.c_str()) == 0) {
    unlinkat(from, name.c_str(), 0);  // both were names of one file: then rename does nothing
    return wanted;
  }
  if (errno == EXDEV) return fail(Errc::invalid_argument, wanted + " would be on another file system");
  if (errno == EISDIR || errno == ENOTEMPTY) return rename_numbered(from, name, to, wanted);  // a folder has that name
  return base::fail_errno("rename to " + wanted);
}

}  // namespace

struct Mover::Target {
  base::UniqueFd directory;
  std::string folder;  // below the root
  std::string name;
  SameName same_name = SameName::keep_both;

  Result<std::string> rename_here(int from, const std::string& from_name) const {
    auto given = same_name == SameName::replace ? rename_over(from, from_name, directory.get(), name)
                                                : rename_numbered(from, from_name, directory.get(), name);
    if (given && !folder.empty()) given->insert(0, folder + "/");
    return given;
  }
};

std::string numbered_name(const std::string& name, int number) {
  if (number <= 1) return name;
  const std::string mark = " (" + std::to_string(number) + ")";
  size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0 || name.size() - dot > kNameBytesMax / 2) dot = name.size();
  const std::string extension = name.substr(dot);
  size_t keep = std::min(dot, kNameBytesMax - mark.size() - extension.size());
  while (keep > 0 && keep < dot && (static_cast<unsigned char>(name[keep]) & 0xc0U) == 0x80U) --keep;  // whole UTF-8
  return name.substr(0, keep) + mark + extension;
}

Mover::Mover(const FolderSet& set, const Journal& journal, StepHook hook)
    : set_(set), journal_(journal), hook_(std::move(hook)) {}

void Mover::step(std::string_view name) const {
  if (hook_) hook_(name);
}

Status Mover::prepare() {
  if (mkdir(set_.work.c_str(), kWorkMode) != 0 && errno != EEXIST) return base::fail_errno("make " + set_.work);
  TRY(lock_, open_work(set_.work));
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return fail(Errc::already_exists, "another gateway uses " + set_.work);
  }
  TRY(const base::UniqueFd input, open_root(set_.input));
  TRY(const FileState input_state, state_of(input.get()));
  TRY(const FileState work_state, state_of(lock_.get()));
  if (input_state.device != work_state.device) {
    return fail(Errc::invalid_argument, set_.work + " is on another file system than " + set_.input);
  }
  return {};
}

// Who owns it could rename and replace what lies in it, so it must be ours.
Result<base::UniqueFd> Mover::open_work(const std::string& path) const {
  base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return base::fail_errno("open " + path);
  struct stat info{};
  if (fstat(fd.get(), &info) != 0) return base::fail_errno("look at " + path);
  if (info.st_uid != geteuid()) {
    return fail(Errc::permission_denied, path + " belongs to another user; choose another work_dir");
  }
  if ((info.st_mode & kPermissions) != kWorkMode) fchmod(fd.get(), kWorkMode);
  return fd;
}

Result<Record> Mover::take(const std::string& relative) {
  const SplitPath path = split_path(relative);
  TRY(const base::UniqueFd parent, open_folder(set_.input, path.directory));
  TRY(const base::UniqueFd file, open_regular(parent.get(), path.name));
  if (writers_of(file.get()) == Writers::some) return fail(Errc::unavailable, relative + " is being written");
  TRY(const base::UniqueFd work, open_work(set_.work));

  Record record{.id = make_id(), .folder = set_.name, .work = set_.work, .relative = relative};
  TRY_STATUS(journal_.write(record));
  step("journalled");
  if (Status renamed = rename_if_free(parent.get(), path.name, work.get(), record.id); !renamed) {
    journal_.erase(record);
    return tl::unexpected(std::move(renamed).error());
  }
  step("taken");
  if (const auto taken = open_regular(work.get(), record.id); !taken) {
    // Another thing had that name by then: it goes back as it is.
    if (rename_if_free(work.get(), record.id, parent.get(), path.name)) journal_.erase(record);
    return tl::unexpected(taken.error());
  }
  return record;
}

Result<base::UniqueFd> Mover::open_taken(const Record& record) const {
  TRY(const base::UniqueFd work, open_work(record.work));
  return open_regular(work.get(), record.id);
}

Result<Mover::Target> Mover::open_target(const Record& record) const {
  const SplitPath path = split_path(record.destination);
  TRY(const base::UniqueFd root, open_root(record.target));
  const mode_t mode = record.target == set_.output ? kOutputMode : kWorkMode;
  TRY(base::UniqueFd directory, make_directory(root.get(), path.directory, mode));
  return Target{
      .directory = std::move(directory), .folder = path.directory, .name = path.name, .same_name = set_.same_name};
}

Result<std::string> Mover::place(Record& record) {
  TRY(const Target target, open_target(record));
  TRY(const base::UniqueFd work, open_work(record.work));
  if (record.phase != Phase::publishing) {
    unlinkat(target.directory.get(), temporary_name(record).c_str(), 0);  // of a copy that was cut short
    const auto taken = state_at(work.get(), record.id);
    if (!taken && taken.error().code == Errc::not_found) {  // it was moved, but that could not be synced
      journal_.erase(record);
      return record.destination;
    }
    TRY(const FileState now, taken);
    if (auto name = finish_link(record, now, work.get(), target)) return *name;
    if (!(now == record.state)) return fail(Errc::corrupt, record.relative + " has changed since it was judged");
    record.phase = Phase::placing;
    TRY_STATUS(journal_.write(record));
    step("decided");
    auto moved = move(record, work.get(), target);
    if (moved || moved.error().code != Errc::invalid_argument) return moved;
    TRY_STATUS(copy(record, work.get(), target));
    step("copied");
    record.phase = Phase::publishing;
    TRY_STATUS(journal_.write(record));
    step("publishable");
  }
  return publish_copy(record, work.get(), target);
}

// A crash between the two halves of a rename by link left the file with both names.
std::optional<std::string> Mover::finish_link(const Record& record, const FileState& now, int work,
                                              const Target& target) {
  const bool was_linked = record.phase == Phase::placing && now.links > 1 && record.state.links == 1;
  for (int number = 1; was_linked && number <= kNamesMax; ++number) {
    const std::string candidate = numbered_name(target.name, number);
    const auto there = state_at(target.directory.get(), candidate);
    if (!there) return std::nullopt;
    if (!is_same_file(*there, now)) continue;
    if (!drop_source(record, work)) return std::nullopt;
    journal_.erase(record);
    return target.folder.empty() ? candidate : target.folder + "/" + candidate;
  }
  return std::nullopt;
}

// invalid_argument: it must be copied.
Result<std::string> Mover::move(const Record& record, int work, const Target& target) {
  // With another name somewhere, its content would still be somebody else's to change.
  if (record.state.links > 1) return fail(Errc::invalid_argument, record.relative + " has several names");
  TRY(std::string name, target.rename_here(work, record.id));
  step("moved");
  TRY_STATUS(sync(target.directory.get()));
  TRY_STATUS(sync(work));
  journal_.erase(record);
  return name;
}

Status Mover::copy(const Record& record, int work, const Target& target) {
  const std::string name = temporary_name(record);
  TRY(const base::UniqueFd from, open_regular(work, record.id));
  base::UniqueFd to(
      openat(target.directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to) return base::fail_errno("create " + name);
  const auto finish = [&]() -> Status {
    base::Sha256 hash;
    std::string piece(kPieceBytes, '\0');
    while (true) {
      const ssize_t count = read(from.get(), piece.data(), piece.size());
      if (count < 0) return base::fail_errno("read " + record.relative);
      if (count == 0) break;
      const std::string_view bytes(piece.data(), static_cast<size_t>(count));
      hash.update(bytes);
      TRY_STATUS(base::within("write a copy of " + record.relative, base::write_all(to.get(), bytes)));
    }
    if (!record.sha256.empty() && hash.finish_hex() != record.sha256) {
      return fail(Errc::corrupt, record.relative + " has other bytes than were judged");
    }
    struct stat info{};
    if (fstat(from.get(), &info) != 0) return base::fail_errno("look at " + record.relative);
    const std::array<timespec, 2> times = {info.st_atim, info.st_mtim};
    // As far as the file system knows of owners and modes.
    if (fchown(to.get(), info.st_uid, info.st_gid) != 0) errno = 0;
    if (fchmod(to.get(), info.st_mode & kPermissions) != 0) errno = 0;
    if (futimens(to.get(), times.data()) != 0) errno = 0;
    if (fsync(to.get()) != 0) return base::fail_errno("sync a copy of " + record.relative);
    return {};
  };
  Status finished = finish();
  if (!finished) unlinkat(target.directory.get(), name.c_str(), 0);
  return finished;
}

Result<std::string> Mover::publish_copy(Record& record, int work, const Target& target) {
  const std::string name = temporary_name(record);
  std::string given = record.destination;
  // Without the temporary name the rename has been made, before a crash.
  if (state_at(target.directory.get(), name)) {
    TRY(given, target.rename_here(target.directory.get(), name));
  }
  step("published");
  TRY_STATUS(sync(target.directory.get()));
  TRY_STATUS(drop_source(record, work));
  journal_.erase(record);
  return given;
}

Status Mover::drop_source(const Record& record, int work) {
  if (unlinkat(work, record.id.c_str(), 0) != 0 && errno != ENOENT) return base::fail_errno("remove " + record.id);
  step("source_removed");
  return sync(work);
}

Result<std::string> Mover::put_back(const Record& record, IfTaken if_taken) {
  const SplitPath path = split_path(record.relative);
  TRY(const base::UniqueFd work, open_work(record.work));
  TRY(const base::UniqueFd root, open_root(set_.input));
  TRY(const base::UniqueFd parent, make_directory(root.get(), path.directory, kOutputMode));
  std::string name = path.name;
  if (if_taken == IfTaken::fail) {
    TRY_STATUS(rename_if_free(work.get(), record.id, parent.get(), path.name));
  } else {
    TRY(name, rename_numbered(work.get(), record.id, parent.get(), path.name));
  }
  step("put_back");
  journal_.erase(record);
  return path.directory.empty() ? name : path.directory + "/" + name;
}

Result<Mover::Need> Mover::recover(const Record& record) {
  if (record.phase == Phase::publishing) return Need::place;
  TRY(const base::UniqueFd work, open_work(record.work));
  const auto taken = state_at(work.get(), record.id);
  if (!taken && taken.error().code != Errc::not_found) return tl::unexpected(taken.error());
  if (!taken) {  // it was not taken yet, or has been put back or placed
    journal_.erase(record);
    return Need::nothing;
  }
  if (record.phase == Phase::placing) return Need::place;
  // On some file systems a crash leaves it with both names.
  const SplitPath path = split_path(record.relative);
  const auto parent = open_folder(set_.input, path.directory);
  const auto there = parent ? state_at(parent->get(), path.name) : Result<FileState>(FileState{});
  if (there && is_same_file(*there, *taken)) unlinkat(parent->get(), path.name.c_str(), 0);
  return Need::judge;
}

Result<std::vector<std::string>> Mover::rescue_orphans(const std::vector<Record>& known) {
  std::vector<std::string> orphans;
  TRY_STATUS(walk(set_.work, Depth::top, [&](const Entry& entry) {
    const bool is_known =
        std::any_of(known.begin(), known.end(), [&](const Record& record) { return record.id == entry.relative; });
    if (entry.kind == Entry::Kind::file && !is_known) orphans.push_back(entry.relative);
  }));
  for (const std::string& name : orphans) {
    Record record{.id = name, .folder = set_.name, .work = set_.work, .relative = name};
    record.target = set_.quarantine;
    record.destination = "recovered-" + name;
    TRY(const base::UniqueFd work, open_work(set_.work));
    TRY(record.state, state_at(work.get(), name));
    TRY_STATUS(place(record));
  }
  return orphans;
}

}  // namespace redoubt::gateway::folder
