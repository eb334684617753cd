// What judging events against many rules costs: rules of Sigma and Falco over events in memory, one thread, CPU time.
// Arguments: names of measurements to make; none: all. Recordings and rules of others come from the corpora
// (REDOUBT_CORPORA or ../shared/corpora); without them, generated events and generated rules are measured.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "bench/generator.h"
#include "bench/must.h"
#include "bench/naive_rules.h"
#include "bench/report.h"
#include "bench/windows_events.h"
#include "query/hunt.h"
#include "query/match/matcher.h"
#include "rules/rule_set.h"
#include "rules/sigma/rule.h"
#include "tests/corpora.h"

namespace redoubt::bench {
namespace {

constexpr size_t kRuns = 5;
constexpr size_t kGeneratedEvents = 200'000;
constexpr size_t kNaiveEvents = 4000;

using Expressions = std::vector<query::Expression>;
using Batches = std::vector<event::Batch>;

size_t count_of(const Batches& batches) {
  size_t events = 0;
  for (const event::Batch& batch : batches) events += batch.size();
  return events;
}

// The Sigma rules for Windows, for Linux and for no product.
Expressions sigma_rules() {
  Expressions expressions;
  const std::filesystem::path directory = tests::corpora_directory() + "/sigma/rules";
  if (!std::filesystem::is_directory(directory)) return expressions;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() != ".yml") continue;
    auto file = rules::sigma::read_rules(must(base::read_file(entry.path(), size_t{1} << 20)), entry.path());
    for (size_t i = 0; i < file.rules.size(); ++i) {
      const std::string& product = file.log_sources[i].product;
      if (product != "windows" && product != "linux") continue;
      expressions.push_back(std::move(file.rules[i].expression));
    }
  }
  return expressions;
}

// Rules of the usual shape over names that do not occur, about the types of which most events are.
Expressions silent_rules(size_t count) {
  struct Kind {
    std::string_view type;
    std::string_view field;
  };
  constexpr auto kKinds = std::to_array<Kind>({{"process", "process.command_line"},
                                               {"processaccess", "target.process.executable"},
                                               {"registry", "registry.path"},
                                               {"filechange", "file.path"}});
  Expressions expressions;
  while (expressions.size() < count) {
    const Kind& kind = kKinds[expressions.size() % kKinds.size()];
    const std::string n = std::to_string(expressions.size());
    const std::string text = "EventType = \"" + std::string(kind.type) +
                             "\" AND (process.executable ENDS \"\\\\implant" + n + ".exe\" OR " +
                             std::string(kind.field) + " CONTAINS \"--beacon-" + n +
                             "\") AND NOT process.parent.executable ENDS \"\\\\trusted" + n + ".exe\"";
    auto hunt = query::parse_hunt(text, base::Time{});
    if (!hunt) give_up(hunt.error().render(text));
    expressions.push_back(std::move(hunt->where));
  }
  return expressions;
}

query::match::Matcher compiled(const Expressions& rules) { return must(query::match::Matcher::compile(rules)); }

// What the heap holds, bytes.
size_t heap_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

struct Pass {
  double cpu_seconds = 0;
  size_t hits = 0;
  size_t events = 0;
};

Pass match_all(query::match::Matcher& matcher, const Batches& batches) {
  std::vector<query::match::Hit> hits;
  Pass pass;
  const double begin = cpu_seconds();
  for (const event::Batch& batch : batches) {
    hits.clear();
    matcher.match(batch, hits);
    pass.hits += hits.size();
    pass.events += batch.size();
  }
  pass.cpu_seconds = cpu_seconds() - begin;
  return pass;
}

void match_timed(query::match::Matcher& matcher, const event::Batch& batch, std::vector<query::match::Hit>& hits,
                 Pass& pass) {
  hits.clear();
  const double begin = cpu_seconds();
  matcher.match(batch, hits);
  pass.cpu_seconds += cpu_seconds() - begin;
  pass.hits += hits.size();
  pass.events += batch.size();
}

