// Datagrams on the real kernel, by every way to send one.
#include <gmock/gmock.h>
#include <sys/uio.h>

#include "sensor/network/test_network.h"

namespace redoubt::sensor {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

int datagram_socket(int family) { return socket(family, SOCK_DGRAM, 0); }

int bound_datagrams(const std::string& address, uint16_t port) {
  Address own = address_of(address, port);
  const int fd = datagram_socket(own.storage.ss_family);
  if (bind(fd, own.get(), own.size) != 0) _exit(6);
  return fd;
}

void send_by_sendto(int fd, Address peer) { sendto(fd, "12345", 5, 0, peer.get(), peer.size); }

void send_by_sendmsg(int fd, Address peer) {
  iovec bytes{.iov_base = const_cast<char*>("12345"), .iov_len = 5};
  msghdr message{};
  message.msg_name = peer.get();
  message.msg_namelen = peer.size;
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  sendmsg(fd, &message, 0);
}

// Two of one call, to two peers.
void send_by_sendmmsg(int fd, Address first, Address second) {
  iovec bytes{.iov_base = const_cast<char*>("12345"), .iov_len = 5};
  mmsghdr messages[2] = {};
  for (int i = 0; i < 2; ++i) {
    Address& peer = i == 0 ? first : second;
    messages[i].msg_hdr.msg_name = peer.get();
    messages[i].msg_hdr.msg_namelen = peer.size;
    messages[i].msg_hdr.msg_iov = &bytes;
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  sendmmsg(fd, messages, 2, 0);
}

void send_by_write(int fd, Address peer) {
  if (connect(fd, peer.get(), peer.size) != 0) _exit(5);
  (void)!write(fd, "12345", 5);
}

TEST_F(NetworkTest, tells_the_first_datagram_to_a_peer_whatever_the_call) {
  watch();
  const pid_t pid = in_own_network([] {
    send_by_sendto(datagram_socket(AF_INET), address_of("127.0.0.1", 1001));
    send_by_sendmsg(datagram_socket(AF_INET), address_of("127.0.0.1", 1002));
    send_by_sendmmsg(datagram_socket(AF_INET), address_of("127.0.0.1", 1003), address_of("127.0.0.1", 1004));
    send_by_write(datagram_socket(AF_INET), address_of("127.0.0.1", 1005));
    send_by_sendto(datagram_socket(AF_INET6), address_of("::1", 1006));
    send_by_sendto(datagram_socket(AF_INET6), address_of("::ffff:127.0.0.1", 1007));
    send_by_write(datagram_socket(AF_INET6), address_of("::1", 1008));
  });
  EXPECT_THAT(told_of(pid), ElementsAre("send udp 127.0.0.1->127.0.0.1:1001", "send udp 127.0.0.1->127.0.0.1:1002",
                                        "send udp 127.0.0.1->127.0.0.1:1003", "send udp 127.0.0.1->127.0.0.1:1004",
                                        "connect udp 127.0.0.1->127.0.0.1:1005", "send udp ::1->::1:1006",
                                        "send udp 127.0.0.1->127.0.0.1:1007", "connect udp ::1->::1:1008"));
  const auto sent = events_.wait_for(
      [&](const v1::Event& event) { return event.process_pid() == pid && event.destination_port() == 1001; });
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->network_bytes(), 5);
  EXPECT_EQ(sent->network_direction(), "outbound");
  EXPECT_NE(sent->source_port(), 0);
}

TEST_F(NetworkTest, tells_the_datagrams_of_the_32_bit_calls) {
  start();
  const pid_t pid = in_own_network([] {
    constexpr long kSend = 9;  // of a connected socket, the call with the fewest arguments
    char* memory = low_memory();
    bound_datagrams("127.0.0.1", 1001);
    const int fd = datagram_socket(AF_INET);
    Address peer = address_of("127.0.0.1", 1001);
    if (connect(fd, peer.get(), peer.size) != 0) _exit(5);
    const std::array<uint32_t, 4> arguments = {static_cast<uint32_t>(fd),
                                               static_cast<uint32_t>(reinterpret_cast<uintptr_t>(memory + 64)), 5, 0};
    std::memcpy(memory, arguments.data(), sizeof arguments);
    if (call_i386(kSocketcall32, kSend, reinterpret_cast<long>(memory)) != 5) _exit(7);
    constexpr long kWrite32 = 4;
    if (call_i386(kWrite32, fd, reinterpret_cast<long>(memory + 64), 3) != 3) _exit(7);
  });
  EXPECT_THAT(told_of(pid), ElementsAre("listen udp ->127.0.0.1:1001", "connect udp 127.0.0.1->127.0.0.1:1001",
                                        "receive udp 127.0.0.1->127.0.0.1:1001"));
  stop();
  const auto sent =
      events_.all([&](const v1::Event& event) { return event.process_pid() == pid && event.event_action() == "send"; });
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].event_count(), 2);
  EXPECT_EQ(sent[0].network_bytes(), 8);
}

