// Indicators over events, through the matcher: what fires and what does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "event/dialect/dialect.h"
#include "event/frame.h"
#include "redoubt/event.pb.h"
#include "rules/indicator_list/rule.h"
#include "rules/openioc/rule.h"
#include "rules/rule_set.h"

namespace redoubt::rules {
namespace {

using testing::ElementsAre;

constexpr char kSha[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

v1::Event program(const std::string& executable, const std::string& command_line) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS);
  event.set_event_action("exec");
  event.set_process_executable(executable);
  event.set_process_name(executable.substr(executable.rfind('/') + 1));
  event.set_process_command_line(command_line);
  event.set_process_pid(7);
  return event;
}

v1::Event hashed(const std::string& sha256) {
  v1::Event event = program("/opt/x", "x");
  event.set_process_hash_sha256(sha256);
  return event;
}

v1::Event changed(const std::string& action, const std::string& directory, const std::string& name,
                  const std::string& by) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_FILECHANGE);
  event.set_event_action(action);
  event.set_file_path(directory + "/" + name);
  event.set_file_directory(directory);
  event.set_file_name(name);
  event.set_process_executable("/usr/bin/" + by);
  event.set_process_name(by);
  return event;
}

enum class Way { outbound, inbound };

v1::Event connected(Way way, const std::string& peer, int64_t port) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_CONNECTION);
  event.set_network_direction(way == Way::outbound ? "outbound" : "inbound");
  event.set_network_transport("tcp");
  const std::string here = "192.0.2.1";
  event.set_source_ip(way == Way::outbound ? here : peer);
  event.set_destination_ip(way == Way::outbound ? peer : here);
  event.set_source_port(way == Way::outbound ? 50000 : port);
  event.set_destination_port(way == Way::outbound ? port : 22);
  event.set_process_name("nc");
  return event;
}

event::Batch batch_of(const std::vector<v1::Event>& events) {
  event::FrameBuilder builder{v1::Event()};
  int64_t sequence = 0;
  for (v1::Event each : events) {
    each.set_event_sequence(++sequence);
    if (!each.has_event_time()) each.set_event_time(sequence);
    builder.add(each);
  }
  const event::Frame frame = builder.finish("boot");
  auto bytes = event::open_frame(frame.payload, frame.checksum);
  CHECK(bytes.has_value());
  auto batch = event::Batch::decode(*std::move(bytes));
  CHECK(batch.has_value());
  return *std::move(batch);
}

// Rows of the events that the one file of rules fires on; its refusals fail the test.
std::vector<uint32_t> fires_on(const std::string& name, const std::string& content,
                               const std::vector<v1::Event>& events) {
  const base::TempDir directory;
  std::ofstream(directory / name) << content;
  const auto set = RuleSet::load(directory.path());
  CHECK(set.has_value());
  for (const Refusal& refusal : set->refusals()) ADD_FAILURE() << refusal.rendered;
  auto matcher = set->compile();
  CHECK(matcher.has_value());
  std::vector<query::match::Hit> hits;
  matcher->match(batch_of(events), hits);
  std::vector<uint32_t> rows;
  for (const auto& hit : hits) rows.push_back(hit.row);
  return rows;
}

std::string item(const std::string& condition, const std::string& term, const std::string& value) {
  return "<IndicatorItem condition=\"" + condition + "\"><Context search=\"" + term + "\"/><Content>" + value +
         "</Content></IndicatorItem>";
}

std::string ioc(const std::string& operation, const std::string& items) {
  return "<OpenIOC id=\"a\"><metadata/><criteria><Indicator operator=\"" + operation + "\">" + items +
         "</Indicator></criteria></OpenIOC>";
}

TEST(OpenIoc, and_is_about_one_entity) {
  const std::string rule =
      ioc("AND", item("is", "FileItem/FileName", "payload") + item("is", "FileItem/FilePath", "/tmp"));
  EXPECT_THAT(fires_on("a.ioc", rule,
                       {changed("create", "/tmp", "payload", "sh"), changed("create", "/tmp", "other", "sh"),
                        changed("create", "/home", "payload", "sh")}),
              ElementsAre(0));
}

