#include "gateway/scan_answers.h"

#include <gtest/gtest.h>

namespace redoubt::gateway {
namespace {

TEST(ScanAnswers, reads_both_shapes_and_nothing) {
  for (const char* text : {R"([{"scanId":"a","state":"not detected"},{"scanId":"b","state":"detect"}])",
                           R"({"scans":[{"scanId":"a","state":["not detected"]},{"scanId":"b","state":"detect"}]})"}) {
    const auto results = parse_states(text);
    ASSERT_TRUE(results) << results.error().message;
    ASSERT_EQ(results->size(), 2U);
    EXPECT_EQ(results->at(0).state, ScanState::not_detected);
    EXPECT_EQ(results->at(1).state, ScanState::detect);
  }
  EXPECT_TRUE(parse_states("")->empty());
  EXPECT_TRUE(parse_states("[]")->empty());
}

TEST(ScanAnswers, take_what_they_do_not_know_for_an_error) {
  for (const char* state : {R"("clean")", R"("Not Detected")", "1", "null", "[]", R"(["not detected",1])", "{}"}) {
    const auto results = parse_states(R"([{"scanId":"a","state":)" + std::string(state) + "}]");
    ASSERT_TRUE(results);
    EXPECT_EQ(results->at(0).state, ScanState::error) << state;
  }
  EXPECT_EQ(parse_states(R"([{"scanId":"a"}])")->at(0).state, ScanState::error);
}

TEST(ScanAnswers, of_two_states_of_a_scan_take_the_gravest) {
  const auto results = parse_states(
      R"([{"scanId":"a","state":"detect"},{"scanId":"a","state":"not detected"},{"scanId":"b","state":"not detected"},
          {"scanId":"b","state":"processing"}])");
  ASSERT_EQ(results->size(), 2U);
  EXPECT_EQ(results->at(0).state, ScanState::detect);
  EXPECT_EQ(results->at(1).state, ScanState::processing);
}

TEST(ScanAnswers, refuse_what_is_no_answer) {
  for (const char* text : {"{}", "nonsense", "[1]", R"([{"state":"detect"}])", R"([{"scanId":1,"state":"detect"}])",
                           R"({"scans":{}})", "\"text\""}) {
    EXPECT_FALSE(parse_states(text)) << text;
  }
  EXPECT_EQ(parse_states(std::string(kAnswerBytesMax + 1, ' ')).error().code, Errc::too_large);
  std::string many = "[";
  for (size_t i = 0; i <= kScansMax; ++i) many += "0,";
  many.back() = ']';
  EXPECT_EQ(parse_states(many).error().code, Errc::too_large);
  EXPECT_FALSE(parse_states(std::string(100'000, '[')));
}

TEST(ScanAnswers, read_filters) {
  EXPECT_EQ(parse_filters(R"({"maxObjectSize":104857600,"version":"1"})")->object_bytes_max, 104'857'600U);
  EXPECT_EQ(parse_filters(R"({"maxObjectSize":-1})")->object_bytes_max, 0U);
  EXPECT_EQ(parse_filters("{}")->object_bytes_max, 0U);
  EXPECT_FALSE(parse_filters("[]"));
}

}  // namespace
}  // namespace redoubt::gateway
