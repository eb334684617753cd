// What programs do to files, done for real, and the events compared.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "redoubt/event.pb.h"
#include "sensor/syscall/syscall_table.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

// Linux 6.6 and later.
bool kernel_has_fchmodat2() { return syscall(kFchmodat2, -1, "/nowhere", 0, 0) != 0 && errno != ENOSYS; }

// In a child: a call that fails ends it, and is seen by finish().
void done(int result) {
  if (result != 0) _exit(1);
}

class SensorFileTest : public SensorTest {
 protected:
  // The one event of the child; a failure of the test if there is none, or another.
  v1::Event only(const std::string& action, const std::string& path, pid_t pid) {
    const auto found = events_.wait_for(
        [&](const v1::Event& event) { return event.process_pid() == pid && is_file(action, path)(event); });
    EXPECT_TRUE(found) << action << " " << path << "; told was\n" << told_of(pid);
    EXPECT_LE(
        events_.all([&](const v1::Event& event) { return event.process_pid() == pid && is_file(action, path)(event); })
            .size(),
        1U);
    return found.value_or(v1::Event());
  }

  std::string told_of(pid_t pid) {
    std::string text;
    for (const v1::Event& event : events_.all([&](const v1::Event& each) { return each.process_pid() == pid; })) {
      text += event.event_action() + " " + event.file_path() + "\n";
    }
    return text;
  }

  base::TempDir directory_;
};

TEST_F(SensorFileTest, tells_how_a_file_was_opened) {
  watch();
  const std::string path = directory_ / "f";
  const pid_t pid = in_child([&] {
    umask(027);
    close(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0777));
    open_how how{};
    how.flags = O_WRONLY | O_TRUNC;
    close(static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
  });
  EXPECT_EQ(finish(pid), 0);
  const v1::Event made = only("create", path, pid);
  EXPECT_EQ(made.file_open_flags(), "O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC");
  EXPECT_EQ(made.file_mode(), "0750");
  EXPECT_EQ(made.file_type(), "file");
  EXPECT_EQ(made.file_uid(), 0);
  EXPECT_EQ(made.file_gid(), 0);
  EXPECT_FALSE(made.has_file_claimed_path());
  const v1::Event written = only("write", path, pid);
  EXPECT_EQ(written.file_open_flags(), "O_WRONLY|O_TRUNC");
  EXPECT_EQ(written.file_inode(), made.file_inode());
}

TEST_F(SensorFileTest, tells_names_that_are_made_and_taken_away) {
  watch();
  const std::string file = directory_ / "file";
  const pid_t pid = in_child([&] {
    umask(022);
    const int here = open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY);
    close(open(file.c_str(), O_WRONLY | O_CREAT, 0600));
    mkdir((directory_ / "one").c_str(), 0777);
    mkdirat(here, "two", 0700);
    done(link(file.c_str(), (directory_ / "hard").c_str()));
    done(linkat(here, "file", here, "hard_at", 0));
    done(symlink("../elsewhere", (directory_ / "soft").c_str()));
    done(symlinkat("/etc/shadow", here, "soft_at"));
    mknod((directory_ / "pipe").c_str(), S_IFIFO | 0666, 0);
    mknodat(here, "null", S_IFCHR | 0600, makedev(1, 3));
    rmdir((directory_ / "one").c_str());
    unlinkat(here, "two", AT_REMOVEDIR);
    unlinkat(here, "hard", 0);
    unlink((directory_ / "hard_at").c_str());
    renameat(here, "file", here, "moved");
    renameat2(here, "soft", here, "soft_at", RENAME_EXCHANGE);
  });
  EXPECT_EQ(finish(pid), 0);
  EXPECT_EQ(only("mkdir", directory_ / "one", pid).file_mode(), "0755");
  EXPECT_EQ(only("mkdir", directory_ / "two", pid).file_type(), "dir");
  EXPECT_EQ(only("link", directory_ / "hard", pid).file_target_path(), file);
  EXPECT_EQ(only("link", directory_ / "hard_at", pid).file_target_path(), file);
  EXPECT_EQ(only("symlink", directory_ / "soft", pid).file_target_path(), "../elsewhere");
  EXPECT_EQ(only("symlink", directory_ / "soft_at", pid).file_target_path(), "/etc/shadow");
  EXPECT_EQ(only("mknod", directory_ / "pipe", pid).file_type(), "fifo");
  const v1::Event device = only("mknod", directory_ / "null", pid);
  EXPECT_EQ(device.file_type(), "char");
  EXPECT_EQ(device.file_device(), "1:3");
  only("rmdir", directory_ / "one", pid);
  only("rmdir", directory_ / "two", pid);
  only("delete", directory_ / "hard", pid);
  only("delete", directory_ / "hard_at", pid);
  EXPECT_EQ(only("rename", directory_ / "moved", pid).file_previous_path(), file);
  EXPECT_EQ(only("rename", directory_ / "soft_at", pid).file_previous_path(), directory_ / "soft");
}