TEST(OpenIoc, a_condition_on_a_process_counts_at_its_start_and_with_what_it_does) {
  const std::vector<v1::Event> events = {program("/usr/bin/nc", "nc"), changed("create", "/tmp", "a", "nc"),
                                         changed("create", "/tmp", "a", "sh"),
                                         connected(Way::outbound, "203.0.113.9", 4444)};
  EXPECT_THAT(fires_on("a.ioc", ioc("OR", item("is", "ProcessItem/name", "nc")), events), ElementsAre(0));
  EXPECT_THAT(fires_on("a.ioc", ioc("AND", item("is", "ProcessItem/name", "nc") + item("is", "FileItem/FileName", "a")),
                       events),
              ElementsAre(1));
  EXPECT_THAT(
      fires_on("a.ioc", ioc("AND", item("is", "ProcessItem/name", "nc") + item("is", "PortItem/remotePort", "4444")),
               events),
      ElementsAre(3));
}

TEST(OpenIoc, the_remote_side_is_told_from_the_direction) {
  const std::string rule = ioc("OR", item("is", "PortItem/remoteIP", "203.0.113.9"));
  EXPECT_THAT(fires_on("a.ioc", rule,
                       {connected(Way::outbound, "203.0.113.9", 80), connected(Way::inbound, "203.0.113.9", 80),
                        connected(Way::outbound, "203.0.113.8", 80)}),
              ElementsAre(0, 1));
}

TEST(OpenIoc, a_negated_condition_needs_its_field) {
  const std::string rule =
      ioc("AND", item("is", "FileItem/FilePath", "/tmp") + item("isnot", "FileItem/SizeInBytes", "5"));
  v1::Event sized = changed("create", "/tmp", "a", "sh");
  sized.set_file_size(6);
  v1::Event same = sized;
  same.set_file_size(5);
  EXPECT_THAT(fires_on("a.ioc", rule, {changed("create", "/tmp", "a", "sh"), sized, same}), ElementsAre(1));
}

TEST(OpenIoc, an_unsupported_branch_never_holds_even_negated) {
  const std::string unsupported = item("isnot", "FileItem/Md5sum", "002e27938c9390a942cf4b4c319f1768");
  const std::string rule = ioc("OR", unsupported + item("is", "FileItem/FileName", "a"));
  EXPECT_THAT(fires_on("a.ioc", rule, {changed("create", "/tmp", "a", "sh"), changed("create", "/tmp", "b", "sh")}),
              ElementsAre(0));
}

TEST(OpenIoc, case_counts_only_where_it_is_preserved) {
  const std::vector<v1::Event> events = {program("/opt/Tool", "Tool -X"), program("/opt/tool", "tool -x")};
  EXPECT_THAT(fires_on("a.ioc", ioc("OR", item("contains", "ProcessItem/arguments", "-x")), events), ElementsAre(0, 1));
  EXPECT_THAT(
      fires_on("a.ioc", ioc("OR", item("contains\" preserve-case=\"true", "ProcessItem/arguments", "-x")), events),
      ElementsAre(1));
}

TEST(OpenIoc, a_write_is_no_deletion) {
  const std::string rule = ioc("OR", item("is", "fileWriteEvent/fileName", "a"));
  EXPECT_THAT(fires_on("a.ioc", rule, {changed("delete", "/tmp", "a", "rm"), changed("write", "/tmp", "a", "sh")}),
              ElementsAre(1));
}

TEST(OpenIoc, hashes_are_compared_in_any_case) {
  std::string upper = kSha;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_THAT(fires_on("a.ioc", ioc("OR", item("is", "FileItem/Sha256sum", upper)), {hashed(kSha), hashed("")}),
              ElementsAre(0));
}

std::string bundle(const std::string& pattern) {
  return R"({"type":"bundle","objects":[{"type":"indicator","id":"indicator--1","pattern":")" + pattern + "\"}]}";
}

