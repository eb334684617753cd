#include "gateway/scan_desk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <future>

#include "base/file.h"
#include "gateway/test_scanner.h"

namespace redoubt::gateway {
namespace {

class Desk : public testing::Test {
 protected:
  Desk() { desk_.start(); }
  ~Desk() override { end(); }
  void end() {
    stop_.stop();
    desk_.join();
  }
  std::future<Judgement> judge(const std::string& content) {
    return std::async(std::launch::async, [this, content] {
      const std::string path = dir_ / content;
      EXPECT_TRUE(base::write_file_atomic(path, content, base::kPrivateFile));
      const base::UniqueFd fd(open(path.c_str(), O_RDONLY));
      return desk_.judge(fd.get(), content.size());
    });
  }
  Judgement::Kind kind_of(const std::string& content) { return judge(content).get().kind; }

  const base::TempDir dir_;
  TestScanner scanner_;
  StopFlag stop_;
  ScanDesk desk_{scanner_,
                 stop_,
                 {.id_prefix = "mine-",
                  .poll_ms_first = 1,
                  .poll_ms_max = 20,
                  .verdict_ms_max = 400,
                  .retry_ms_first = 1,
                  .retry_ms_max = 10}};
};

TEST_F(Desk, gives_the_verdict_of_each_object_and_has_it_forgotten) {
  auto clean = judge("text");
  auto bad = judge("EICAR");
  auto broken = judge("BROKEN");
  auto slow = judge("SLOW");
  EXPECT_EQ(clean.get().kind, Judgement::Kind::not_detected);
  EXPECT_EQ(bad.get().kind, Judgement::Kind::detect);
  EXPECT_EQ(broken.get().kind, Judgement::Kind::error);
  EXPECT_EQ(slow.get().kind, Judgement::Kind::timeout);
  EXPECT_EQ(scanner_.scans(), 0U);
}

TEST_F(Desk, waits_for_a_node_that_is_away_busy_or_has_not_approved) {
  for (const Answer answer : {Answer::away, Answer::not_approved, Answer::busy}) {
    scanner_.answer(answer);
    auto verdict = judge("text");
    EXPECT_EQ(verdict.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    scanner_.answer(Answer::taken);
    EXPECT_EQ(verdict.get().kind, Judgement::Kind::not_detected);
  }
}

TEST_F(Desk, says_what_is_too_large_refused_or_changed) {
  scanner_.answer(Answer::too_large);
  EXPECT_EQ(kind_of("text"), Judgement::Kind::too_large);
  scanner_.answer(Answer::refused);
  EXPECT_EQ(kind_of("text"), Judgement::Kind::error);
  scanner_.answer(Answer::changed);
  EXPECT_EQ(kind_of("text"), Judgement::Kind::changed);
}

TEST_F(Desk, hands_in_again_what_the_node_has_lost) {
  auto verdict = judge("ENDLESS");
  ASSERT_TRUE(eventually([&] { return scanner_.submissions() > 0; }));
  scanner_.lose_all();
  ASSERT_TRUE(eventually([&] { return scanner_.submissions() > 1; }));
  EXPECT_EQ(verdict.get().kind, Judgement::Kind::timeout);  // it is processed for longer than one waits
}

TEST_F(Desk, has_results_of_a_run_before_forgotten_and_no_others) {
  scanner_.put("mine-1", ScanState::detect);
  scanner_.put("theirs-1", ScanState::detect);
  EXPECT_EQ(kind_of("text"), Judgement::Kind::not_detected);
  EXPECT_EQ(kind_of("text2"), Judgement::Kind::not_detected);
  EXPECT_EQ(scanner_.scans(), 1U);
}

TEST_F(Desk, ends_while_something_waits) {
  auto waiting = judge("ENDLESS");
  ASSERT_TRUE(eventually([&] { return scanner_.submissions() > 0; }));
  scanner_.answer(Answer::away);
  auto trying = judge("text");
  end();
  EXPECT_EQ(waiting.get().kind, Judgement::Kind::stopped);
  EXPECT_EQ(trying.get().kind, Judgement::Kind::stopped);
}

}  // namespace
}  // namespace redoubt::gateway
