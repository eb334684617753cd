#include "scan/clamd_process.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "scan/clamav.h"
#include "scan/spawn.h"

namespace redoubt::scan {

namespace {

constexpr auto kLook = std::chrono::milliseconds(50);
constexpr int64_t kPingNsMax = 1'000'000'000;
constexpr int64_t kEndNsMax = 10'000'000'000;
constexpr int64_t kRestartNsMin = 1'000'000'000;
constexpr int64_t kRestartNsMax = 60'000'000'000;
// One that served this long has earned a quick restart.
constexpr int64_t kServedNs = 120'000'000'000;
constexpr unsigned kRestartDoublings = 6;
constexpr size_t kPidBytesMax = 32;
constexpr unsigned kTraversable = 0711;
constexpr unsigned kOwnersAlone = 0700;

constexpr std::array<std::string_view, 18> kSignatureFiles = {".cvd", ".cld", ".cud", ".hdb", ".hsb", ".hdu",
                                                              ".hsu", ".mdb", ".msb", ".ndb", ".ndu", ".ldb",
                                                              ".ldu", ".cdb", ".pdb", ".gdb", ".yar", ".yara"};

bool has_signatures(const std::string& directory) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failed)) {
    const std::string extension = entry.path().extension().string();
    if (std::find(kSignatureFiles.begin(), kSignatureFiles.end(), extension) != kSignatureFiles.end()) return true;
  }
  return false;
}

struct Account {
  std::string name;  // empty: stay who we are
  uid_t user = 0;
  gid_t group = 0;
};

// Only root can become somebody else.
Account account_of(const std::string& wanted) {
  if (geteuid() != 0) return {};
  for (const std::string& name : {wanted, std::string("nobody")}) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 4096> buffer;
    if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
      return {name, entry.pw_uid, entry.pw_gid};
    }
  }
  return {};
}

std::string configuration(const ClamdOptions& options, const std::string& run, const std::string& user) {
  const auto number = [](uint64_t value) { return std::to_string(value); };
  std::string text = "# Written by redoubt at every start.\nForeground yes\nLocalSocket " + run +
                     "/clamd.sock\nLocalSocketMode 600\nFixStaleSocket yes\nPidFile " + run + "/clamd.pid\n";
  text += "TemporaryDirectory " + run + "\nDatabaseDirectory " + options.database_directory + "\n";
  if (!user.empty()) text += "User " + user + "\n";
  text += "MaxThreads " + number(options.threads) + "\nMaxQueue " + number(uint64_t{4} * options.threads + 16) + "\n";
  text += "MaxFileSize " + number(options.object_bytes_max) + "\nStreamMaxLength " + number(options.object_bytes_max);
  text += "\nMaxScanSize " + number(options.scan_bytes_max) + "\nMaxRecursion " + number(options.recursion_max);
  text += "\nMaxScanTime " + number(static_cast<uint64_t>(options.object_time_ms_max)) + "\nMaxFiles 10000\n";
  // What it leaves out for a limit it says as a detection; the pool makes a remark of that.
  text += "AlertExceedsMax yes\nSelfCheck 600\nExitOnOOM yes\nReadTimeout 60\nCommandReadTimeout 10\n";
  return text;
}

// One that an earlier run of the node left behind, told by our configuration on its command line.
void end_left_behind(const std::string& pid_file, const std::string& configuration_path) {
  const auto text = base::read_file(pid_file, kPidBytesMax);
  const pid_t pid = text ? std::atoi(text->c_str()) : 0;
  if (pid <= 1) return;
  const auto command = base::read_file("/proc/" + std::to_string(pid) + "/cmdline", size_t{4} << 10);
  if (!command || command->find(configuration_path) == std::string::npos) return;
  base::log_warning("scan", "clamd " + std::to_string(pid) + " of an earlier run is ended");
  kill(pid, SIGTERM);
  const int64_t until_ns = base::boottime_ns() + kEndNsMax;
  while (kill(pid, 0) == 0 && base::boottime_ns() < until_ns) std::this_thread::sleep_for(kLook);
  if (kill(pid, 0) == 0) kill(pid, SIGKILL);
}

// Its errors go to our log; what it says of every object does not.
Result<pid_t> spawn_clamd(const std::string& program, const std::string& configuration_path) {
  return spawn_bare({.program = program,
                     .arguments = {"--config-file=" + configuration_path},
                     .environment = {"PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"}});
}

std::string how_it_ended(int status) {
  if (WIFEXITED(status)) return "clamd ended with status " + std::to_string(WEXITSTATUS(status));
  return "clamd ended by signal " + std::to_string(WTERMSIG(status));
}

