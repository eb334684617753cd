#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/arguments.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/daemon.h"
#include "apps/redoubt/layout.h"
#include "apps/redoubt/node_options.h"
#include "apps/redoubt/output.h"
#include "apps/redoubt/profile.h"
#include "base/file.h"

namespace redoubt::cli {
namespace {

std::variant<Arguments, Exit> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "redoubt");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return parse_arguments(static_cast<int>(argv.size()), argv.data());
}

TEST(Arguments, noun_and_verb_choose_the_command) {
  const auto hunt = parse({"hunt", "UserName = \"root\"", "--since", "7d", "--limit", "5", "--json", "--home", "/h"});
  ASSERT_TRUE(std::holds_alternative<Arguments>(hunt));
  const Arguments& arguments = std::get<Arguments>(hunt);
  EXPECT_EQ(arguments.run, &run_hunt);
  EXPECT_EQ(arguments.query, "UserName = \"root\"");
  EXPECT_EQ(arguments.since, "7d");
  EXPECT_EQ(arguments.limit, 5);
  EXPECT_EQ(arguments.format, Format::json);
  EXPECT_EQ(arguments.home, "/h");
  EXPECT_EQ(std::get<Arguments>(parse({"alert", "close", "42"})).run, &run_alert_close);
  EXPECT_EQ(std::get<Arguments>(parse({"scan", "a", "b"})).files, (std::vector<std::string>{"a", "b"}));
}

TEST(Arguments, a_hunt_has_a_query_or_a_rule) {
  const auto hunt = parse({"hunt", "--rule", "r.yml", "--since", "30d"});
  ASSERT_TRUE(std::holds_alternative<Arguments>(hunt));
  EXPECT_EQ(std::get<Arguments>(hunt).run, &run_hunt);
  EXPECT_EQ(std::get<Arguments>(hunt).rule_file, "r.yml");
  EXPECT_TRUE(std::get<Arguments>(hunt).query.empty());
  EXPECT_TRUE(std::holds_alternative<Arguments>(parse({"hunt", ""})));
  EXPECT_EQ(std::get<Exit>(parse({"hunt", "x", "--rule", "r.yml"})), Exit::usage);
  EXPECT_EQ(std::get<Exit>(parse({"hunt", "--since", "7d"})), Exit::usage);
}

TEST(Arguments, hunt_is_a_command_and_a_noun) {
  const auto run_of = [](std::vector<std::string> words) { return std::get<Arguments>(parse(std::move(words))).run; };
  EXPECT_EQ(run_of({"hunt", "list"}), &run_hunt_list);
  EXPECT_EQ(run_of({"hunt", "process.name = \"list\""}), &run_hunt);
  const auto saved = std::get<Arguments>(
      parse({"hunt", "save", "user.id = 0", "--name", "root", "--every", "1h", "--importance", "high", "--json"}));
  EXPECT_EQ(saved.run, &run_hunt_save);
  EXPECT_EQ(saved.query, "user.id = 0");
  EXPECT_EQ(saved.interval, "1h");
  EXPECT_EQ(saved.format, Format::json);
  EXPECT_EQ(std::get<Exit>(parse({"hunt", "save", "user.id = 0"})), Exit::usage);
}

TEST(Arguments, rules_are_managed) {
  const auto exclude = std::get<Arguments>(parse({"rule", "exclude", "all", "user.id = 0", "--expires", "30d"}));
  EXPECT_EQ(exclude.run, &run_rule_exclude);
  EXPECT_EQ(exclude.id, "all");
  EXPECT_EQ(exclude.query, "user.id = 0");
  EXPECT_EQ(std::get<Arguments>(parse({"rule", "set", "r", "--importance", "own"})).run, &run_rule_set);
  EXPECT_EQ(std::get<Exit>(parse({"rule", "set", "r", "--importance", "odd"})), Exit::usage);
  EXPECT_EQ(std::get<Exit>(parse({"rule", "check"})), Exit::usage);
}

