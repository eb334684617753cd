// What people decide about YARA rules, whose files stay as they are: off, or how much their detections matter. By the
// rule's name; kept in the state database and in memory. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "central/rules/rule_state.h"
#include "scan/verdict.h"
#include "store/state/state_db.h"

namespace redoubt::central {

// A step of central's schema list.
extern const std::string_view kYaraSettingsMigration;

class YaraSettings {
 public:
  static Result<std::unique_ptr<YaraSettings>> open(store::StateDb& state);

  RuleDecisions all() const;  // by the rule's name
  Status set(const std::string& rule, const RuleDecision& decision);
  // Takes what is off out of a report of the engines, and says how much the rest matters.
  void apply(scan::ScanReport& report) const;
  // Grows with every change: what was judged under another is judged again.
  int64_t generation() const { return generation_; }

 private:
  explicit YaraSettings(store::StateDb& state) : state_(state) {}
  Status load();

  store::StateDb& state_;
  mutable std::mutex mutex_;
  RuleDecisions settings_;
  std::atomic<int64_t> generation_ = 0;
};

}  // namespace redoubt::central