// Each batch is matched when it was just read, as a node does it; reading is not counted.
Pass match_lines(query::match::Matcher& matcher, std::string_view lines) {
  std::vector<query::match::Hit> hits;
  Pass pass;
  for_each_batch(lines, [&](const event::Batch& batch) { match_timed(matcher, batch, hits, pass); });
  return pass;
}

// Each run with a matcher that has not seen the events, which `run_all` runs over them.
template <class RunAll>
void measure_rate(Measurement rate, const Expressions& rules, RunAll run_all) {
  Pass last;
  std::vector<double> compile_ms;
  std::vector<double> megabytes;
  for (size_t run = 0; run < kRuns; ++run) {
    const size_t heap_before = heap_in_use();
    const double begin = cpu_seconds();
    auto matcher = compiled(rules);
    compile_ms.push_back((cpu_seconds() - begin) * 1000);
    megabytes.push_back(static_cast<double>(heap_in_use() - heap_before) / 1e6);
    last = run_all(matcher);
    rate.runs.push_back(static_cast<double>(last.events) / last.cpu_seconds);
  }
  rate.note += ": " + std::to_string(last.events) + " events, " + std::to_string(rules.size()) + " rules, " +
               std::to_string(last.hits) + " hits, compiled in " +
               std::to_string(static_cast<int>(median(compile_ms))) + " ms to " +
               std::to_string(static_cast<int>(median(megabytes))) + " MB";
  report(rate);
}

struct WindowsEvents {
  Batches batches;
  std::string origin;
};

WindowsEvents windows_events() {
  const std::string lines = must(recorded_lines(tests::corpora_directory() + "/telemetry/otrf"));
  if (!lines.empty()) return {read_lines(lines), "recorded"};
  return {generated_windows_events({.events = kGeneratedEvents}), "generated"};
}

Expressions many_rules() {
  Expressions rules = sigma_rules();
  return rules.empty() ? silent_rules(3000) : std::move(rules);
}

void measure_sigma() {
  const std::string lines = must(recorded_lines(tests::corpora_directory() + "/telemetry/otrf"));
  Measurement rate{.name = "rules.sigma3000", .unit = "events/cpu-s"};
  if (!lines.empty()) {
    rate.note = "recorded Windows events";
    return measure_rate(std::move(rate), many_rules(), [&](auto& matcher) { return match_lines(matcher, lines); });
  }
  rate.note = "generated Windows events";
  const Batches batches = generated_windows_events({.events = kGeneratedEvents});
  measure_rate(std::move(rate), many_rules(), [&](auto& matcher) { return match_all(matcher, batches); });
}

// From the lines of a log on: reader and matcher.
void measure_json() {
  const std::string lines = must(recorded_lines(tests::corpora_directory() + "/telemetry/otrf"));
  if (lines.empty()) {
    std::fprintf(stderr, "bench: rules.sigma_json: no corpora\n");
    return;
  }
  const Expressions rules = many_rules();
  const auto count = static_cast<size_t>(std::count(lines.begin(), lines.end(), '\n'));
  Measurement rate{.name = "rules.sigma_json", .unit = "lines/cpu-s"};
  size_t hits = 0;
  for (size_t run = 0; run < kRuns; ++run) {
    auto matcher = compiled(rules);
    const double begin = cpu_seconds();
    hits = match_lines(matcher, lines).hits;
    rate.runs.push_back(static_cast<double>(count) / (cpu_seconds() - begin));
  }
  rate.note = "recorded Windows events as JSON lines, read and matched: " + std::to_string(count) + " lines of " +
              std::to_string(lines.size() / count) + " bytes, " + std::to_string(rules.size()) + " rules, " +
              std::to_string(hits) + " hits";
  report(rate);
}

std::vector<event::Frame> linux_frames() {
  Generator generator({.frame_events_min = 200, .frame_events_max = 512});
  std::vector<event::Frame> frames;
  for (size_t made = 0; made < kGeneratedEvents;) {
    Generated next = generator.next();
    made += next.batch.size();
    frames.push_back(std::move(next.frame));
  }
  return frames;
}