TEST_F(SensorFileTest, tells_permissions_owners_and_lengths) {
  watch();
  const auto path = [&](const char* name) { return directory_ / name; };
  for (const char* name : {"a", "b", "c", "d"}) close(open(path(name).c_str(), O_WRONLY | O_CREAT, 0600));
  const pid_t pid = in_child([&] {
    const int here = open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY);
    const int file = open(path("b").c_str(), O_RDONLY);
    chmod(path("a").c_str(), 04755);
    fchmod(file, 0640);
    done(fchmodat(here, "c", 02711, 0));
    syscall(kFchmodat2, here, "d", 0700, 0);
    done(chown(path("a").c_str(), 1, 2));
    done(fchown(file, 3, static_cast<gid_t>(-1)));
    done(lchown(path("c").c_str(), static_cast<uid_t>(-1), 4));
    done(fchownat(here, "d", 5, 6, AT_SYMLINK_NOFOLLOW));
    done(truncate(path("a").c_str(), 4096));
    const int writer = open(path("b").c_str(), O_WRONLY);
    if (ftruncate(writer, 17) != 0) _exit(1);
  });
  EXPECT_EQ(finish(pid), 0);
  EXPECT_EQ(only("permission", path("a"), pid).file_mode(), "4755");
  const v1::Event by_descriptor = only("permission", path("b"), pid);
  EXPECT_EQ(by_descriptor.file_mode(), "0640");
  EXPECT_GT(by_descriptor.file_inode(), 0);
  EXPECT_EQ(only("permission", path("c"), pid).file_mode(), "2711");
  if (kernel_has_fchmodat2()) {
    EXPECT_EQ(only("permission", path("d"), pid).file_mode(), "0700");
  }
  const v1::Event owned = only("owner", path("a"), pid);
  EXPECT_EQ(owned.file_uid(), 1);
  EXPECT_EQ(owned.file_gid(), 2);
  EXPECT_EQ(only("owner", path("b"), pid).file_uid(), 3);
  EXPECT_FALSE(only("owner", path("b"), pid).has_file_gid());
  EXPECT_EQ(only("owner", path("c"), pid).file_gid(), 4);
  EXPECT_EQ(only("owner", path("d"), pid).file_uid(), 5);
  EXPECT_EQ(only("truncate", path("a"), pid).file_size(), 4096);
  EXPECT_EQ(only("truncate", path("b"), pid).file_size(), 17);
}

TEST_F(SensorFileTest, is_silent_about_calls_that_fail) {
  watch();
  const std::string missing = directory_ / "missing";
  const std::string last = directory_ / "last";
  const pid_t pid = in_child([&] {
    close(open(missing.c_str(), O_WRONLY));
    unlink(missing.c_str());
    chmod(missing.c_str(), 0777);
    rename(missing.c_str(), last.c_str());
    mkdir(directory_.path().c_str(), 0700);
    close(open(last.c_str(), O_WRONLY | O_CREAT, 0600));
  });
  EXPECT_EQ(finish(pid), 0);
  only("create", last, pid);
  EXPECT_TRUE(events_.all([&](const v1::Event& event) { return event.file_path() == missing; }).empty());
  EXPECT_TRUE(events_.all(is_file("mkdir", directory_.path())).empty());
}

