// The network source on the real kernel: sockets of loopback and of networks of the test's own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "base/file.h"
#include "sensor/network/test_network.h"

namespace redoubt::sensor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A listener on loopback and one connection to it from a child.
struct Loopback {
  const char* address;
  const char* shown;
};

void PrintTo(const Loopback& loopback, std::ostream* out) { *out << loopback.address; }

class LoopbackTest : public SensorTest, public testing::WithParamInterface<Loopback> {
 protected:
  static int family() { return address_of(GetParam().address, 0).storage.ss_family; }
  static base::UniqueFd bound_socket() {
    base::UniqueFd fd(socket(family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    Address own = address_of(GetParam().address, 0);
    EXPECT_EQ(bind(fd.get(), own.get(), own.size), 0) << strerror(errno);
    return fd;
  }
  static int connect_to(uint16_t port, int flags = 0) {
    const int fd = socket(family(), SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    Address peer = address_of(GetParam().address, port);
    connect(fd, peer.get(), peer.size);
    return fd;
  }
};

TEST_P(LoopbackTest, tells_both_ends_of_a_connection) {
  watch();
  const base::UniqueFd listener = bound_socket();
  const uint16_t port = port_of(listener.get());
  ASSERT_EQ(listen(listener.get(), 4), 0);
  const pid_t server = in_child([&] {
    const int fd = accept(listener.get(), nullptr, nullptr);
    char byte;
    (void)!read(fd, &byte, 1);
  });
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t client = in_child([&] {
    const int fd = connect_to(port);
    const uint16_t own = port_of(fd);
    (void)!write(report[1], &own, sizeof own);
  });
  uint16_t client_port = 0;
  ASSERT_EQ(read(report[0], &client_port, sizeof client_port), static_cast<ssize_t>(sizeof client_port));
  close(report[0]);
  close(report[1]);
  finish(client);
  finish(server);
  for (const auto& [pid, action, direction] :
       {std::tuple(client, "connect", "outbound"), std::tuple(server, "accept", "inbound")}) {
    const auto is_it = [&, pid = pid](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_CONNECTION && event.process_pid() == pid;
    };
    const auto event = events_.wait_for(is_it);
    ASSERT_TRUE(event) << action;
    EXPECT_EQ(event->event_action(), action);
    EXPECT_EQ(event->network_direction(), direction);
    EXPECT_EQ(event->network_transport(), "tcp");
    EXPECT_EQ(event->source_ip(), GetParam().shown);
    EXPECT_EQ(event->source_port(), client_port);
    EXPECT_EQ(event->destination_ip(), GetParam().shown);
    EXPECT_EQ(event->destination_port(), port);
    EXPECT_FALSE(event->has_error_code());
    EXPECT_EQ(event->process_executable(), own_executable());
    EXPECT_EQ(events_.all(is_it).size(), 1U);
  }
}

TEST_P(LoopbackTest, tells_a_refused_attempt_once) {
  watch();
  const base::UniqueFd unheard = bound_socket();  // bound, not listening: nobody else gets the port
  const uint16_t port = port_of(unheard.get());
  for (const int flags : {0, int{SOCK_NONBLOCK}}) {
    const pid_t client = in_child([&] { close(connect_to(port, flags)); });
    finish(client);
    ASSERT_TRUE(events_.wait_for(is_end_of(client)));
    const auto events = events_.all([&](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_CONNECTION && event.process_pid() == client;
    });
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].event_action(), "connect");
    EXPECT_EQ(events[0].destination_ip(), GetParam().shown);
    EXPECT_EQ(events[0].destination_port(), port);
    EXPECT_EQ(events[0].source_ip(), GetParam().shown);
    EXPECT_NE(events[0].source_port(), 0);
    EXPECT_EQ(events[0].error_code(), "ECONNREFUSED");
  }
}

INSTANTIATE_TEST_SUITE_P(Families, LoopbackTest,
                         testing::Values(Loopback{"127.0.0.1", "127.0.0.1"}, Loopback{"::1", "::1"},
                                         Loopback{"::ffff:127.0.0.1", "127.0.0.1"}));

int connect_from(int fd, const std::string& address, uint16_t port) {
  Address peer = address_of(address, port);
  return connect(fd, peer.get(), peer.size);
}

int bind_to(int fd, const std::string& address, uint16_t port) {
  Address own = address_of(address, port);
  return bind(fd, own.get(), own.size);
}

TEST_F(NetworkTest, leaves_out_excluded_networks) {
  SensorOptions options;
  options.policy.excluded_networks = {"127.0.16.0/20", "127.9.9.9", "fd00::/8"};
  watch(options);
  const auto act = [] {
    for (const char* address : {"127.0.15.255", "127.0.16.1", "127.0.31.255", "127.0.32.0", "127.9.9.9"}) {
      connect_from(socket(AF_INET, SOCK_STREAM, 0), address, 1);
    }
    connect_from(socket(AF_INET6, SOCK_STREAM, 0), "::ffff:127.0.16.2", 2);
    connect_from(socket(AF_INET6, SOCK_STREAM, 0), "fd00::1", 3);
    Address excluded = address_of("127.0.17.1", 4);
    Address other = address_of("127.0.0.2", 4);
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (Address* peer : {&excluded, &other}) sendto(fd, "x", 1, 0, peer->get(), peer->size);
  };
  EXPECT_THAT(told_of(in_own_network(act)), testing::ElementsAre("connect tcp 127.0.0.1->127.0.15.255:1 ECONNREFUSED",
                                                                 "connect tcp 127.0.0.1->127.0.32.0:1 ECONNREFUSED",
                                                                 "send udp 127.0.0.1->127.0.0.2:4"));
  ASSERT_TRUE(apply(SensorPolicy{}).has_value());
  EXPECT_EQ(told_of(in_own_network(act)).size(), 9U);
}

TEST_F(NetworkTest, tells_attempts_that_the_kernel_refuses) {
  watch();
  const pid_t pid = in_own_network([] {
    connect_from(socket(AF_INET, SOCK_STREAM, 0), "192.0.2.1", 443);
    connect_from(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), "2001:db8::1", 444);
    connect_from(socket(AF_INET6, SOCK_STREAM, 0), "::ffff:192.0.2.1", 445);
  });
  EXPECT_THAT(told_of(pid), ElementsAre("connect tcp ->192.0.2.1:443 ENETUNREACH",
                                        testing::AnyOf("connect tcp ->2001:db8::1:444 ENETUNREACH",
                                                       "connect tcp ->2001:db8::1:444 EADDRNOTAVAIL"),
                                        "connect tcp ->192.0.2.1:445 ENETUNREACH"));
}

