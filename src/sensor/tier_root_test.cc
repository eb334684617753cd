// What the two tiers make of paths that change under the kernel's hands. In REDOUBT_TIER stands the tier that is asked
// for; tests/vm runs both on other kernels.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "redoubt_sensor.skel.h"
#include "sensor/hook_table.h"
#include "sensor/probe.h"
#include "sensor/test_cgroup.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

constexpr size_t kSwappedFiles = 200;

// What a test and its children see of each other.
struct Shared {
  std::atomic<bool> stop{false};
  std::array<ino_t, kSwappedFiles> opened{};
  std::array<bool, kSwappedFiles> is_b{};
};

class SharedMemory {
 public:
  SharedMemory()
      : shared_(new(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Shared) {}
  ~SharedMemory() { munmap(shared_, sizeof(Shared)); }
  Shared* operator->() const { return shared_; }

 private:
  Shared* shared_;
};

void make_empty(const std::string& path) { close(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); }

ino_t inode_of(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

class TierTest : public SensorTest {
 protected:
  std::vector<v1::Event> events_of(const std::function<void()>& act) {
    const pid_t pid = in_child(act);
    finish(pid);
    EXPECT_TRUE(events_.wait_for(is_end_of(pid)));
    return events_.all([pid](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_FILECHANGE && event.process_pid() == pid;
    });
  }

  base::TempDir directory_;
};

TEST_F(TierTest, runs_in_the_tier_that_is_asked_for) {
  watch();
  const char* name = getenv("REDOUBT_TIER");
  EXPECT_EQ(name_of(is_lsm() ? Tier::lsm : Tier::tracepoint),
            name != nullptr ? name : name_of(probe_host(ProbeDepth::tier)->tier));
}

// A probe that promises every hook: where the kernel does not keep that, it refuses the first program at a function.
TEST_F(TierTest, goes_on_with_tracepoints_where_a_program_is_refused_and_says_which) {
  const auto here = probe_host(ProbeDepth::tier);
  ASSERT_TRUE(here.has_value()) << here.error().message;
  Probe promised = *here;
  promised.tier = Tier::lsm;
  for (HookProbe& hook : promised.hooks) {
    if (hook.name.starts_with("fentry/") || hook.name.starts_with("fexit/")) hook.state = HookState::loads;
  }
  auto sensor = Sensor::start_on(promised, {.host_id = "host", .boot_id = "boot"}, events_);
  ASSERT_TRUE(sensor.has_value()) << sensor.error().message;
  const bool is_kept =
      here->tier == Tier::lsm && std::none_of(here->hooks.begin(), here->hooks.end(), [](const HookProbe& h) {
        return h.name.starts_with("f") && h.state != HookState::loads;
      });
  EXPECT_EQ((*sensor)->tier(), is_kept ? Tier::lsm : Tier::tracepoint);
  const std::string& why = (*sensor)->why_not_lsm();
  EXPECT_TRUE(is_kept ? why.empty() : why.starts_with("load the BPF program ")) << why;
  const pid_t pid = in_child([&] { make_empty(directory_ / "made"); });
  EXPECT_EQ(finish(pid), 0);
  EXPECT_TRUE(events_.wait_for(is_file("create", directory_ / "made")));
  (*sensor)->stop();
  if (is_kept) return;
  const auto asked = Sensor::start_on(promised, {.tier = Tier::lsm}, events_);
  ASSERT_FALSE(asked.has_value()) << "asked for, it is that or nothing";
  EXPECT_THAT(asked.error().message, testing::HasSubstr("load the BPF program "));
}

// Programs that do nothing at a function of the kernel, as many as it takes: there is room for no other.
class CrowdedFunction {
 public:
  explicit CrowdedFunction(const char* function) {
    const int id = libbpf_find_vmlinux_btf_id(function, BPF_TRACE_FENTRY);
    const std::array<bpf_insn, 2> nothing = {
        bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .src_reg = 0, .off = 0, .imm = 0},
        bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY,
                .attach_btf_id = static_cast<__u32>(id));
    while (links_.size() < kMost) {
      base::UniqueFd program(
          bpf_prog_load(BPF_PROG_TYPE_TRACING, "rd_crowd", "GPL", nothing.data(), nothing.size(), &options));
      base::UniqueFd link(program ? bpf_raw_tracepoint_open(nullptr, program.get()) : -1);
      if (!link) return;
      links_.push_back(std::move(link));
    }
  }
  bool is_full() const { return !links_.empty() && links_.size() < kMost; }

 private:
  static constexpr size_t kMost = 100;  // the kernel's limit is 38 (BPF_MAX_TRAMP_LINKS)
  std::vector<base::UniqueFd> links_;
};

// The kernel loads all programs of the tier and then refuses to attach one.
TEST_F(TierTest, goes_on_with_tracepoints_where_a_function_has_no_room_and_says_which) {
  const auto here = probe_host(ProbeDepth::tier);
  ASSERT_TRUE(here.has_value()) << here.error().message;
  if (here->tier != Tier::lsm) return;  // no program is attached to a function
  const CrowdedFunction crowded("security_path_chown");
  ASSERT_TRUE(crowded.is_full());
  constexpr std::string_view kWhy = "attach file_hook_chown (fentry/security_path_chown): ";
  auto sensor = Sensor::start_on(*here, {.host_id = "host", .boot_id = "boot"}, events_);
  ASSERT_TRUE(sensor.has_value()) << sensor.error().message;
  EXPECT_EQ((*sensor)->tier(), Tier::tracepoint);
  EXPECT_THAT((*sensor)->why_not_lsm(), testing::StartsWith(std::string(kWhy)));
  const pid_t pid = in_child([&] { make_empty(directory_ / "made"); });
  EXPECT_EQ(finish(pid), 0);
  EXPECT_TRUE(events_.wait_for(is_file("create", directory_ / "made")));
  (*sensor)->stop();
  const std::string report = probe_report();
  EXPECT_THAT(report, testing::HasSubstr("tier: tracepoint\nnot the tier lsm: " + std::string(kWhy)));
}

// How many programs of this process every call of every process has to pass.
int programs_at_all_calls() {
  int programs = 0;
  for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream lines(descriptor.path());
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("tp_name:\tsys_")) ++programs;
    }
  }
  return programs;
}

