#include "scan/jail/jail.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>

#include "base/file.h"

namespace redoubt::scan {

namespace {

constexpr unsigned kNobody = 65534;
// Its socket, three standard streams, the object, a memory file; and those that are on their way to the pool, which the
// kernel counts for all processes of the user.
constexpr rlim_t kOpenFilesMax = 24;

Status limit(int resource, rlim_t most, std::string_view name) {
  const rlimit value{most, most};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &value) == 0) return {};
  return base::fail_errno("limit " + std::string(name));
}

Status limit_resources(const JailOptions& options) {
  // Past the file size limit a write fails with EFBIG instead of killing.
  std::signal(SIGXFSZ, SIG_IGN);
#if !defined(__SANITIZE_ADDRESS__)  // the address sanitizer reserves terabytes of address space
  TRY_STATUS(limit(RLIMIT_AS, options.memory_bytes_max, "address space"));
#endif
  TRY_STATUS(limit(RLIMIT_CPU, static_cast<rlim_t>(options.cpu_seconds_max), "processor time"));
  TRY_STATUS(limit(RLIMIT_FSIZE, options.memory_file_bytes_max, "file size"));
  TRY_STATUS(limit(RLIMIT_NOFILE, kOpenFilesMax, "open files"));
  TRY_STATUS(limit(RLIMIT_CORE, 0, "core size"));
  TRY_STATUS(limit(RLIMIT_NPROC, 0, "processes"));
  return limit(RLIMIT_MEMLOCK, 0, "locked memory");
}

// A log that is a file could be grown up to the limit that memory files need.
Status leave_log_file() {
  struct stat log{};
  if (fstat(STDERR_FILENO, &log) != 0 || !S_ISREG(log.st_mode)) return {};
  const base::UniqueFd nothing(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!nothing || dup2(nothing.get(), STDERR_FILENO) < 0) return base::fail_errno("jail: leave the log");
  return {};
}

// Only root may; elsewhere seccomp alone keeps the network away.
bool leave_network() { return unshare(CLONE_NEWNET | CLONE_NEWIPC) == 0; }

Status drop_privileges() {
  capng_clear(CAPNG_SELECT_BOTH);
  if (geteuid() == 0) {
    // setgroups and setresuid still need capabilities; the bounding set goes first, the rest with the user id.
    capng_updatev(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED), CAP_SETUID, CAP_SETGID,
                  CAP_SETPCAP, -1);
    if (capng_apply(CAPNG_SELECT_BOTH) != 0) return fail(Errc::internal, "jail: cannot drop the bounding set");
    if (setgroups(0, nullptr) != 0) return base::fail_errno("jail: drop groups");
    if (setresgid(kNobody, kNobody, kNobody) != 0) return base::fail_errno("jail: change group");
    if (setresuid(kNobody, kNobody, kNobody) != 0) return base::fail_errno("jail: change user");
    capng_clear(CAPNG_SELECT_BOTH);
  }
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return fail(Errc::internal, "jail: cannot drop capabilities");
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return base::fail_errno("jail: forbid dumps");
  return {};
}

// <linux/landlock.h> of Debian 12 knows the second of seven versions; the numbers are kernel ABI.
struct LandlockRules {
  uint64_t file_system;
  uint64_t network;
  uint64_t scoped;
};
constexpr unsigned kLandlockVersionFlag = 1;
constexpr uint64_t kFileSystemV1 = (uint64_t{1} << 13) - 1;
constexpr uint64_t kFileSystemV2 = (uint64_t{1} << 14) - 1;  // rename, link
constexpr uint64_t kFileSystemV3 = (uint64_t{1} << 15) - 1;  // truncate
constexpr uint64_t kFileSystemV5 = (uint64_t{1} << 16) - 1;  // ioctl of devices
constexpr uint64_t kNetworkV4 = 3;                           // bind, connect
constexpr uint64_t kScopedV6 = 3;                            // abstract sockets, signals

