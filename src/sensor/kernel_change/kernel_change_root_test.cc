// The kernel is really changed, where it lets itself be: mounts, BPF programs, userfaultfd, io_uring, settings.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/file.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

constexpr int kNotHere = 7;  // status of a child whose kernel lacks what it asked for

class KernelChangeTest : public SensorTest {
 protected:
  static Collector::Predicate is(v1::EventType type, const std::string& action, pid_t pid) {
    return [=](const v1::Event& event) {
      return event.event_type() == type && event.event_action() == action && event.process_pid() == pid;
    };
  }
  std::optional<v1::Event> told(v1::EventType type, const std::string& action, pid_t pid) {
    return events_.wait_for(is(type, action, pid));
  }
};

void must(bool done) {
  if (!done) _exit(9);
}

bool was_not_here(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == kNotHere; }

void leave_mounts() { must(unshare(CLONE_NEWNS) == 0 && mount("", "/", "", MS_REC | MS_PRIVATE, nullptr) == 0); }

TEST_F(KernelChangeTest, tells_what_is_mounted_where_and_unmounted) {
  watch();
  base::TempDir directory;
  std::filesystem::create_directory(directory / "there");
  const pid_t pid = in_child([&] {
    leave_mounts();
    must(chdir(directory.path().c_str()) == 0);
    must(mount("scratch", "./there", "tmpfs", 0, nullptr) == 0);
    must(umount2("there", MNT_DETACH) == 0);
    must(mount("/etc", (directory / "there").c_str(), nullptr, MS_BIND, nullptr) == 0);
    must(mount("x", (directory / "none").c_str(), "tmpfs", 0, nullptr) != 0);
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  const auto mounts = events_.all(is(v1::EVENT_TYPE_MOUNT, "mount", pid));
  ASSERT_EQ(mounts.size(), 3U) << "that which fails is none";
  EXPECT_EQ(mounts[0].file_path(), "/");
  EXPECT_EQ(mounts[1].file_path(), directory / "there");
  EXPECT_EQ(mounts[1].file_name(), "there");
  EXPECT_EQ(mounts[1].mount_source(), "scratch");
  EXPECT_EQ(mounts[1].mount_type(), "tmpfs");
  EXPECT_NE(mounts[1].process_cap_effective().find("CAP_SYS_ADMIN"), std::string::npos);
  EXPECT_EQ(mounts[2].file_path(), directory / "there");
  EXPECT_EQ(mounts[2].mount_source(), "/etc");
  EXPECT_FALSE(mounts[2].has_mount_type());
  const auto gone = told(v1::EVENT_TYPE_MOUNT, "umount2", pid);
  ASSERT_TRUE(gone);
  EXPECT_EQ(gone->file_path(), directory / "there");
}

TEST_F(KernelChangeTest, tells_the_mount_point_behind_a_link_in_the_tier_that_knows_it) {
  watch();
  base::TempDir directory;
  std::filesystem::create_directory(directory / "there");
  std::filesystem::create_directory_symlink("there", directory / "link");
  const pid_t pid = in_child([&] {
    leave_mounts();
    must(mount("scratch", (directory / "link").c_str(), "tmpfs", 0, nullptr) == 0);
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  const auto mounts = events_.all(is(v1::EVENT_TYPE_MOUNT, "mount", pid));
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[1].file_path(), directory / (is_lsm() ? "there" : "link"));
  EXPECT_EQ(mounts[1].mount_source(), "scratch");
  EXPECT_EQ(mounts[1].mount_type(), "tmpfs");
}

TEST_F(KernelChangeTest, tells_mounts_of_the_newer_calls) {
  watch();
  base::TempDir directory;
  constexpr unsigned kCloneTree = 1;      // OPEN_TREE_CLONE
  constexpr unsigned kFromEmptyPath = 4;  // MOVE_MOUNT_F_EMPTY_PATH
  const pid_t pid = in_child([&] {
    leave_mounts();
    const auto tree = static_cast<int>(syscall(SYS_open_tree, AT_FDCWD, "/etc", kCloneTree));
    if (tree < 0) _exit(kNotHere);
    const int base = open(directory.path().c_str(), O_PATH | O_DIRECTORY);
    must(mkdirat(base, "to", 0700) == 0);
    must(syscall(SYS_move_mount, tree, "", base, "to", kFromEmptyPath) == 0);
  });
  const int status = finish(pid);
  if (was_not_here(status)) GTEST_SKIP() << "skipped: this kernel has no open_tree";
  EXPECT_EQ(status, 0);
  const auto moved = told(v1::EVENT_TYPE_MOUNT, "move_mount", pid);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->file_path(), directory / "to");
  EXPECT_FALSE(moved->has_mount_source());
}

TEST_F(KernelChangeTest, sees_the_32_bit_mount) {
  watch();
  base::TempDir directory;
  const pid_t pid = in_child([&] {
    leave_mounts();
    auto* low =
        static_cast<char*>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
    strcpy(low, "tmpfs");
    strcpy(low + 64, directory.path().c_str());
    long result = 21;  // mount
    asm volatile("int $0x80"
                 : "+a"(result)
                 : "b"(low), "c"(low + 64), "d"(low), "S"(0L), "D"(0L)
                 : "memory", "r8", "r9", "r10", "r11");
    must(result == 0);
  });
  const int status = finish(pid);
  if (status != 0) GTEST_SKIP() << "skipped: this kernel has no i386 entry";
  const auto mounted = events_.wait_for([&](const v1::Event& event) {
    return event.event_type() == v1::EVENT_TYPE_MOUNT && event.file_path() == directory.path();
  });
  ASSERT_TRUE(mounted);
  EXPECT_EQ(mounted->event_action(), "mount");
  EXPECT_EQ(mounted->mount_type(), "tmpfs");
  EXPECT_EQ(mounted->process_pid(), pid);
}

TEST_F(KernelChangeTest, tells_bpf_programs_as_the_kernel_knows_them) {
  watch();
  const pid_t pid = in_child([] {
    const bpf_insn nothing[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
                                {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    bpf_attr attributes{};
    attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    attributes.insns = reinterpret_cast<uintptr_t>(nothing);
    attributes.insn_cnt = 2;
    attributes.license = reinterpret_cast<uintptr_t>("GPL");
    strcpy(attributes.prog_name, "hidden_door");
    must(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes) >= 0);
    bpf_attr map{};
    map.map_type = BPF_MAP_TYPE_ARRAY;
    map.key_size = map.value_size = 4;
    map.max_entries = 1;
    must(syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map) >= 0);
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  const auto events = events_.all(is(v1::EVENT_TYPE_BPF, "bpf", pid));
  ASSERT_EQ(events.size(), 1U) << "maps are none";
  EXPECT_EQ(events[0].bpf_program_name(), "hidden_door");
  EXPECT_EQ(events[0].bpf_program_type(), "socket_filter");
}

TEST_F(KernelChangeTest, tells_userfaultfd_and_io_uring) {
  watch();
  const pid_t pid = in_child([] {
    if (syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY) < 0) _exit(kNotHere);
    io_uring_params parameters{};
    must(syscall(SYS_io_uring_setup, 4, &parameters) >= 0 || errno == ENOSYS || errno == EPERM);
  });
  const int status = finish(pid);
  if (was_not_here(status)) GTEST_SKIP() << "skipped: this kernel has no userfaultfd";
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(told(v1::EVENT_TYPE_KERNEL, "userfaultfd", pid));
  EXPECT_TRUE(told(v1::EVENT_TYPE_KERNEL, "io_uring_setup", pid));
}

TEST_F(KernelChangeTest, tells_settings_that_are_written) {
  watch();
  // Written as it is: nothing changes.
  const std::string path = "/proc/sys/kernel/printk_ratelimit";
  const auto value = base::read_file(path, 64);
  ASSERT_TRUE(value);
  const pid_t pid = in_child([&] {
    const int setting = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    must(setting >= 0 && write(setting, value->data(), value->size()) == static_cast<ssize_t>(value->size()));
  });
  EXPECT_EQ(finish(pid), 0);
  const auto written = events_.wait_for(is_file("write", path));
  ASSERT_TRUE(written);
  EXPECT_EQ(written->process_pid(), pid);
}

TEST_F(KernelChangeTest, is_silent_about_module_calls_that_fail) {
  watch();
  const pid_t pid = in_child([] {
    must(syscall(SYS_init_module, nullptr, 0, "") != 0);
    must(syscall(SYS_finit_module, -1, "", 0) != 0);
    must(syscall(SYS_delete_module, "no_such_module", O_NONBLOCK) != 0);
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  EXPECT_TRUE(events_
                  .all([pid](const v1::Event& event) {
                    return event.event_type() == v1::EVENT_TYPE_MODULE && event.process_pid() == pid;
                  })
                  .empty());
}

}  // namespace
}  // namespace redoubt::sensor