TEST_F(SensorFileTest, tells_opens_that_are_denied) {
  watch();
  const std::string kept = directory_ / "kept";
  const std::string link = directory_ / "link";
  const std::string sealed = directory_ / "sealed";
  close(open(kept.c_str(), O_WRONLY | O_CREAT, 0600));
  ASSERT_EQ(symlink("kept", link.c_str()), 0);
  ASSERT_EQ(mkdir(sealed.c_str(), 0700), 0);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  const pid_t pid = in_child([&] {
    if (setgid(65534) != 0 || setuid(65534) != 0 || chdir(directory_.path().c_str()) != 0) _exit(1);
    if (open("kept", O_RDONLY) >= 0 || open(link.c_str(), O_RDWR | O_APPEND) >= 0) _exit(2);
    if (open((sealed + "/x").c_str(), O_WRONLY | O_CREAT, 0600) >= 0 || open("missing", O_RDONLY) >= 0) _exit(3);
    for (int i = 0; i < 100; ++i) {
      if (open((sealed + "/again").c_str(), O_RDONLY) >= 0) _exit(4);
    }
    execl(kept.c_str(), "kept", nullptr);
  });
  EXPECT_EQ(finish(pid), 0);
  settle();
  const auto denied = events_.all(
      [&](const v1::Event& event) { return event.process_pid() == pid && event.event_action() == "denied"; });
  ASSERT_EQ(denied.size(), 5U) << told_of(pid);
  EXPECT_EQ(denied[0].file_path(), kept);
  EXPECT_EQ(denied[0].error_code(), "EACCES");
  EXPECT_EQ(denied[0].file_open_flags(), "O_RDONLY");
  EXPECT_EQ(denied[0].process_pid(), pid);
  EXPECT_EQ(denied[1].file_path(), kept);
  EXPECT_EQ(denied[1].file_claimed_path(), link);
  EXPECT_EQ(denied[1].file_open_flags(), "O_RDWR|O_APPEND");
  EXPECT_EQ(denied[2].file_path(), sealed + "/x");
  EXPECT_EQ(denied[2].file_open_flags(), "O_WRONLY|O_CREAT");
  EXPECT_EQ(denied[3].file_path(), sealed + "/again");
  EXPECT_EQ(denied[4].event_count(), 99);
  EXPECT_TRUE(events_
                  .all([&](const v1::Event& event) {
                    return event.process_pid() == pid && event.file_path() == directory_ / "missing";
                  })
                  .empty());
}

// The i386 entry, with its own numbers and 32-bit pointers.
class CompatCalls {
 public:
  CompatCalls()
      : low_(static_cast<char*>(
            mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0))) {}
  long text(const std::string& value) {
    char* place = low_ + used_;
    strcpy(place, value.c_str());
    used_ += value.size() + 1;
    return reinterpret_cast<long>(place);
  }
  long call(long number, std::vector<long> arguments) const {
    arguments.resize(5);
    long result = number;
    asm volatile("int $0x80"
                 : "+a"(result)
                 : "b"(arguments[0]), "c"(arguments[1]), "d"(arguments[2]), "S"(arguments[3]), "D"(arguments[4])
                 : "memory", "r8", "r9", "r10", "r11");
    return result;
  }

 private:
  static constexpr size_t kBytes = size_t{1} << 16;
  char* low_;
  size_t used_ = 0;
};

