#include "gateway/folder/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <vector>

namespace redoubt::gateway::folder {

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int kDirectoryFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct DirectoryCloser {
  void operator()(DIR* directory) const { closedir(directory); }
};

FileState state_from(const struct stat& info) {
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = static_cast<uint64_t>(info.st_size),
          .mtime_ns = info.st_mtim.tv_sec * kSecondNs + info.st_mtim.tv_nsec,
          .ctime_ns = info.st_ctim.tv_sec * kSecondNs + info.st_ctim.tv_nsec,
          .links = info.st_nlink};
}

tl::unexpected<Error> fail_at(const std::string& what) {
  switch (errno) {
    case ENOENT: return fail(Errc::not_found, what + ": it does not exist");
    case EEXIST: return fail(Errc::already_exists, what + ": it exists");
    case EXDEV: return fail(Errc::invalid_argument, what + ": that is on another file system");
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG: return fail(Errc::unsupported, base::fail_errno(what).value().message);
    default: return base::fail_errno(what);
  }
}

template <class Visit>
Status for_each_part(const std::string& relative, Visit visit) {
  for (size_t at = 0; at < relative.size();) {
    const size_t end = std::min(relative.find('/', at), relative.size());
    if (end > at) TRY_STATUS(visit(relative.substr(at, end - at)));
    at = end + 1;
  }
  return {};
}

Result<base::UniqueFd> open_below(int directory, const std::string& name) {
  base::UniqueFd fd(openat(directory, name.c_str(), kDirectoryFlags));
  if (!fd) return fail_at("open folder " + name);
  return fd;
}

void walk_one(int directory, const std::string& relative, Depth depth, size_t level,
              const std::function<void(const Entry&)>& seen) {
  const int copy = openat(directory, ".", kDirectoryFlags);
  const std::unique_ptr<DIR, DirectoryCloser> list(copy < 0 ? nullptr : fdopendir(copy));
  if (!list) return;
  seen({.kind = Entry::Kind::directory, .relative = relative, .state = {}});
  std::vector<std::string> folders;
  while (const dirent* entry = readdir(list.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name.starts_with(kOwnPrefix)) continue;
    struct stat info{};
    if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const std::string path = relative.empty() ? name : relative + "/" + name;
    if (S_ISREG(info.st_mode)) seen({.kind = Entry::Kind::file, .relative = path, .state = state_from(info)});
    if (S_ISDIR(info.st_mode)) folders.push_back(name);
  }
  if (depth == Depth::top || level >= kDepthMax) return;
  for (const std::string& name : folders) {
    const auto fd = open_below(directory, name);
    if (fd) walk_one(fd->get(), relative.empty() ? name : relative + "/" + name, depth, level + 1, seen);
  }
}

Status rename_checked(int from, const std::string& name, int to, const std::string& new_name) {
  struct stat there{};
  if (fstatat(to, new_name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) {
    return fail(Errc::already_exists, new_name + " exists");
  }
  if (renameat(from, name.c_str(), to, new_name.c_str()) != 0) return fail_at("rename to " + new_name);
  return {};
}

}  // namespace

bool same_content(const FileState& a, const FileState& b) {
  return a.device == b.device && a.inode == b.inode && a.size == b.size && a.mtime_ns == b.mtime_ns;
}

SplitPath split_path(const std::string& relative) {
  const size_t slash = relative.rfind('/');
  if (slash == std::string::npos) return {"", relative};
  return {relative.substr(0, slash), relative.substr(slash + 1)};
}

Result<base::UniqueFd> open_root(const std::string& path) {
  base::UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return base::fail_errno("open folder " + path);
  return fd;
}

Result<base::UniqueFd> open_directory(int root, const std::string& relative) {
  TRY(base::UniqueFd at, open_below(root, "."));
  TRY_STATUS(for_each_part(relative, [&](const std::string& part) -> Status {
    TRY(at, open_below(at.get(), part));
    return {};
  }));
  return at;
}

Result<base::UniqueFd> open_folder(const std::string& root, const std::string& relative) {
  TRY(const base::UniqueFd fd, open_root(root));
  return open_directory(fd.get(), relative);
}

Result<base::UniqueFd> make_directory(int root, const std::string& relative, mode_t mode) {
  TRY(base::UniqueFd at, open_below(root, "."));
  TRY_STATUS(for_each_part(relative, [&](const std::string& part) -> Status {
    if (mkdirat(at.get(), part.c_str(), mode) != 0 && errno != EEXIST) return fail_at("make folder " + part);
    TRY(at, open_below(at.get(), part));
    return {};
  }));
  return at;
}

Result<base::UniqueFd> open_regular(int directory, const std::string& name) {
  struct stat before{};
  if (fstatat(directory, name.c_str(), &before, AT_SYMLINK_NOFOLLOW) != 0) return fail_at("look at " + name);
  if (!S_ISREG(before.st_mode)) return fail(Errc::unsupported, name + " is no regular file");
  base::UniqueFd fd(openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd) return fail_at("open " + name);
  struct stat info{};
  if (fstat(fd.get(), &info) != 0) return fail_at("look at " + name);
  if (!S_ISREG(info.st_mode)) return fail(Errc::unsupported, name + " is no regular file");
  return fd;
}

Result<FileState> state_of(int fd) {
  struct stat info{};
  if (fstat(fd, &info) != 0) return base::fail_errno("look at a file");
  return state_from(info);
}

Result<FileState> state_at(int directory, const std::string& name) {
  struct stat info{};
  if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return fail_at("look at " + name);
  return state_from(info);
}

Writers writers_of(int fd) {
  // A read lease is only given where nobody writes; whoever opens the file in that moment waits for its end.
  if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
    fcntl(fd, F_SETLEASE, F_UNLCK);
    return Writers::none;
  }
  return errno == EAGAIN ? Writers::some : Writers::unknown;
}

Status walk(const std::string& root, Depth depth, const std::function<void(const Entry&)>& seen) {
  TRY(const base::UniqueFd fd, open_root(root));
  walk_one(fd.get(), "", depth, 0, seen);
  return {};
}

Status rename_if_free(int from, const std::string& name, int to, const std::string& new_name) {
  if (renameat2(from, name.c_str(), to, new_name.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return fail_at("rename to " + new_name);
  if (linkat(from, name.c_str(), to, new_name.c_str(), 0) == 0) {
    if (unlinkat(from, name.c_str(), 0) != 0) return fail_at("remove " + name);
    return {};
  }
  const bool has_links = errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK;
  if (has_links) return fail_at("link " + new_name);
  return rename_checked(from, name, to, new_name);
}

Status sync(int directory) {
  if (fsync(directory) == 0 || errno == EINVAL || errno == ENOTSUP)
    return {};  // some file systems have none of folders
  return base::fail_errno("sync folder");
}

}  // namespace redoubt::gateway::folder
