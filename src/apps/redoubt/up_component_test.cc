// `redoubt up` and the commands against the real programs on this machine.
#include <gtest/gtest.h>

#include <unistd.h>
#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>

#include "apps/redoubt/profile.h"
#include "apps/redoubt/up_test.h"

namespace redoubt::cli {
namespace {

TEST_F(UpTest, second_run_changes_nothing_and_a_killed_node_comes_back) {
  const auto first = nlohmann::json::parse(up(), nullptr, false);
  EXPECT_FALSE(first.value("password", "").empty());
  EXPECT_NE(access((home_ + "/first-password").c_str(), F_OK), 0);
  const auto node = pid("redoubtd");
  const auto agent = pid("redoubt-agent");
  ASSERT_TRUE(node);
  EXPECT_EQ(agent.has_value(), geteuid() == 0);

  const Ended again = redoubt("up --json");
  const auto second = nlohmann::json::parse(again.out, nullptr, false);
  ASSERT_EQ(again.exit, 0) << again.error;
  EXPECT_FALSE(second.contains("password"));
  EXPECT_EQ(second["url"], first["url"]);
  EXPECT_EQ(pid("redoubtd"), node);
  EXPECT_EQ(pid("redoubt-agent"), agent);

  kill(*node, SIGKILL);
  const Ended third = redoubt("up --json");
  ASSERT_EQ(third.exit, 0) << third.error;
  EXPECT_NE(pid("redoubtd"), node);
  EXPECT_EQ(pid("redoubt-agent"), agent);
  EXPECT_EQ(nlohmann::json::parse(third.out, nullptr, false)["fingerprint"], first["fingerprint"]);

  EXPECT_EQ(redoubt("down").exit, 0);
  EXPECT_FALSE(pid("redoubtd"));
  EXPECT_FALSE(pid("redoubt-agent"));
  EXPECT_EQ(redoubt("status").exit, 1);
}

TEST_F(UpTest, commands_answer_with_their_exit_codes) {
  up();
  EXPECT_EQ(redoubt("status").exit, 0);

  const Ended typo = redoubt("hunt 'EventTyp = \"process\"'");
  EXPECT_EQ(typo.exit, 2);
  EXPECT_NE(typo.error.find("\n  ^^^^^^^^ did you mean 'EventType'"), std::string::npos) << typo.error;
  EXPECT_EQ(redoubt("hunt 'process.name = \"nosuchprogram\"'").exit, 3);
  EXPECT_EQ(redoubt("hunt '' --since yesterdayish").exit, 2);
  if (geteuid() == 0) {
    // The agent sends what it has every 100 ms.
    Ended found = redoubt("hunt 'EventType = \"process\"' --limit 1 --json");
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
         found.exit == 3 && std::chrono::steady_clock::now() < end;) {
      found = redoubt("hunt 'EventType = \"process\"' --limit 1 --json");
    }
    EXPECT_EQ(found.exit, 0) << found.error;
    EXPECT_EQ(nlohmann::json::parse(found.out, nullptr, false).value("event.type", ""), "process") << found.out;
  }

  // In two parts, so that no scanner takes this source for the test file.
  const std::string eicar =
      std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}") + "$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*";
  ASSERT_TRUE(base::write_file_atomic(scratch_ / "eicar.com", eicar, base::kPrivateFile));
  ASSERT_TRUE(base::write_file_atomic(scratch_ / "clean.txt", "hello\n", base::kPrivateFile));
  const Ended detected = redoubt("scan " + (scratch_ / "eicar.com") + " " + (scratch_ / "clean.txt"));
  EXPECT_EQ(detected.exit, 4) << detected.error;
  EXPECT_NE(detected.out.find("EICAR_Test_File"), std::string::npos) << detected.out;
  EXPECT_NE(detected.out.find("clean.txt: not detected"), std::string::npos) << detected.out;
  EXPECT_EQ(redoubt("scan " + (scratch_ / "absent")).exit, 3);

  const Ended listed = redoubt("alert list --importance high --json");
  const auto alerts = nlohmann::json::parse(listed.out, nullptr, false)["alerts"];
  ASSERT_FALSE(alerts.empty()) << listed.out;
  const std::string id = alerts[0]["id"];
  EXPECT_EQ(redoubt("alert close " + id + " --comment tested").exit, 0);
  EXPECT_NE(redoubt("alert show " + id).out.find("tested"), std::string::npos);
  EXPECT_EQ(redoubt("alert show 999999").exit, 3);
  EXPECT_NE(redoubt("token create t").out.find("rdt_"), std::string::npos);
}

TEST_F(UpTest, another_certificate_is_not_talked_to) {
  up();
  auto profile = load_profile(home_ + "/" + kProfileFile);
  ASSERT_TRUE(profile);
  profile->fingerprint[0] = profile->fingerprint[0] == '0' ? '1' : '0';
  ASSERT_TRUE(save_profile(home_ + "/" + kProfileFile, *profile));
  const Ended ended = redoubt("alert list");
  EXPECT_EQ(ended.exit, 1);
  EXPECT_NE(ended.error.find("another certificate"), std::string::npos) << ended.error;
}

}  // namespace
}  // namespace redoubt::cli
