#include "central/objects/object_queue.h"

#include <gtest/gtest.h>
#include <thread>

namespace redoubt::central {
namespace {

using Rows = std::vector<long long>;

WaitingObject waiting(long long row, const std::string& content, Priority priority = Priority::normal) {
  return {row, {content, "name"}, priority};
}

class ObjectQueueTest : public testing::Test {
 protected:
  void push(const WaitingObject& object, const std::string& source = "a") {
    ASSERT_TRUE(queue_.hold(source));
    queue_.push(source, object);
  }
  ObjectQueue queue_{{.objects_max = 4, .of_one_source_max = 3}};
};

TEST_F(ObjectQueueTest, the_urgent_goes_first_and_each_kind_in_its_order) {
  push(waiting(1, "one"));
  push(waiting(2, "two"));
  push(waiting(3, "three", Priority::urgent));
  queue_.push_rescan({"four", "name"});
  EXPECT_EQ(queue_.take()->rows, Rows{3});
  EXPECT_EQ(queue_.take()->rows, Rows{1});
  EXPECT_EQ(queue_.take()->rows, Rows{2});
  EXPECT_EQ(queue_.take()->content.sha256, "four");
}

TEST_F(ObjectQueueTest, equal_contents_are_one_job) {
  push(waiting(1, "same"));
  push(waiting(2, "same"));
  auto job = queue_.take();
  EXPECT_EQ(job->rows, (Rows{1, 2}));
  push(waiting(3, "same"));
  EXPECT_EQ(queue_.size(), 3U);
  job->rows = queue_.finish(*job);
  EXPECT_EQ(job->rows, Rows{3});
  EXPECT_EQ(queue_.finish(*job), Rows{});
  EXPECT_EQ(queue_.size(), 0U);
  push(waiting(4, "same"));
  EXPECT_EQ(queue_.take()->rows, Rows{4});
}

TEST_F(ObjectQueueTest, a_hurry_moves_the_others_of_its_content_up) {
  push(waiting(1, "first"));
  push(waiting(2, "same"));
  push(waiting(3, "same", Priority::urgent));
  EXPECT_EQ(queue_.take()->rows, (Rows{2, 3}));
  EXPECT_EQ(queue_.take()->rows, Rows{1});
  queue_.stop();
  EXPECT_FALSE(queue_.take());
}

TEST_F(ObjectQueueTest, a_rescan_becomes_a_job_of_who_hands_the_content_in) {
  queue_.push_rescan({"same", "name"});
  queue_.push_rescan({"same", "name"});
  EXPECT_EQ(queue_.rescans(), 1U);
  push(waiting(1, "same"));
  EXPECT_EQ(queue_.rescans(), 0U);
  const auto job = queue_.take();
  EXPECT_EQ(job->rows, Rows{1});
  EXPECT_EQ(queue_.finish(*job), Rows{});
  queue_.stop();
  EXPECT_FALSE(queue_.take());
}

TEST_F(ObjectQueueTest, a_source_has_its_share_and_all_have_the_rest) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue_.hold("greedy"));
  EXPECT_EQ(queue_.hold("greedy").error().code, Errc::exhausted);
  ASSERT_TRUE(queue_.hold("other"));
  EXPECT_EQ(queue_.hold("third").error().code, Errc::exhausted);
  queue_.release("greedy");
  EXPECT_TRUE(queue_.hold("greedy"));
}

TEST_F(ObjectQueueTest, a_place_is_free_when_the_object_is_judged) {
  for (int i = 0; i < 3; ++i) push(waiting(i + 1, "same"));
  const auto job = queue_.take();
  EXPECT_FALSE(queue_.hold("a"));
  EXPECT_EQ(queue_.finish(*job), Rows{});
  EXPECT_TRUE(queue_.hold("a"));
}

TEST_F(ObjectQueueTest, what_could_not_be_kept_comes_again_with_who_came_meanwhile) {
  push(waiting(1, "same"));
  const auto job = queue_.take();
  push(waiting(2, "same"));
  queue_.retry(*job);
  EXPECT_EQ(queue_.take()->rows, (Rows{1, 2}));
}

TEST_F(ObjectQueueTest, a_wait_ends_with_the_judgement) {
  push(waiting(1, "same"));
  const auto job = queue_.take();
  std::thread waiter([&] { queue_.wait_until_judged(1, 60'000); });
  EXPECT_EQ(queue_.finish(*job), Rows{});
  waiter.join();
}

}  // namespace
}  // namespace redoubt::central
