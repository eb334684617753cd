// Lines in Falco's format, to a file and to a real HTTP server on loopback.
#include "central/alerts/falco_output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "central/alerts/http_post.h"
#include "central/alerts/test_http_server.h"

namespace redoubt::central {
namespace {

constexpr size_t kOutputMax = size_t{1} << 20;

int64_t lines_of(base::Metrics& metrics, const std::string& what, const std::string& output) {
  return metrics.counter("redoubt_falco_lines_" + what + "_total", "", "output=\"" + output + "\"").value();
}

TEST(FalcoOutput, appends_lines_to_the_file) {
  const base::TempDir directory;
  const std::string path = directory / "alerts.json";
  base::Metrics metrics;
  auto output = FalcoOutput::start({.file_path = path}, metrics);
  ASSERT_TRUE(output) << output.error().message;
  (*output)->offer(R"({"rule":"a"})");
  ASSERT_TRUE(becomes_true([&] { return lines_of(metrics, "sent", "file") == 1; }));
  std::error_code error;
  std::filesystem::rename(path, path + ".1", error);
  (*output)->offer(R"({"rule":"b"})");
  (*output)->stop();
  EXPECT_EQ(base::read_file(path + ".1", kOutputMax).value(), "{\"rule\":\"a\"}\n");
  EXPECT_EQ(base::read_file(path, kOutputMax).value(), "{\"rule\":\"b\"}\n");
}

TEST(FalcoOutput, posts_each_line_and_tries_again_where_that_helps) {
  HttpServer server({503, 200, 400, 200});
  base::Metrics metrics;
  auto output = FalcoOutput::start({.http_url = server.url()}, metrics);
  ASSERT_TRUE(output) << output.error().message;
  for (const char* line : {"{\"rule\":\"a\"}", "{\"rule\":\"b\"}", "{\"rule\":\"c\"}"}) (*output)->offer(line);
  ASSERT_TRUE(becomes_true([&] { return lines_of(metrics, "sent", "http") == 2; }));
  (*output)->stop();
  EXPECT_EQ(lines_of(metrics, "dropped", "http"), 1);  // b: the endpoint will not have it
  const std::vector<std::string> requests = server.requests();
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(requests[0], requests[1]);
  EXPECT_TRUE(requests[0].starts_with("POST /alerts?from=node HTTP/1.1\r\n")) << requests[0];
  EXPECT_NE(requests[0].find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_TRUE(requests[3].ends_with("\r\n\r\n{\"rule\":\"c\"}"));
}

TEST(FalcoOutput, never_waits_for_an_endpoint_that_is_not_there) {
  base::Metrics metrics;
  auto output = FalcoOutput::start({.http_url = "http://127.0.0.1:1/"}, metrics);
  ASSERT_TRUE(output) << output.error().message;
  const auto started = std::chrono::steady_clock::now();
  for (size_t i = 0; i < kFalcoLinesMax + 10; ++i) (*output)->offer("{}");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(1));
  EXPECT_GE(lines_of(metrics, "dropped", "http"), 9);
  (*output)->stop();
  EXPECT_EQ(lines_of(metrics, "sent", "http"), 0);
  EXPECT_EQ(lines_of(metrics, "dropped", "http"), static_cast<int64_t>(kFalcoLinesMax + 10));
}

TEST(FalcoOutput, refuses_what_is_no_address_and_a_file_that_cannot_be_written) {
  base::Metrics metrics;
  for (const char* url : {"ftp://a/", "http://", "http://a:b/", "http://me@a/", "http://a b/", "http://a/\r\nX: y"}) {
    EXPECT_FALSE(FalcoOutput::start({.http_url = url}, metrics)) << url;
  }
  EXPECT_FALSE(FalcoOutput::start({.http_url = "https://a/", .http_ca_file = "/nonexistent"}, metrics));
  EXPECT_FALSE(FalcoOutput::start({.file_path = "/nonexistent/x"}, metrics));
}

}  // namespace
}  // namespace redoubt::central
