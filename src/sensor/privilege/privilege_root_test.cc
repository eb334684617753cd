// Users, capabilities and namespaces are really changed, processes really traced and written to, and the events
// compared.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <csignal>
#include <cstring>

#include "base/file.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

constexpr long kNobody = 65534;

class PrivilegeTest : public SensorTest {
 protected:
  static Collector::Predicate is(v1::EventType type, const std::string& action, pid_t pid) {
    return [=](const v1::Event& event) {
      return event.event_type() == type && event.event_action() == action && event.process_pid() == pid;
    };
  }
  static Collector::Predicate is_privilege(const std::string& action, pid_t pid) {
    return is(v1::EVENT_TYPE_PRIVILEGE, action, pid);
  }
  // The event of a request of ptrace().
  static Collector::Predicate is_request(const std::string& request, pid_t pid) {
    return [=](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_PTRACE && event.process_pid() == pid &&
             event.ptrace_request() == request;
    };
  }
  // The only event of that privilege call that the child makes.
  v1::Event change_by(const std::string& action, const std::function<void()>& act) {
    const pid_t pid = in_child(act);
    EXPECT_EQ(finish(pid), 0);
    EXPECT_TRUE(events_.wait_for(is_end_of(pid)));
    const auto events = events_.all(is_privilege(action, pid));
    EXPECT_EQ(events.size(), 1U) << action;
    return events.empty() ? v1::Event() : events.front();
  }
};

void must(bool done) {
  if (!done) _exit(9);
}

// A call of the i386 entry with numbers alone.
long compat_call(long number, long first, long second = 0, long third = 0) {
  long result = number;
  asm volatile("int $0x80"
               : "+a"(result)
               : "b"(first), "c"(second), "d"(third), "S"(0L)
               : "memory", "r8", "r9", "r10", "r11");
  return result;
}

bool has_compat_entry() {
  constexpr long kCompatGetpid = 20;
  const pid_t pid = in_child([] { _exit(compat_call(kCompatGetpid, 0) == getpid() ? 0 : 1); });
  return finish(pid) == 0;
}

