#include "central/objects/object_service.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "base/log.h"
#include "base/text.h"
#include "central/objects/object_rows.h"

namespace redoubt::central {

std::string_view name_of(ObjectSource source) {
  switch (source) {
    case ObjectSource::console: return "console";
    case ObjectSource::api: return "api";
    case ObjectSource::external_system: return "external system";
  }
  return "api";
}

namespace {

constexpr size_t kObjectNameBytesMax = 512;
// A judgement that could not be written (a full disk) is made again after a pause.
constexpr std::chrono::milliseconds kRetryPause{1000};

// Valid UTF-8 of bounded length without control characters; the sender chose it.
std::string clean_name(std::string_view name) {
  std::string clean = base::escape_invalid_utf8(name.substr(0, kObjectNameBytesMax));
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return clean.empty() ? "unnamed" : clean;
}

rules::Importance importance_of(std::string_view name) {
  using rules::Importance;
  constexpr std::array kAll = {Importance::informational, Importance::low, Importance::medium, Importance::high,
                               Importance::critical};
  for (const Importance importance : kAll) {
    if (rules::name_of(importance) == name) return importance;
  }
  return Importance::medium;
}

NewDetection object_detection(const Object& object, const scan::ScanReport& report, const scan::Detection& found) {
  NewDetection detection;
  detection.key = "object " + object.id + "|" + found.rule;
  detection.source = AlertSource::object;
  detection.rule.id = found.engine + ":" + found.rule;
  detection.rule.title = found.description.empty() ? found.rule : found.description;
  detection.rule.description =
      "rule " + found.rule + " of " + found.rule_set + ", " + found.engine + " " + found.engine_version;
  detection.rule.format = found.engine;
  detection.importance = importance_of(found.importance);
  detection.time = report.finished;
  detection.user = object.submitted_by;
  detection.object = {object.id, object.name, object.sha256};
  return detection;
}

class ObjectPipeline;

class OpenSubmission final : public Submission {
 public:
  OpenSubmission(ObjectPipeline& service, SubmitOptions options, std::unique_ptr<store::ObjectWriter> writer)
      : service_(service), options_(std::move(options)), writer_(std::move(writer)) {}
  ~OpenSubmission() override;
  Status write(std::string_view bytes) override { return writer_->write(bytes); }
  Result<Object> finish() override;

 private:
  ObjectPipeline& service_;
  SubmitOptions options_;
  std::unique_ptr<store::ObjectWriter> writer_;
  enum class Slot { held, passed_on } slot_ = Slot::held;  // its place in the queue
};

class ObjectPipeline final : public ObjectService {
 public:
  ObjectPipeline(const ObjectServiceParts& parts, ObjectServiceOptions options)
      : parts_(parts),
        options_(options),
        queued_(parts.metrics.gauge("redoubt_objects_queued", "objects that wait for their verdict")) {}
  ~ObjectPipeline() override { stop(); }

  Status start() {
    std::vector<long long> ids;
    TRY_STATUS(parts_.state.read([&](soci::session& sql) -> Status {
      ids = read_processing_ids(sql);
      return {};
    }));
    if (!ids.empty()) base::log_info("objects", "queued again: " + std::to_string(ids.size()));
    queue_.assign(ids.begin(), ids.end());
    processing_.insert(ids.begin(), ids.end());
    queued_.set(static_cast<int64_t>(ids.size()));
    for (unsigned i = 0; i < options_.scan_threads; ++i) threads_.emplace_back([this] { run(); });
    return {};
  }

  Result<std::unique_ptr<Submission>> begin(SubmitOptions options) override {
    TRY_STATUS(hold_slot());
    auto writer = parts_.objects.begin();
    if (!writer) {
      release_slot();
      return tl::unexpected(std::move(writer).error());
    }
    options.name = clean_name(options.name);
    return std::make_unique<OpenSubmission>(*this, std::move(options), *std::move(writer));
  }

  Result<Object> accept(const SubmitOptions& options, const store::StoredObject& stored) {
    Object object;
    object.name = options.name;
    object.sha256 = stored.sha256;
    object.size_bytes = stored.size_bytes;
    object.source = options.source;
    object.submitted_by = options.submitted_by;
    object.submitted = base::Time::now();
    TRY_STATUS(parts_.state.write([&](soci::session& sql) -> Status {
      insert_object(sql, object);
      return {};
    }));
    const std::lock_guard lock(mutex_);
    --open_;
    const long long id = object_row_id(object.id);
    queue_.push_back(id);
    processing_.insert(id);
    queued_.add(1);
    changed_.notify_all();
    return object;
  }

  void release_slot() {
    const std::lock_guard lock(mutex_);
    --open_;
  }