TEST(Stix, a_hash_matches_in_any_case_and_a_name_as_it_is_written) {
  std::string upper = kSha;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_THAT(
      fires_on("a.stix.json", bundle("[file:hashes.'SHA-256' = '" + upper + "']"), {hashed(kSha), hashed("ab")}),
      ElementsAre(0));
  EXPECT_THAT(
      fires_on("a.stix.json", bundle("[file:name = 'tool']"), {program("/opt/Tool", ""), program("/opt/tool", "")}),
      ElementsAre(1));
}

TEST(Stix, like_and_matches) {
  const std::vector<v1::Event> events = {program("/opt/abc", ""), program("/opt/abbc", ""), program("/opt/xabc", "")};
  EXPECT_THAT(fires_on("a.stix.json", bundle("[process:name LIKE 'a_c']"), events), ElementsAre(0));
  EXPECT_THAT(fires_on("a.stix.json", bundle("[process:name LIKE '%bc']"), events), ElementsAre(0, 1, 2));
  EXPECT_THAT(fires_on("a.stix.json", bundle("[process:name MATCHES '^ab+c$']"), events), ElementsAre(0, 1));
}

TEST(Stix, an_address_is_the_one_on_the_other_side) {
  EXPECT_THAT(fires_on("a.stix.json", bundle("[ipv4-addr:value = '192.0.2.1']"),
                       {connected(Way::outbound, "203.0.113.9", 80), connected(Way::outbound, "192.0.2.1", 80)}),
              ElementsAre(1));
  EXPECT_THAT(fires_on("a.stix.json", bundle("[ipv4-addr:value ISSUBSET '203.0.113.0/24']"),
                       {connected(Way::outbound, "203.0.113.9", 80), connected(Way::inbound, "203.0.114.9", 80)}),
              ElementsAre(0));
}

