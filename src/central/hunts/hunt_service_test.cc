#include "central/hunts/hunt_service.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "central/test_events.h"

namespace redoubt::central {
namespace {

TEST(HuntService, gives_up_what_nobody_waits_for) {
  const base::TempDir directory;
  const auto store = store::open_embedded_store({.directory = directory.path()}).value();
  const event::Frame frame = testing::frame_of({testing::process_event(1, 1, 0, "/usr/bin/curl")});
  ASSERT_TRUE(store->append("host", frame, testing::batch_of(frame)));
  base::Metrics metrics;
  HuntService hunts(*store, metrics);
  const auto gone = [] { return true; };
  // More than may run at once: each gives its place back.
  for (int i = 0; i < 2 * kHuntsAtOnceMax; ++i) {
    for (const char* text : {"user.name = \"root\"", "process.executable = \"/usr/bin/curl\""}) {
      const auto answer = hunts.run(text, {}, gone);
      ASSERT_TRUE(answer);
      EXPECT_TRUE(answer->result.partial) << text;
      EXPECT_EQ(answer->result.partial_why, "cancelled");
      EXPECT_TRUE(answer->result.rows.empty());
    }
    ASSERT_TRUE(hunts.histogram("user.name = \"root\"", 10, gone));
    const auto values = hunts.values({.field = "process.name"}, gone);
    ASSERT_TRUE(values);
    EXPECT_TRUE(values->partial);
  }
  const auto answer = hunts.run("process.executable = \"/usr/bin/curl\"", {});
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->result.partial);
  EXPECT_EQ(answer->result.rows.size(), 1U);
}

}  // namespace
}  // namespace redoubt::central
