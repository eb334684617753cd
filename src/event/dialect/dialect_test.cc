#include "event/dialect/dialect.h"

#include <gtest/gtest.h>

namespace redoubt::event::dialect {
namespace {

Batch read(std::string_view record, NamedLog log = {}) {
  Reader reader(std::move(log));
  BatchBuilder builder;
  const Status added = reader.add(record, builder);
  EXPECT_TRUE(added) << added.error().message;
  return builder.take();
}

TEST(Dialect, reads_flat_sysmon_with_text_and_numbers) {
  const Batch batch = read(R"({"EventID":"1","Channel":"microsoft-windows-sysmon/operational","Hostname":"ws1",
    "UtcTime":"2020-09-22 08:38:02.639","Image":"C:\\Windows\\System32\\cmd.exe","ProcessId":"42","ProcessID":7,
    "Hashes":"SHA1=AB,MD5=CD","CommandLine":"cmd /c whoami","OriginalFileName":"Cmd.Exe","tags":["a","b"],"Nothing":null})");
  const Row row = batch.row(0);
  EXPECT_EQ(row.type(), EventType::process);
  EXPECT_EQ(row.text(Field::event_action), "exec");
  EXPECT_EQ(row.text(Field::process_executable), "C:\\Windows\\System32\\cmd.exe");
  EXPECT_EQ(row.text(Field::process_name), "cmd.exe");
  EXPECT_EQ(row.integer(Field::process_pid), 42);
  EXPECT_EQ(row.integer(Field::event_code), 1);
  EXPECT_EQ(row.integer(Field::event_time), 1'600'763'882'639'000);
  EXPECT_EQ(row.text(Field::process_hash_sha1), "ab");
  EXPECT_EQ(row.text(Field::process_hash_md5), "cd");
  EXPECT_EQ(row.text(Field::host_name), "ws1");
  EXPECT_EQ(row.text(Field::host_os_family), "windows");
  EXPECT_EQ(row.attribute("ProcessID").text(), "7");
  EXPECT_EQ(row.attribute("tags").text(), "a\nb");
  EXPECT_FALSE(row.attribute("Nothing").present());
}

TEST(Dialect, reads_nested_records_and_winlogbeat_alike) {
  for (
      const char* text :
      {R"({"Event":{"System":{"EventID":3,"Channel":"Microsoft-Windows-Sysmon/Operational","Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},
           "TimeCreated":{"#attributes":{"SystemTime":"2025-12-11T06:17:19.772545Z"}}},
           "EventData":{"Image":"C:\\a.exe","Initiated":"true","DestinationIp":"fe80:0:0:0:0:0:0:1","DestinationPort":443}}})",
       R"({"winlog":{"event_id":3,"channel":"Microsoft-Windows-Sysmon/Operational","provider_name":"Microsoft-Windows-Sysmon",
           "event_data":{"Image":"C:\\a.exe","Initiated":"true","DestinationIp":"fe80::1","DestinationPort":"443"}},"@timestamp":"2025-12-11T06:17:19.772545Z"})"}) {
    const Batch batch = read(text);
    const Row row = batch.row(0);
    EXPECT_EQ(row.type(), EventType::connection);
    EXPECT_EQ(row.text(Field::destination_ip), "fe80::1");
    EXPECT_EQ(row.integer(Field::destination_port), 443);
    EXPECT_EQ(row.text(Field::network_direction), "outbound");
    EXPECT_EQ(row.text(Field::event_provider), "Microsoft-Windows-Sysmon");
    EXPECT_EQ(row.integer(Field::event_time), 1'765'433'839'772'545);
  }
}

TEST(Dialect, keeps_what_is_no_value_of_its_field_as_an_attribute) {
  const Batch batch = read(R"({"EventID":3,"Channel":"Microsoft-Windows-Sysmon/Operational","DestinationIp":"-"})");
  EXPECT_FALSE(batch.row(0).get(Field::destination_ip).present());
  EXPECT_EQ(batch.row(0).attribute("DestinationIp").text(), "-");
}

