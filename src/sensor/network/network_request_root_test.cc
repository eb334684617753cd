// What is done with sockets through io_uring, by the caller's thread or by a worker of the kernel's.
#include <gmock/gmock.h>
#include <netinet/in.h>

#include <cerrno>
#include <string>
#include <vector>

#include "sensor/network/test_network.h"
#include "sensor/test_io_uring.h"

namespace redoubt::sensor {
namespace {

// Younger than the headers of older systems: Linux 6.11.
constexpr uint8_t kBind = 56;
constexpr uint8_t kListen = 57;

class NetworkRequestTest : public NetworkTest, public testing::WithParamInterface<uint8_t> {
 protected:
  void SetUp() override {
    NetworkTest::SetUp();
    if (!IsSkipped() && !IoUring().works()) GTEST_SKIP() << "skipped: no io_uring here";
  }
  io_uring_sqe request(uint8_t operation, int fd) const { return {.opcode = operation, .flags = GetParam(), .fd = fd}; }
  io_uring_sqe request(uint8_t operation, int fd, Address& address) const {
    return {.opcode = operation,
            .flags = GetParam(),
            .fd = fd,
            .off = address.size,
            .addr = reinterpret_cast<uint64_t>(address.get())};
  }
};

TEST_P(NetworkRequestTest, tells_connections_and_refusals) {
  watch();
  const pid_t pid = in_own_network([&] {
    IoUring ring;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    Address own = address_of("127.0.0.1", 80);
    if (bind(listener, own.get(), own.size) != 0 || listen(listener, 1) != 0) _exit(1);
    Address away = address_of("192.0.2.1", 443);
    if (ring.run(request(IORING_OP_CONNECT, socket(AF_INET, SOCK_STREAM, 0), away)) != -ENETUNREACH) _exit(2);
    if (ring.run(request(IORING_OP_CONNECT, socket(AF_INET, SOCK_STREAM, 0), own)) != 0) _exit(3);
    if (ring.run(request(IORING_OP_ACCEPT, listener)) < 0) _exit(4);
  });
  std::vector<std::string> expected = {"listen tcp ->127.0.0.1:80", "connect tcp 127.0.0.1->127.0.0.1:80"};
  if (is_lsm()) {
    expected.insert(expected.begin() + 1, "connect tcp ->192.0.2.1:443 ENETUNREACH");
    expected.push_back("accept tcp 127.0.0.1->127.0.0.1:80");
  }
  EXPECT_EQ(told_of(pid), expected);
}

TEST_P(NetworkRequestTest, tells_raw_sockets) {
  watch();
  const pid_t pid = in_own_network([&] {
    io_uring_sqe making = request(IORING_OP_SOCKET, AF_INET);
    making.off = SOCK_RAW;
    making.len = IPPROTO_ICMP;
    if (IoUring().run(making) < 0) _exit(1);
  });
  const auto told = told_of(pid);
  if (!is_lsm()) {
    EXPECT_TRUE(told.empty()) << "as the probe says";
    return;
  }
  EXPECT_THAT(told, testing::ElementsAre("AF_INET SOCK_RAW 1"));
}

TEST_P(NetworkRequestTest, tells_listeners_and_bound_sockets_where_there_are_such_requests) {
  if (IoUring ring; ring.run(request(kListen, -1)) == -EINVAL) return;  // the kernel is older
  watch();
  const pid_t pid = in_own_network([&] {
    IoUring ring;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const int receiver = socket(AF_INET, SOCK_DGRAM, 0);
    Address own = address_of("127.0.0.1", 81);
    if (ring.run(request(kBind, listener, own)) != 0 || ring.run(request(kListen, listener)) != 0) _exit(1);
    if (ring.run(request(kBind, receiver, own)) != 0 || ring.run(request(kBind, receiver, own)) != -EINVAL) _exit(2);
  });
  const auto told = told_of(pid);
  if (!is_lsm()) {
    EXPECT_TRUE(told.empty()) << "as the probe says";
    return;
  }
  EXPECT_THAT(told, testing::ElementsAre("listen tcp ->127.0.0.1:81", "listen udp ->127.0.0.1:81"));
}

INSTANTIATE_TEST_SUITE_P(Contexts, NetworkRequestTest, testing::Values(uint8_t{0}, uint8_t{IOSQE_ASYNC}));

}  // namespace
}  // namespace redoubt::sensor
