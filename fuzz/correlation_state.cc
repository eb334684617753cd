// Hostile bytes where the node keeps what correlations have counted: a state and a journal are read, and counted on.
#include <cstdint>
#include <string>
#include <string_view>

#include "rules/correlation/correlator.h"
#include "rules/correlation/state_bytes.h"
#include "rules/sigma/rule.h"

namespace {

namespace rules = redoubt::rules;

constexpr std::string_view kRules = R"(
title: A
name: a
logsource: {product: linux, category: process_creation}
detection: {s: {Image: /bin/sh}, condition: s}
---
title: Count
id: 22222222-2222-4333-8444-000000000001
name: count
correlation: {type: event_count, rules: a, group-by: User, timespan: 1m, condition: {gte: 3}}
---
title: Values
id: 22222222-2222-4333-8444-000000000002
correlation: {type: value_count, rules: a, timespan: 1m, condition: {field: ProcessId, gte: 3}}
---
title: Median
id: 22222222-2222-4333-8444-000000000003
correlation: {type: value_median, rules: a, timespan: 1m, condition: {field: ProcessId, gte: 3}}
---
title: Chain
id: 22222222-2222-4333-8444-000000000004
correlation: {type: temporal_ordered, rules: [count, a], group-by: User, timespan: 1m}
)";

const rules::RuleSet& rule_set() {
  static const rules::RuleSet set = [] {
    auto file = rules::sigma::read_rules(kRules, "fuzz.yml");
    auto linked = rules::sigma::link_correlations(std::move(file.correlations), file.rules, file.scopes, file.refusals);
    return rules::RuleSet::of(std::move(file.rules), std::move(linked)).value();
  }();
  return set;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace correlation = rules::correlation;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  correlation::Correlator correlator(rule_set());
  (void)correlator.load(bytes);
  // Past the checksum, which no mutation finds: the first byte chooses which of the two is read.
  const std::string_view inside = bytes.substr(1);
  if (data[0] % 2 == 0) (void)correlator.load(correlation::with_envelope("correlations", inside));
  const auto intake = correlator.decode(correlation::with_envelope("correlation intake", inside));
  if (intake) (void)correlator.take(*intake);
  const std::string saved = correlator.save();
  correlation::Correlator again(rule_set());
  CHECK(again.load(saved).has_value());
  return 0;
}
