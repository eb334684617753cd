#include "sensor/dns/lookups.h"

#include <gmock/gmock.h>

#include <cstring>

#include "sensor/dns/test_dns.h"
#include "sensor/network/network_record.h"

namespace redoubt::sensor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kSecondNs = 1'000'000'000;

class LookupsTest : public testing::Test {
 protected:
  struct Packet {
    rd_dns_direction direction;
    std::string message;
    uint32_t pid = 1;
    uint8_t server = 53;  // last byte of the address
    int64_t second = 1;
    uint64_t stream = 0;
    uint32_t sequence = 0;
  };

  void take(const Packet& packet) {
    alignas(8) rd_dns raw{};
    raw.head.time_ns = static_cast<uint64_t>(packet.second * kSecondNs);
    raw.head.actor.pid = packet.pid;
    raw.version = RD_IPV4;
    raw.server[0] = 10;
    raw.server[3] = packet.server;
    raw.server_port = 53;
    raw.stream = packet.stream;
    raw.sequence = packet.sequence;
    raw.direction = static_cast<uint8_t>(packet.direction);
    raw.message_bytes = static_cast<uint16_t>(packet.message.size());
    std::memcpy(raw.message, packet.message.data(), packet.message.size());
    EXPECT_EQ(lookups_.take({reinterpret_cast<const char*>(&raw), offsetof(rd_dns, message) + packet.message.size()},
                            packet.second * kSecondNs, tell_),
              Decoded::yes);
  }
  std::vector<std::string> told() {
    std::vector<std::string> texts;
    for (const LookupTold& told : told_) {
      std::string text =
          told.event.event_action() + " " + told.event.dns_question_name() + " " + told.event.dns_question_type();
      if (told.event.has_dns_response_code()) text += " " + told.event.dns_response_code();
      if (told.event.has_dns_answers()) text += " " + told.event.dns_answers();
      if (told.event.has_event_count()) text += " x" + std::to_string(told.event.event_count());
      texts.push_back(text);
    }
    told_.clear();
    return texts;
  }

  AddressNames names_;
  Lookups lookups_{names_, 4};
  std::vector<LookupTold> told_;
  Lookups::Tell tell_ = [this](LookupTold&& told) { told_.push_back(std::move(told)); };
};

TEST_F(LookupsTest, tells_a_question_and_its_answer_once_and_counts_the_rest) {
  for (int i = 0; i < 3; ++i) {
    take({.direction = RD_DNS_QUERY, .message = dns_query({.id = 7, .name = "a.example"})});
    take({.direction = RD_DNS_ANSWER,
          .message = dns_answer({.id = 7, .name = "a.example"}, 0,
                                {{1, wire("\xc0\0\x02\x01")}, {1, wire("\xc0\0\x02\x02")}})});
  }
  EXPECT_EQ(told_.at(0).event.destination_ip(), "10.0.0.53");
  EXPECT_EQ(told_.at(0).event.destination_port(), 53);
  EXPECT_THAT(told(), ElementsAre("query a.example A", "answer a.example A NOERROR 192.0.2.1; 192.0.2.2"));
  lookups_.expire(60 * kSecondNs, tell_);
  EXPECT_THAT(told(), IsEmpty());
  lookups_.expire(61 * kSecondNs, tell_);
  EXPECT_EQ(told_.at(0).since_ns, static_cast<uint64_t>(kSecondNs));
  EXPECT_THAT(told(), ElementsAre("query a.example A x2"));
  take({.direction = RD_DNS_QUERY, .message = dns_query({.id = 8, .name = "a.example"}), .second = 62});
  EXPECT_THAT(told(), ElementsAre("query a.example A"));
}

TEST_F(LookupsTest, tells_processes_types_and_new_answers_apart) {
  take({.direction = RD_DNS_QUERY, .message = dns_query({.id = 1, .name = "a.example"})});
  take({.direction = RD_DNS_QUERY, .message = dns_query({.id = 1, .name = "A.example", .type = 28})});
  take({.direction = RD_DNS_QUERY, .message = dns_query({.id = 1, .name = "a.example"}), .pid = 2});
  take({.direction = RD_DNS_ANSWER, .message = dns_answer({.id = 1, .name = "a.example"}, 3, {})});
  take({.direction = RD_DNS_ANSWER,
        .message =
            dns_answer({.id = 1, .name = "a.example"}, 0, {{1, wire("\xc0\0\x02\x01")}, {1, wire("\xc0\0\x02\x02")}})});
  take({.direction = RD_DNS_ANSWER,
        .message =
            dns_answer({.id = 1, .name = "a.example"}, 0, {{1, wire("\xc0\0\x02\x02")}, {1, wire("\xc0\0\x02\x01")}})});
  EXPECT_THAT(told(), ElementsAre("query a.example A", "query a.example AAAA", "query a.example A",
                                  "answer a.example A NXDOMAIN", "answer a.example A NOERROR 192.0.2.1; 192.0.2.2"));
}

