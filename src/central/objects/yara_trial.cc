#include "central/objects/yara_trial.h"

#include <unistd.h>
#include <filesystem>
#include <set>

#include "base/hash.h"
#include "base/time.h"
#include "scan/scan_pool.h"

namespace redoubt::central {

namespace {

constexpr int64_t kTrialObjectMs = 10'000;
constexpr size_t kFolderNameBytes = 8;

// A folder with one rule file, gone with its owner.
class TrialFolder {
 public:
  explicit TrialFolder(const std::string& parent)
      : path_(parent + "/trial-" + base::to_hex(base::random_bytes(kFolderNameBytes))) {}
  ~TrialFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TrialFolder(const TrialFolder&) = delete;
  TrialFolder& operator=(const TrialFolder&) = delete;

  Status write(const std::string& rules) const {
    TRY_STATUS(base::make_directories(path_));
    return base::write_file_atomic(path_ + "/trial.yar", rules, base::kPrivateFile);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// The folder's path is nobody's business.
std::vector<scan::RefusedRule> named_plainly(std::vector<scan::RefusedRule> refused) {
  for (scan::RefusedRule& rule : refused) rule.file = "trial.yar";
  return refused;
}

}  // namespace

Result<YaraTrial> YaraTrials::run(const std::string& rules, size_t objects) {
  const std::unique_lock lock(running_, std::try_to_lock);
  if (!lock.owns_lock()) return fail(Errc::exhausted, "another trial runs: try again later");
  const TrialFolder folder(options_.directory);
  TRY_STATUS(folder.write(rules));
  auto pool = scan::start_scan_pool({.worker_program = options_.scan_program,
                                     .yara_directory = folder.path(),
                                     .workers = 1,
                                     .object_time_ms_max = kTrialObjectMs});
  if (!pool) return fail(Errc::invalid_argument, pool.error().message);
  YaraTrial trial{.refused = named_plainly((*pool)->diagnostics())};
  TRY(const ObjectPage page, objects_.list({}, objects, ""));
  const int64_t until_ns = base::boottime_ns() + kTrialTimeMs * 1'000'000;
  std::set<std::string> seen;
  for (const Object& object : page.objects) {
    if (!seen.insert(object.sha256 + object.name).second) continue;
    if (base::boottime_ns() > until_ns) {
      trial.end = YaraTrial::End::time;
      break;
    }
    if (!try_object(**pool, object, trial)) ++trial.skipped;
  }
  (*pool)->stop();
  return trial;
}

Status YaraTrials::try_object(scan::ScanPool& pool, const Object& object, YaraTrial& trial) {
  TRY(const base::UniqueFd content, objects_.content(object.id));
  const scan::ScanReport report = pool.scan(content, {object.name});
  if (report.verdict == scan::Verdict::error) return fail(Errc::internal, report.error);
  ++trial.tried;
  for (const scan::Detection& found : report.detections) {
    const bool is_inner = found.object > 0 && found.object < report.objects.size();
    trial.hits.push_back({object.id, object.name, object.sha256, found.rule,
                          is_inner ? report.objects[found.object].name : std::string()});
  }
  return {};
}

}  // namespace redoubt::central
