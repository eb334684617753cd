#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "scan/clamav_relay.h"
#include "scan/scan_pool.h"
#include "scan/worker_process.h"

namespace redoubt::scan {

namespace {

constexpr int64_t kBackOffUsMin = 100'000;
constexpr int64_t kBackOffUsMax = 10'000'000;
constexpr unsigned kBackOffDoublings = 7;
constexpr unsigned kWorkersMax = 64;
constexpr int64_t kVersionHoldsUs = 5'000'000;
constexpr int64_t kVersionWaitNs = 2'000'000'000;
constexpr int64_t kNsPerUs = 1000;
constexpr size_t kHashDigitsShown = 12;
constexpr size_t kDirectoryDepthMax = 16;
// Content is mapped whole: the other part of a worker's memory is for its rules and what engines need.
constexpr uint64_t kMemoryShareOfObject = 2;

// The rules of one moment, as workers get them.
struct RuleBundle {
  base::UniqueFd memory;  // sealed
  std::string name;       // "yara 1a2b3c4d5e6f"
  std::string hash;
};

Result<std::vector<std::string>> list_rule_files(const std::string& directory) {
  std::error_code failed;
  std::filesystem::recursive_directory_iterator entries(directory, failed);
  if (failed) return fail(Errc::not_found, "yara rules: " + directory + ": " + failed.message());
  std::vector<std::string> paths;
  for (; entries != std::filesystem::recursive_directory_iterator(); entries.increment(failed)) {
    if (failed) return fail(Errc::io, "yara rules: " + directory + ": " + failed.message());
    if (entries.depth() > static_cast<int>(kDirectoryDepthMax)) entries.disable_recursion_pending();
    const auto extension = entries->path().extension();
    if (extension != ".yar" && extension != ".yara") continue;
    paths.push_back(entries->path().string());
    if (paths.size() > wire::kRuleFilesMax) return fail(Errc::too_large, "yara rules: too many files in " + directory);
  }
  if (paths.empty()) return fail(Errc::not_found, "yara rules: no *.yar file in " + directory);
  std::sort(paths.begin(), paths.end());
  return paths;
}

Result<RuleBundle> read_bundle(const std::string& directory) {
  TRY(const auto paths, list_rule_files(directory));
  std::vector<wire::RuleFile> files;
  base::Sha256 hash;
  for (const std::string& path : paths) {
    TRY(std::string text, base::read_file(path, wire::kRuleFileBytesMax));
    hash.update(std::filesystem::path(path).lexically_relative(directory).string() + '\0' + text + '\0');
    files.push_back({path, std::move(text)});
  }
  const std::string blob = wire::encode_rules(files);
  if (blob.size() > wire::kRuleBlobBytesMax) return fail(Errc::too_large, "yara rules: too large: " + directory);
  RuleBundle bundle;
  bundle.memory = base::UniqueFd(memfd_create("redoubt-rules", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!bundle.memory) return base::fail_errno("memory for the rules");
  TRY_STATUS(base::write_all(bundle.memory.get(), blob));
  fcntl(bundle.memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
  bundle.hash = hash.finish_hex().substr(0, kHashDigitsShown);
  bundle.name = std::filesystem::path(directory + "/").parent_path().filename().string() + " " + bundle.hash;
  return bundle;
}

// A worker's place: what is in it, which rules it has, how often it failed.
struct Slot {
  std::unique_ptr<WorkerProcess> worker;
  std::shared_ptr<const RuleBundle> rules;
  unsigned failures = 0;
  int64_t not_before_us = 0;  // on the boot clock
  enum class State { free, busy } state = State::free;
};

// For a worker that was asked to send none.
class NoParts final : public PartHandler {
 public:
  void handle(wire::Part /*part*/, base::UniqueFd /*content*/, int64_t /*deadline_ns*/) override {}
};

std::vector<std::string> escaped(const std::vector<std::string>& texts) {
  std::vector<std::string> good;
  for (const std::string& text : texts) good.push_back(base::escape_invalid_utf8(text));
  return good;
}

std::vector<RefusedRule> escaped(const std::vector<RefusedRule>& said) {
  std::vector<RefusedRule> refused;
  for (const RefusedRule& rule : said) {
    refused.push_back({base::escape_invalid_utf8(rule.file), rule.line, base::escape_invalid_utf8(rule.message)});
  }
  return refused;
}

// A tree whatever the worker said: a parent comes before its children.
std::vector<InnerObject> checked_objects(const std::vector<InnerObject>& said) {
  std::vector<InnerObject> objects;
  for (const InnerObject& object : said) {
    const size_t parent = object.parent < objects.size() ? object.parent : 0;
    objects.push_back({parent, base::escape_invalid_utf8(object.name), base::escape_invalid_utf8(object.mime_type),
                       base::escape_invalid_utf8(object.sha256), object.size_bytes,
                       base::escape_invalid_utf8(object.remark)});
  }
  return objects;
}

int64_t boottime_us() { return base::boottime_ns() / kNsPerUs; }

class WorkerPool final : public ScanPool {
 public:
  explicit WorkerPool(ScanPoolOptions options) : options_(std::move(options)), slots_(options_.workers) {}
  ~WorkerPool() override { stop(); }

  Status start() {
    if (options_.clamav.own) {
      start_own_clamd();
    } else if (!options_.clamav.socket.empty()) {
      client_.emplace(options_.clamav.socket);
    }
    return reload_rules();
  }

  Status reload() override {
    TRY_STATUS(reload_rules());
    return clamd_ ? base::within("clamd", clamd_->reload()) : Status();
  }

  std::vector<RefusedRule> diagnostics() const override {
    const std::lock_guard lock(mutex_);
    return refused_;
  }

  std::vector<LoadedRule> rules() const override {
    const std::lock_guard lock(mutex_);
    return loaded_;
  }

  std::string clamav_state() const override {
    if (!clamd_error_.empty()) return clamd_error_;
    if (clamd_) return clamd_->describe();
    return client_ ? "at " + options_.clamav.socket : "";
  }

  // Objects are judged without it where it cannot be.
  void start_own_clamd() {
    auto clamd = start_clamd(*options_.clamav.own);
    if (!clamd) {
      clamd_error_ = clamd.error().message;
      base::log_error("scan", "clamd: " + clamd_error_);
      return;
    }
    clamd_ = *std::move(clamd);
    client_.emplace(clamd_->socket_path());
  }

  Status reload_rules() {
    TRY(auto bundle, read_bundle(options_.yara_directory));
    auto rules = std::make_shared<const RuleBundle>(std::move(bundle));
    TRY(auto worker, WorkerProcess::start(worker_options(), rules->memory));
    base::log_info("scan", "rules " + rules->name + ", yara " + worker->hello().engine_version +
                               ", jail: " + worker->hello().jail);
    for (const RefusedRule& refused : worker->hello().refused) {
      base::log_warning("scan", "yara rule is left out: " + refused.file + " line " + std::to_string(refused.line) +
                                    ": " + refused.message);
    }
    const std::lock_guard lock(mutex_);
    rules_ = rules;
    yara_version_ = worker->hello().engine_version;
    refused_ = escaped(worker->hello().refused);
    loaded_.clear();
    for (const LoadedRule& rule : worker->rules()) {
      loaded_.push_back({base::escape_invalid_utf8(rule.name), base::escape_invalid_utf8(rule.file)});
    }
    // The worker that compiled them is as good as any other: it takes a free place.
    for (Slot& slot : slots_) {
      if (slot.state != Slot::State::free) continue;
      slot = Slot{std::move(worker), std::move(rules)};
      break;
    }
    return {};
  }

  ScanReport scan(const base::UniqueFd& content, const ScanRequest& request) override {
    const int64_t start_us = boottime_us();
    ScanReport report = judge(content, request);
    report.finished = base::Time::now();
    report.duration_us = boottime_us() - start_us;
    // A worker is one thread: it has not worked for longer than it took.
    report.cpu.all_ns = std::min(report.cpu.all_ns, report.duration_us * kNsPerUs);
    report.cpu.yara_ns = std::min(report.cpu.yara_ns, report.cpu.all_ns);
    return report;
  }

  std::string engines() const override {
    const std::string clamav = clamav_version();
    const std::lock_guard lock(mutex_);
    return "yara " + yara_version_ + " (rules " + rules_->hash + ")" + (clamav.empty() ? "" : ", " + clamav);
  }

  void stop() override {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] {
      return std::all_of(slots_.begin(), slots_.end(),
                         [](const Slot& slot) { return slot.state == Slot::State::free; });
    });
    for (Slot& slot : slots_) slot.worker.reset();
    lock.unlock();
    if (clamd_) clamd_->stop();
  }

 private:
  WorkerOptions worker_options() const {
    return {options_.worker_program, {options_.worker_memory_bytes_max, options_.object_time_ms_max}};
  }

  bool is_clamav_ready() const { return client_ && (!clamd_ || clamd_->state() == ClamdProcess::State::ready); }

  // Asked for seldom: every verdict names it. Empty: ClamAV does not answer.
  std::string clamav_version() const {
    if (!is_clamav_ready()) return "";
    const std::lock_guard lock(version_mutex_);
    const int64_t now_us = boottime_us();
    if (version_asked_us_ == 0 || now_us - version_asked_us_ > kVersionHoldsUs) {
      clamav_version_ = client_->version(base::boottime_ns() + kVersionWaitNs).value_or("");
      version_asked_us_ = now_us;
    }
    return clamav_version_;
  }

  ScanReport judge(const base::UniqueFd& content, const ScanRequest& request) {
    if (auto good = check_content(content); !good) return failed(good.error());
    auto taken = take_slot();
    if (!taken) return failed(taken.error());
    Slot& slot = **taken;
    std::optional<ClamavRelay> clamav;
    const bool is_ready = is_clamav_ready();
    if (is_ready) clamav.emplace(*client_, content);
    auto judged = scan_in(slot, content, request, clamav ? &*clamav : nullptr);
    ScanReport report = judged ? translate(*judged, slot) : failed(judged.error());
    if (clamav) clamav->add_to(report);
    if (clamd_ && !is_ready && clamd_->state() != ClamdProcess::State::no_signatures) {
      report.not_scanned.push_back("clamav: " + clamd_->describe());
    }
    give_back(slot, judged);
    return report;
  }

  // Says no before a worker has to: what is no file, or what cannot fit into a worker's memory.
  Status check_content(const base::UniqueFd& content) const {
    struct stat info{};
    if (fstat(content.get(), &info) != 0) return base::fail_errno("object");
    if (!S_ISREG(info.st_mode)) return fail(Errc::invalid_argument, "object is not a regular file");
    const uint64_t bytes_max = options_.worker_memory_bytes_max / kMemoryShareOfObject;
    if (static_cast<uint64_t>(info.st_size) <= bytes_max) return {};
    return fail(Errc::too_large, "object of " + std::to_string(info.st_size) + " bytes is larger than " +
                                     std::to_string(bytes_max) + ", half of a scan worker's memory");
  }

  // Waits for a free place whose back-off is over.
  Result<Slot*> take_slot() {
    std::unique_lock lock(mutex_);
    while (true) {
      if (stopping_) return fail(Errc::unavailable, "the scan pool stops");
      Slot* best = nullptr;
      for (Slot& slot : slots_) {
        if (slot.state != Slot::State::free) continue;
        if (best == nullptr || slot.not_before_us < best->not_before_us) best = &slot;
      }
      const int64_t wait_us = best == nullptr ? kBackOffUsMax : best->not_before_us - boottime_us();
      if (best != nullptr && wait_us <= 0) {
        best->state = Slot::State::busy;
        if (best->rules != rules_) best->worker.reset();
        best->rules = rules_;
        return best;
      }
      changed_.wait_for(lock, std::chrono::microseconds(wait_us));
    }
  }

  Result<wire::Report> scan_in(Slot& slot, const base::UniqueFd& content, const ScanRequest& request,
                               PartHandler* clamav) {
    if (!slot.worker) {
      TRY(slot.worker, WorkerProcess::start(worker_options(), slot.rules->memory));
    }
    const wire::Relay relay = clamav == nullptr ? wire::Relay::none : wire::Relay::clamav;
    const wire::Request packet{base::escape_invalid_utf8(request.name), request.passwords, relay};
    NoParts none;
    return slot.worker->scan(content, packet, options_.object_time_ms_max, clamav == nullptr ? none : *clamav);
  }

  void give_back(Slot& slot, const Result<wire::Report>& judged) {
    const bool retired = judged && judged->future == wire::Future::retires;
    if (!judged || retired) slot.worker.reset();
    const std::lock_guard lock(mutex_);
    slot.failures = judged ? 0 : slot.failures + 1;
    if (!judged) {
      const int64_t pause_us = kBackOffUsMin << std::min(slot.failures - 1, kBackOffDoublings);
      slot.not_before_us = boottime_us() + std::min(pause_us, kBackOffUsMax);
      base::log_warning("scan", judged.error().message);
    }
    slot.state = Slot::State::free;
    changed_.notify_all();
  }

  // Engine and rule set are what the pool knows of the worker, not what it says after it has seen the object.
  static ScanReport translate(const wire::Report& judged, const Slot& slot) {
    const std::string& version = slot.worker->hello().engine_version;
    ScanReport report;
    report.verdict = judged.verdict;
    report.error = base::escape_invalid_utf8(judged.error);
    report.mime_type = base::escape_invalid_utf8(judged.mime_type);
    report.engines = {"yara " + version + " (rules " + slot.rules->hash + ")"};
    report.objects = checked_objects(judged.page.objects);
    report.not_scanned = escaped(judged.page.not_scanned);
    report.links = escaped(judged.page.links);
    report.cpu = judged.cpu;
    for (const wire::FoundRule& found : judged.found) {
      report.detections.push_back({"yara", version, base::escape_invalid_utf8(found.rule), slot.rules->name,
                                   base::escape_invalid_utf8(found.importance),
                                   base::escape_invalid_utf8(found.description),
                                   found.object < report.objects.size() ? found.object : 0});
    }
    return report;
  }

  static ScanReport failed(const Error& error) {
    ScanReport report;
    report.verdict = error.code == Errc::timeout ? Verdict::timeout : Verdict::error;
    // The worker is gone, and nobody can tell whether the object was the reason.
    report.retry = error.code == Errc::unavailable ? Retry::worthwhile : Retry::useless;
    report.error = error.message;
    return report;
  }

  const ScanPoolOptions options_;
  std::unique_ptr<ClamdProcess> clamd_;
  std::string clamd_error_;  // why there is none
  std::optional<ClamdClient> client_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string yara_version_;
  mutable std::mutex version_mutex_;
  mutable std::string clamav_version_;
  mutable int64_t version_asked_us_ = 0;  // on the boot clock
  std::vector<Slot> slots_;               // never grows; a busy one belongs to the thread that took it
  std::shared_ptr<const RuleBundle> rules_;
  std::vector<RefusedRule> refused_;
  std::vector<LoadedRule> loaded_;
  bool stopping_ = false;
};

}  // namespace

Result<std::unique_ptr<ScanPool>> start_scan_pool(const ScanPoolOptions& options) {
  if (options.workers < 1 || options.workers > kWorkersMax) {
    return fail(Errc::invalid_argument, "scan workers must be 1 to " + std::to_string(kWorkersMax));
  }
  auto pool = std::make_unique<WorkerPool>(options);
  TRY_STATUS(pool->start());
  return pool;
}

}  // namespace redoubt::scan