TEST_F(NetworkTest, tells_whom_a_datagram_socket_is_connected_to_once) {
  start();
  const pid_t pid = in_own_network([] {
    for (int i = 0; i < 3; ++i) {
      Address peer = address_of("127.0.0.1", 1001);
      const int fd = datagram_socket(AF_INET);
      if (connect(fd, peer.get(), peer.size) != 0) _exit(5);
      sockaddr none{.sa_family = AF_UNSPEC, .sa_data = {}};
      if (connect(fd, &none, sizeof none) != 0) _exit(5);
      Address nowhere = address_of("127.0.0.1", 0);
      if (connect(fd, nowhere.get(), nowhere.size) != 0) _exit(5);
    }
    send_by_write(datagram_socket(AF_INET6), address_of("::1", 1002));
    send_by_sendto(datagram_socket(AF_INET6), address_of("::1", 1002));
    send_by_sendto(datagram_socket(AF_INET), address_of("127.0.0.1", 1003));
    Address known = address_of("127.0.0.1", 1003);
    if (connect(datagram_socket(AF_INET), known.get(), known.size) != 0) _exit(5);
    Address mapped = address_of("::ffff:127.0.0.1", 1004);
    if (connect(datagram_socket(AF_INET6), mapped.get(), mapped.size) != 0) _exit(5);
    send_by_sendto(datagram_socket(AF_INET), address_of("127.0.0.1", 1004));
  });
  EXPECT_THAT(told_of(pid), ElementsAre("connect udp 127.0.0.1->127.0.0.1:1001", "connect udp ::1->::1:1002",
                                        "send udp 127.0.0.1->127.0.0.1:1003", "connect udp 127.0.0.1->127.0.0.1:1004"));
  stop();
  std::vector<std::string> counted;
  for (const v1::Event& event :
       events_.all([&](const v1::Event& event) { return event.process_pid() == pid && event.has_event_start(); })) {
    counted.push_back(short_text(event));
    EXPECT_EQ(event.network_bytes(), event.has_event_count() ? 10 : 5);
  }
  EXPECT_THAT(counted, UnorderedElementsAre("send udp ::1->::1:1002 x2", "send udp 127.0.0.1->127.0.0.1:1004"));
}

TEST_F(NetworkTest, counts_the_datagrams_that_follow_and_loses_none) {
  start();
  constexpr int kDatagrams = 1000;
  const pid_t pid = in_own_network([] {
    const int fd = datagram_socket(AF_INET);
    for (int i = 0; i < kDatagrams; ++i) send_by_sendto(fd, address_of("127.0.0.1", 1001));
    for (int i = 0; i < kDatagrams; ++i) {
      const int own = datagram_socket(AF_INET);
      send_by_sendto(own, address_of("127.0.0.1", 1002));
      close(own);
    }
  });
  EXPECT_THAT(told_of(pid), ElementsAre("send udp 127.0.0.1->127.0.0.1:1001", "send udp 127.0.0.1->127.0.0.1:1002"));
  stop();
  std::vector<std::string> texts;
  for (const v1::Event& event :
       events_.all([&](const v1::Event& event) { return event.process_pid() == pid && event.has_event_count(); })) {
    texts.push_back(short_text(event));
    EXPECT_EQ(event.network_bytes(), 5 * (kDatagrams - 1));
    EXPECT_LE(event.event_start(), event.event_time());
    EXPECT_GT(event.event_start(), 0);
  }
  EXPECT_THAT(texts, UnorderedElementsAre("send udp 127.0.0.1->127.0.0.1:1001 x999",
                                          "send udp 127.0.0.1->127.0.0.1:1002 x999"));
}

TEST_F(NetworkTest, tells_more_peers_than_it_can_remember) {
  watch();
  constexpr int kPeers = 5000;  // the table has room for 4096
  const pid_t pid = in_own_network([] {
    const int fd = datagram_socket(AF_INET);
    for (int i = 0; i < kPeers; ++i) {
      send_by_sendto(fd, address_of("127.0.0.1", static_cast<uint16_t>(10000 + i)));
      if (i % 500 == 0) usleep(20'000);
    }
  });
  EXPECT_EQ(told_of(pid).size(), static_cast<size_t>(kPeers));
  stop();  // no later test meets the full table
}

TEST_F(NetworkTest, tells_a_server_its_first_datagram_of_a_client_and_nothing_of_its_answers) {
  watch();
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  pid_t client = 0;
  const pid_t server = in_own_network([&] {
    const int fd = bound_datagrams("127.0.0.1", 2000);
    client = in_child([&] {
      for (int i = 0; i < 3; ++i) {  // each from a port of its own
        const int own = datagram_socket(AF_INET);
        send_by_write(own, address_of("127.0.0.1", 2000));
        char byte;
        (void)!read(own, &byte, 1);
      }
    });
    for (int i = 0; i < 3; ++i) {
      Address peer;
      peer.size = sizeof peer.storage;
      char bytes[16];
      (void)!recvfrom(fd, bytes, sizeof bytes, 0, peer.get(), &peer.size);
      send_by_sendto(fd, peer);
    }
    (void)!write(ready[1], &client, sizeof client);
    finish(client);
  });
  ASSERT_EQ(read(ready[0], &client, sizeof client), static_cast<ssize_t>(sizeof client));
  close(ready[0]);
  close(ready[1]);
  EXPECT_THAT(told_of(server), ElementsAre("listen udp ->127.0.0.1:2000", "receive udp 127.0.0.1->127.0.0.1:2000"));
  const auto sent = events_.all([&](const v1::Event& event) {
    return event.process_pid() == client && event.event_type() == v1::EVENT_TYPE_CONNECTION;
  });
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(short_text(sent[0]), "connect udp 127.0.0.1->127.0.0.1:2000");
}

}  // namespace
}  // namespace redoubt::sensor
