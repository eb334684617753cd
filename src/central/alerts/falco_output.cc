#include "central/alerts/falco_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "central/alerts/http_post.h"

namespace redoubt::central {

namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr mode_t kOutputFile = 0640;

enum class Delivery : uint8_t { done, again, refused };
struct Outcome {
  Delivery delivery = Delivery::done;
  std::string why;  // where it is not done
};

Result<base::UniqueFd> open_output(const std::string& path) {
  base::UniqueFd file(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kOutputFile));
  if (!file) return base::fail_errno("open " + path);
  return file;
}

Outcome append_line(const std::string& path, const std::string& line) {
  const auto file = open_output(path);
  if (!file) return {Delivery::again, file.error().message};
  const std::string text = line + "\n";
  for (size_t written = 0; written < text.size();) {
    const ssize_t count = write(file->get(), text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    // Part of a line is there: another attempt would make two of it.
    if (count < 0) return {written == 0 ? Delivery::again : Delivery::refused, base::fail_errno(path).value().message};
    written += static_cast<size_t>(count);
  }
  return {};
}

Outcome post_line(HttpPost& http, const std::string& line) {
  constexpr int kOk = 200;
  constexpr int kMoved = 300;
  constexpr int kBadRequest = 400;
  constexpr int kServerError = 500;
  constexpr int kTimeout = 408;
  constexpr int kTooMany = 429;
  const auto status = http.post(line);
  if (!status) return {Delivery::again, status.error().message};
  if (*status >= kOk && *status < kMoved) return {};
  const std::string why = "the endpoint answers " + std::to_string(*status);
  const bool is_refusal =
      *status >= kBadRequest && *status < kServerError && *status != kTimeout && *status != kTooMany;
  return {is_refusal ? Delivery::refused : Delivery::again, why};
}

}  // namespace

// One place that lines go to.
class FalcoOutput::Sink {
 public:
  using Deliver = std::function<Outcome(const std::string& line)>;

  Sink(std::string name, Deliver deliver, base::Metrics& metrics)
      : name_(std::move(name)),
        deliver_(std::move(deliver)),
        sent_(metrics.counter("redoubt_falco_lines_sent_total", "lines in Falco's format that were delivered",
                              "output=\"" + name_ + "\"")),
        dropped_(metrics.counter("redoubt_falco_lines_dropped_total",
                                 "lines in Falco's format that did not fit or were given up",
                                 "output=\"" + name_ + "\"")),
        worker_([this] { run(); }) {}

  void offer(const std::string& line) {
    std::unique_lock lock(mutex_);
    if (stopping_ || queue_.size() >= kFalcoLinesMax || bytes_ + line.size() > kFalcoBytesMax) {
      lock.unlock();
      drop("the queue is full");
      return;
    }
    bytes_ += line.size();
    queue_.push_back(line);
    lock.unlock();
    changed_.notify_one();
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      drained_by_ = Clock::now() + milliseconds(kFalcoDrainMs);
    }
    changed_.notify_all();
    if (worker_.joinable()) worker_.join();
  }

 private:
  void run() {
    while (const std::optional<std::string> line = next()) deliver(*line);
  }

  // Nothing: the end.
  std::optional<std::string> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_ && !queue_.empty() && Clock::now() > drained_by_) {
      const size_t left = queue_.size();
      queue_.clear();
      lock.unlock();
      dropped_.add(static_cast<int64_t>(left));
      base::log_warning("falco", name_ + " output: " + std::to_string(left) + " lines are not sent: the node stops");
      return std::nullopt;
    }
    if (queue_.empty()) return std::nullopt;
    std::string line = std::move(queue_.front());
    queue_.pop_front();
    bytes_ -= line.size();
    return line;
  }

  void deliver(const std::string& line) {
    int64_t pause_ms = kFalcoBackoffMs;
    for (int attempt = 1;; ++attempt) {
      const Outcome outcome = deliver_(line);
      if (outcome.delivery == Delivery::done) {
        sent_.add();
        return;
      }
      const bool is_last = outcome.delivery == Delivery::refused || attempt == kFalcoAttemptsMax;
      if (is_last || !pause(milliseconds(pause_ms))) {
        drop(outcome.why);
        return;
      }
      pause_ms = std::min(pause_ms * 2, kFalcoBackoffMaxMs);
    }
  }

  // False: the node stops.
  bool pause(milliseconds time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [this] { return stopping_; });
  }

  // Each is counted; a flood of them is one line of the log a minute.
  void drop(const std::string& why) {
    constexpr auto kLogPause = std::chrono::minutes(1);
    dropped_.add();
    const std::lock_guard lock(log_mutex_);
    const Clock::time_point now = Clock::now();
    if (logged_ && now - *logged_ < kLogPause) return;
    logged_ = now;
    base::log_warning("falco", name_ + " output: a line is dropped (" + std::to_string(dropped_.value()) +
                                   " since the start): " + why);
  }

  const std::string name_;
  const Deliver deliver_;
  base::Metric& sent_;
  base::Metric& dropped_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> queue_;
  size_t bytes_ = 0;
  bool stopping_ = false;
  Clock::time_point drained_by_;
  std::mutex log_mutex_;
  std::optional<Clock::time_point> logged_;
  std::thread worker_;  // last: it uses the others
};

Result<std::unique_ptr<FalcoOutput>> FalcoOutput::start(const FalcoOutputOptions& options, base::Metrics& metrics) {
  std::unique_ptr<FalcoOutput> output(new FalcoOutput);
  if (!options.file_path.empty()) {
    TRY(const base::UniqueFd file, open_output(options.file_path));
    output->sinks_.push_back(std::make_unique<Sink>(
        "file", [path = options.file_path](const std::string& line) { return append_line(path, line); }, metrics));
  }
  if (!options.http_url.empty()) {
    TRY(std::unique_ptr<HttpPost> http,
        HttpPost::make({.url = options.http_url, .ca_file = options.http_ca_file, .content_type = "application/json"}));
    output->sinks_.push_back(std::make_unique<Sink>(
        "http",
        [http = std::shared_ptr<HttpPost>(std::move(http))](const std::string& line) { return post_line(*http, line); },
        metrics));
  }
  return output;
}

FalcoOutput::FalcoOutput() = default;
FalcoOutput::~FalcoOutput() { stop(); }

void FalcoOutput::offer(const std::string& line) {
  for (const auto& sink : sinks_) sink->offer(line);
}

void FalcoOutput::stop() {
  for (const auto& sink : sinks_) sink->stop();
}

}  // namespace redoubt::central