TEST(Dialect, takes_process_starts_of_the_security_log_for_what_they_are) {
  const Batch batch = read(
      R"({"EventID":4688,"Channel":"Security","NewProcessName":"C:\\x.exe","ParentProcessName":"C:\\y.exe","ProcessId":"0x1f","SubjectUserName":"u"})");
  const Row row = batch.row(0);
  EXPECT_EQ(row.type(), EventType::process);
  EXPECT_EQ(row.text(Field::process_executable), "C:\\x.exe");
  EXPECT_EQ(row.text(Field::process_parent_name), "y.exe");
  EXPECT_EQ(row.text(Field::user_name), "u");
  EXPECT_EQ(row.attribute("NewProcessName").text(), "C:\\x.exe");
  EXPECT_EQ(row.attribute("ProcessId").text(), "0x1f");
}

TEST(Dialect, reads_ecs_and_falco_and_our_own) {
  const Batch ecs = read(
      R"({"@timestamp":"2026-01-01T00:00:00Z","event":{"category":["process"],"type":["start"]},"process":{"executable":"/bin/sh","args":["sh","-c"]},"host.os.type":"linux"})");
  EXPECT_EQ(ecs.row(0).type(), EventType::process);
  EXPECT_EQ(ecs.row(0).text(Field::process_executable), "/bin/sh");
  EXPECT_EQ(ecs.row(0).attribute("process.args").text(), "sh\n-c");
  const Batch falco = read(
      R"({"rule":"r","priority":"Notice","time":"2026-01-01T00:00:00.5Z","hostname":"h","output_fields":{"evt.type":"execve","proc.name":"sh","proc.exepath":"/bin/sh","proc.nchilds":1}})");
  EXPECT_EQ(falco.row(0).type(), EventType::process);
  EXPECT_EQ(falco.row(0).text(Field::process_executable), "/bin/sh");
  EXPECT_EQ(falco.row(0).attribute("proc.nchilds").text(), "1");
  const Batch own = read(
      R"({"@timestamp":"2026-01-01T00:00:00Z","event.type":"filechange","file.path":"/etc/x","attributes.Note":"n"})");
  EXPECT_EQ(own.row(0).text(Field::file_path), "/etc/x");
  EXPECT_EQ(own.row(0).attribute("Note").text(), "n");
}

TEST(Dialect, takes_other_records_under_the_name_of_their_log_only) {
  constexpr char kRecord[] = R"({"eventName":"ConsoleLogin","requestParameters":{"a":{"b":1}}})";
  Reader reader;
  BatchBuilder builder;
  EXPECT_FALSE(reader.add(kRecord, builder));
  const Batch batch = read(kRecord, {.product = "aws", .service = "cloudtrail"});
  EXPECT_EQ(batch.row(0).text(Field::log_service), "cloudtrail");
  EXPECT_EQ(batch.row(0).attribute("requestParameters.a.b").text(), "1");
}

TEST(Dialect, refuses_what_is_no_record_and_what_is_past_the_limits) {
  Reader reader({.product = "x"});
  BatchBuilder builder;
  for (const char* text : {"", "[]", "{", "\"a\"", "{\"a\":\"\xff\"}"}) EXPECT_FALSE(reader.add(text, builder)) << text;
  std::string deep = "1";
  for (size_t i = 0; i <= kRecordDepthMax; ++i) deep = "{\"a\":" + deep + "}";
  EXPECT_FALSE(reader.add(deep, builder));
  std::string wide = "{";
  for (size_t i = 0; i <= kRecordMembersMax; ++i) wide += "\"k" + std::to_string(i) + "\":1,";
  wide.back() = '}';
  EXPECT_FALSE(reader.add(wide, builder));
  EXPECT_EQ(builder.size(), 0U);
}

}  // namespace
}  // namespace redoubt::event::dialect