TEST(Arguments, help_is_good_and_mistakes_are_usage) {
  EXPECT_EQ(std::get<Exit>(parse({"--help"})), Exit::ok);
  EXPECT_EQ(std::get<Exit>(parse({"alert", "show", "--help"})), Exit::ok);
  for (const auto& words : std::vector<std::vector<std::string>>{
           {}, {"alert"}, {"hunt"}, {"hunts", "x"}, {"hunt", "x", "--limit", "0"}, {"up", "--api-port", "70000"}}) {
    EXPECT_EQ(std::get<Exit>(parse(words)), Exit::usage);
  }
}

TEST(Output, hostile_text_cannot_reach_the_terminal) {
  EXPECT_EQ(printable("a\x1b[31mb\nc\td\x7f"), "a\\x1b[31mb⏎c\\x09d\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m é"),
            "\\x9b31m é");
  EXPECT_EQ(printable("bad \xff").find('\xff'), std::string::npos);
}

TEST(Output, errors_have_their_exit_codes) {
  EXPECT_EQ(print_error({Errc::invalid_argument, "x"}), Exit::usage);
  EXPECT_EQ(print_error({Errc::not_found, "x"}), Exit::nothing);
  EXPECT_EQ(print_error({Errc::unavailable, "x\ny"}), Exit::failed);
}

TEST(Profile, is_private_and_comes_back) {
  const base::TempDir home;
  const std::string path = home / "deep/cli.json";
  ASSERT_TRUE(save_profile(path, {"https://127.0.0.1:8443", std::string(64, 'a'), "rdt_x"}));
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const auto profile = load_profile(path);
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->token, "rdt_x");
  EXPECT_EQ(load_profile(home / "absent").error().code, Errc::not_found);
  ASSERT_TRUE(base::write_file_atomic(path, "[1]", base::kPrivateFile));
  EXPECT_EQ(load_profile(path).error().code, Errc::corrupt);
  EXPECT_EQ(find_profile(home.path()), home / "cli.json");
}

TEST(Layout, knows_source_trees_and_prefixes) {
  const base::TempDir tree;
  ASSERT_TRUE(base::make_directories(tree / "proto"));
  ASSERT_TRUE(base::write_file_atomic(tree / "proto/openapi.yaml", "", base::kPublicFile));
  EXPECT_EQ(layout_of(tree / "build/dev/bin/redoubt").default_home, tree / "var");
  EXPECT_EQ(layout_of(tree / "build/dev/bin/redoubt").programs, tree / "build/dev/bin");
  EXPECT_EQ(layout_of("/opt/redoubt/bin/redoubt").default_home, "/opt/redoubt/var");
  EXPECT_EQ(layout_of("/usr/bin/redoubt").default_home, "/var/lib/redoubt");
}

TEST(NodeChoices, what_was_said_once_stays) {
  const base::TempDir home;
  EXPECT_EQ(choose({}, home.path())->api_port, 8443);
  Arguments said;
  said.api_port = 9443;
  said.listen = "0.0.0.0";
  ASSERT_TRUE(choose(said, home.path()));
  const auto again = choose({}, home.path());
  EXPECT_EQ(again->api_port, 9443);
  EXPECT_EQ(again->listen, "0.0.0.0");
  EXPECT_EQ(again->link_port, 8444);
  ASSERT_TRUE(base::write_file_atomic(home / "up.json", "nonsense", base::kPrivateFile));
  EXPECT_EQ(choose({}, home.path()).error().code, Errc::corrupt);
}

TEST(NodeChoices, addresses_of_both_families) {
  EXPECT_EQ(with_port("127.0.0.1", 1), "127.0.0.1:1");
  EXPECT_EQ(with_port("::1", 1), "[::1]:1");
  EXPECT_EQ(reachable("0.0.0.0"), "127.0.0.1");
  EXPECT_EQ(reachable("192.0.2.1"), "192.0.2.1");
}

class DaemonTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::make_directories(home_ / "run"));
    ASSERT_TRUE(base::make_directories(home_ / "log"));
  }
  void TearDown() override { ASSERT_TRUE(stop(daemon_)); }
  base::TempDir home_;
  Daemon daemon_{"sleeper", home_.path()};
};

TEST_F(DaemonTest, starts_runs_and_stops) {
  EXPECT_FALSE(running(daemon_));
  const auto pid = start(daemon_, {"/bin/sleep", "100"});
  ASSERT_TRUE(pid) << pid.error().message;
  EXPECT_EQ(running(daemon_), *pid);
  EXPECT_EQ(getsid(*pid), *pid);
  EXPECT_EQ(*stop(daemon_), Stopped::at_request);
  EXPECT_FALSE(running(daemon_));
  EXPECT_NE(access(daemon_.pid_path().c_str(), F_OK), 0);
  EXPECT_EQ(*stop(daemon_), Stopped::was_not_running);
}

TEST_F(DaemonTest, number_of_another_process_is_not_taken_for_ours) {
  ASSERT_TRUE(start(daemon_, {"/bin/sleep", "100"}));
  const std::string ours = *base::read_file(daemon_.pid_path(), 100);
  // This process under the pid file's start time: a number that was used again.
  const std::string stale = std::to_string(getpid()) + ours.substr(ours.find(' '));
  ASSERT_TRUE(base::write_file_atomic(daemon_.pid_path(), stale, base::kPublicFile));
  EXPECT_FALSE(running(daemon_));
  ASSERT_TRUE(base::write_file_atomic(daemon_.pid_path(), ours, base::kPublicFile));
  EXPECT_TRUE(running(daemon_));
  ASSERT_TRUE(base::write_file_atomic(daemon_.pid_path() + "2", "garbage", base::kPublicFile));
  EXPECT_FALSE(running({"sleeper.pid2", home_.path()}));
}

TEST_F(DaemonTest, program_that_cannot_be_executed_is_named) {
  const auto pid = start(daemon_, {"/nonexistent/redoubtd"});
  ASSERT_FALSE(pid);
  EXPECT_EQ(pid.error().message, "start /nonexistent/redoubtd: No such file or directory");
}

TEST_F(DaemonTest, end_of_the_log_is_kept) {
  ASSERT_TRUE(start(daemon_, {"/bin/sh", "-c", "echo one; echo two; echo three >&2; exec sleep 100"}));
  for (int i = 0; i < 500 && last_lines(daemon_, 9).find("three") == std::string::npos; ++i) usleep(10'000);
  EXPECT_EQ(last_lines(daemon_, 2), "two\nthree\n");
  EXPECT_EQ(last_lines(daemon_, 9), "one\ntwo\nthree\n");
}

TEST(RunToEnd, gives_output_or_the_reason) {
  EXPECT_EQ(*run_to_end({"/bin/echo", "hello"}), "hello\n");
  const auto failed = run_to_end({"/bin/sh", "-c", "echo why >&2; exit 3"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "/bin/sh: why");
  EXPECT_FALSE(run_to_end({"/nonexistent"}));
}

TEST(ApiClient, no_node_and_bad_addresses_are_errors) {
  EXPECT_EQ(send_call({"http://127.0.0.1:1", "", ""}, {}).error().code, Errc::invalid_argument);
  EXPECT_EQ(send_call({"https://127.0.0.1:port", "", ""}, {}).error().code, Errc::invalid_argument);
  EXPECT_EQ(send_call({"https://127.0.0.1:1", "", ""}, {}).error().code, Errc::unavailable);
  EXPECT_EQ(percent_encode("a b/ö&="), "a%20b%2F%C3%B6%26%3D");
}

}  // namespace
}  // namespace redoubt::cli
