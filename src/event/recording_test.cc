#include "event/recording.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "event/frame.h"
#include "redoubt/event.pb.h"

namespace redoubt::event {
namespace {

class RecordingTest : public ::testing::Test {
 protected:
  Recording open(std::string_view content) {
    EXPECT_TRUE(base::write_file_atomic(directory_ / "r", content, base::kPublicFile));
    return Recording::open(directory_ / "r", {.product = "test"}).value();
  }
  std::vector<std::string> values(Recording& recording) {
    std::vector<std::string> found;
    for (;;) {
      const auto batch = recording.next().value();
      if (!batch) return found;
      for (size_t i = 0; i < batch->size(); ++i) found.emplace_back(batch->row(i).attribute("a").text());
    }
  }
  base::TempDir directory_;
};

TEST_F(RecordingTest, reads_lines_objects_over_several_lines_and_arrays) {
  Recording recording =
      open("{\"a\":1}\n\n{\n \"a\": \"}\\\"{\",\n \"b\": {}\n}\r\n[{\"a\":3},\n{\"a\":[4]}\n]\n{\"a\":5}");
  EXPECT_EQ(values(recording), (std::vector<std::string>{"1", "}\"{", "3", "4", "5"}));
  EXPECT_EQ(recording.troubles().records, 0u);
}

TEST_F(RecordingTest, numbers_the_records_and_goes_on_behind_a_bad_one) {
  Recording recording = open("{\"a\":1}\nnonsense\n{\"a\":}\n{\"a\":2}\n");
  const auto batch = recording.next().value();
  ASSERT_EQ(batch->size(), 2u);
  EXPECT_LT(batch->row(0).integer(Field::event_sequence), batch->row(1).integer(Field::event_sequence));
  EXPECT_EQ(batch->row(1).attribute("a").text(), "2");
  ASSERT_EQ(recording.troubles().records, 2u);
  EXPECT_NE(recording.troubles().first[0].find(":2: record is no JSON"), std::string::npos);
  EXPECT_FALSE(recording.next().value().has_value());
}

TEST_F(RecordingTest, reads_frames_of_our_own_spool) {
  v1::Event event;
  event.set_event_type(v1::EVENT_TYPE_PROCESS);
  event.set_event_sequence(7);
  event.set_event_time(1);
  FrameBuilder builder{v1::Event()};
  builder.add(event);
  const std::string record = encode_record(builder.finish("boot"));
  Recording recording = open(record + record);
  EXPECT_EQ(recording.next().value()->row(0).integer(Field::event_sequence), 7);
  EXPECT_TRUE(recording.next().value().has_value());
  EXPECT_FALSE(recording.next().value().has_value());
}

TEST_F(RecordingTest, a_line_without_end_is_an_error) {
  Recording recording = open(std::string(dialect::kRecordBytesMax * 2, 'x'));
  EXPECT_FALSE(recording.next());
}

TEST_F(RecordingTest, many_records_come_in_batches) {
  std::string text;
  for (size_t i = 0; i < kBatchEventsMax + 1; ++i) text += "{\"a\":1}\n";
  Recording recording = open(text);
  EXPECT_EQ(recording.next().value()->size(), kBatchEventsMax);
  EXPECT_EQ(recording.next().value()->size(), 1u);
  EXPECT_FALSE(recording.next().value().has_value());
}

}  // namespace
}  // namespace redoubt::event
