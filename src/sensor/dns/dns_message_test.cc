#include "sensor/dns/dns_message.h"

#include <gmock/gmock.h>

#include "sensor/dns/test_dns.h"

namespace redoubt::sensor {
namespace {

TEST(DnsMessage, reads_a_query) {
  const auto message = parse_dns(dns_query({.id = 7, .name = "Www.Example.COM", .type = 28}));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->direction, DnsMessage::Direction::query);
  EXPECT_EQ(message->id, 7);
  EXPECT_EQ(message->name, "www.example.com");
  EXPECT_EQ(message->type, "AAAA");
  EXPECT_TRUE(message->answers.empty());
  EXPECT_EQ(parse_dns(dns_query({.name = "", .type = 2}))->name, ".");
  EXPECT_EQ(parse_dns(dns_query({.name = "x", .type = 65280}))->type, "TYPE65280");
}

TEST(DnsMessage, reads_the_data_of_answers) {
  const std::string name = wire_name("x.example");
  const std::vector<DnsRecordText> records = {{5, wire_name("alias.example")},
                                              {1, wire("\xc0\0\x02\x01")},
                                              {28, wire("\x20\x01\x0d\xb8") + std::string(11, '\0') + "\x01"},
                                              {15, wire("\0\x0a") + name},
                                              {16, wire("\x05two w\x04ords")},
                                              {33, wire("\0\1\0\2\x14\x66") + name},
                                              {6, name + name + std::string(20, '\0')},
                                              {12, wire("\xc0\x0c")},
                                              {999, wire("\xde\xad")},
                                              {1, wire("\1\2\3")}};
  const auto message = parse_dns(dns_answer({.id = 7, .name = "www.example.com", .type = 255}, 0, records));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->direction, DnsMessage::Direction::answer);
  EXPECT_EQ(message->response_code, "NOERROR");
  std::vector<std::string> texts;
  for (const DnsAnswer& answer : message->answers) texts.push_back(answer.type + " " + answer.text);
  EXPECT_THAT(texts, testing::ElementsAre("CNAME alias.example", "A 192.0.2.1", "AAAA 2001:db8::1", "MX 10 x.example",
                                          "TXT two words", "SRV 1 2 5222 x.example", "SOA x.example x.example",
                                          "PTR www.example.com", "TYPE999 \\# 2 dead", "A \\# 3 010203"));
  EXPECT_EQ(message->answers[1].kind, DnsAnswer::Kind::address);
  EXPECT_EQ(message->answers[9].kind, DnsAnswer::Kind::other);
  EXPECT_EQ(message->answers[0].ttl_s, 300U);
}

TEST(DnsMessage, names_what_failed) {
  EXPECT_EQ(parse_dns(dns_answer({.name = "x"}, 3, {}))->response_code, "NXDOMAIN");
  EXPECT_EQ(parse_dns(dns_answer({.name = "x"}, 12, {}))->response_code, "RCODE12");
}

TEST(DnsMessage, writes_odd_bytes_of_names_so_that_they_can_be_told_apart) {
  std::string query = dns_query({.name = "abcd"});
  query[13] = '.';
  query[14] = '\x1b';
  query[15] = '\\';
  query[16] = '\xff';
  EXPECT_EQ(parse_dns(query)->name, "\\.\\027\\\\\\255");
}

TEST(DnsMessage, gives_what_is_whole_of_a_message_that_is_cut) {
  const std::string whole =
      dns_answer({.name = "x.example"}, 0, {{1, wire("\xc0\0\x02\x01")}, {1, wire("\xc0\0\x02\x02")}});
  const auto message = parse_dns(std::string_view(whole).substr(0, whole.size() - 1));
  ASSERT_TRUE(message);
  ASSERT_EQ(message->answers.size(), 1U);
  EXPECT_EQ(message->answers[0].text, "192.0.2.1");
  for (size_t size = 0; size < whole.size(); ++size) (void)parse_dns(std::string_view(whole).substr(0, size));
}

TEST(DnsMessage, takes_a_bounded_number_of_answers) {
  const std::vector<DnsRecordText> records(200, {1, wire("\xc0\0\x02\x01")});
  EXPECT_EQ(parse_dns(dns_answer({.name = "x"}, 0, records))->answers.size(), kDnsAnswersMax);
}

TEST(DnsMessage, refuses_names_that_lead_nowhere) {
  std::string loop = dns_query({.name = "abc"});
  loop[12] = '\xc0';
  loop[13] = '\x0c';  // itself
  EXPECT_FALSE(parse_dns(loop));
  loop[13] = '\x20';  // forth
  EXPECT_FALSE(parse_dns(loop));
  std::string reserved = dns_query({.name = "abc"});
  reserved[12] = '\x83';
  EXPECT_FALSE(parse_dns(reserved));
  std::string many;
  for (int i = 0; i < 128; ++i) many += "a.";
  EXPECT_FALSE(parse_dns(dns_query({.name = many + "abc"})));
}

TEST(DnsMessage, refuses_what_is_no_question_of_one_name) {
  EXPECT_FALSE(parse_dns(""));
  EXPECT_FALSE(parse_dns(std::string(12, '\0')));
  std::string update = dns_query({.name = "x"});
  update[2] = 0x28;
  EXPECT_FALSE(parse_dns(update));
  std::string two = dns_query({.name = "x"});
  two[5] = 2;
  EXPECT_FALSE(parse_dns(two));
}

}  // namespace
}  // namespace redoubt::sensor