TEST_F(TierTest, lets_other_calls_alone_where_handlers_stand_at_functions) {
  watch();
  const auto here = probe_host(ProbeDepth::tier);
  ASSERT_TRUE(here.has_value()) << here.error().message;
  const bool at_functions = is_lsm() && here->calls.why_not.empty();
  EXPECT_EQ(sensor().why_not_at_functions(), is_lsm() ? here->calls.why_not : "");
  EXPECT_EQ(programs_at_all_calls(), at_functions ? 0 : 1);
  std::string arguments;
  std::getline(std::ifstream("/proc/cmdline"), arguments);
  if (arguments.find("preempt=full") == std::string::npos) return;
  EXPECT_FALSE(at_functions) << "handlers could be preempted by each other";
}

TEST_F(TierTest, goes_on_at_the_tracepoint_where_the_function_of_a_call_has_no_room_and_says_which) {
  const auto here = probe_host(ProbeDepth::tier);
  ASSERT_TRUE(here.has_value()) << here.error().message;
  if (here->tier != Tier::lsm || !here->calls.why_not.empty()) return;  // no handler stands at a function
  const CrowdedFunction crowded("__x64_sys_mkdir");
  ASSERT_TRUE(crowded.is_full());
  constexpr std::string_view kWhy = "attach to __x64_sys_mkdir: ";
  auto sensor = Sensor::start_on(*here, {.host_id = "host", .boot_id = "boot", .tier = Tier::lsm}, events_);
  ASSERT_TRUE(sensor.has_value()) << sensor.error().message;
  EXPECT_EQ((*sensor)->tier(), Tier::lsm);
  EXPECT_EQ((*sensor)->why_not_lsm(), "");
  EXPECT_THAT((*sensor)->why_not_at_functions(), testing::StartsWith(std::string(kWhy)));
  finish(in_child([&] { mkdir((directory_ / "made").c_str(), 0700); }));
  EXPECT_TRUE(events_.wait_for(is_file("mkdir", directory_ / "made")));
}

TEST_F(TierTest, says_what_the_better_tier_lacks) {
  const auto here = probe_host(ProbeDepth::every_hook);
  ASSERT_TRUE(here.has_value()) << here.error().message;
  const std::string report = probe_report();
  EXPECT_THAT(report, testing::HasSubstr("tier: " + std::string(name_of(here->tier)) + "\n"));
  const bool at_functions = here->tier == Tier::lsm && here->calls.why_not.empty();
  EXPECT_THAT(report, testing::HasSubstr(at_functions ? "system calls: at their functions"
                                                      : "system calls: at the tracepoint of all"));
  if (here->tier == Tier::lsm) {
    EXPECT_THAT(report, testing::Not(testing::HasSubstr("not the tier lsm")));
  } else {
    EXPECT_THAT(report, testing::HasSubstr("not the tier lsm: " + here->why_not_lsm() + "\n"));
  }
}