TEST_F(SensorFileTest, sees_the_32_bit_system_calls) {
  watch();
  const auto path = [&](const char* name) { return directory_ / name; };
  const pid_t pid = in_child([&] {
    CompatCalls compat;
    const long file = compat.text(path("file"));
    const long here = open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY);
    if (compat.call(8, {file, 0600}) < 0) _exit(9);
    const long descriptor = compat.call(5, {file, O_WRONLY | O_APPEND, 0});
    compat.call(295, {here, compat.text("opened"), O_WRONLY | O_CREAT, 0600});
    compat.call(39, {compat.text(path("dir")), 0700});
    compat.call(296, {here, compat.text("dir_at"), 0700});
    compat.call(40, {compat.text(path("dir"))});
    compat.call(301, {here, compat.text("dir_at"), AT_REMOVEDIR});
    compat.call(9, {file, compat.text(path("hard"))});
    compat.call(303, {here, compat.text("file"), here, compat.text("hard_at"), 0});
    compat.call(83, {compat.text("target"), compat.text(path("soft"))});
    compat.call(304, {compat.text("target"), here, compat.text("soft_at")});
    compat.call(14, {compat.text(path("node")), S_IFIFO | 0600, 0});
    compat.call(297, {here, compat.text("node_at"), S_IFIFO | 0600, 0});
    compat.call(15, {file, 0711});
    compat.call(94, {descriptor, 0712});
    compat.call(306, {here, compat.text("hard"), 0713});
    compat.call(kFchmodat2, {here, compat.text("hard_at"), 0714, 0});
    compat.call(212, {file, 70001, 70002});
    compat.call(182, {compat.text(path("hard")), 11, 0xffff});
    compat.call(198, {compat.text(path("soft")), 12, 13});
    compat.call(207, {descriptor, 14, -1});
    compat.call(298, {here, compat.text("hard_at"), 15, 16, 0});
    compat.call(193, {file, 5, 1});
    compat.call(93, {descriptor, 6});
    compat.call(38, {compat.text(path("node")), compat.text(path("moved"))});
    compat.call(302, {here, compat.text("node_at"), here, compat.text("moved_at")});
    compat.call(353, {here, compat.text("moved_at"), here, compat.text("moved_again"), 0});
    compat.call(10, {compat.text(path("moved"))});
  });
  const int status = finish(pid);
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 9) GTEST_SKIP() << "skipped: this kernel has no i386 entry";
  const auto with = [&](const char* action, const char* name, const std::function<bool(const v1::Event&)>& holds) {
    EXPECT_TRUE(events_.wait_for([&](const v1::Event& event) {
      return event.process_pid() == pid && is_file(action, path(name))(event) && holds(event);
    })) << action
        << " " << name << "; told was\n"
        << told_of(pid);
  };
  const auto any = [](const v1::Event&) { return true; };
  const auto flags = [](std::string text) {
    return [text](const v1::Event& e) { return e.file_open_flags() == text; };
  };
  const auto mode = [](std::string text) { return [text](const v1::Event& e) { return e.file_mode() == text; }; };
  const auto target = [](std::string text) {
    return [text](const v1::Event& e) { return e.file_target_path() == text; };
  };
  const auto from = [](std::string text) {
    return [text](const v1::Event& e) { return e.file_previous_path() == text; };
  };
  const auto size = [](int64_t bytes) { return [bytes](const v1::Event& e) { return e.file_size() == bytes; }; };
  const auto owner = [](int64_t uid, int64_t gid) {
    return [uid, gid](const v1::Event& e) {
      return e.file_uid() == uid && (gid < 0 ? !e.has_file_gid() : e.file_gid() == gid);
    };
  };
  with("create", "file", flags("O_WRONLY|O_CREAT|O_TRUNC"));
  with("write", "file", flags("O_WRONLY|O_APPEND"));
  with("create", "opened", flags("O_WRONLY|O_CREAT"));
  for (const char* name : {"dir", "dir_at"}) {
    with("mkdir", name, mode("0700"));
    with("rmdir", name, any);
  }
  with("link", "hard", target(path("file")));
  with("link", "hard_at", target(path("file")));
  with("symlink", "soft", target("target"));
  with("symlink", "soft_at", target("target"));
  with("mknod", "node", mode("0600"));
  with("mknod", "node_at", mode("0600"));
  with("permission", "file", mode("0711"));
  with("permission", "file", mode("0712"));
  with("permission", "hard", mode("0713"));
  if (kernel_has_fchmodat2()) {
    with("permission", "hard_at", mode("0714"));
  }
  with("owner", "file", owner(70001, 70002));
  with("owner", "hard", owner(11, -1));
  with("owner", "soft", owner(12, 13));
  with("owner", "file", owner(14, -1));
  with("owner", "hard_at", owner(15, 16));
  with("truncate", "file", size((int64_t{1} << 32) + 5));
  with("truncate", "file", size(6));
  with("rename", "moved", from(path("node")));
  with("rename", "moved_at", from(path("node_at")));
  with("rename", "moved_again", from(path("moved_at")));
  with("delete", "moved", any);
}

