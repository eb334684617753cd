// The spine's figures over generated events: decode → match → store, bytes on the wire and on disk, hunt latency.
// Arguments: names of measurements to make; none: all.
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "bench/generator.h"
#include "bench/must.h"
#include "bench/report.h"
#include "query/hunt.h"
#include "rules/rule_set.h"
#include "store/events/event_store.h"

namespace redoubt::bench {
namespace {

constexpr size_t kRules = 100;
constexpr size_t kRuns = 5;
constexpr size_t kPipelineEvents = 250'000;
constexpr size_t kHuntEvents = 5'000'000;

query::Hunt parsed(const std::string& text) {
  auto hunt = query::parse_hunt(text, base::Time::now());
  if (!hunt) give_up(hunt.error().render(text));
  return *std::move(hunt);
}

GeneratorOptions busy_agents() { return {.frame_events_min = 200, .frame_events_max = 512}; }

// The rules that ship, filled up to kRules with rules of the same shape over names that do not occur.
query::match::Matcher hundred_rules() {
  const auto shipped = must(rules::RuleSet::load(std::string(REDOUBT_SOURCE_DIR) + "/rules/sigma"));
  std::vector<query::Expression> expressions;
  for (const auto& rule : shipped.rules()) expressions.push_back(rule.expression.clone());
  while (expressions.size() < kRules) {
    const std::string n = std::to_string(expressions.size());
    expressions.push_back(must(query::normalize(parsed("EventType = \"process\" AND (Image ENDS \"/implant" + n +
                                                       "\" OR CommandLine CONTAINS \"--beacon-" + n +
                                                       "\") AND NOT ParentImage ENDS \"/trusted" + n + "\"")
                                                    .where.clone())));
  }
  expressions.resize(kRules);
  return must(query::match::Matcher::compile(expressions));
}

struct HostFrame {
  std::string host_id;
  event::Frame frame;
};

std::vector<HostFrame> generate(size_t events, const GeneratorOptions& options) {
  Generator generator(options);
  std::vector<HostFrame> frames;
  for (size_t made = 0; made < events;) {
    Generated next = generator.next();
    made += next.frame.events;
    frames.push_back({std::move(next.host_id), std::move(next.frame)});
  }
  return frames;
}

// One frame's whole way on the node. Returns its events.
size_t take(store::EventStore& store, query::match::Matcher& matcher, const HostFrame& from,
            std::vector<query::match::Hit>& hits) {
  const auto batch = must(event::Batch::decode(must(event::open_frame(from.frame.payload, from.frame.checksum))));
  hits.clear();
  matcher.match(batch, hits);
  must(store.append(from.host_id, from.frame, batch));
  if (const auto judged = store.mark_judged(from.host_id, from.frame.boot_id, from.frame.last_sequence); !judged) {
    give_up(judged.error().message);
  }
  return batch.size();
}

void measure_pipeline() {
  const auto frames = generate(kPipelineEvents, busy_agents());
  Measurement rate{.name = "spine.pipeline",
                   .unit = "events/cpu-s",
                   .note = "decode, match 100 rules, spool with fdatasync, tail, seal to Parquet"};
  Measurement wire{.name = "spine.wire",
                   .unit = "bytes/event",
                   .better = Better::lower,
                   .note = "compressed frames of 200 to 512 events"};
  Measurement disk{
      .name = "spine.disk", .unit = "bytes/event", .better = Better::lower, .note = "sealed Parquet segments"};
  for (size_t run = 0; run < kRuns; ++run) {
    const base::TempDir directory;
    auto matcher = hundred_rules();
    const auto store = must(store::open_embedded_store({.directory = directory.path()}));
    std::vector<query::match::Hit> hits;
    size_t events = 0;
    size_t bytes = 0;
    const double begin = cpu_seconds();
    for (const HostFrame& frame : frames) {
      events += take(*store, matcher, frame, hits);
      bytes += frame.frame.payload.size();
    }
    must(store->seal());
    const auto count = static_cast<double>(events);
    rate.runs.push_back(count / (cpu_seconds() - begin));
    wire.runs.push_back(static_cast<double>(bytes) / count);
    disk.runs.push_back(static_cast<double>(store->stats().segment_bytes) / count);
  }
  report(rate);
  report(wire);
  report(disk);
}

void measure_hunt(store::EventStore& store, const std::string& name, const std::string& text) {
  Measurement latency{.name = name, .unit = "ms", .better = Better::lower};
  size_t rows = 0;
  double cpu = 0;
  for (size_t run = 0; run < kRuns; ++run) {
    const double cpu_begin = cpu_seconds();
    const double begin = wall_seconds();
    const auto result = must(store.hunt(parsed(text), {}));
    latency.runs.push_back((wall_seconds() - begin) * 1000);
    cpu = (cpu_seconds() - cpu_begin) * 1000;
    rows = result.rows.size();
  }
  latency.note = std::to_string(kHuntEvents / 1'000'000) + " million events, " + std::to_string(rows) + " rows, " +
                 std::to_string(static_cast<int>(cpu)) + " ms of CPU: " + text;
  report(latency);
}

void measure_hunts() {
  const base::TempDir directory;
  const auto store = must(store::open_embedded_store({.directory = directory.path()}));
  Generator generator(busy_agents());
  std::string needle;
  for (size_t made = 0; made < kHuntEvents;) {
    const Generated next = generator.next();
    made += next.batch.size();
    if (needle.empty() && made > kHuntEvents / 2) needle = next.batch.row(0).text(event::Field::process_entity_id);
    must(store->append(next.host_id, next.frame, next.batch));
    if (const auto judged = store->mark_judged(next.host_id, next.frame.boot_id, next.frame.last_sequence); !judged) {
      give_up(judged.error().message);
    }
  }
  must(store->seal());
  measure_hunt(*store, "spine.hunt_selective", "process.entity_id = \"" + needle + "\"");
  measure_hunt(*store, "spine.hunt_contains", "CommandLine CONTAINS \"rare-needle\" OR CommandLine CONTAINS \"7f3\"");
}

}  // namespace
}  // namespace redoubt::bench

int main(int argc, char** argv) {
  const std::set<std::string> wanted(argv + 1, argv + argc);
  const auto asked = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (wanted.contains(name)) return true;
    }
    return wanted.empty();
  };
  if (asked({"spine.pipeline", "spine.wire", "spine.disk"})) redoubt::bench::measure_pipeline();
  if (asked({"spine.hunt_selective", "spine.hunt_contains"})) redoubt::bench::measure_hunts();
}