// A child that waits until it is killed.
class Sleeper {
 public:
  Sleeper() : pid_(in_child([] { pause(); })) {}
  ~Sleeper() {
    kill(pid_, SIGKILL);
    finish(pid_);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST_F(PrivilegeTest, tells_old_and_new_user_and_what_capabilities_are_left) {
  watch();
  const v1::Event event = change_by("setuid", [] { must(syscall(SYS_setuid, kNobody) == 0); });
  EXPECT_EQ(event.user_id(), 0);
  EXPECT_EQ(event.user_effective_id(), 0);
  EXPECT_EQ(event.user_effective_name(), "root");
  EXPECT_EQ(event.user_changes_id(), kNobody);
  EXPECT_EQ(event.user_changes_effective_id(), kNobody);
  EXPECT_EQ(event.user_changes_effective_name(), "nobody");
  EXPECT_EQ(event.group_id(), 0);
  EXPECT_EQ(event.group_changes_id(), 0);
  EXPECT_NE(event.process_cap_effective().find("CAP_SETUID"), std::string::npos);
  EXPECT_TRUE(event.has_process_cap_changes_effective());
  EXPECT_EQ(event.process_cap_changes_effective(), "");
  EXPECT_EQ(event.process_executable(), own_executable());
  EXPECT_EQ(event.process_parent_pid(), getpid());
}

TEST_F(PrivilegeTest, tells_groups_and_the_calls_of_several_ids) {
  watch();
  const v1::Event group = change_by("setgid", [] { must(syscall(SYS_setgid, kNobody) == 0); });
  EXPECT_EQ(group.group_id(), 0);
  EXPECT_EQ(group.group_effective_id(), 0);
  EXPECT_EQ(group.group_changes_id(), kNobody);
  EXPECT_EQ(group.group_changes_effective_id(), kNobody);
  EXPECT_EQ(group.user_changes_id(), 0);
  const v1::Event all = change_by("setresgid", [] { must(syscall(SYS_setresgid, -1, 7, -1) == 0); });
  EXPECT_EQ(all.group_changes_id(), 0);
  EXPECT_EQ(all.group_changes_effective_id(), 7);
  const v1::Event effective = change_by("setresuid", [] { must(syscall(SYS_setresuid, -1, kNobody, -1) == 0); });
  EXPECT_EQ(effective.user_changes_id(), 0);
  EXPECT_EQ(effective.user_changes_effective_id(), kNobody);
  EXPECT_EQ(change_by("setreuid", [] { must(syscall(SYS_setreuid, 5, -1) == 0); }).user_changes_id(), 5);
  EXPECT_EQ(change_by("setregid", [] { must(syscall(SYS_setregid, 5, -1) == 0); }).group_changes_id(), 5);
}

TEST_F(PrivilegeTest, tells_the_way_back_to_root) {
  watch();
  const pid_t pid = in_child([] {
    must(syscall(SYS_setresuid, -1, kNobody, -1) == 0);
    must(syscall(SYS_setresuid, -1, 0, -1) == 0);
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  const auto events = events_.all(is_privilege("setresuid", pid));
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].user_effective_id(), kNobody);
  EXPECT_FALSE(events[1].has_process_cap_effective());
  EXPECT_EQ(events[1].user_changes_effective_id(), 0);
  EXPECT_NE(events[1].process_cap_changes_effective().find("CAP_SYS_ADMIN"), std::string::npos);
}

TEST_F(PrivilegeTest, is_silent_about_calls_that_change_nothing_or_fail) {
  watch();
  const pid_t pid = in_child([] {
    must(syscall(SYS_setuid, 0) == 0);
    must(syscall(SYS_setgid, 0) == 0);
    must(syscall(SYS_unshare, CLONE_FILES) == 0);
    must(syscall(SYS_setuid, kNobody) == 0);
    must(syscall(SYS_setuid, 0) != 0);
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  const auto events = events_.all([pid](const v1::Event& event) {
    return event.event_type() == v1::EVENT_TYPE_PRIVILEGE && event.process_pid() == pid;
  });
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].user_changes_id(), kNobody);
}

TEST_F(PrivilegeTest, tells_capabilities_that_are_put_off) {
  watch();
  const v1::Event event = change_by("capset", [] {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct sets[2] = {};
    sets[0].effective = 1U << CAP_CHOWN;
    sets[0].permitted = 1U << CAP_CHOWN | 1U << CAP_KILL;
    must(syscall(SYS_capset, &header, sets) == 0);
  });
  EXPECT_EQ(event.process_cap_changes_effective(), "CAP_CHOWN");
  EXPECT_EQ(event.process_cap_changes_permitted(), "CAP_CHOWN CAP_KILL");
  EXPECT_NE(event.process_cap_permitted().find("CAP_SYS_ADMIN"), std::string::npos);
  EXPECT_EQ(event.user_changes_id(), 0);
}

TEST_F(PrivilegeTest, tells_namespaces_that_are_made) {
  watch();
  int64_t inside = 0;
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const v1::Event event = change_by("unshare", [&] {
    must(syscall(SYS_unshare, CLONE_NEWNS | CLONE_NEWNET | CLONE_FILES) == 0);
    struct stat status{};
    must(stat("/proc/self/ns/net", &status) == 0);
    const auto number = static_cast<int64_t>(status.st_ino);
    must(write(report[1], &number, sizeof number) == sizeof number);
  });
  ASSERT_EQ(read(report[0], &inside, sizeof inside), static_cast<ssize_t>(sizeof inside));
  close(report[0]);
  close(report[1]);
  EXPECT_EQ(event.namespace_types(), "CLONE_NEWNET|CLONE_NEWNS");
  EXPECT_EQ(event.process_namespace_network(), inside);
}

TEST_F(PrivilegeTest, tells_capabilities_of_before_a_user_namespace_gave_all) {
  watch();
  const pid_t pid = in_child([] {
    must(syscall(SYS_setresuid, kNobody, kNobody, kNobody) == 0);
    if (syscall(SYS_unshare, CLONE_NEWUSER) != 0) _exit(7);
  });
  const int status = finish(pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 7) GTEST_SKIP() << "skipped: no user namespaces for users here";
  const auto event = events_.wait_for(is_privilege("unshare", pid));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->namespace_types(), "CLONE_NEWUSER");
  EXPECT_FALSE(event->has_process_cap_permitted());
  EXPECT_NE(event->process_cap_changes_permitted().find("CAP_SYS_ADMIN"), std::string::npos);
}

TEST_F(PrivilegeTest, tells_the_kind_of_a_namespace_that_is_entered_by_descriptor) {
  watch();
  const v1::Event unsaid = change_by("setns", [] {
    const int descriptor = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
    must(descriptor >= 0 && syscall(SYS_setns, descriptor, 0) == 0);
  });
  EXPECT_EQ(unsaid.namespace_types(), "CLONE_NEWUTS");
  const v1::Event said = change_by("setns", [] {
    const int descriptor = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    must(descriptor >= 0 && syscall(SYS_setns, descriptor, CLONE_NEWNET) == 0);
  });
  EXPECT_EQ(said.namespace_types(), "CLONE_NEWNET");
}

TEST_F(PrivilegeTest, sees_the_32_bit_calls) {
  if (!has_compat_entry()) GTEST_SKIP() << "skipped: this kernel has no i386 entry";
  watch();
  EXPECT_EQ(change_by("setuid", [] { must(compat_call(213, kNobody) == 0); }).user_changes_id(), kNobody);
  EXPECT_EQ(change_by("setuid", [] { must(compat_call(23, 1000) == 0); }).user_changes_id(), 1000);
  EXPECT_EQ(change_by("setresgid", [] { must(compat_call(210, 5, 5, 5) == 0); }).group_changes_id(), 5);
  EXPECT_EQ(change_by("unshare", [] { must(compat_call(310, CLONE_NEWUTS) == 0); }).namespace_types(), "CLONE_NEWUTS");
  const Sleeper target;
  constexpr long kCompatPtrace = 26;
  const pid_t tracer = in_child([&] { must(compat_call(kCompatPtrace, PTRACE_SEIZE, target.pid()) == 0); });
  EXPECT_EQ(finish(tracer), 0);
  const auto seized = events_.wait_for(is_request("PTRACE_SEIZE", tracer));
  ASSERT_TRUE(seized);
  EXPECT_EQ(seized->target_process_pid(), target.pid());
}

TEST_F(PrivilegeTest, tells_who_traces_whom) {
  watch();
  base::TempDir directory;
  const pid_t target = launch({"/bin/sleep", "100"});
  const auto started = events_.wait_for(is_exec_of(target));
  ASSERT_TRUE(started);
  const pid_t tracer = in_child([&] {
    must(ptrace(PTRACE_ATTACH, target, nullptr, nullptr) == 0 && waitpid(target, nullptr, 0) == target);
    user_regs_struct registers{};
    must(ptrace(PTRACE_GETREGS, target, nullptr, &registers) == 0);
    const long word = ptrace(PTRACE_PEEKTEXT, target, registers.rip, nullptr);
    must(ptrace(PTRACE_POKETEXT, target, registers.rip, word) == 0);
    must(ptrace(PTRACE_SETREGS, target, nullptr, &registers) == 0);
    must(ptrace(PTRACE_DETACH, target, nullptr, nullptr) == 0);
  });
  EXPECT_EQ(finish(tracer), 0);
  kill(target, SIGKILL);
  finish(target);
  ASSERT_TRUE(events_.wait_for(is_end_of(tracer)));
  for (const char* request : {"PTRACE_ATTACH", "PTRACE_POKETEXT", "PTRACE_SETREGS"}) {
    const auto event = events_.wait_for(is_request(request, tracer));
    ASSERT_TRUE(event) << request;
    EXPECT_EQ(event->event_action(), "ptrace");
    EXPECT_EQ(event->target_process_pid(), target);
    EXPECT_EQ(event->target_process_entity_id(), started->process_entity_id());
    EXPECT_EQ(event->target_process_executable(), real_path("/bin/sleep"));
    EXPECT_EQ(event->target_process_command_line(), "/bin/sleep 100");
    EXPECT_EQ(event->process_executable(), own_executable());
  }
  const auto events = events_.all(is(v1::EVENT_TYPE_PTRACE, "ptrace", tracer));
  EXPECT_EQ(events.size(), 3U) << "looking and letting go are no events";
}

TEST_F(PrivilegeTest, tells_a_process_that_asks_to_be_traced) {
  watch();
  const pid_t pid = in_child([] { must(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0); });
  EXPECT_EQ(finish(pid), 0);
  const auto event = events_.wait_for(is_request("PTRACE_TRACEME", pid));
  ASSERT_TRUE(event);
  EXPECT_FALSE(event->has_target_process_pid());
}

TEST_F(PrivilegeTest, finds_the_target_in_the_pid_namespace_of_the_tracer) {
  watch();
  const pid_t outer = in_child([] {
    must(unshare(CLONE_NEWPID) == 0);
    const pid_t first = fork();
    if (first == 0) {
      const pid_t target = in_child([] { pause(); });
      must(ptrace(PTRACE_SEIZE, target, nullptr, nullptr) == 0);
      char word[8] = {};
      char copy[8] = {};
      const iovec from{.iov_base = copy, .iov_len = sizeof copy};
      const iovec to{.iov_base = &word, .iov_len = sizeof word};
      must(process_vm_writev(target, &from, 1, &to, 1, 0) == sizeof word);
      kill(target, SIGKILL);
      _exit(0);
    }
    int status = 0;
    waitpid(first, &status, 0);
    must(status == 0);
  });
  EXPECT_EQ(finish(outer), 0);
  const auto is_of_first = [&](const char* action) {
    return events_.wait_for([=](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_PTRACE && event.event_action() == action &&
             event.process_parent_pid() == outer;
    });
  };
  const auto seized = is_of_first("ptrace");
  const auto written = is_of_first("process_vm_writev");
  ASSERT_TRUE(seized && written);
  EXPECT_GT(seized->target_process_pid(), 2) << "a number of the host";
  EXPECT_EQ(seized->target_process_executable(), own_executable());
  EXPECT_EQ(written->target_process_pid(), seized->target_process_pid());
  EXPECT_EQ(written->target_process_entity_id(), seized->target_process_entity_id());
}

TEST_F(PrivilegeTest, tells_who_writes_into_the_memory_of_another) {
  watch();
  static char word[8] = "before";
  const Sleeper target;
  const pid_t writer = in_child([&] {
    char text[8] = "after";
    const iovec from{.iov_base = text, .iov_len = sizeof text};
    const iovec to{.iov_base = word, .iov_len = sizeof word};
    must(process_vm_writev(target.pid(), &from, 1, &to, 1, 0) == sizeof word);
  });
  EXPECT_EQ(finish(writer), 0);
  const auto event = events_.wait_for(is(v1::EVENT_TYPE_PTRACE, "process_vm_writev", writer));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->target_process_pid(), target.pid());
  EXPECT_EQ(event->target_process_executable(), own_executable());
  EXPECT_FALSE(event->has_ptrace_request());
}

