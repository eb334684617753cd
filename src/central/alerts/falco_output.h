// Falco's JSON lines of what Falco rules detect, to a file and to an HTTP endpoint, for those who read Falco's alerts
// today. Each has a bounded queue and a thread: offer() never waits, what does not fit or is given up is counted and
// logged. A line is sent once its detection is durable, and at most once: what waits when the node dies is not sent.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"

namespace redoubt::central {

constexpr size_t kFalcoLinesMax = 10'000;  // that wait for one of the two
constexpr size_t kFalcoBytesMax = size_t{16} << 20;
constexpr int kFalcoAttemptsMax = 8;
constexpr int64_t kFalcoBackoffMs = 500;  // doubled with each attempt
constexpr int64_t kFalcoBackoffMaxMs = 30'000;
constexpr int64_t kFalcoDrainMs = 2000;  // for what waits when the node stops

struct FalcoOutputOptions {
  std::string file_path;  // empty: no file. Opened for each batch of lines, so that it may be rotated
  std::string http_url;   // empty: no posts
  std::string http_ca_file;
};

class FalcoOutput {
 public:
  // invalid_argument: the URL is none; io: the file cannot be written.
  static Result<std::unique_ptr<FalcoOutput>> start(const FalcoOutputOptions& options, base::Metrics& metrics);
  ~FalcoOutput();

  // A line without its newline. Any thread.
  void offer(const std::string& line);
  void stop();

 private:
  class Sink;
  FalcoOutput();
  std::vector<std::unique_ptr<Sink>> sinks_;
};

}  // namespace redoubt::central