// A kernel that refuses programs at functions judges them as what it does allow: they look at nothing that only the one
// type may look at.
TEST_F(TierTest, has_programs_that_any_kernels_verifier_takes) {
  std::vector<int> handlers;
  for (const char* section : {"fentry+", "fexit+"}) {
    handlers.push_back(
        libbpf_register_prog_handler(section, BPF_PROG_TYPE_RAW_TRACEPOINT, static_cast<bpf_attach_type>(0), nullptr));
    ASSERT_GT(handlers.back(), 0);
  }
  const std::unique_ptr<redoubt_sensor, decltype(&redoubt_sensor__destroy)> skeleton(redoubt_sensor__open(),
                                                                                     redoubt_sensor__destroy);
  ASSERT_NE(skeleton, nullptr);
  skeleton->rodata->is_tier_lsm = 1;
  EXPECT_EQ(redoubt_sensor__load(skeleton.get()), 0) << strerror(errno);
  for (const int handler : handlers) libbpf_unregister_prog_handler(handler);
}

TEST_F(TierTest, resolves_links_in_the_paths_of_names) {
  watch();
  ASSERT_EQ(mkdir((directory_ / "real").c_str(), 0700), 0);
  ASSERT_EQ(symlink("real", (directory_ / "link").c_str()), 0);
  const auto events = events_of([&] {
    make_empty(directory_ / "link/a");
    rename((directory_ / "link/a").c_str(), (directory_ / "link/b").c_str());
    unlink((directory_ / "link/missing").c_str());
    unlink((directory_ / "link/b").c_str());
  });
  ASSERT_EQ(events.size(), 3U) << "what fails is no event";
  EXPECT_EQ(events[0].event_action(), "create");
  EXPECT_EQ(events[0].file_path(), directory_ / "real/a");
  EXPECT_EQ(events[1].event_action(), "rename");
  EXPECT_EQ(events[1].file_previous_path(), directory_ / "real/a");
  EXPECT_EQ(events[1].file_path(), directory_ / "real/b");
  EXPECT_EQ(events[2].event_action(), "delete");
  EXPECT_EQ(events[2].file_path(), directory_ / "real/b");
  if (!is_lsm()) return;
  EXPECT_EQ(events[1].file_type(), "file");
  EXPECT_EQ(events[2].file_mode(), "0600");
}

TEST_F(TierTest, tells_what_was_renamed) {
  watch();
  ASSERT_EQ(mkdir((directory_ / "old").c_str(), 0700), 0);
  const auto events = events_of([&] { rename((directory_ / "old").c_str(), (directory_ / "new").c_str()); });
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].file_path(), directory_ / "new");
  EXPECT_EQ(events[0].file_type(), is_lsm() ? "dir" : "");
}

// Directories "a" and "b" with files of the same names, and a link "swap" that leads to one of them, now this, now
// that: the path that is looked at is not the path that is used. Each file is used once, for repeats would be counted.
class SwappedPathTest : public TierTest {
 protected:
  void SetUp() override {
    TierTest::SetUp();
    if (IsSkipped()) return;
    if (!aside_.made()) GTEST_SKIP() << "skipped: no writable cgroup version 2";
    for (const char* name : {"a", "b"}) {
      mkdir((directory_ / name).c_str(), 0700);
      for (size_t i = 0; i < kSwappedFiles; ++i) make_empty(file(name, i));
    }
    ASSERT_EQ(symlink("a", (directory_ / "swap").c_str()), 0);
  }
  void TearDown() override {
    shared_->stop = true;
    if (swapper_ > 0) finish(swapper_);
  }
  // The swapper would drown all else, so it is in a cgroup of which nothing is told.
  void watch_swapping() {
    SensorOptions options;
    options.policy.excluded_cgroups = {aside_.name() + "/**"};
    watch(options);
    swapper_ = in_child([&] {
      aside_.enter();
      for (int turn = 0; !shared_->stop; ++turn) {
        if (symlink(turn % 2 == 0 ? "b" : "a", (directory_ / "next").c_str()) != 0) _exit(1);
        if (rename((directory_ / "next").c_str(), (directory_ / "swap").c_str()) != 0) _exit(1);
      }
    });
  }
  std::string file(const std::string& below, size_t number) const {
    return directory_ / (below + "/" + std::to_string(number));
  }

