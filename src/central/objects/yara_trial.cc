#include "central/objects/yara_trial.h"

#include <set>

#include "base/file.h"
#include "base/time.h"
#include "scan/scan_pool.h"

namespace redoubt::central {

namespace {

constexpr int64_t kTrialObjectMs = 10'000;

// The folder's path is nobody's business.
std::vector<scan::RefusedRule> named_plainly(std::vector<scan::RefusedRule> refused) {
  for (scan::RefusedRule& rule : refused) rule.file = "trial.yar";
  return refused;
}

}  // namespace

Result<YaraTrial> YaraTrials::run(const std::string& rules, size_t objects) {
  const std::unique_lock lock(running_, std::try_to_lock);
  if (!lock.owns_lock()) return fail(Errc::exhausted, "another trial runs: try again later");
  const base::TempDir folder;
  TRY_STATUS(base::write_file_atomic(folder / "trial.yar", rules, base::kPrivateFile));
  auto pool = scan::start_scan_pool({.worker_program = scan_program_,
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