TEST_F(NetworkTest, tells_attempts_that_stay_open_and_those_that_are_given_up) {
  watch();
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  const pid_t pid = in_own_network([&] {
    // A listener whose queue is full answers no more.
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind_to(listener, "127.0.0.1", 80);
    listen(listener, 0);
    connect_from(socket(AF_INET, SOCK_STREAM, 0), "127.0.0.1", 80);
    const int given_up = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect_from(given_up, "127.0.0.1", 80);
    close(given_up);
    connect_from(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "127.0.0.1", 80);
    char byte;
    (void)!read(go[0], &byte, 1);
  });
  const auto open = events_.wait_for(
      [&](const v1::Event& event) { return event.process_pid() == pid && event.error_code() == "EINPROGRESS"; });
  ASSERT_TRUE(open);
  EXPECT_NE(open->source_port(), 0);
  (void)!write(go[1], "", 1);
  EXPECT_THAT(told_of(pid), ElementsAre("listen tcp ->127.0.0.1:80", "connect tcp 127.0.0.1->127.0.0.1:80",
                                        "connect tcp 127.0.0.1->127.0.0.1:80 ECONNABORTED",
                                        "connect tcp 127.0.0.1->127.0.0.1:80 EINPROGRESS"));
  close(go[0]);
  close(go[1]);
}