  Result<Object> get(const std::string& id, int64_t wait_ms) override {
    if (wait_ms < 0 || wait_ms > kObjectWaitMsMax) {
      return fail(Errc::invalid_argument, "wait must be 0 to " + std::to_string(kObjectWaitMsMax) + " ms");
    }
    const long long row = object_row_id(id);
    TRY(Object object, read(row));
    if (object.verdict != scan::Verdict::processing || wait_ms == 0) return object;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::milliseconds(wait_ms),
                        [&] { return stopping_ || !processing_.contains(row); });
    }
    return read(row);
  }

  Result<ObjectPage> list(size_t limit, const std::string& cursor) override {
    if (limit < 1 || limit > kObjectPageMax) {
      return fail(Errc::invalid_argument, "limit must be 1 to " + std::to_string(kObjectPageMax));
    }
    const long long before = cursor.empty() ? std::numeric_limits<long long>::max() : object_row_id(cursor);
    if (before == 0) return fail(Errc::invalid_argument, "cursor is none of ours");
    ObjectPage page;
    TRY_STATUS(parts_.state.read([&](soci::session& sql) -> Status {
      page.objects = read_objects(sql, before, limit + 1);
      return {};
    }));
    if (page.objects.size() > limit) {
      page.objects.pop_back();
      page.next_cursor = page.objects.back().id;
    }
    return page;
  }

  size_t queued() const override {
    const std::lock_guard lock(mutex_);
    return processing_.size();
  }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }

 private:
  bool stopping() const {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  Status hold_slot() {
    const std::lock_guard lock(mutex_);
    if (stopping_) return fail(Errc::unavailable, "the object service stops");
    if (processing_.size() + open_ >= options_.queue_objects_max) {
      return fail(Errc::exhausted,
                  "the object queue is full (" + std::to_string(options_.queue_objects_max) + "): try again later");
    }
    ++open_;
    return {};
  }

  Result<Object> read(long long row) {
    std::optional<Object> object;
    TRY_STATUS(parts_.state.read([&](soci::session& sql) -> Status {
      object = read_object(sql, row);
      return {};
    }));
    if (!object) return fail(Errc::not_found, "no such object");
    return *std::move(object);
  }

  void run() {
    while (true) {
      long long id = 0;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return;
        id = queue_.front();
        queue_.pop_front();
      }
      const Status judged = process(id);
      std::unique_lock lock(mutex_);
      if (judged) {
        processing_.erase(id);
        queued_.add(-1);
        changed_.notify_all();
        continue;
      }
      base::log_error("objects", "object " + std::to_string(id) + ": " + judged.error().message);
      queue_.push_back(id);
      changed_.wait_for(lock, kRetryPause, [this] { return stopping_; });
    }
  }

  // Alerts first: if the process ends in between, the object is judged again and the same detections change nothing.
  Status process(long long id) {
    TRY(const Object object, read(id));
    Judged judged;
    auto content = parts_.objects.open(object.sha256);
    if (content) {
      judged.report = parts_.scanner.scan(*content, object.name);
    } else {
      judged.report.error = content.error().message;
      judged.report.finished = base::Time::now();
    }
    // Errors of a node that is going down say nothing about the object: it stays `processing` for the next start.
    if (judged.report.detections.empty() && judged.report.verdict != scan::Verdict::not_detected && stopping()) {
      return fail(Errc::unavailable, "interrupted by the stop");
    }
    for (const scan::Detection& found : judged.report.detections) {
      TRY(const std::string alert_id, parts_.alerts.add(object_detection(object, judged.report, found)));
      if (judged.alert_id.empty()) judged.alert_id = alert_id;
    }
    TRY_STATUS(parts_.state.write([&](soci::session& sql) -> Status {
      write_judgement(sql, id, judged);
      return {};
    }));
    const std::string verdict = "verdict=\"" + std::string(scan::name_of(judged.report.verdict)) + "\"";
    parts_.metrics.counter("redoubt_objects_total", "objects judged", verdict).add();
    return {};
  }

  ObjectServiceParts parts_;
  const ObjectServiceOptions options_;
  base::Metric& queued_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<long long> queue_;
  std::unordered_set<long long> processing_;  // queued or being scanned
  size_t open_ = 0;                           // submissions whose bodies are still coming
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

OpenSubmission::~OpenSubmission() {
  if (slot_ == Slot::held) service_.release_slot();
}

Result<Object> OpenSubmission::finish() {
  TRY(const store::StoredObject stored, writer_->commit());
  auto object = service_.accept(options_, stored);
  if (object) slot_ = Slot::passed_on;
  return object;
}

}  // namespace

Result<std::unique_ptr<ObjectService>> start_object_service(const ObjectServiceParts& parts,
                                                            const ObjectServiceOptions& options) {
  if (options.queue_objects_max < 1 || options.scan_threads < 1) {
    return fail(Errc::invalid_argument, "the object queue and its threads must be at least 1");
  }
  auto service = std::make_unique<ObjectPipeline>(parts, options);
  TRY_STATUS(service->start());
  return service;
}

}  // namespace redoubt::central