  const TestCgroup aside_;
  SharedMemory shared_;
  pid_t swapper_ = 0;
};

TEST_F(SwappedPathTest, tells_the_file_that_was_opened) {
  watch_swapping();
  const auto events = events_of([&] {
    for (size_t i = 0; i < kSwappedFiles; ++i) {
      const base::UniqueFd opened(open(file("swap", i).c_str(), O_WRONLY | O_CLOEXEC));
      struct stat status{};
      if (fstat(opened.get(), &status) == 0) shared_->opened[i] = status.st_ino;
    }
  });
  ASSERT_EQ(events.size(), kSwappedFiles);
  for (size_t i = 0; i < kSwappedFiles; ++i) {
    EXPECT_EQ(events[i].event_action(), "write");
    EXPECT_EQ(events[i].file_inode(), static_cast<int64_t>(shared_->opened[i]));
    EXPECT_EQ(events[i].file_path(), file(shared_->opened[i] == inode_of(file("a", i)) ? "a" : "b", i));
  }
}

TEST_F(SwappedPathTest, tells_the_file_that_was_deleted) {
  watch_swapping();
  const auto events = events_of([&] {
    for (size_t i = 0; i < kSwappedFiles; ++i) unlink(file("swap", i).c_str());
  });
  ASSERT_EQ(events.size(), kSwappedFiles);
  if (!is_lsm()) return;  // names are resolved after the call there
  for (size_t i = 0; i < kSwappedFiles; ++i) {
    EXPECT_EQ(events[i].file_path(), file(inode_of(file("a", i)) == 0 ? "a" : "b", i));
  }
}

TEST_F(SwappedPathTest, tells_the_file_whose_permissions_were_set) {
  watch_swapping();
  const auto events = events_of([&] {
    for (size_t i = 0; i < kSwappedFiles; ++i) {
      const base::UniqueFd b(open(file("b", i).c_str(), O_RDONLY | O_CLOEXEC));
      if (fchmod(b.get(), 0600) != 0 || chmod(file("swap", i).c_str(), 0640) != 0) _exit(1);
      struct stat status{};
      shared_->is_b[i] = fstat(b.get(), &status) == 0 && (status.st_mode & 07777) == 0640;
    }
  });
  ASSERT_EQ(events.size(), 2 * kSwappedFiles);
  if (!is_lsm()) return;
  for (size_t i = 0; i < kSwappedFiles; ++i) {
    EXPECT_EQ(events[2 * i].file_path(), file("b", i));
    EXPECT_EQ(events[2 * i + 1].file_path(), file(shared_->is_b[i] ? "b" : "a", i));
    EXPECT_EQ(events[2 * i + 1].file_mode(), "0640");
  }
}

TEST(ProbeOnThisHost, names_the_tier_and_every_hook) {
  if (geteuid() != 0) GTEST_SKIP() << "skipped: needs root";
  const auto probe = probe_host(ProbeDepth::every_hook);
  ASSERT_TRUE(probe.has_value()) << probe.error().message;
  EXPECT_EQ(probe->tier, probe_host(ProbeDepth::tier)->tier);
  EXPECT_EQ(probe->hooks.size(), kHooks.size() + 1);
  EXPECT_EQ(probe->tier == Tier::lsm,
            probe->loads("fexit/do_filp_open") && probe->loads("fentry/security_path_rename"));
  const std::string report = probe_report();
  EXPECT_THAT(report, testing::HasSubstr("tier: " + std::string(name_of(probe->tier)) + "\n"));
  for (const HookRow& row : kHooks) EXPECT_THAT(report, testing::HasSubstr(std::string(row.name) + ": "));
  for (const std::string& lost : lost_in(probe->tier, *probe)) EXPECT_THAT(report, testing::HasSubstr(lost));
}

TEST(ProbeOnThisHost, refuses_without_privileges) {
  if (geteuid() != 0) GTEST_SKIP() << "skipped: needs root";
  const pid_t pid = in_child([] {
    if (setuid(65534) != 0) _exit(1);
    const auto probe = probe_host(ProbeDepth::tier);
    _exit(!probe && probe.error().code == Errc::permission_denied ? 0 : 2);
  });
  EXPECT_EQ(finish(pid), 0);
}

}  // namespace
}  // namespace redoubt::sensor
