#include "central/objects/object_service.h"

#include <algorithm>
#include <limits>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "central/objects/object_judge.h"
#include "central/objects/object_queue.h"
#include "central/objects/object_rows.h"
#include "central/objects/retro_scan.h"
#include "central/objects/webhooks.h"

namespace redoubt::central {

std::string_view name_of(ObjectSource source) {
  switch (source) {
    case ObjectSource::console: return "console";
    case ObjectSource::api: return "api";
    case ObjectSource::external_system: return "external system";
  }
  return "api";
}

constexpr size_t kObjectNameBytesMax = 512;
constexpr size_t kRescansMax = 1000;

Priority priority_of(ObjectSource source) {
  return source == ObjectSource::console ? Priority::urgent : Priority::normal;
}

namespace {

// Valid UTF-8 of bounded length without control characters; the sender chose it.
std::string clean_name(std::string_view name) {
  std::string clean = base::escape_invalid_utf8(name.substr(0, kObjectNameBytesMax));
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return clean.empty() ? "unnamed" : clean;
}

bool lets_pass(const std::shared_ptr<const KnownVerdict>& known) {
  return known != nullptr && known->report.verdict == scan::Verdict::not_detected;
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
        queued_(parts.metrics.gauge("redoubt_objects_queued", "objects that wait for their verdict")),
        writes_(parts.state),
        judge_(parts, writes_, options.passwords),
        queue_({options.queue_objects_max, options.of_one_source_max}),
        retro_scan_(judge_, queue_) {}
  ~ObjectPipeline() override { stop(); }

  Status start() {
    std::vector<WaitingObject> waiting;
    TRY_STATUS(parts_.state.read([&](soci::session& sql) -> Status {
      waiting = read_processing(sql);
      return {};
    }));
    if (!waiting.empty()) base::log_info("objects", "queued again: " + std::to_string(waiting.size()));
    for (WaitingObject& object : waiting) queue_.push_again(std::move(object));
    queued_.set(static_cast<int64_t>(waiting.size()));
    for (unsigned i = 0; i < options_.scan_threads; ++i) threads_.emplace_back([this] { run(); });
    retro_scan_.start();
    return {};
  }

  Result<std::unique_ptr<Submission>> begin(SubmitOptions options) override {
    const std::string source = source_of(options);
    TRY_STATUS(queue_.hold(source));
    auto writer = parts_.objects.begin();
    if (!writer) {
      queue_.release(source);
      return tl::unexpected(std::move(writer).error());
    }
    options.name = clean_name(options.name);
    return std::make_unique<OpenSubmission>(*this, std::move(options), *std::move(writer));
  }

  // A content that the engines of now have let pass is answered at once; whatever makes an alert goes through the
  // queue.
  Result<Object> accept(const SubmitOptions& options, const store::StoredObject& stored, store::Coming& coming) {
    Object object{.name = options.name,
                  .sha256 = stored.sha256,
                  .size_bytes = stored.size_bytes,
                  .source = options.source,
                  .submitted_by = options.submitted_by,
                  .submitted = base::Time::now()};
    const ContentKey content{object.sha256, object.name};
    const auto remembered = judge_.known(content);
    std::shared_ptr<const KnownVerdict> known;
    const auto insert = [&](soci::session& sql) -> Status {
      known = remembered ? remembered : judge_.known(sql, content);
      object.verdict = lets_pass(known) ? scan::Verdict::not_detected : scan::Verdict::processing;
      insert_object(sql, object, lets_pass(known) ? known->id : 0);
      if (!options.webhook.empty()) owe_webhook(sql, object.id, options.webhook);
      return {};
    };
    TRY_STATUS(writes_.write(insert, coming));
    if (known && !remembered) judge_.remember(known);
    if (lets_pass(known)) {
      object.report = known->report;
      known_.add();
      queue_.release(source_of(options));
      return object;
    }
    queued_.add(1);
    judge_.enter(object);
    queue_.push(source_of(options), {object_row_id(object.id), content, priority_of(object.source)});
    return object;
  }

  // Submissions on their way to accept().
  store::Arrivals& arrivals() { return writes_.arrivals(); }

  void release(const SubmitOptions& options) { queue_.release(source_of(options)); }

  Result<Object> get(const std::string& id, int64_t wait_ms) override {
    if (wait_ms < 0 || wait_ms > kObjectWaitMsMax) {
      return fail(Errc::invalid_argument, "wait must be 0 to " + std::to_string(kObjectWaitMsMax) + " ms");
    }
    const long long row = object_row_id(id);
    if (wait_ms > 0) queue_.wait_until_judged(row, wait_ms);
    if (auto judged = judge_.judged(row)) return *std::move(judged);
    return read(row);
  }

  Result<ObjectPage> list(const ObjectFilter& filter, size_t limit, const std::string& cursor) override {
    if (limit < 1 || limit > kObjectPageMax) {
      return fail(Errc::invalid_argument, "limit must be 1 to " + std::to_string(kObjectPageMax));
    }
    const long long before = cursor.empty() ? std::numeric_limits<long long>::max() : object_row_id(cursor);
    if (before == 0) return fail(Errc::invalid_argument, "cursor is none of ours");
    ObjectPage page;
    TRY_STATUS(writes_.read([&](soci::session& sql) -> Status {
      page.objects = read_objects(sql, filter, before, limit);
      if (page.objects.empty()) return {};
      // Large reports may have cut the page short.
      const std::string& last = page.objects.back().id;
      if (!read_objects(sql, filter, object_row_id(last), 1).empty()) page.next_cursor = last;
      return {};
    }));
    return page;
  }

  Result<base::UniqueFd> content(const std::string& id) override {
    TRY(const Object object, read(object_row_id(id)));
    return parts_.objects.open(object.sha256);
  }

  Status remove_content(const std::string& id) override {
    TRY(const Object object, read(object_row_id(id)));
    TRY(const ObjectPage waiting, list({.sha256 = object.sha256, .verdict = scan::Verdict::processing}, 1, ""));
    if (!waiting.objects.empty()) {
      return fail(Errc::already_exists, "the content waits for a verdict: remove it then");
    }
    return parts_.objects.remove(object.sha256);
  }

  Status rescan(const std::string& id) override {
    TRY(const Object object, read(object_row_id(id)));
    // It waits for the engines of now anyway.
    if (object.verdict == scan::Verdict::processing) return {};
    TRY_STATUS(parts_.objects.open(object.sha256));
    if (queue_.rescans() >= kRescansMax) return fail(Errc::exhausted, "too many objects wait to be scanned again");
    const ContentKey content{object.sha256, object.name};
    TRY_STATUS(judge_.forget(content));
    queue_.push_rescan(content);
    return {};
  }

  size_t queued() const override { return queue_.size(); }
  Status reload_engines() override {
    TRY_STATUS(parts_.scanner.reload());
    retro_scan_.begin_anew();
    return {};
  }

  void stop() override {
    retro_scan_.stop();
    queue_.stop();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    writes_.stop();
  }

 private:
  static std::string source_of(const SubmitOptions& options) {
    return std::string(name_of(options.source)) + " " + options.submitted_by;
  }

  Result<Object> read(long long row) {
    std::optional<Object> object;
    TRY_STATUS(writes_.read([&](soci::session& sql) -> Status {
      object = read_object(sql, row);
      return {};
    }));
    if (!object) return fail(Errc::not_found, "no such object");
    return *std::move(object);
  }

  void run() {
    while (auto job = queue_.take()) {
      if (const Status judged = work_on(*job); !judged) {
        base::log_error("objects", job->content.sha256 + ": " + judged.error().message);
        queue_.retry(*job);
      }
    }
  }

  // Until nobody waits for this content any more; `job` holds those who are left when it fails.
  Status work_on(ObjectJob& job) {
    if (job.rows.empty()) TRY_STATUS(judge_.rescan(job.content));
    std::shared_ptr<KnownVerdict> verdict;
    while (true) {
      if (!job.rows.empty()) {
        if (verdict == nullptr) {
          TRY(verdict, judge_.ask(job.content));
          TRY_STATUS(refuse_interrupted(*verdict));
          judge_.keep(verdict);
        }
        TRY_STATUS(judge_.settle(job.rows, verdict));
        queued_.add(-static_cast<int64_t>(job.rows.size()));
      }
      job.rows = queue_.finish(job);
      if (job.rows.empty()) return {};
    }
  }

  // Errors of a node that is going down say nothing about the object: it stays `processing` for the next start.
  Status refuse_interrupted(const KnownVerdict& verdict) const {
    const scan::ScanReport& report = verdict.report;
    const bool said = !report.detections.empty() || report.verdict == scan::Verdict::not_detected;
    return said || !queue_.stopped() ? Status{} : fail(Errc::unavailable, "interrupted by the stop");
  }

  ObjectServiceParts parts_;
  const ObjectServiceOptions options_;
  base::Metric& queued_;
  base::Metric& known_ = parts_.metrics.counter("redoubt_objects_known_total", "objects whose verdict was known");
  store::GroupedWrites writes_;
  ObjectJudge judge_;
  ObjectQueue queue_;
  RetroScan retro_scan_;
  std::vector<std::thread> threads_;
};

OpenSubmission::~OpenSubmission() {
  if (slot_ == Slot::held) service_.release(options_);
}

Result<Object> OpenSubmission::finish() {
  store::Coming coming(service_.arrivals());
  TRY(const store::StoredObject stored, writer_->commit());
  auto object = service_.accept(options_, stored, coming);
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
