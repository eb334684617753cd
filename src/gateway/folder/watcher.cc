#include "gateway/folder/watcher.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <set>

#include "base/log.h"

namespace redoubt::gateway::folder {

namespace {

constexpr const char* kWatchComponent = "folder";
constexpr int64_t kWatchTickMs = 100;
constexpr int64_t kSweepMsLeast = 100;
constexpr size_t kEventBytes = size_t{64} << 10;
constexpr size_t kCandidatesMax = 200'000;  // the sweep finds the others when these are gone
constexpr uint32_t kWatched =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;
constexpr auto kTemporaryEndings = std::to_array<std::string_view>(
    {".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp", "~"});

int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

bool is_temporary_name(const std::string& relative) {
  const std::string name = split_path(relative).name;
  return name.starts_with('.') || std::any_of(kTemporaryEndings.begin(), kTemporaryEndings.end(),
                                              [&](std::string_view ending) { return name.ends_with(ending); });
}

Watcher::Watcher(const FolderSet& set, Claims& claims, const StopFlag& stop, Offer offer)
    : set_(set), claims_(claims), stop_(stop), offer_(std::move(offer)) {}

Watcher::~Watcher() { CHECK(!thread_.joinable()); }

void Watcher::start() {
  reset_watches();
  thread_ = std::thread([this] { run(); });
}

void Watcher::join() {
  if (thread_.joinable()) thread_.join();
}

void Watcher::run() {
  while (!stop_.is_stopped()) {
    if (steady_ms() >= next_sweep_ms_) sweep();
    hand_over();
    wait_for_events(std::clamp<int64_t>(next_sweep_ms_ - steady_ms(), 1, kWatchTickMs));
  }
}

void Watcher::reset_watches() {
  folders_.clear();
  watched_.clear();
  inotify_ = base::UniqueFd(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify_) base::log_warning(kWatchComponent, set_.name + ": no inotify, files are found by sweeps alone");
  next_sweep_ms_ = 0;
}

void Watcher::watch_folder(const std::string& relative) {
  if (!inotify_ || watched_.contains(relative)) return;
  const auto folder = open_folder(set_.input, relative);
  if (!folder) return;
  const std::string path = "/proc/self/fd/" + std::to_string(folder->get());  // the folder itself, whoever renames what
  const int watch = inotify_add_watch(inotify_.get(), path.c_str(), kWatched);
  if (watch >= 0) {
    folders_[watch] = relative;
    watched_.insert(relative);
  } else if (relative.empty() || errno != ENOENT) {
    base::log_warning(kWatchComponent, set_.name + ": cannot watch a folder (" + std::strerror(errno) +
                                           "), its files are found by sweeps alone");
  }
}

void Watcher::wait_for_events(int64_t time_ms) {
  pollfd ready{.fd = inotify_.get(), .events = POLLIN};
  if (poll(&ready, inotify_ ? 1 : 0, static_cast<int>(time_ms)) <= 0) return;
  alignas(inotify_event) std::array<char, kEventBytes> buffer{};
  const ssize_t size = read(inotify_.get(), buffer.data(), buffer.size());
  for (ssize_t at = 0; at < size;) {
    inotify_event event{};
    std::memcpy(&event, buffer.data() + at, sizeof event);
    const char* name = buffer.data() + at + sizeof event;
    take_event(event.wd, event.mask, event.len == 0 ? "" : std::string(name, strnlen(name, event.len)));
    at += static_cast<ssize_t>(sizeof event + event.len);
  }
}

void Watcher::take_event(int watch, uint32_t mask, const std::string& name) {
  if ((mask & IN_Q_OVERFLOW) != 0) next_sweep_ms_ = 0;
  const auto folder = folders_.find(watch);
  if (folder == folders_.end()) return;
  const std::string relative = folder->second.empty() ? name : folder->second + "/" + name;
  if ((mask & IN_IGNORED) != 0) {
    watched_.erase(folder->second);
    folders_.erase(folder);
    next_sweep_ms_ = 0;
    return;
  }
  if ((mask & IN_MOVE_SELF) != 0 || ((mask & IN_ISDIR) != 0 && (mask & IN_MOVED_FROM) != 0)) {
    reset_watches();  // what the watches below it are called is no longer true
    return;
  }
  if (name.empty() || name.starts_with(kOwnPrefix)) return;
  if ((mask & IN_ISDIR) != 0) {
    if (set_.subfolders == Subfolders::yes) next_sweep_ms_ = 0;
    return;
  }
  if ((mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) == 0 || is_temporary_name(relative)) return;
  if (candidates_.size() < kCandidatesMax) candidates_[relative].ready = Candidate::Ready::yes;
}

void Watcher::sweep() {
  std::set<std::string> seen;
  const Depth depth = set_.subfolders == Subfolders::yes ? Depth::all : Depth::top;
  const Status walked = walk(set_.input, depth, [&](const Entry& entry) {
    if (entry.kind == Entry::Kind::directory) return watch_folder(entry.relative);
    seen.insert(entry.relative);
    see(entry.relative, entry.state);
  });
  if (walked) {
    std::erase_if(candidates_, [&](const auto& row) { return !seen.contains(row.first); });
    claims_.keep_left(seen);
    if (reach_ == Reach::lost) base::log_info(kWatchComponent, set_.name + ": " + set_.input + " is there again");
  } else if (reach_ != Reach::lost) {
    base::log_error(kWatchComponent, set_.name + ": " + walked.error().message);
  }
  reach_ = walked ? Reach::good : Reach::lost;
  // What may be settled soon is looked at sooner.
  const int64_t soon = std::max(kSweepMsLeast, set_.settle_ms / 2);
  next_sweep_ms_ = steady_ms() + (candidates_.empty() ? set_.sweep_ms : std::min(soon, set_.sweep_ms));
}

void Watcher::see(const std::string& relative, const FileState& state) {
  if (claims_.is_left(relative, state)) return;
  const auto found = candidates_.find(relative);
  if (found == candidates_.end() && candidates_.size() >= kCandidatesMax) return;
  Candidate& candidate = found == candidates_.end() ? candidates_[relative] : found->second;
  const int64_t now = steady_ms();
  if (candidate.since_ms == 0 || !same_content(candidate.state, state)) {
    candidate.state = state;
    candidate.since_ms = now;
  }
  const int64_t settle_ms = is_temporary_name(relative) ? set_.temporary_settle_ms : set_.settle_ms;
  if (now - candidate.since_ms >= settle_ms) candidate.ready = Candidate::Ready::yes;
}

void Watcher::hand_over() {
  for (auto at = candidates_.begin(); at != candidates_.end();) {
    if (at->second.ready == Candidate::Ready::no || !claims_.begin(at->first)) {
      ++at;
      continue;
    }
    if (!offer_(at->first)) {
      claims_.end(at->first);
      return;
    }
    at = candidates_.erase(at);
  }
}

}  // namespace redoubt::gateway::folder
