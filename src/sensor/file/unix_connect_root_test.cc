// Connections to sockets that have a path, made for real.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/file.h"
#include "redoubt/event.pb.h"
#include "sensor/test_sensor.h"

namespace redoubt::sensor {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

int connect_to(const std::string& path, int type) {
  const sockaddr_un address = address_of(path);
  const int fd = socket(AF_UNIX, type, 0);
  return connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

class UnixConnectTest : public SensorTest {
 protected:
  // Stays until the test ends.
  void serve(const std::string& path, int type) {
    const sockaddr_un address = address_of(path);
    servers_.emplace_back(socket(AF_UNIX, type, 0));
    ASSERT_EQ(bind(servers_.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    if (type == SOCK_STREAM) {
      ASSERT_EQ(listen(servers_.back().get(), 64), 0);
    }
  }
  std::vector<v1::Event> connections_of(pid_t pid) {
    EXPECT_EQ(finish(pid), 0);
    EXPECT_TRUE(events_.wait_for(is_end_of(pid)));
    sensor_->stop();
    return events_.all([&](const v1::Event& event) {
      return event.process_pid() == pid && event.event_type() == v1::EVENT_TYPE_FILECHANGE &&
             event.event_action() == "connect";
    });
  }

  std::vector<base::UniqueFd> servers_;
  base::TempDir directory_;
};

TEST_F(UnixConnectTest, tells_the_path_that_the_server_was_bound_to) {
  start();
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
  start();
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

TEST_F(UnixConnectTest, leaves_out_what_the_policy_leaves_out_and_sockets_without_a_path) {
  SensorOptions options;
  options.policy.excluded_paths = {directory_ / "excluded"};
  start(options);
  serve(directory_ / "excluded", SOCK_STREAM);
  serve(directory_ / "other", SOCK_STREAM);
  serve(std::string("\0redoubt-test", 13), SOCK_STREAM);
  const pid_t pid = in_child([&] {
    if (connect_to(directory_ / "excluded", SOCK_STREAM) != 0) _exit(1);
    if (connect_to(std::string("\0redoubt-test", 13), SOCK_STREAM) != 0) _exit(2);
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
