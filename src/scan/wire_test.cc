#include "scan/wire.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace redoubt::scan::wire {
namespace {

Report example_report() {
  Report report;
  report.verdict = Verdict::detect;
  report.future = Future::retires;
  report.mime_type = "text/plain";
  report.found = {{"Rule_A", "high", "what it is"}, {"Rule_B", "low", ""}};
  return report;
}

TEST(WireReport, comes_back_as_it_was) {
  const auto report = decode_report(encode(example_report()));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->verdict, Verdict::detect);
  EXPECT_EQ(report->future, Future::retires);
  EXPECT_EQ(report->mime_type, "text/plain");
  ASSERT_EQ(report->found.size(), 2U);
  EXPECT_EQ(report->found[0].rule, "Rule_A");
  EXPECT_EQ(report->found[1].importance, "low");
}

TEST(WireReport, every_truncation_is_refused) {
  const std::string whole = encode(example_report());
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode_report(whole.substr(0, size))) << size;
  EXPECT_FALSE(decode_report(whole + "x"));
}

TEST(WireReport, every_changed_byte_is_refused_or_within_the_limits) {
  const std::string whole = encode(example_report());
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      const auto report = decode_report(bytes);
      if (!report) continue;
      EXPECT_LE(report->found.size(), kDetectionsMax);
      EXPECT_NE(report->verdict, Verdict::processing);
    }
  }
}

TEST(WireReport, too_much_is_cut_to_what_fits_a_packet) {
  Report report = example_report();
  report.found.assign(10'000, {std::string(5000, 'r'), std::string(5000, 'i'), std::string(5000, 'd')});
  report.error = std::string(1 << 20, 'e');
  report.found.resize(5000);
  const std::string bytes = encode(report);
  EXPECT_GT(bytes.size(), kDetectionsMax * kTextBytesMax);
  const auto decoded = decode_report(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->found.size(), kDetectionsMax);
}

TEST(WireReport, largest_one_passes_the_socket) {
  Report report;
  report.error = std::string(kErrorBytesMax, 'e');
  report.mime_type = std::string(kTextBytesMax, 'm');
  report.found.assign(kDetectionsMax, {std::string(kTextBytesMax, 'r'), "critical", std::string(kTextBytesMax, 'd')});
  const std::string bytes = encode(report);
  ASSERT_LE(bytes.size(), kPacketBytesMax);
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
  const base::UniqueFd a(pair[0]);
  base::UniqueFd b(pair[1]);
  ASSERT_TRUE(send_packet(a.get(), bytes, b.get()));
  auto packet = receive_packet(b.get());
  ASSERT_TRUE(packet) << packet.error().message;
  EXPECT_EQ(packet->bytes, bytes);
  EXPECT_TRUE(packet->descriptor);
  packet->descriptor = base::UniqueFd();
  b = base::UniqueFd();
  EXPECT_FALSE(send_packet(a.get(), "x", -1));
  EXPECT_EQ(receive_packet(a.get()).error().code, Errc::unavailable);
}

TEST(WireRules, come_back_as_they_were) {
  const auto files = decode_rules(encode_rules({{"a.yar", "rule a {condition: true}"}, {"b.yar", ""}}));
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 2U);
  EXPECT_EQ((*files)[0].text, "rule a {condition: true}");
  EXPECT_FALSE(decode_rules("not a bundle"));
}

}  // namespace
}  // namespace redoubt::scan::wire