TEST_F(NetworkTest, tells_listeners) {
  watch();
  const pid_t pid = in_own_network([] {
    const int stream = socket(AF_INET, SOCK_STREAM, 0);
    bind_to(stream, "127.0.0.1", 4000);
    listen(stream, 4);
    const int both = socket(AF_INET6, SOCK_STREAM, 0);
    bind_to(both, "::", 4001);
    listen(both, 4);
    bind_to(socket(AF_INET, SOCK_DGRAM, 0), "0.0.0.0", 4002);
    bind_to(socket(AF_INET6, SOCK_DGRAM, 0), "::1", 4003);
    bind_to(socket(AF_INET, SOCK_DGRAM, 0), "127.0.0.1", 0);  // a client's: the port does not matter to it
    bind_to(socket(AF_INET, SOCK_STREAM, 0), "127.0.0.1", 4004);
    bind_to(socket(AF_INET, SOCK_DGRAM, 0), "127.0.0.1", 4002);  // in use
  });
  EXPECT_THAT(told_of(pid), ElementsAre("listen tcp ->127.0.0.1:4000", "listen tcp ->:::4001",
                                        "listen udp ->0.0.0.0:4002", "listen udp ->::1:4003"));
}

TEST_F(NetworkTest, tells_raw_and_packet_sockets) {
  watch();
  const pid_t pid = in_own_network([] {
    close_range(3, ~0U, 0);
    socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));
    socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
    socket(AF_NETLINK, SOCK_RAW, 0);
    socket(AF_INET, SOCK_STREAM, 0);
    socket(AF_UNIX, SOCK_DGRAM, 0);
  });
  EXPECT_THAT(told_of(pid), ElementsAre("AF_PACKET SOCK_RAW 3 fd 3", "AF_PACKET SOCK_DGRAM 2048 fd 4",
                                        "AF_INET SOCK_RAW 1 fd 5", "AF_INET6 SOCK_RAW 58 fd 6"));
}

TEST_F(NetworkTest, tells_sockets_that_take_the_place_of_standard_input_and_output) {
  watch();
  const pid_t pid = in_own_network([] {
    close_range(3, ~0U, 0);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind_to(listener, "127.0.0.1", 4444);
    listen(listener, 4);
    const int shell = socket(AF_INET, SOCK_STREAM, 0);
    connect_from(shell, "127.0.0.1", 4444);
    dup2(shell, 0);
    dup3(shell, 1, O_CLOEXEC);
    dup2(shell, 5);
    dup2(open("/dev/null", O_RDWR), 2);
    close(2);
    fcntl(shell, F_DUPFD, 2);
    close(2);
    if (dup(shell) != 2) _exit(1);
  });
  const std::string text = "dup tcp 127.0.0.1->127.0.0.1:4444";
  EXPECT_THAT(told_of(pid), ElementsAre("listen tcp ->127.0.0.1:4444", "connect tcp 127.0.0.1->127.0.0.1:4444", text,
                                        text, text, text));
  std::vector<int64_t> places;
  for (const v1::Event& event : events_.all(
           [&](const v1::Event& event) { return event.process_pid() == pid && event.event_action() == "dup"; })) {
    places.push_back(event.socket_descriptor());
  }
  EXPECT_THAT(places, ElementsAre(0, 1, 2, 2));
}

// The calls of the i386 entry, each by itself and through socketcall(): number, then the number of the call inside.
enum : long { kSocket32 = 359, kBind32 = 361, kConnect32 = 362, kListen32 = 363, kDup32 = 63, kFcntl32 = 221 };

struct Entry {
  bool through_socketcall;

  long operator()(char* memory, long number, long inside, std::array<uint32_t, 3> arguments) const {
    if (!through_socketcall) return call_i386(number, arguments[0], arguments[1], arguments[2]);
    std::memcpy(memory, arguments.data(), sizeof arguments);
    return call_i386(kSocketcall32, inside, reinterpret_cast<long>(memory));
  }
};

