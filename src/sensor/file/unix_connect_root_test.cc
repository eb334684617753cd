// Connections to Unix sockets, made for real.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "base/file.h"
#include "redoubt/event.pb.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

// A path, or the name of an abstract socket, which begins with a zero and ends where the address ends.
struct UnixAddress {
  explicit UnixAddress(const std::string& text) {
    memcpy(raw.sun_path, text.data(), std::min(text.size(), sizeof raw.sun_path));
    if (text.starts_with('\0')) bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&raw); }

  sockaddr_un raw{.sun_family = AF_UNIX, .sun_path = {}};
  socklen_t bytes = sizeof(sockaddr_un);
};

int connect_to(const std::string& path, int type) {
  const UnixAddress address(path);
  const int fd = socket(AF_UNIX, type, 0);
  return connect(fd, address.get(), address.bytes);
}

// From here on every connect() of this process fails so.
void deny_connect() {
  const sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_connect, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = std::size(steps), .filter = const_cast<sock_filter*>(steps)};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    _exit(9);
  }
}

class UnixConnectTest : public SensorTest {
 protected:
  // Stays until the test ends.
  void serve(const std::string& path, int type) {
    const UnixAddress address(path);
    servers_.emplace_back(socket(AF_UNIX, type, 0));
    ASSERT_EQ(bind(servers_.back().get(), address.get(), address.bytes), 0);
    if (type == SOCK_STREAM) {
      ASSERT_EQ(listen(servers_.back().get(), 64), 0);
    }
  }
  std::vector<v1::Event> connections_of(pid_t pid) {
    EXPECT_EQ(finish(pid), 0);
    settle();
    return events_.all([&](const v1::Event& event) {
      return event.process_pid() == pid && event.event_type() == v1::EVENT_TYPE_FILECHANGE &&
             event.event_action() == "connect";
    });
  }

  std::vector<base::UniqueFd> servers_;
  base::TempDir directory_;
};

TEST_F(UnixConnectTest, tells_the_path_that_the_server_was_bound_to) {
  watch();
  const std::string stream = directory_ / "stream";
  const std::string datagram = directory_ / "datagram";
  const std::string link = directory_ / "link";
  serve(stream, SOCK_STREAM);
  serve(datagram, SOCK_DGRAM);
  ASSERT_EQ(symlink("stream", link.c_str()), 0);
  const pid_t pid = in_child([&] {
    if (connect_to(stream, SOCK_STREAM) != 0 || connect_to(datagram, SOCK_DGRAM) != 0) _exit(1);
    for (int i = 0; i < 20; ++i) {
      if (connect_to(link, SOCK_STREAM) != 0) _exit(2);
    }
    if (connect_to(directory_ / "missing", SOCK_STREAM) == 0) _exit(3);
  });
  const auto told = connections_of(pid);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].file_path(), stream);
  EXPECT_EQ(told[0].file_type(), "socket");
  EXPECT_FALSE(told[0].has_error_code());
  EXPECT_FALSE(told[0].has_file_open_flags());
  EXPECT_EQ(told[1].file_path(), datagram);
  EXPECT_EQ(told[2].file_path(), stream) << "by its link: the same socket";
  EXPECT_EQ(told[2].event_count(), 20);
}

TEST_F(UnixConnectTest, tells_connections_that_are_denied) {
  watch();
  const std::string path = directory_ / "root-only";
  serve(path, SOCK_STREAM);
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  ASSERT_EQ(chmod(directory_.path().c_str(), 0755), 0);
  const pid_t pid = in_child([&] {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    if (connect_to(path, SOCK_STREAM) == 0) _exit(2);
  });
  const auto told = connections_of(pid);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].file_path(), path);
  EXPECT_EQ(told[0].error_code(), "EACCES");
}

TEST_F(UnixConnectTest, tells_the_name_of_a_socket_that_has_no_path) {
  watch();
  const std::string stream("\0redoubt/test\0a", 15);
  const std::string datagram("\0redoubt/datagram", 17);
  const std::string longest = std::string(1, '\0') + std::string(107, 'n');
  serve(stream, SOCK_STREAM);
  serve(datagram, SOCK_DGRAM);
  serve(longest, SOCK_STREAM);
  const pid_t pid = in_child([&] {
    for (int i = 0; i < 20; ++i) {
      if (connect_to(stream, SOCK_STREAM) != 0) _exit(1);
    }
    if (connect_to(datagram, SOCK_DGRAM) != 0 || connect_to(longest, SOCK_STREAM) != 0) _exit(2);
    if (connect_to(std::string("\0redoubt/none", 13), SOCK_STREAM) == 0) _exit(3);
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) _exit(4);
  });
  const auto told = connections_of(pid);
  ASSERT_EQ(told.size(), 4U);
  EXPECT_EQ(told[0].socket_name(), "@redoubt/test@a");
  EXPECT_EQ(told[0].file_type(), "socket");
  EXPECT_FALSE(told[0].has_file_path());
  EXPECT_FALSE(told[0].has_error_code());
  EXPECT_EQ(told[1].socket_name(), "@redoubt/datagram");
  EXPECT_EQ(told[2].socket_name(), "@" + std::string(107, 'n'));
  EXPECT_EQ(told[3].socket_name(), "@redoubt/test@a");
  EXPECT_EQ(told[3].event_count(), 19);
}

TEST_F(UnixConnectTest, tells_the_name_of_a_connection_that_is_denied) {
  watch();
  const pid_t pid = in_child([&] {
    deny_connect();
    if (connect_to(std::string("\0redoubt/denied", 15), SOCK_STREAM) == 0) _exit(1);
  });
  const auto told = connections_of(pid);
  // A call that a filter ends does not come to the function where the other tier looks.
  ASSERT_EQ(told.size(), is_lsm() ? 0U : 1U);
  if (told.empty()) return;
  EXPECT_EQ(told[0].socket_name(), "@redoubt/denied");
  EXPECT_EQ(told[0].error_code(), "EACCES");
  EXPECT_FALSE(told[0].has_file_path());
}

TEST_F(UnixConnectTest, leaves_out_what_the_policy_leaves_out) {
  SensorOptions options;
  options.policy.excluded_paths = {directory_ / "excluded"};
  watch(options);
  serve(directory_ / "excluded", SOCK_STREAM);
  serve(directory_ / "other", SOCK_STREAM);
  const pid_t pid = in_child([&] {
    if (connect_to(directory_ / "excluded", SOCK_STREAM) != 0) _exit(1);
    if (connect_to(directory_ / "other", SOCK_STREAM) != 0) _exit(3);
  });
  const auto told = connections_of(pid);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].file_name(), "other");
  const SensorPolicy policy{.unwanted = {"filechange.connect"}};
  EXPECT_TRUE(check(policy).has_value());
}

}  // namespace
}  // namespace redoubt::sensor
