// The process that runs the sensor is really signalled and traced by others, and the events compared.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/ptrace.h>

#include <csignal>

#include "base/file.h"

#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

class TamperTest : public SensorTest {
 protected:
  static Collector::Predicate is_tamper(const std::string& action, pid_t pid) {
    return [=](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_TAMPER && event.event_action() == action &&
             event.process_pid() == pid;
    };
  }
};

// SIGTERM does nothing to this process meanwhile.
class IgnoredTermination {
 public:
  IgnoredTermination() : before_(signal(SIGTERM, SIG_IGN)) {}
  ~IgnoredTermination() { signal(SIGTERM, before_); }
  IgnoredTermination(const IgnoredTermination&) = delete;
  IgnoredTermination& operator=(const IgnoredTermination&) = delete;

 private:
  sighandler_t before_;
};

TEST_F(TamperTest, tells_who_signals_the_agent) {
  watch();
  const IgnoredTermination ignored;
  const pid_t pid = launch({"/bin/sh", "-c", "kill -TERM " + std::to_string(getpid()) + "; exit 0"});
  EXPECT_EQ(finish(pid), 0);
  const auto event = events_.wait_for(is_tamper("signal", pid));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->signal_name(), "SIGTERM");
  EXPECT_EQ(event->process_executable(), real_path("/bin/sh"));
  EXPECT_EQ(event->user_name(), "root");
  EXPECT_EQ(event->target_process_pid(), getpid());
  EXPECT_EQ(event->target_process_executable(), own_executable());
}

// A BPF file system of the test's own.
class BpfFileSystem {
 public:
  BpfFileSystem() { EXPECT_EQ(mount("bpf", path().c_str(), "bpf", 0, nullptr), 0) << strerror(errno); }
  ~BpfFileSystem() { umount2(path().c_str(), MNT_DETACH); }
  BpfFileSystem(const BpfFileSystem&) = delete;
  BpfFileSystem& operator=(const BpfFileSystem&) = delete;
  const std::string& path() const { return directory_.path(); }

 private:
  base::TempDir directory_;
};

TEST_F(TamperTest, tells_who_killed_the_agent_before) {
  const BpfFileSystem bpf;
  SensorOptions options;
  options.host_id = "host";
  options.boot_id = "boot";
  options.tier = tier_under_test();
  options.last_words_directory = bpf.path();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t agent = in_child([&] {
    Collector events;
    const auto sensor = Sensor::start(options, events);
    if (!sensor || write(ready[1], "x", 1) != 1) _exit(9);
    pause();
  });
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const pid_t killer = launch({"/bin/sh", "-c", "kill -KILL " + std::to_string(agent) + "; exit 0"});
  EXPECT_EQ(finish(killer), 0);
  int status = 0;
  ASSERT_EQ(waitpid(agent, &status, 0), agent);
  ASSERT_TRUE(WIFSIGNALED(status));
  start(options);
  const auto event = events_.wait_for(is_tamper("signal", killer));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->signal_name(), "SIGKILL");
  EXPECT_EQ(event->process_comm(), "sh");
  EXPECT_EQ(event->target_process_pid(), agent);
  start(options);
  EXPECT_EQ(events_.all(is_tamper("signal", killer)).size(), 1U) << "told again";
}

TEST_F(TamperTest, tells_who_stopped_the_agent_once_it_goes_on) {
  watch();
  const pid_t agent = getpid();
  const pid_t pid = in_child([agent] {
    kill(agent, SIGSTOP);
    usleep(50'000);
    kill(agent, SIGCONT);
  });
  finish(pid);
  const auto event = events_.wait_for(is_tamper("signal", pid));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->signal_name(), "SIGSTOP");
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  EXPECT_EQ(events_.all(is_tamper("signal", pid)).size(), 1U) << "going on is none";
}

TEST_F(TamperTest, is_silent_about_signals_to_others_and_its_own) {
  watch();
  const IgnoredTermination ignored;
  kill(getpid(), SIGTERM);
  const pid_t sleeper = in_child([] { pause(); });
  kill(sleeper, SIGKILL);
  finish(sleeper);
  ASSERT_TRUE(events_.wait_for(is_end_of(sleeper)));
  const pid_t probing = in_child([agent = getpid()] { kill(agent, 0); });
  finish(probing);
  ASSERT_TRUE(events_.wait_for(is_end_of(probing)));
  EXPECT_TRUE(events_.all([](const v1::Event& event) { return event.event_type() == v1::EVENT_TYPE_TAMPER; }).empty());
}

TEST_F(TamperTest, tells_who_traces_the_agent) {
  watch();
  const pid_t agent = getpid();
  const pid_t pid = in_child([agent] {
    if (ptrace(PTRACE_SEIZE, agent, nullptr, nullptr) != 0) _exit(1);
    ptrace(PTRACE_DETACH, agent, nullptr, nullptr);
  });
  EXPECT_EQ(finish(pid), 0);
  const auto event = events_.wait_for(is_tamper("ptrace", pid));
  ASSERT_TRUE(event);
  EXPECT_EQ(event->ptrace_request(), "PTRACE_SEIZE");
  EXPECT_EQ(event->target_process_pid(), agent);
  EXPECT_TRUE(events_.wait_for([pid](const v1::Event& each) {
    return each.event_type() == v1::EVENT_TYPE_PTRACE && each.process_pid() == pid;
  }));
}

}  // namespace
}  // namespace redoubt::sensor