// By the number that the writer gave nobody is to be found: the target has another in its own namespace.
TEST_F(PrivilegeTest, tells_the_target_in_another_pid_namespace_in_the_tier_that_knows_it) {
  watch();
  static char word[8] = "before";
  const pid_t writer = in_child([] {
    must(unshare(CLONE_NEWPID) == 0);
    const pid_t target = in_child([] { pause(); });
    char text[8] = "after";
    const iovec from{.iov_base = text, .iov_len = sizeof text};
    const iovec to{.iov_base = word, .iov_len = sizeof word};
    must(process_vm_writev(target, &from, 1, &to, 1, 0) == sizeof word);
    must(process_vm_writev(getpid(), &from, 1, &to, 1, 0) == sizeof word);
    kill(target, SIGKILL);
  });
  EXPECT_EQ(finish(writer), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(writer)));
  const auto written = events_.all(is(v1::EVENT_TYPE_PTRACE, "process_vm_writev", writer));
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].has_target_process_pid(), is_lsm());
  EXPECT_NE(written[0].target_process_pid(), writer);
  EXPECT_EQ(written[1].target_process_pid(), writer);
}

TEST_F(PrivilegeTest, counts_what_a_process_does_too_often_and_hears_others) {
  watch();
  constexpr int kCalls = 3000;
  const pid_t flooder = in_child([] {
    for (int i = 0; i < kCalls; ++i) must(syscall(SYS_setresuid, -1, i % 2 == 0 ? kNobody : 0, -1) == 0);
  });
  EXPECT_EQ(finish(flooder), 0);
  const v1::Event other = change_by("setuid", [] { must(syscall(SYS_setuid, kNobody) == 0); });
  EXPECT_EQ(other.user_changes_id(), kNobody);
  settle();
  const auto told = events_.all(is_privilege("setresuid", flooder));
  int64_t lost = 0;
  for (const v1::Event& event :
       events_.all([](const v1::Event& each) { return each.loss_cause() == "rate_critical"; })) {
    EXPECT_EQ(event.loss_kind(), "privilege");
    lost += event.loss_count();
  }
  EXPECT_LT(told.size(), static_cast<size_t>(kCalls));
  EXPECT_GE(told.size(), 200U);
  EXPECT_EQ(static_cast<int64_t>(told.size()) + lost, kCalls);
  expect_balance(&SensorAccount::critical);
  EXPECT_EQ(sensor().account().malformed, 0U);
}

TEST_F(PrivilegeTest, tells_forks_if_told_so) {
  SensorOptions options;
  options.fork_events = ForkEvents::all;
  start(options);
  const pid_t pid = in_child([] {});
  finish(pid);
  const auto event = events_.wait_for(is(v1::EVENT_TYPE_FORK, "fork", pid));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->process_executable(), own_executable());
  EXPECT_EQ(event->process_parent_pid(), getpid());
  EXPECT_TRUE(events_.wait_for(is_end_of(pid)));
}

TEST_F(PrivilegeTest, tells_no_forks_otherwise) {
  watch();
  const pid_t pid = in_child([] {});
  finish(pid);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  EXPECT_TRUE(events_.all(is(v1::EVENT_TYPE_FORK, "fork", pid)).empty());
}

}  // namespace
}  // namespace redoubt::sensor