// A rule set that handles everything and allows nothing. Returns the kernel's version of Landlock, 0 for none.
Result<long> forbid_file_system() {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, kLandlockVersionFlag);
  if (version < 1) return 0;
  LandlockRules rules{version >= 5   ? kFileSystemV5
                      : version >= 3 ? kFileSystemV3
                      : version >= 2 ? kFileSystemV2
                                     : kFileSystemV1,
                      version >= 4 ? kNetworkV4 : 0, version >= 6 ? kScopedV6 : 0};
  const size_t size = version >= 6 ? sizeof rules : version >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
  const base::UniqueFd set(static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, size, 0)));
  if (!set) return base::fail_errno("jail: landlock rule set");
  if (syscall(SYS_landlock_restrict_self, set.get(), 0) != 0) return base::fail_errno("jail: landlock");
  return version;
}

constexpr std::array kAllowed = {
    SCMP_SYS(read),          SCMP_SYS(pread64),
    SCMP_SYS(lseek),         SCMP_SYS(close),
    SCMP_SYS(recvmsg),       SCMP_SYS(sendmsg),
    SCMP_SYS(munmap),        SCMP_SYS(mremap),
    SCMP_SYS(madvise),       SCMP_SYS(brk),
    SCMP_SYS(futex),         SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigaction),  SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),  SCMP_SYS(sigaltstack),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(sched_yield),   SCMP_SYS(restart_syscall),
    SCMP_SYS(getpid),        SCMP_SYS(gettid),
    SCMP_SYS(exit),          SCMP_SYS(exit_group),
    SCMP_SYS(memfd_create),  SCMP_SYS(clock_nanosleep),
};

// Nothing that a scan engine does by itself; an attempt is an attack and ends the process. Everything else that is not
// allowed is EPERM, because libraries probe.
constexpr std::array kFatal = {
    SCMP_SYS(socket),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(ptrace),
    SCMP_SYS(bpf),
    SCMP_SYS(mount),
    SCMP_SYS(setns),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(io_uring_setup),
};

// Rules that look at an argument: no executable memory, standard error alone to write to and never to cut, signals to
// itself alone. Memory files are written through mappings.
int add_conditional_rules(scmp_filter_ctx filter) {
  const scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
  const scmp_arg_cmp standard_error = SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO);
  const scmp_arg_cmp no_standard_stream = SCMP_A0(SCMP_CMP_GT, STDERR_FILENO);
  const scmp_arg_cmp itself = SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid()));
  int failed = 0;
  failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &not_executable);
  failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &not_executable);
  failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1, &standard_error);
  failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(writev), 1, &standard_error);
  failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(ftruncate), 1, &no_standard_stream);
  failed |= seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &itself);
  return failed;
}

Status filter_system_calls() {
  const std::unique_ptr<void, decltype(&seccomp_release)> filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
  if (!filter) return fail(Errc::internal, "jail: no memory for the system call filter");
  int failed = 0;
  for (const int call : kAllowed) failed |= seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, call, 0, nullptr);
  for (const int call : kFatal) failed |= seccomp_rule_add_array(filter.get(), SCMP_ACT_KILL_PROCESS, call, 0, nullptr);
  failed |= add_conditional_rules(filter.get());
  if (failed != 0) return fail(Errc::internal, "jail: the system call filter is refused");
  const int loaded = seccomp_load(filter.get());
  if (loaded == 0) return {};
  errno = -loaded;
  return base::fail_errno("jail: load the system call filter");
}

}  // namespace

Result<std::string> enter_jail(const JailOptions& options) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return base::fail_errno("jail: no new privileges");
  TRY_STATUS(leave_log_file());
  const std::string network = leave_network() ? ", network namespace" : "";
  TRY_STATUS(drop_privileges());
  TRY(const long landlock, forbid_file_system());
  TRY_STATUS(limit_resources(options));
  const std::string user = ", uid " + std::to_string(getuid());
  TRY_STATUS(filter_system_calls());
  const std::string files = landlock > 0 ? "landlock " + std::to_string(landlock) + ", " : "";
  return files + "seccomp" + network + user;
}

}  // namespace redoubt::scan