TEST_F(SensorFileTest, finds_the_real_paths_behind_symbolic_links) {
  watch();
  const std::string real = directory_ / "real";
  const std::string link = directory_ / "link";
  ASSERT_EQ(mkdir(real.c_str(), 0700), 0);
  ASSERT_EQ(symlink("real", link.c_str()), 0);
  close(open((real + "/kept").c_str(), O_WRONLY | O_CREAT, 0600));
  const pid_t pid = in_child([&] {
    close(open((link + "/f").c_str(), O_WRONLY | O_CREAT, 0600));
    done(symlink("kept", (link + "/alias").c_str()));
    chmod((link + "/alias").c_str(), 0711);
    done(lchown((link + "/alias").c_str(), 1, 1));
    mkdir((link + "/../link/d/").c_str(), 0700);
    rename((link + "/f").c_str(), (link + "/g").c_str());
    unlink((link + "/./g").c_str());
  });
  EXPECT_EQ(finish(pid), 0);
  EXPECT_EQ(only("create", real + "/f", pid).file_claimed_path(), link + "/f");
  EXPECT_EQ(only("symlink", real + "/alias", pid).file_claimed_path(), link + "/alias");
  EXPECT_EQ(only("permission", real + "/kept", pid).file_claimed_path(), link + "/alias");
  EXPECT_EQ(only("owner", real + "/alias", pid).file_claimed_path(), link + "/alias");
  EXPECT_EQ(only("mkdir", real + "/d", pid).file_claimed_path(), link + "/../link/d/");
  const v1::Event moved = only("rename", real + "/g", pid);
  EXPECT_EQ(moved.file_previous_path(), real + "/f");
  EXPECT_EQ(moved.file_claimed_path(), link + "/g");
  EXPECT_EQ(only("delete", real + "/g", pid).file_claimed_path(), link + "/./g");
}

// A program checks a path that the attacker owns, and opens it: in between the link is turned, and the caller's memory
// is overwritten by another thread all the time.
TEST_F(SensorFileTest, sees_the_real_file_where_a_link_is_turned_between_check_and_use) {
  watch();
  const std::string harmless = directory_ / "harmless";
  const std::string secret = directory_ / "secret";
  const std::string link = directory_ / "link";
  const std::string lie = directory_ / "a-lie";
  for (const std::string& path : {harmless, secret}) close(open(path.c_str(), O_WRONLY | O_CREAT, 0600));
  ASSERT_EQ(symlink(harmless.c_str(), link.c_str()), 0);
  const pid_t pid = in_child([&] {
    if (access(link.c_str(), W_OK) != 0) _exit(1);
    const std::string other = link + "2";
    if (symlink(secret.c_str(), other.c_str()) != 0 || rename(other.c_str(), link.c_str()) != 0) _exit(2);
    close(open(link.c_str(), O_WRONLY));
    // Large enough, so that a torn copy still ends.
    std::vector<char> argument(4096);
    strcpy(argument.data(), link.c_str());
    std::atomic<bool> done{false};
    std::thread liar([&] {
      while (!done) {
        strcpy(argument.data(), lie.c_str());
        strcpy(argument.data(), link.c_str());
      }
    });
    for (int opened = 0; opened < 100;) {
      const int fd = open(argument.data(), O_WRONLY);
      if (fd < 0) continue;
      ++opened;
      close(fd);
    }
    done = true;
    liar.join();
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for([&](const v1::Event& event) {
    return event.process_pid() == pid && is_file("write", secret)(event) && event.file_claimed_path() == link;
  })) << told_of(pid);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  for (const v1::Event& event : events_.all([&](const v1::Event& each) { return each.process_pid() == pid; })) {
    if (event.event_action() == "write") {
      EXPECT_EQ(event.file_path(), secret);
    }
  }
}

}  // namespace
}  // namespace redoubt::sensor