TEST(Stix, an_observation_interval_is_about_the_time_of_the_event) {
  v1::Event inside = program("/opt/a", "");
  inside.set_event_time(int64_t{1'767'225'600} * 1'000'000);  // 2026-01-01
  v1::Event at_stop = program("/opt/a", "");
  at_stop.set_event_time(int64_t{1'767'312'000} * 1'000'000);  // a day later
  EXPECT_THAT(
      fires_on("a.stix.json", bundle("[process:name = 'a'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'"),
               {inside, at_stop, program("/opt/a", "")}),
      ElementsAre(0));
}

TEST(IndicatorList, tells_what_each_line_is) {
  const std::string list =
      std::string("# title: Things of the week\n# importance: high\n\n") + kSha +
      "  seen on Monday\n203[.]0[.]113[.]9\r\n198.51.100.0/24\n2001:db8::1, note\n/opt/with blank\n" +
      "evil.example\nhttps://evil.example/x\n002e27938c9390a942cf4b4c319f1768\n?!\n";
  EXPECT_THAT(fires_on("a.iocs.txt", list,
                       {hashed(kSha), connected(Way::outbound, "203.0.113.9", 1),
                        connected(Way::inbound, "198.51.100.3", 1), connected(Way::outbound, "2001:db8::1", 1),
                        program("/opt/with blank", ""), changed("create", "/opt", "with blank", "sh"),
                        program("/opt/with", ""), connected(Way::outbound, "203.0.113.10", 1)}),
              ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(IndicatorList, names_what_cannot_be_watched_for) {
  const auto file =
      indicator_list::read_list("# title: T\n# importance: high\nevil.example\n/tmp/x\na.example\n?!\n", "p");
  ASSERT_EQ(file.rules.size(), 1U);
  const Rule& rule = file.rules.front().rule;
  EXPECT_EQ(rule.id, "list:p");
  EXPECT_EQ(rule.title, "T");
  EXPECT_EQ(rule.importance, Importance::high);
  ASSERT_EQ(rule.warnings.size(), 2U);
  EXPECT_EQ(rule.warnings[0].line, 3U);
  EXPECT_EQ(rule.warnings[0].message,
            "domain name: found in records that are sent in alone: agents on Linux do not tell of name look-ups, names "
            "of other "
            "hosts (2 lines, this is the first)");
  EXPECT_EQ(rule.warnings[1].line, 6U);
}

TEST(IndicatorList, finds_names_urls_and_other_hashes_in_records) {
  auto file = indicator_list::read_list(
      "*.evil.example\nbad.example\nhttps://x.example/a\n002e27938c9390a942cf4b4c319f1768\n", "p");
  ASSERT_EQ(file.rules.size(), 1U);
  event::dialect::Reader reader({.product = "proxy"});
  event::BatchBuilder builder;
  for (
      const char* record :
      {R"({"EventID":22,"Channel":"Microsoft-Windows-Sysmon/Operational","QueryName":"a.EVIL.example"})",
       R"({"EventID":22,"Channel":"Microsoft-Windows-Sysmon/Operational","QueryName":"evil.example"})",
       R"({"EventID":3,"Channel":"Microsoft-Windows-Sysmon/Operational","DestinationHostname":"bad.example","Initiated":"true"})",
       R"({"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Hashes":"MD5=002E27938C9390A942CF4B4C319F1768"})",
       R"({"c-uri":"https://x.example/a?b"})", R"({"c-uri":"https://y.example/a"})"}) {
    ASSERT_TRUE(reader.add(record, builder));
  }
  std::vector<Rule> rules;
  rules.push_back(std::move(file.rules.front().rule));
  const auto set = RuleSet::of(std::move(rules));
  auto matcher = set->compile();
  std::vector<query::match::Hit> hits;
  matcher->match(builder.take(), hits);
  std::vector<uint32_t> rows;
  for (const auto& hit : hits) rows.push_back(hit.row);
  EXPECT_THAT(rows, ElementsAre(0, 2, 3, 4));
}

TEST(IndicatorList, refuses_a_list_of_nothing) {
  for (const char* list : {"", "# nothing\n", "?!\n", "\xFF\n"}) {
    const auto file = indicator_list::read_list(list, "p");
    EXPECT_TRUE(file.rules.empty()) << list;
    ASSERT_EQ(file.refusals.size(), 1U) << list;
    EXPECT_FALSE(file.refusals[0].diagnostic.message.empty());
  }
}

TEST(RuleSet, lists_the_warnings_of_rules) {
  const base::TempDir directory;
  std::ofstream(directory / "a.ioc") << ioc(
      "OR", item("is", "FileItem/FileName", "a") + item("is", "Network/DNS", "evil.example"));
  std::ofstream(directory / "b.iocs.txt") << "/tmp/a\nevil.example\n";
  const auto set = RuleSet::load(directory.path());
  ASSERT_TRUE(set);
  ASSERT_EQ(set->warnings().size(), 2U);
  EXPECT_EQ(set->warnings()[0].path, "a.ioc");
  EXPECT_EQ(set->warnings()[0].diagnostic.message,
            "Network/DNS: found in records that are sent in alone: agents on Linux do not tell of name look-ups, names "
            "of other "
            "hosts");
  EXPECT_EQ(set->warnings()[1].diagnostic.line, 2U);
}

TEST(RuleSet, tells_indicator_formats_from_the_ends_of_names) {
  const base::TempDir directory;
  std::ofstream(directory / "a.ioc") << ioc("OR", item("is", "FileItem/FileName", "a"));
  std::ofstream(directory / "b.stix.json") << bundle("[file:name = 'a']");
  std::ofstream(directory / "c.iocs.txt") << "/tmp/a\n";
  std::ofstream(directory / "d.json") << "{}";
  std::ofstream(directory / "e.ioc") << std::string(openioc::kFileSizeMax + 1, ' ');
  const auto set = RuleSet::load(directory.path());
  ASSERT_TRUE(set);
  std::vector<std::string> formats;
  for (const Rule& rule : set->rules()) formats.push_back(rule.format);
  EXPECT_THAT(formats, ElementsAre("openioc", "stix", "list"));
  ASSERT_EQ(set->refusals().size(), 1U);
  EXPECT_EQ(set->refusals()[0].path, "e.ioc");
}

}  // namespace
}  // namespace redoubt::rules
