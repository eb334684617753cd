#include "scan/wire.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace redoubt::scan::wire {
namespace {

Report example_report() {
  Report report;
  report.verdict = Verdict::detect;
  report.future = Future::retires;
  report.cpu = {.all_ns = 3'000'000, .yara_ns = 2'000'000};
  report.mime_type = "text/plain";
  report.found = {{"Rule_A", "high", "what it is"}, {"Rule_B", "low", ""}};
  return report;
}

TEST(WireReport, comes_back_as_it_was) {
  const auto report = decode_report(encode(example_report()).back());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->verdict, Verdict::detect);
  EXPECT_EQ(report->future, Future::retires);
  EXPECT_EQ(report->cpu.all_ns, 3'000'000);
  EXPECT_EQ(report->cpu.yara_ns, 2'000'000);
  EXPECT_EQ(report->mime_type, "text/plain");
  ASSERT_EQ(report->found.size(), 2U);
  EXPECT_EQ(report->found[0].rule, "Rule_A");
  EXPECT_EQ(report->found[1].importance, "low");
}

TEST(WireReport, more_cpu_than_there_is_is_refused) {
  for (const WorkerCpu cpu : {WorkerCpu{1, 2}, WorkerCpu{-1, 0}, WorkerCpu{INT64_MAX, 0}}) {
    Report report = example_report();
    report.cpu = cpu;
    EXPECT_FALSE(decode_report(encode(report).back())) << cpu.all_ns;
  }
}

TEST(WireReport, every_truncation_is_refused) {
  const std::string whole = encode(example_report()).back();
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode_report(whole.substr(0, size))) << size;
  EXPECT_FALSE(decode_report(whole + "x"));
}

TEST(WireReport, every_changed_byte_is_refused_or_within_the_limits) {
  const std::string whole = encode(example_report()).back();
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
  const std::string bytes = encode(report).back();
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
  const std::string bytes = encode(report).back();
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

Page example_page(size_t objects) {
  Page page;
  for (size_t i = 0; i < objects; ++i) {
    page.objects.push_back({i / 2, "name" + std::to_string(i), "application/zip", std::string(64, 'a'), i, "remark"});
  }
  page.not_scanned = {"a: larger than 128 MiB"};
  page.links = {"http://example.org/"};
  return page;
}

TEST(WirePages, come_back_in_order_and_each_fits_a_packet) {
  Page whole;
  Report report = example_report();
  report.page = example_page(3000);
  for (const std::string& packet : encode(report)) {
    ASSERT_LE(packet.size(), kPacketBytesMax);
    const auto answer = decode_answer(packet);
    ASSERT_TRUE(answer) << answer.error().message;
    const auto* last = std::get_if<Report>(&*answer);
    const Page& page = last != nullptr ? last->page : std::get<Page>(*answer);
    whole.objects.insert(whole.objects.end(), page.objects.begin(), page.objects.end());
    whole.links.insert(whole.links.end(), page.links.begin(), page.links.end());
  }
  ASSERT_EQ(whole.objects.size(), kObjectsMax);
  EXPECT_EQ(whole.objects[1999].name, "name1999");
  EXPECT_EQ(whole.objects[1999].parent, 999U);
  EXPECT_EQ(whole.links, std::vector<std::string>{"http://example.org/"});
}

TEST(WirePages, the_last_is_in_the_report_where_it_fits) {
  Report report = example_report();
  report.page = example_page(3);
  const auto packets = encode(report);
  ASSERT_EQ(packets.size(), 1U);
  EXPECT_EQ(decode_report(packets[0])->page.objects.size(), 3U);
  report.found.assign(kDetectionsMax, {std::string(kTextBytesMax, 'r'), "critical", std::string(kTextBytesMax, 'd')});
  EXPECT_EQ(encode(report).size(), 2U);
}

TEST(WirePages, every_changed_byte_or_truncation_is_refused_or_within_the_limits) {
  Report report;
  report.page = example_page(100);
  const std::string whole = encode(report).front();
  for (size_t at = 0; at < whole.size(); ++at) {
    EXPECT_FALSE(decode_answer(whole.substr(0, at))) << at;
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x80);
    const auto answer = decode_answer(bytes);
    if (!answer || !std::holds_alternative<Page>(*answer)) continue;
    EXPECT_LE(std::get<Page>(*answer).objects.size(), 100U);
  }
}

TEST(WireRequest, carries_passwords_within_their_limits) {
  Request request{"name", std::vector<std::string>(500, std::string(500, 'p')), Relay::clamav};
  const auto decoded = decode_request(encode(request));
  ASSERT_TRUE(decoded);
  ASSERT_EQ(decoded->passwords.size(), kPasswordsMax);
  EXPECT_EQ(decoded->passwords[0].size(), kPasswordBytesMax);
  EXPECT_EQ(decoded->relay, Relay::clamav);
}

TEST(WirePart, comes_back_as_it_was) {
  const auto answer = decode_answer(encode(Part{7, "a.zip/b.exe", Part::Kind::opened}));
  ASSERT_TRUE(answer);
  EXPECT_EQ(std::get<Part>(*answer).object, 7U);
  EXPECT_EQ(std::get<Part>(*answer).name, "a.zip/b.exe");
  EXPECT_EQ(std::get<Part>(*answer).kind, Part::Kind::opened);
  EXPECT_FALSE(decode_answer(encode(Part{kObjectsMax, ""})));
  EXPECT_FALSE(decode_answer(""));
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
