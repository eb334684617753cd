// How many hits of rules a second correlations count: rows of decoded batches to windows, firings included.
// Arguments: names of measurements to make; none: all.
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "bench/must.h"
#include "bench/report.h"
#include "event/frame.h"
#include "redoubt/event.pb.h"
#include "rules/correlation/correlator.h"
#include "rules/sigma/rule.h"

namespace redoubt::bench {
namespace {

constexpr size_t kRuns = 5;
constexpr size_t kHits = 1'000'000;
constexpr size_t kFrameEvents = 500;
constexpr size_t kUsers = 5'000;
constexpr size_t kAddresses = 40;  // of one user
constexpr int64_t kStartUs = 1'780'000'000'000'000;
constexpr int64_t kStepUs = 1'000;
constexpr std::string_view kRule = R"(
title: Connection
name: connection
logsource: {product: linux, category: network_connection}
detection: {s: {Initiated: true}, condition: s}
---
title: Correlation
)";

rules::RuleSet rules_with(const std::string& correlation) {
  auto file = rules::sigma::read_rules(
      std::string(kRule) + "correlation: {rules: connection, group-by: User, " + correlation + "}\n", "bench.yml");
  auto linked = rules::sigma::link_correlations(std::move(file.correlations), file.rules, file.scopes, file.refusals);
  if (!file.refusals.empty()) give_up(file.refusals.front().rendered);
  auto set = rules::RuleSet::of(std::move(file.rules), std::move(linked));
  if (!set) give_up(set.error().message);
  return *std::move(set);
}

event::Batch batch_at(size_t first) {
  v1::Event common;
  common.set_host_id("host");
  common.set_host_boot_id("boot");
  event::FrameBuilder builder(common);
  for (size_t i = first; i < first + kFrameEvents; ++i) {
    v1::Event event;
    event.set_event_type(v1::EVENT_TYPE_CONNECTION);
    event.set_event_sequence(static_cast<int64_t>(i + 1));
    event.set_event_time(kStartUs + static_cast<int64_t>(i) * kStepUs);
    const size_t user = i * 7919 % kUsers;
    event.set_user_name("user" + std::to_string(user));
    event.set_destination_ip("10.0." + std::to_string(user % 200) + "." + std::to_string(i / kUsers % kAddresses));
    builder.add(event);
  }
  const event::Frame frame = builder.finish("boot");
  auto bytes = event::open_frame(frame.payload, frame.checksum);
  if (!bytes) give_up(bytes.error().message);
  auto batch = event::Batch::decode(*std::move(bytes));
  if (!batch) give_up(batch.error().message);
  return *std::move(batch);
}

void measure(const std::string& name, const std::string& correlation, const std::vector<event::Batch>& batches) {
  const rules::RuleSet rules = rules_with(correlation);
  std::vector<query::match::Hit> hits;
  for (uint32_t row = 0; row < kFrameEvents; ++row) hits.push_back({.row = row, .rule = 0});
  Measurement rate{.name = name, .unit = "hits/cpu-s"};
  size_t fired = 0;
  for (size_t run = 0; run < kRuns; ++run) {
    rules::correlation::Correlator correlator(rules);
    fired = 0;
    const double begin = cpu_seconds();
    for (const event::Batch& batch : batches) {
      fired += correlator.take(correlator.observe("host", batch, hits)).firings.size();
    }
    rate.runs.push_back(static_cast<double>(kHits) / (cpu_seconds() - begin));
  }
  rate.note = std::to_string(kUsers) + " groups, " + std::to_string(fired) + " firings: " + correlation;
  report(rate);
}

}  // namespace
}  // namespace redoubt::bench

int main(int argc, char** argv) {
  using redoubt::bench::measure;
  const std::set<std::string> wanted(argv + 1, argv + argc);
  const auto asked = [&](const char* name) { return wanted.empty() || wanted.contains(name); };
  std::vector<redoubt::event::Batch> batches;
  for (size_t first = 0; first < redoubt::bench::kHits; first += redoubt::bench::kFrameEvents) {
    batches.push_back(redoubt::bench::batch_at(first));
  }
  if (asked("rules.correlation_event_count")) {
    measure("rules.correlation_event_count", "type: event_count, timespan: 5m, condition: {gte: 50}", batches);
  }
  if (asked("rules.correlation_value_count")) {
    measure("rules.correlation_value_count",
            "type: value_count, timespan: 5m, condition: {field: DestinationIp, gte: 35}", batches);
  }
}
