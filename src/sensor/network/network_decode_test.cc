#include "sensor/network/network_decode.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <climits>

#include "redoubt/event.pb.h"

namespace redoubt::sensor {
namespace {

rd_connection connection(uint8_t action, uint8_t version, const char* local, const char* remote) {
  rd_connection raw{};
  raw.action = action;
  raw.protocol = IPPROTO_TCP;
  raw.has_remote = 1;
  raw.descriptor = RD_NO_DESCRIPTOR;
  raw.version = version;
  const int family = version == RD_IPV4 ? AF_INET : AF_INET6;
  inet_pton(family, local, raw.local);
  inet_pton(family, remote, raw.remote);
  raw.local_port = 1000;
  raw.remote_port = 2000;
  return raw;
}

std::string_view bytes_of(const rd_connection& raw) { return {reinterpret_cast<const char*>(&raw), sizeof raw}; }

TEST(NetworkDecode, gives_the_opener_as_source) {
  const rd_connection out = connection(RD_CONNECT, RD_IPV4, "10.0.0.1", "192.0.2.7");
  v1::Event event;
  ASSERT_EQ(decode_connection(bytes_of(out), event), Decoded::yes);
  EXPECT_EQ(event.event_action(), "connect");
  EXPECT_EQ(event.network_direction(), "outbound");
  EXPECT_EQ(event.source_ip(), "10.0.0.1");
  EXPECT_EQ(event.source_port(), 1000);
  EXPECT_EQ(event.destination_ip(), "192.0.2.7");
  EXPECT_EQ(event.destination_port(), 2000);

  const rd_connection in = connection(RD_ACCEPT, RD_IPV6, "2001:db8::1", "2001:db8::2");
  v1::Event accepted;
  ASSERT_EQ(decode_connection(bytes_of(in), accepted), Decoded::yes);
  EXPECT_EQ(accepted.event_action(), "accept");
  EXPECT_EQ(accepted.network_direction(), "inbound");
  EXPECT_EQ(accepted.source_ip(), "2001:db8::2");
  EXPECT_EQ(accepted.source_port(), 2000);
  EXPECT_EQ(accepted.destination_ip(), "2001:db8::1");
}

TEST(NetworkDecode, leaves_an_unknown_port_away) {
  rd_connection raw = connection(RD_CONNECT, RD_IPV4, "10.0.0.1", "192.0.2.7");
  raw.local_port = 0;
  v1::Event event;
  ASSERT_EQ(decode_connection(bytes_of(raw), event), Decoded::yes);
  EXPECT_FALSE(event.has_source_port());
}

TEST(NetworkDecode, refuses_what_is_short_or_unknown) {
  const rd_connection good = connection(RD_CONNECT, RD_IPV4, "10.0.0.1", "192.0.2.7");
  v1::Event event;
  EXPECT_EQ(decode_connection(bytes_of(good).substr(1), event), Decoded::malformed);
  rd_connection bad = good;
  bad.version = 5;
  EXPECT_EQ(decode_connection(bytes_of(bad), event), Decoded::malformed);
  bad = good;
  bad.action = 0;
  EXPECT_EQ(decode_connection(bytes_of(bad), event), Decoded::malformed);
  bad = good;
  bad.protocol = 1;
  EXPECT_EQ(decode_connection(bytes_of(bad), event), Decoded::malformed);
  for (const int result : {1, -5000, INT_MIN}) {
    bad = good;
    bad.result = result;
    EXPECT_EQ(decode_connection(bytes_of(bad), event), Decoded::malformed) << result;
  }
}

TEST(NetworkDecode, names_the_error) {
  for (const auto& [number, name] : {std::pair(-111, "ECONNREFUSED"), {-115, "EINPROGRESS"}, {-512, "EINTR"}}) {
    rd_connection raw = connection(RD_CONNECT, RD_IPV4, "10.0.0.1", "192.0.2.7");
    raw.result = number;
    v1::Event event;
    ASSERT_EQ(decode_connection(bytes_of(raw), event), Decoded::yes);
    EXPECT_EQ(event.error_code(), name);
  }
}

TEST(NetworkDecode, counts_only_what_is_more_than_one) {
  rd_connection raw = connection(RD_SEND, RD_IPV4, "10.0.0.1", "192.0.2.7");
  raw.protocol = IPPROTO_UDP;
  raw.count = 1;
  raw.bytes = 100;
  v1::Event event;
  ASSERT_EQ(decode_connection(bytes_of(raw), event), Decoded::yes);
  EXPECT_EQ(event.event_action(), "send");
  EXPECT_EQ(event.network_transport(), "udp");
  EXPECT_EQ(event.network_bytes(), 100);
  EXPECT_FALSE(event.has_event_count());
  raw.count = 7;
  ASSERT_EQ(decode_connection(bytes_of(raw), event), Decoded::yes);
  EXPECT_EQ(event.event_count(), 7);
}

TEST(NetworkDecode, names_kinds_of_sockets) {
  rd_socket raw{};
  raw.family = AF_PACKET;
  raw.type = SOCK_RAW;
  raw.protocol = 3;
  raw.descriptor = 5;
  v1::Event event;
  ASSERT_EQ(decode_socket({reinterpret_cast<const char*>(&raw), sizeof raw}, event), Decoded::yes);
  EXPECT_EQ(event.event_type(), v1::EVENT_TYPE_SOCKET);
  EXPECT_EQ(event.socket_family(), "AF_PACKET");
  EXPECT_EQ(event.socket_type(), "SOCK_RAW");
  EXPECT_EQ(event.socket_descriptor(), 5);
  EXPECT_EQ(decode_socket({reinterpret_cast<const char*>(&raw), sizeof raw - 1}, event), Decoded::malformed);
}

}  // namespace
}  // namespace redoubt::sensor
