#include "sensor/dns/dns_streams.h"

#include <gmock/gmock.h>

#include <vector>

#include "sensor/dns/test_dns.h"

namespace redoubt::sensor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string framed(const std::string& message) { return wire_u16(static_cast<unsigned>(message.size())) + message; }
std::string query(const std::string& name) { return dns_query({.name = name}); }

class DnsStreamsTest : public testing::Test {
 protected:
  void take(uint32_t sequence, std::string_view bytes, uint64_t connection = 1, int64_t now_ns = 0) {
    streams_.take(
        {.connection = connection, .direction = DnsStreams::Direction::to_server, .sequence = sequence, .bytes = bytes},
        now_ns, [this](std::string_view message) { messages_.emplace_back(message); });
  }

  DnsStreams streams_;
  std::vector<std::string> messages_;
};

TEST_F(DnsStreamsTest, put_messages_together_wherever_they_are_split) {
  const std::string stream = framed(query("a.example")) + framed(query("b.example"));
  for (size_t cut = 1; cut <= stream.size(); ++cut) {
    messages_.clear();
    constexpr uint32_t kBegin = 0xFFFFFFF0;  // the count goes round
    for (size_t at = 0; at < stream.size(); at += cut) {
      take(kBegin + static_cast<uint32_t>(at), std::string_view(stream).substr(at, cut), cut);
    }
    EXPECT_THAT(messages_, ElementsAre(query("a.example"), query("b.example"))) << cut;
  }
}

TEST_F(DnsStreamsTest, pass_over_what_is_sent_again_and_tell_directions_apart) {
  const std::string first = framed(query("a.example"));
  take(100, std::string_view(first).substr(0, 10));
  take(100, std::string_view(first).substr(0, 10));
  take(105, std::string_view(first).substr(5));
  take(100, first);
  EXPECT_THAT(messages_, ElementsAre(query("a.example")));
  streams_.take({.connection = 1, .direction = DnsStreams::Direction::from_server, .sequence = 7, .bytes = first}, 0,
                [this](std::string_view message) { messages_.emplace_back(message); });
  EXPECT_EQ(messages_.size(), 2U);
  EXPECT_EQ(streams_.size(), 2U);
}

TEST_F(DnsStreamsTest, keep_the_beginning_of_a_long_message_and_go_on_behind_it) {
  std::string large = query("large.example") + std::string(5000, 'x');
  const std::string stream = framed(large) + framed(query("next.example"));
  // Of the first packet 2,000 bytes are seen, the rest of it is not.
  take(0, std::string_view(stream).substr(0, 2000));
  take(4500, std::string_view(stream).substr(4500));
  EXPECT_THAT(messages_, ElementsAre(large.substr(0, DnsStreams::kMessageBytesMax), query("next.example")));
}

TEST_F(DnsStreamsTest, give_the_beginning_of_a_message_whose_rest_is_missed) {
  const std::string message = query("torn.example") + std::string(200, 'x');
  const std::string stream = framed(message) + framed(query("next.example"));
  take(0, std::string_view(stream).substr(0, 50));
  take(100, std::string_view(stream).substr(100));
  EXPECT_THAT(messages_, ElementsAre(message.substr(0, 48), query("next.example")));
}

TEST_F(DnsStreamsTest, find_back_where_a_piece_begins_with_a_message) {
  const std::string first = framed(query("a.example"));
  take(0, first);
  take(10'000, std::string(300, 'y'));
  take(10'300, wire("\0\1"));
  take(10'302, framed(query("b.example")));
  EXPECT_THAT(messages_, ElementsAre(query("a.example"), query("b.example")));
}

TEST_F(DnsStreamsTest, hand_over_nothing_of_what_is_no_dns) {
  take(0, wire("\0\3abc") + framed(query("a.example")));
  take(500, "GET / HTTP/1.1\r\nHost: example\r\n\r\n");
  EXPECT_THAT(messages_, IsEmpty());
}

TEST_F(DnsStreamsTest, remember_so_many_connections_for_so_long) {
  for (uint64_t connection = 0; connection < DnsStreams::kStreamsMax + 10; ++connection) {
    take(0, wire("\0"), connection, static_cast<int64_t>(connection));
  }
  EXPECT_EQ(streams_.size(), DnsStreams::kStreamsMax);
  streams_.expire(DnsStreams::kIdleNs + 9);
  EXPECT_EQ(streams_.size(), DnsStreams::kStreamsMax);
  streams_.expire(DnsStreams::kIdleNs + 10);
  EXPECT_EQ(streams_.size(), DnsStreams::kStreamsMax - 1);
}

}  // namespace
}  // namespace redoubt::sensor
