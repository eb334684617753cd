// A YARA rule before it is in force: what it would say of the objects that came last. In a jailed worker of its own
// that knows these rules alone; one trial at a time. Called by the API; any thread.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "central/objects/object_service.h"
#include "scan/refused_rule.h"

namespace redoubt::central {

constexpr size_t kTrialObjectsMax = 500;
constexpr int64_t kTrialTimeMs = 60'000;

struct TrialHit {
  std::string object_id;
  std::string object_name;
  std::string sha256;
  std::string rule;
  std::string inner_name;  // of the inner object that it is in; empty: the object itself
};

struct YaraTrial {
  size_t tried = 0;    // contents; equal ones once
  size_t skipped = 0;  // whose content is not kept any more, or could not be judged
  enum class End { all, time } end = End::all;
  std::vector<TrialHit> hits;
  std::vector<scan::RefusedRule> refused;
};

class YaraTrials {
 public:
  // The service outlives it. `scan_program`: path of redoubt-scan.
  YaraTrials(ObjectService& objects, std::string scan_program)
      : objects_(objects), scan_program_(std::move(scan_program)) {}

  // Of the latest `objects` submissions. invalid_argument: no rule compiles; exhausted: another trial runs.
  Result<YaraTrial> run(const std::string& rules, size_t objects);

 private:
  Status try_object(scan::ScanPool& pool, const Object& object, YaraTrial& trial);

  ObjectService& objects_;
  const std::string scan_program_;
  std::mutex running_;
};

}  // namespace redoubt::central