// The same of frames as they come from agents.
Pass match_frames(query::match::Matcher& matcher, const std::vector<event::Frame>& frames) {
  std::vector<query::match::Hit> hits;
  Pass pass;
  for (const event::Frame& frame : frames) {
    const auto batch = must(event::Batch::decode(must(event::open_frame(frame.payload, frame.checksum))));
    match_timed(matcher, batch, hits, pass);
  }
  return pass;
}

void measure_falco() {
  Expressions expressions;
  const std::string directory = tests::corpora_directory() + "/falco";
  if (std::filesystem::is_directory(directory)) {
    const auto set = must(rules::RuleSet::load(directory));
    for (const rules::Rule& rule : set.rules()) expressions.push_back(rule.expression.clone());
  }
  if (expressions.empty()) expressions = silent_rules(93);
  const std::vector<event::Frame> frames = linux_frames();
  measure_rate({.name = "rules.falco93", .unit = "events/cpu-s", .note = "generated Linux events"}, expressions,
               [&](auto& matcher) { return match_frames(matcher, frames); });
}

void measure_curve() {
  const Batches batches = generated_windows_events({.events = kGeneratedEvents});
  const auto events = static_cast<double>(count_of(batches));
  Measurement curve{.name = "rules.curve_10000", .unit = "ratio", .better = Better::lower};
  std::vector<std::vector<double>> ns(4);
  constexpr auto kCounts = std::to_array<size_t>({10, 100, 1000, 10'000});
  for (size_t run = 0; run < kRuns; ++run) {
    for (size_t i = 0; i < kCounts.size(); ++i) {
      auto matcher = compiled(silent_rules(kCounts[i]));
      ns[i].push_back(match_all(matcher, batches).cpu_seconds / events * 1e9);
    }
    curve.runs.push_back(ns.back().back() / ns.front().back());
  }
  curve.note = "ns/event";
  for (size_t i = 0; i < kCounts.size(); ++i)
    curve.note += ", " + std::to_string(kCounts[i]) + " rules: " + std::to_string(static_cast<int>(median(ns[i])));
  report(curve);
}

// Both over the same events: a sample, as the naive loop takes long.
void measure_naive() {
  const WindowsEvents events = windows_events();
  const Expressions rules = many_rules();
  const NaiveRules naive(rules);
  auto matcher = compiled(rules);
  Measurement ratio{.name = "rules.naive", .unit = "ratio"};
  std::vector<double> naive_rate;
  const auto total = static_cast<double>(count_of(events.batches));
  for (size_t run = 0; run < kRuns; ++run) {
    const Pass fast = match_all(matcher, events.batches);
    const double begin = cpu_seconds();
    const size_t judged = naive.count_over_sample(events.batches, kNaiveEvents);
    naive_rate.push_back(static_cast<double>(judged) / (cpu_seconds() - begin));
    ratio.runs.push_back(total / fast.cpu_seconds / naive_rate.back());
  }
  ratio.note = "matcher over a walk of every rule's tree for the event's type, which judges " +
               std::to_string(static_cast<int>(median(naive_rate))) + " " + events.origin + " events/cpu-s";
  report(ratio);
}

}  // namespace
}  // namespace redoubt::bench

int main(int argc, char** argv) {
  const std::set<std::string> wanted(argv + 1, argv + argc);
  const auto asked = [&](const char* name) { return wanted.empty() || wanted.contains(name); };
  if (asked("rules.sigma3000")) redoubt::bench::measure_sigma();
  if (asked("rules.sigma_json")) redoubt::bench::measure_json();
  if (asked("rules.falco93")) redoubt::bench::measure_falco();
  if (asked("rules.curve_10000")) redoubt::bench::measure_curve();
  if (asked("rules.naive")) redoubt::bench::measure_naive();
}
