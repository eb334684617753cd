#include "sensor/file/path_resolver.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <vector>

#include "sensor/path_text.h"

namespace redoubt::sensor {

namespace {

std::string proc_path(uint32_t pid, std::string_view name) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(name);
}

uint32_t mount_namespace_of(const std::string& link) {
  struct stat status{};
  return stat(link.c_str(), &status) == 0 ? static_cast<uint32_t>(status.st_ino) : 0;
}

base::UniqueFd open_cached(int root_fd, const std::string& path, LastLink last) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | (last == LastLink::kept ? O_NOFOLLOW : 0);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED;
  return base::UniqueFd(static_cast<int>(syscall(SYS_openat2, root_fd, path.c_str(), &how, sizeof how)));
}

// Whether reading a link there cannot make us wait for a program or another machine. Asked of the mount table: the
// file system itself might not answer.
bool is_local(int fd) {
  constexpr size_t kMountTableMax = size_t{4} << 20;
  constexpr std::array<std::string_view, 8> kRemote = {"fuse", "nfs", "cifs", "smb", "9p", "ceph", "afs", "autofs"};
  struct statx status{};
  if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &status) != 0) return false;
  const auto mounts = base::read_file("/proc/self/mountinfo", kMountTableMax);
  if (!mounts) return false;
  const std::string begin = "\n" + std::to_string(status.stx_mnt_id) + " ";
  const std::string text = "\n" + *mounts;
  const size_t line = text.find(begin);
  if (line == std::string::npos) return false;
  const size_t dash = text.find(" - ", line);
  if (dash == std::string::npos) return false;
  const std::string_view type = std::string_view(text).substr(dash + 3, 32);
  return std::none_of(kRemote.begin(), kRemote.end(), [&](std::string_view name) { return type.starts_with(name); });
}

// The kernel leaves its cache to note when a link was read last, as it must on links that are just made. This follows
// the links itself: each name is looked up behind names that are none.
class LinkWalk {
 public:
  LinkWalk(int root_fd, LastLink last) : root_fd_(root_fd), last_(last) {}

  std::optional<std::string> run(const std::string& path) {
    ahead_ = split(path);
    for (int step = 0; !ahead_.empty(); ++step) {
      if (step == kStepsMax) return std::nullopt;
      const std::string name = std::move(ahead_.front());
      ahead_.pop_front();
      if (name == "..") {
        if (!behind_.empty()) behind_.pop_back();
      } else if (!enter(name)) {
        return std::nullopt;
      }
    }
    return text();
  }

 private:
  static constexpr int kStepsMax = 256;

  static std::deque<std::string> split(std::string_view path) {
    std::deque<std::string> names;
    while (!path.empty()) {
      const size_t end = std::min(path.find('/'), path.size());
      if (end > 0 && path.substr(0, end) != ".") names.emplace_back(path.substr(0, end));
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    return names;
  }

  bool enter(const std::string& name) {
    behind_.push_back(name);
    const base::UniqueFd found = open_cached(root_fd_, text(), LastLink::kept);
    if (!found) return false;
    struct statx status{};
    if (statx(found.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0) return false;
    const bool is_kept = ahead_.empty() && last_ == LastLink::kept;
    if (!S_ISLNK(status.stx_mode) || is_kept) return true;
    std::array<char, PATH_MAX> link;
    const ssize_t size = is_local(found.get()) ? readlinkat(found.get(), "", link.data(), link.size()) : -1;
    if (size <= 0) return false;
    behind_.pop_back();
    if (link[0] == '/') behind_.clear();
    const std::deque<std::string> names = split({link.data(), static_cast<size_t>(size)});
    ahead_.insert(ahead_.begin(), names.begin(), names.end());
    return true;
  }

  std::string text() const {
    std::string path;
    for (const std::string& name : behind_) path.append("/").append(name);
    return path.empty() ? "/" : path;
  }

  int root_fd_;
  LastLink last_;
  std::deque<std::string> ahead_;
  std::vector<std::string> behind_;  // no links
};

}  // namespace

KernelPathResolver::KernelPathResolver()
    : own_mount_namespace_(mount_namespace_of("/proc/self/ns/mnt")),
      own_proc_(proc_path(static_cast<uint32_t>(getpid()), "")) {}

std::optional<std::string> KernelPathResolver::resolve(const GivenPath& path) {
  std::string whole = path.given.starts_with('/') ? path.given : path.base + "/" + path.given;
  const base::UniqueFd root = root_of(path);
  if (!root) return std::nullopt;
  if (path.last == LastLink::followed) {
    if (auto real = real_path(root.get(), whole, path.last)) return real;
    // What the last link led to is gone already: the link itself is known at least.
  }
  while (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  const size_t slash = whole.rfind('/');
  const std::string name = whole.substr(slash + 1);
  if (name.empty() || name == "." || name == "..") return real_path(root.get(), whole, LastLink::kept);
  auto directory = real_path(root.get(), whole.substr(0, slash + 1), LastLink::followed);
  if (!directory) return std::nullopt;
  if (!directory->ends_with('/')) *directory += '/';
  return *directory + name;
}

// The caller's root. One that left its namespace's root (base of an absolute path) is entered by that path. The caller
// may have ended since; then its parent shows the same files, if it lives in the same namespace.
base::UniqueFd KernelPathResolver::root_of(const GivenPath& path) const {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  std::string root = "/";
  if (path.mount_namespace != own_mount_namespace_) {
    root.clear();
    for (const uint32_t pid : {path.pid, path.parent_pid}) {
      if (pid == 0 || mount_namespace_of(proc_path(pid, "ns/mnt")) != path.mount_namespace) continue;
      root = proc_path(pid, "root");
      break;
    }
    if (root.empty()) return {};
  }
  const base::UniqueFd whole(open(root.c_str(), kFlags));
  const bool is_moved = path.given.starts_with('/') && path.base != "/";
  if (!whole || !is_moved) return base::UniqueFd(whole ? fcntl(whole.get(), F_DUPFD_CLOEXEC, 0) : -1);
  return base::UniqueFd(openat(whole.get(), path.base.c_str() + 1, kFlags));
}

std::optional<std::string> KernelPathResolver::real_path(int root_fd, const std::string& path, LastLink last) const {
  std::optional<std::string> real = ask_kernel(root_fd, path, last);
  if (!real && errno == EAGAIN) real = LinkWalk(root_fd, last).run(path);
  if (real && real->starts_with(own_proc_)) return std::nullopt;
  return real;
}

std::optional<std::string> KernelPathResolver::ask_kernel(int root_fd, const std::string& path, LastLink last) const {
  const base::UniqueFd found = open_cached(root_fd, path, last);
  if (!found) return std::nullopt;
  std::array<char, PATH_MAX> text;
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(found.get())).c_str(), text.data(), text.size());
  if (size <= 0 || text[0] != '/') return std::nullopt;
  std::string real(text.data(), static_cast<size_t>(size));
  if (real.ends_with(" (deleted)")) return std::nullopt;
  return real;
}

}  // namespace redoubt::sensor
