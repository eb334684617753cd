#include "sensor/process/process_decode.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace redoubt::sensor {
namespace {

using std::string_literals::operator""s;

// A record as the kernel side writes it, in memory aligned like a ring.
struct RawExec {
  std::vector<uint64_t> space = std::vector<uint64_t>(sizeof(rd_exec) / 8 + 1);
  rd_exec& record = *reinterpret_cast<rd_exec*>(space.data());
  size_t used = 0;

  uint16_t put(const std::string& bytes) {
    memcpy(record.data + used, bytes.data(), bytes.size());
    used += bytes.size();
    return static_cast<uint16_t>(bytes.size());
  }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(space.data()), offsetof(rd_exec, data) + used};
  }
};

RawExec sample() {
  RawExec raw;
  raw.record.head.kind = RD_EXEC;
  raw.record.head.actor.pid = 42;
  raw.record.arguments_bytes = raw.put("sh\0-c\0id\xff\0"s);
  raw.record.arguments_total = raw.record.arguments_bytes;
  raw.record.executable_bytes = raw.put("dash\0bin\0usr\0"s);
  raw.record.directory_bytes = raw.put("root\0"s);
  raw.record.cgroup_bytes = raw.put("cron.service\0system.slice\0"s);
  raw.record.script_bytes = raw.put("./job.sh\0"s);
  raw.record.variables_bytes = raw.put("LD_PRELOAD=/x\0ENV=\xff\0"s);
  strcpy(raw.record.tty, "pts12");
  return raw;
}

TEST(ProcessDecode, reads_an_exec) {
  const RawExec raw = sample();
  const auto exec = decode_exec(raw.view());
  ASSERT_TRUE(exec);
  EXPECT_EQ(exec->head.actor.pid, 42U);
  EXPECT_EQ(exec->command_line, "sh -c id\\xff");
  EXPECT_EQ(exec->executable, "/usr/bin/dash");
  EXPECT_EQ(exec->directory, "/root");
  EXPECT_EQ(exec->cgroup, "/system.slice/cron.service");
  EXPECT_EQ(exec->tty, "pts/12");
}

TEST(ProcessDecode, reads_script_and_variables) {
  RawExec raw = sample();
  auto exec = decode_exec(raw.view());
  ASSERT_TRUE(exec);
  EXPECT_EQ(exec->script, "/root/job.sh");
  EXPECT_EQ(exec->variables, "LD_PRELOAD=/x\nENV=\\xff");
  raw.record.variables_left = 7;
  EXPECT_EQ(decode_exec(raw.view())->variables, "LD_PRELOAD=/x\nENV=\\xff\n…[+7 bytes]");
}

TEST(ProcessDecode, reads_a_script_below_another_root) {
  RawExec raw = sample();
  raw.used -= 9 + 20;
  raw.record.variables_bytes = 0;
  raw.record.script_root_bytes = raw.put("jail\0srv\0"s);
  raw.record.script_bytes = raw.put("/a/../b.sh\0"s);
  EXPECT_EQ(decode_exec(raw.view())->script, "/srv/jail/b.sh");
}

TEST(ProcessDecode, marks_a_variable_that_was_cut) {
  RawExec raw = sample();
  raw.used -= 20;
  raw.record.variables_bytes = raw.put("ENV=" + std::string(RD_VARIABLE_MAX - 5, 'v') + "\0"s);
  EXPECT_EQ(decode_exec(raw.view())->variables, "ENV=" + std::string(RD_VARIABLE_MAX - 5, 'v') + "…");
}

TEST(ProcessDecode, calls_a_memfd_by_its_bare_name) {
  RawExec raw = sample();
  raw.record.places = RD_FROM_MEMFD;
  EXPECT_EQ(decode_exec(raw.view())->executable, "usr/bin/dash") << "the only component of a real one is its name";
}

TEST(ProcessDecode, reads_the_cgroups_of_both_versions) {
  const std::tuple<std::string, std::string, std::string> rows[] = {
      {"b\0a\0"s, "/a/b", ""},
      {"\0b\0a\0"s, "/", "/a/b"},
      {"b\0a\0\0d\0c\0"s, "/a/b", "/c/d"},
      {""s, "/", ""},
  };
  for (const auto& [bytes, version_two, version_one] : rows) {
    RawExec raw;
    raw.record.head.kind = RD_EXEC;
    raw.record.cgroup_bytes = raw.put(bytes);
    const auto exec = decode_exec(raw.view());
    ASSERT_TRUE(exec);
    EXPECT_EQ(exec->cgroup, version_two);
    EXPECT_EQ(exec->cgroup_v1, version_one);
  }
}

TEST(ProcessDecode, gives_a_terminal_of_any_bytes_as_text) {
  RawExec raw = sample();
  strcpy(raw.record.tty, "pts1\xfa");
  EXPECT_EQ(decode_exec(raw.view())->tty, "pts/1\\xfa");
}

TEST(ProcessDecode, refuses_every_cut) {
  const RawExec raw = sample();
  for (size_t size = 0; size < raw.view().size(); ++size) EXPECT_FALSE(decode_exec(raw.view().substr(0, size))) << size;
}

TEST(ProcessDecode, gives_kernel_threads_no_paths) {
  RawExec raw = sample();
  raw.record.kernel_thread = 1;
  const auto exec = decode_exec(raw.view());
  ASSERT_TRUE(exec);
  EXPECT_EQ(exec->executable, "");
  EXPECT_EQ(exec->directory, "");
}

TEST(ProcessDecode, reads_an_unterminated_terminal_name) {
  RawExec raw = sample();
  memset(raw.record.tty, 'x', sizeof raw.record.tty);
  EXPECT_EQ(decode_exec(raw.view())->tty, std::string(RD_TTY_BYTES, 'x'));
}

TEST(ProcessDecode, refuses_a_short_exit) {
  alignas(8) char bytes[sizeof(rd_exit)] = {};
  EXPECT_TRUE(decode_exit({bytes, sizeof bytes}));
  EXPECT_FALSE(decode_exit({bytes, sizeof bytes - 1}));
}

TEST(ProcessDecode, reads_wait_statuses_as_a_shell_does) {
  EXPECT_EQ(exit_code_of(0), 0);
  EXPECT_EQ(exit_code_of(7 << 8), 7);
  EXPECT_EQ(exit_code_of(9), 137);
  EXPECT_EQ(exit_code_of(11 | 0x80), 139) << "with a core dump";
}

}  // namespace
}  // namespace redoubt::sensor
