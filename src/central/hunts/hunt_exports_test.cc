// Files of hunts over the embedded store: their limits, and what stays behind.
#include "central/hunts/hunt_exports.h"

#include <gtest/gtest.h>
#include <filesystem>

#include "base/file.h"
#include "central/test_events.h"

namespace redoubt::central {
namespace {

class HuntExportsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = store::open_embedded_store({.directory = directory_.path(), .free_bytes_min = 0});
    ASSERT_TRUE(store) << store.error().message;
    store_ = *std::move(store);
    std::vector<v1::Event> events;
    for (int i = 1; i <= 100; ++i) {
      events.push_back(testing::process_event(static_cast<uint64_t>(i), i, 0, "/usr/bin/id"));
    }
    const event::Frame frame = testing::frame_of(events);
    ASSERT_TRUE(store_->append("host", frame, testing::batch_of(frame)));
  }
  // The error's kind; none where there is a file.
  static std::optional<Errc> error_of(const HuntOutcome<std::shared_ptr<const store::Exported>>& outcome) {
    if (outcome) return std::nullopt;
    const auto* error = std::get_if<Error>(&outcome.error());
    EXPECT_NE(error, nullptr);
    return error != nullptr ? std::optional(error->code) : std::nullopt;
  }
  bool is_left_behind() const { return !std::filesystem::is_empty(directory_ / "tmp"); }
  int64_t abandoned() { return metrics_.counter("redoubt_hunt_exports_abandoned_total", "").value(); }

  base::TempDir directory_;
  base::Metrics metrics_;
  std::unique_ptr<store::EventStore> store_;
};

TEST_F(HuntExportsTest, a_file_has_no_name) {
  HuntExports exports(*store_, metrics_, {});
  const auto file = exports.run("", store::ExportFormat::csv, nullptr);
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->rows, 100U);
  EXPECT_FALSE(is_left_behind());
}

TEST_F(HuntExportsTest, a_file_that_would_be_too_large_is_none) {
  HuntExports exports(*store_, metrics_, {.file_bytes_max = 200});
  for (const auto format : {store::ExportFormat::csv, store::ExportFormat::json_lines, store::ExportFormat::parquet}) {
    EXPECT_EQ(error_of(exports.run("", format, nullptr)), Errc::too_large);
  }
  EXPECT_FALSE(error_of(exports.run("| fields process.pid | limit 10", store::ExportFormat::csv, nullptr)));
  EXPECT_FALSE(is_left_behind());
}

TEST_F(HuntExportsTest, one_that_takes_too_long_is_none) {
  HuntExports exports(*store_, metrics_, {.time_ms_max = 0});
  EXPECT_EQ(error_of(exports.run("", store::ExportFormat::csv, nullptr)), Errc::timeout);
  EXPECT_FALSE(is_left_behind());
  EXPECT_EQ(abandoned(), 0);
}

TEST_F(HuntExportsTest, one_for_which_nobody_waits_ends) {
  HuntExports exports(*store_, metrics_, {});
  EXPECT_EQ(error_of(exports.run("", store::ExportFormat::csv, [] { return true; })), Errc::timeout);
  EXPECT_FALSE(is_left_behind());
  EXPECT_EQ(abandoned(), 1);
  exports.stop();
  EXPECT_EQ(error_of(exports.run("", store::ExportFormat::csv, nullptr)), Errc::timeout);
}

TEST_F(HuntExportsTest, files_that_are_held_count) {
  HuntExports exports(*store_, metrics_, {.at_once_max = 1});
  auto first = exports.run("", store::ExportFormat::csv, nullptr);
  ASSERT_TRUE(first);
  EXPECT_EQ(error_of(exports.run("", store::ExportFormat::csv, nullptr)), Errc::exhausted);
  *first = nullptr;
  EXPECT_TRUE(exports.run("", store::ExportFormat::csv, nullptr));
}

TEST_F(HuntExportsTest, a_mistake_in_the_query_is_told) {
  HuntExports exports(*store_, metrics_, {});
  const auto wrong = exports.run("process.nam = 1", store::ExportFormat::csv, nullptr);
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(std::holds_alternative<query::Diagnostic>(wrong.error()));
}

}  // namespace
}  // namespace redoubt::central
