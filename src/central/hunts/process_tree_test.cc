// Trees over the embedded store.
#include "central/hunts/process_tree.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "central/test_events.h"

namespace redoubt::central {
namespace {

using testing::entity;
using testing::process_event;

class ProcessTreeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = store::open_embedded_store({.directory = directory_.path()});
    ASSERT_TRUE(store) << store.error().message;
    store_ = *std::move(store);
  }

  void exec(int process, int parent, const std::string& path) {
    events_.push_back(process_event(events_.size() + 1, process, parent, path));
  }
  v1::Event& last() { return events_.back(); }
  void end(int process, int parent, int exit_code) {
    exec(process, parent, "/bin/ended");
    last().set_event_type(v1::EVENT_TYPE_PROCESS_TERMINATE);
    last().set_process_exit_code(exit_code);
    last().set_process_end(last().event_time());
  }

  Result<ProcessTree> tree(int focus, uint32_t depth = 3, const std::string& host = "host") {
    if (!stored_) {
      const event::Frame frame = testing::frame_of(events_);
      const auto appended = store_->append("host", frame, testing::batch_of(frame));
      EXPECT_TRUE(appended) << appended.error().message;
      stored_ = true;
    }
    return build_process_tree(*store_, {.entity_id = entity(focus), .host_id = host, .depth = depth});
  }
  static std::vector<int> ids(const Result<ProcessTree>& tree) {
    std::vector<int> ids;
    for (const ProcessNode& node : tree->nodes) ids.push_back(std::stoi(node.entity_id));
    return ids;
  }

  base::TempDir directory_;
  std::unique_ptr<store::EventStore> store_;
  std::vector<v1::Event> events_;
  bool stored_ = false;
};

TEST_F(ProcessTreeTest, ancestors_and_descendants_but_no_siblings) {
  exec(1, 0, "/sbin/init");
  exec(2, 1, "/usr/sbin/sshd");
  exec(3, 2, "/bin/bash");
  exec(4, 3, "/usr/bin/curl");
  exec(5, 3, "/bin/sh");
  exec(6, 2, "/bin/zsh");
  const auto found = tree(3);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(ids(found), (std::vector{1, 2, 3, 4, 5}));
  EXPECT_FALSE(found->truncated);
  EXPECT_EQ(found->focus, entity(3));
  EXPECT_EQ(found->nodes[2].parent_entity_id, entity(2));
}

TEST_F(ProcessTreeTest, several_programs_of_one_process_are_images) {
  exec(1, 0, "/bin/bash");
  exec(2, 1, "/usr/bin/env");
  exec(2, 1, "/usr/bin/python3");
  const auto found = tree(1);
  ASSERT_EQ(ids(found), (std::vector{1, 2}));
  const ProcessNode& node = found->nodes[1];
  ASSERT_EQ(node.images.size(), 2u);
  EXPECT_EQ(node.images[0].executable, "/usr/bin/env");
  EXPECT_EQ(node.images[1].executable, "/usr/bin/python3");
  EXPECT_EQ(node.name, "python3");
}

TEST_F(ProcessTreeTest, shows_ends) {
  exec(1, 0, "/bin/bash");
  exec(2, 1, "/bin/false");
  end(2, 1, 1);
  const auto found = tree(2);
  ASSERT_EQ(ids(found), (std::vector{1, 2}));
  EXPECT_EQ(found->nodes[1].exit_code, 1);
  EXPECT_GT(found->nodes[1].end.us, 0);
  EXPECT_EQ(found->nodes[1].images.size(), 1u);
  EXPECT_EQ(found->nodes[0].end.us, 0);
}

TEST_F(ProcessTreeTest, a_parent_without_events_is_what_its_child_says) {
  exec(5, 4, "/bin/bash");
  const auto found = tree(5);
  ASSERT_EQ(ids(found), (std::vector{4, 5}));
  EXPECT_EQ(found->nodes[0].images[0].executable, "/parent/4");
  EXPECT_EQ(found->nodes[0].pid, 4);
  EXPECT_EQ(found->nodes[0].parent_entity_id, "");
}

TEST_F(ProcessTreeTest, a_process_that_only_forked_links_its_children) {
  exec(1, 0, "/bin/bash");
  exec(3, 2, "/usr/bin/curl");
  end(2, 1, 0);
  const auto found = tree(1);
  EXPECT_EQ(ids(found), (std::vector{1, 2, 3}));
}

TEST_F(ProcessTreeTest, cycles_end) {
  exec(1, 3, "/a");
  exec(2, 1, "/b");
  exec(3, 2, "/c");
  exec(4, 4, "/self");
  EXPECT_EQ(ids(tree(2)).size(), 3u);
  EXPECT_EQ(ids(tree(4)), (std::vector{4}));
}

TEST_F(ProcessTreeTest, depth_is_limited_and_says_so) {
  for (int i = 1; i <= 6; ++i) exec(i, i - 1, "/bin/p" + std::to_string(i));
  const auto found = tree(1, 2);
  EXPECT_EQ(ids(found), (std::vector{1, 2, 3}));
  EXPECT_TRUE(found->nodes[2].children_more);
  EXPECT_TRUE(found->truncated);
  EXPECT_FALSE(found->nodes[1].children_more);
}

TEST_F(ProcessTreeTest, a_flood_of_children_is_cut) {
  exec(1, 0, "/bin/bash");
  for (int i = 0; i < static_cast<int>(kTreeNodesMax) + 100; ++i) exec(100 + i, 1, "/bin/true");
  const auto found = tree(1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->nodes.size(), kTreeNodesMax);
  EXPECT_TRUE(found->truncated);
  EXPECT_TRUE(found->nodes[0].children_more);
}

TEST_F(ProcessTreeTest, unknown_processes_are_not_found) {
  exec(1, 0, "/bin/bash");
  EXPECT_EQ(tree(77).error().code, Errc::not_found);
  EXPECT_EQ(tree(1, 3, "another host").error().code, Errc::not_found);
  EXPECT_TRUE(tree(1, 3, ""));
}

}  // namespace
}  // namespace redoubt::central
