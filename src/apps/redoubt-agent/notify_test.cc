#include "notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "base/file.h"

namespace redoubt::agent {
namespace {

// Where systemd would listen.
class Listener {
 public:
  explicit Listener(const std::string& path) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  // Empty: nothing came.
  std::string next() {
    std::array<char, 256> text{};
    const ssize_t size = recv(fd_.get(), text.data(), text.size(), 0);
    return {text.data(), static_cast<size_t>(size > 0 ? size : 0)};
  }

 private:
  base::UniqueFd fd_;
};

TEST(Supervisor, says_what_systemd_wants_to_hear) {
  const base::TempDir directory;
  const std::string path = directory / "notify";
  Listener listener(path);
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  setenv("WATCHDOG_USEC", "30000000", 1);
  const Supervisor supervisor;
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  supervisor.ready();
  EXPECT_EQ(listener.next(), "READY=1");
  supervisor.alive();
  EXPECT_EQ(listener.next(), "WATCHDOG=1");
  supervisor.status("connected");
  EXPECT_EQ(listener.next(), "STATUS=connected");
  supervisor.stopping();
  EXPECT_EQ(listener.next(), "STOPPING=1");
}

TEST(Supervisor, is_silent_where_nobody_listens_or_watches) {
  const Supervisor alone;
  alone.ready();
  const base::TempDir directory;
  const std::string path = directory / "notify";
  Listener listener(path);
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  const Supervisor supervisor;
  supervisor.alive();
  EXPECT_EQ(listener.next(), "");
}

}  // namespace
}  // namespace redoubt::agent