TEST_F(NetworkTest, sees_the_32_bit_calls) {
  watch();
  for (const Entry entry : {Entry{false}, Entry{true}}) {
    const pid_t pid = in_own_network([&] {
      close_range(3, ~0U, 0);
      char* memory = low_memory();
      const auto place = [&](const std::string& text, uint16_t port) {
        Address address = address_of(text, port);
        std::memcpy(memory + 1024, &address.storage, address.size);
        return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(memory + 1024));
      };
      const auto fd = [](long result) { return static_cast<uint32_t>(result); };
      constexpr uint32_t kSize = sizeof(sockaddr_in);
      if (entry(memory, kSocket32, 1, {AF_PACKET, SOCK_RAW, 0}) < 0) _exit(7);
      const uint32_t listener = fd(entry(memory, kSocket32, 1, {AF_INET, SOCK_STREAM, 0}));
      entry(memory, kBind32, 2, {listener, place("127.0.0.1", 4000), kSize});
      entry(memory, kListen32, 4, {listener, 4, 0});
      const uint32_t bound = fd(entry(memory, kSocket32, 1, {AF_INET, SOCK_DGRAM, 0}));
      entry(memory, kBind32, 2, {bound, place("127.0.0.1", 4001), kSize});
      const uint32_t client = fd(entry(memory, kSocket32, 1, {AF_INET, SOCK_STREAM, 0}));
      entry(memory, kConnect32, 3, {client, place("127.0.0.1", 4000), kSize});
      const uint32_t lost = fd(entry(memory, kSocket32, 1, {AF_INET, SOCK_STREAM, 0}));
      entry(memory, kConnect32, 3, {lost, place("192.0.2.1", 443), kSize});
      call_i386(kDup32, client, 0);
      call_i386(kDup32, 2, 9);
      close(1);
      call_i386(kFcntl32, client, F_DUPFD, 0);
    });
    EXPECT_THAT(told_of(pid),
                ElementsAre("AF_PACKET SOCK_RAW 0 fd 3", "listen tcp ->127.0.0.1:4000", "listen udp ->127.0.0.1:4001",
                            "connect tcp 127.0.0.1->127.0.0.1:4000", "connect tcp ->192.0.2.1:443 ENETUNREACH",
                            "dup tcp 127.0.0.1->127.0.0.1:4000", "dup tcp 127.0.0.1->127.0.0.1:4000"))
        << entry.through_socketcall;
  }
}

TEST_F(NetworkTest, sees_connections_that_the_32_bit_calls_accept) {
  watch();
  for (const bool through_socketcall : {false, true}) {
    const pid_t pid = in_own_network([&] {
      const int listener = socket(AF_INET, SOCK_STREAM, 0);
      bind_to(listener, "127.0.0.1", 4000);
      listen(listener, 4);
      connect_from(socket(AF_INET, SOCK_STREAM, 0), "127.0.0.1", 4000);
      constexpr long kAccept4 = 364;
      constexpr long kAcceptInside = 5;
      char* memory = low_memory();
      const std::array<uint32_t, 3> arguments = {static_cast<uint32_t>(listener), 0, 0};
      std::memcpy(memory, arguments.data(), sizeof arguments);
      const long result = through_socketcall ? call_i386(kSocketcall32, kAcceptInside, reinterpret_cast<long>(memory))
                                             : call_i386(kAccept4, listener, 0, 0);
      if (result < 0) _exit(7);
    });
    EXPECT_THAT(told_of(pid), ElementsAre("listen tcp ->127.0.0.1:4000", "connect tcp 127.0.0.1->127.0.0.1:4000",
                                          "accept tcp 127.0.0.1->127.0.0.1:4000"));
  }
}

TEST_F(NetworkTest, says_nothing_of_sockets_of_other_families) {
  watch();
  const pid_t pid = in_own_network([] {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) _exit(1);
    dup2(pair[0], 0);
    sockaddr own{};
    own.sa_family = AF_UNIX;
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(fd, &own, sizeof own.sa_family);
    listen(fd, 1);
  });
  EXPECT_THAT(told_of(pid), IsEmpty());
}

}  // namespace
}  // namespace redoubt::sensor