TEST_F(LookupsTest, takes_answers_only_to_what_was_asked_from_whom_it_was_asked) {
  const std::string answer = dns_answer({.id = 7, .name = "a.example"}, 0, {{1, wire("\xc0\0\x02\x01")}});
  take({.direction = RD_DNS_ANSWER, .message = answer});
  take({.direction = RD_DNS_QUERY, .message = dns_query({.id = 7, .name = "a.example"})});
  take({.direction = RD_DNS_ANSWER, .message = answer, .server = 54});
  take({.direction = RD_DNS_ANSWER, .message = answer, .pid = 2});
  take({.direction = RD_DNS_QUERY, .message = answer});
  take({.direction = RD_DNS_ANSWER, .message = dns_answer({.id = 8, .name = "a.example"}, 0, {{1, wire("\1\2\3\4")}})});
  EXPECT_THAT(told(), ElementsAre("query a.example A"));
  EXPECT_EQ(names_.size(), 0U);
  take({.direction = RD_DNS_ANSWER, .message = answer});
  EXPECT_THAT(told(), ElementsAre("answer a.example A NOERROR 192.0.2.1"));
  EXPECT_EQ(names_.find("192.0.2.1", kSecondNs), "a.example");
}

TEST_F(LookupsTest, tells_questions_over_tcp_as_those_over_udp) {
  const std::string query = dns_query({.id = 7, .name = "a.example"});
  const std::string answer = dns_answer({.id = 7, .name = "a.example"}, 0, {{1, wire("\xc0\0\x02\x01")}});
  take({.direction = RD_DNS_QUERY, .message = query});
  EXPECT_EQ(told_.at(0).event.network_transport(), "udp");
  EXPECT_THAT(told(), ElementsAre("query a.example A"));
  const auto length = [](const std::string& message) { return wire_u16(static_cast<unsigned>(message.size())); };
  take({.direction = RD_DNS_QUERY, .message = length(query), .stream = 3, .sequence = 1});
  take({.direction = RD_DNS_QUERY, .message = query, .stream = 3, .sequence = 3});
  take({.direction = RD_DNS_ANSWER, .message = length(answer) + answer.substr(0, 20), .stream = 3, .sequence = 900});
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_.at(0).event.network_transport(), "tcp");
  take({.direction = RD_DNS_ANSWER, .message = answer.substr(20), .stream = 3, .sequence = 922});
  EXPECT_THAT(told(), ElementsAre("query a.example A", "answer a.example A NOERROR 192.0.2.1"));
  EXPECT_EQ(names_.find("192.0.2.1", kSecondNs), "a.example");
}

TEST_F(LookupsTest, tells_the_repeats_of_what_it_has_no_room_for_and_of_all_at_the_end) {
  for (int i = 0; i < 6; ++i) {
    const std::string query = dns_query({.id = 1, .name = std::to_string(i)});
    take({.direction = RD_DNS_QUERY, .message = query});
    take({.direction = RD_DNS_QUERY, .message = query});
    take({.direction = RD_DNS_QUERY, .message = query});
  }
  EXPECT_EQ(lookups_.size(), 4U);
  EXPECT_THAT(told(), ElementsAre("query 0 A", "query 1 A", "query 2 A", "query 3 A", "query 0 A x2", "query 4 A",
                                  "query 1 A x2", "query 5 A"));
  lookups_.finish(tell_);
  EXPECT_THAT(told(), ElementsAre("query 2 A x2", "query 3 A x2", "query 4 A x2", "query 5 A x2"));
  EXPECT_EQ(lookups_.size(), 0U);
}

TEST_F(LookupsTest, refuses_records_that_contradict_themselves) {
  alignas(8) rd_dns raw{};
  raw.version = RD_IPV4;
  const std::string_view record(reinterpret_cast<const char*>(&raw), offsetof(rd_dns, message) + 20);
  EXPECT_EQ(lookups_.take(record.substr(0, offsetof(rd_dns, message) - 1), 0, tell_), Decoded::malformed);
  raw.message_bytes = 21;
  EXPECT_EQ(lookups_.take(record, 0, tell_), Decoded::malformed);
  raw.message_bytes = 20;
  raw.version = 5;
  EXPECT_EQ(lookups_.take(record, 0, tell_), Decoded::malformed);
  raw.version = RD_IPV4;
  EXPECT_EQ(lookups_.take(record, 0, tell_), Decoded::yes) << "no message: no event";
  EXPECT_THAT(told(), IsEmpty());
}

TEST(AddressNames, forget_what_is_old_and_what_is_unused_longest) {
  AddressNames names(2);
  names.learn("192.0.2.1", "a.example", 0, 0);
  names.learn("192.0.2.2", "b.example", 100'000'000, 0);
  EXPECT_EQ(names.find("192.0.2.1", AddressNames::kLeastNs), "a.example");
  EXPECT_EQ(names.find("192.0.2.1", AddressNames::kLeastNs + 1), "");
  EXPECT_EQ(names.find("192.0.2.2", AddressNames::kMostNs), "b.example");
  EXPECT_EQ(names.find("192.0.2.2", AddressNames::kMostNs + 1), "");
  names.learn("192.0.2.1", "a.example", 0, 0);
  names.learn("192.0.2.2", "b.example", 0, 0);
  names.learn("192.0.2.1", "c.example", 0, 0);
  names.learn("192.0.2.3", "d.example", 0, 0);
  EXPECT_EQ(names.find("192.0.2.1", 0), "c.example");
  EXPECT_EQ(names.find("192.0.2.2", 0), "");
  EXPECT_EQ(names.size(), 2U);
}

}  // namespace
}  // namespace redoubt::sensor