class OwnClamd final : public ClamdProcess {
 public:
  explicit OwnClamd(ClamdOptions options)
      : options_(std::move(options)),
        run_(options_.work_directory + "/run"),
        configuration_path_(options_.work_directory + "/clamd.conf"),
        socket_path_(run_ + "/clamd.sock"),
        client_(socket_path_) {}
  ~OwnClamd() override { stop(); }

  Status prepare() {
    const Account account = account_of(options_.user);
    TRY_STATUS(base::make_directories(run_));
    if (chmod(options_.work_directory.c_str(), kTraversable) != 0 || chmod(run_.c_str(), kOwnersAlone) != 0) {
      return base::fail_errno("mode of " + run_);
    }
    if (!account.name.empty() && chown(run_.c_str(), account.user, account.group) != 0) {
      return base::fail_errno("owner of " + run_);
    }
    const std::string text = configuration(options_, run_, account.name);
    TRY_STATUS(base::write_file_atomic(configuration_path_, text, base::kPublicFile));
    end_left_behind(run_ + "/clamd.pid", configuration_path_);
    if (!has_signatures(options_.database_directory)) state_ = State::no_signatures;
    thread_ = std::thread([this] { supervise(); });
    return {};
  }

  State state() const override {
    const std::lock_guard lock(mutex_);
    return state_;
  }
  std::string describe() const override {
    const std::lock_guard lock(mutex_);
    switch (state_) {
      case State::no_signatures: return "no signatures in " + options_.database_directory;
      case State::starting: return why_.empty() ? "it is starting" : "it is starting again: " + why_;
      case State::ready: return "ready";
      case State::failed: return why_;
    }
    return why_;
  }
  const std::string& socket_path() const override { return socket_path_; }

  Status reload() override {
    if (state() == State::ready) return client_.reload(base::boottime_ns() + kPingNsMax);
    const std::lock_guard lock(mutex_);
    look_again_ = true;
    changed_.notify_all();
    return {};
  }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    if (!thread_.joinable()) return;
    thread_.join();
    remove_work_directory();
  }

 private:
  // What was made there; anything else stays, and the directory with it.
  void remove_work_directory() const {
    std::error_code ignored;
    std::filesystem::remove_all(run_, ignored);
    std::filesystem::remove(configuration_path_, ignored);
    std::filesystem::remove(options_.work_directory, ignored);
  }

  void supervise() {
    unsigned failures = 0;
    while (!stopping()) {
      if (!has_signatures(options_.database_directory)) {
        set(State::no_signatures, "");
        pause(kRestartNsMax);
        continue;
      }
      const int64_t start_ns = base::boottime_ns();
      run_once();
      if (stopping()) return;
      failures = base::boottime_ns() - start_ns > kServedNs ? 0 : failures + 1;
      base::log_warning("scan", describe());
      pause(std::min(kRestartNsMin << std::min(failures, kRestartDoublings), kRestartNsMax));
    }
  }

  // From start to end of one process.
  void run_once() {
    {
      const std::lock_guard lock(mutex_);
      state_ = State::starting;
    }
    unlink(socket_path_.c_str());
    const auto pid = spawn_clamd(options_.program, configuration_path_);
    if (!pid) return set(State::failed, pid.error().message);
    int status = 0;
    pid_t reaped = 0;
    while (!stopping() && reaped == 0) {
      if (state() == State::starting && client_.ping(base::boottime_ns() + kPingNsMax)) {
        set(State::ready, "");
        base::log_info("scan", "clamd is ready at " + socket_path_);
      }
      pause(std::chrono::nanoseconds(kLook).count());
      reaped = waitpid(*pid, &status, WNOHANG);
    }
    if (reaped == 0) return end(*pid);
    set(State::failed, how_it_ended(status));
  }

  static void end(pid_t pid) {
    int status = 0;
    kill(pid, SIGTERM);
    const int64_t until_ns = base::boottime_ns() + kEndNsMax;
    while (base::boottime_ns() < until_ns) {
      if (waitpid(pid, &status, WNOHANG) != 0) return;
      std::this_thread::sleep_for(kLook);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
  }

  bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }
  void set(State state, std::string why) {
    const std::lock_guard lock(mutex_);
    state_ = state;
    why_ = std::move(why);
  }
  void pause(int64_t time_ns) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::nanoseconds(time_ns), [this] { return stopping_ || look_again_; });
    look_again_ = false;
  }

  const ClamdOptions options_;
  const std::string run_;
  const std::string configuration_path_;
  const std::string socket_path_;
  const ClamdClient client_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::starting;
  std::string why_;
  bool stopping_ = false;
  bool look_again_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<ClamdProcess>> start_clamd(const ClamdOptions& options) {
  auto clamd = std::make_unique<OwnClamd>(options);
  TRY_STATUS(base::within("clamd", clamd->prepare()));
  return clamd;
}

}  // namespace redoubt::scan
