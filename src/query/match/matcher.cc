#include "query/match/matcher.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>

#include "query/match/estimate.h"
#include "query/match/event_memo.h"
#include "query/match/gate.h"
#include "query/match/plan.h"
#include "query/match/predicate.h"

namespace redoubt::query::match {

namespace {

// Where a step leads: another step, or the end.
constexpr uint32_t kAccept = UINT32_MAX;
constexpr uint32_t kReject = UINT32_MAX - 1;

// How many rows are matched while the values of one are fetched.
constexpr size_t kRowsAhead = 4;

// The cost of a child before it decides a list, over the chance that it does: what to sort a list by.
double cost_to_decide(const Expression& child, double deciding_truth) {
  constexpr double kChanceMin = 1e-3;
  const Estimate guess = estimate(child);
  const double chance = deciding_truth * guess.chance + (1 - deciding_truth) * (1 - guess.chance);
  return guess.cost / std::max(kChanceMin, chance);
}

// A number that one thread writes and any may read: no locked instruction is needed.
class Tally {
 public:
  void add(uint64_t count) { value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

struct RuleTally {
  Tally evaluated, matched, sampled_ns;
};

}  // namespace

struct Matcher::Program {
  // One test of a rule; the logic between the tests is in where they lead.
  struct Step {
    PredicateId predicate;
    uint32_t on_true;
    uint32_t on_false;
  };

  SlotTable slots;
  PredicateSet predicates{slots};
  std::vector<Step> steps;
  std::vector<uint32_t> entries;  // by rule: its first step
  PlanSet plans;

  // Of the event in hand.
  ScanScratch scan;
  std::optional<EventView> event;
  std::optional<PlanRun> run;
  std::optional<EventMemo> memo;
  Verdicts verdicts;
  TextVerdicts text_verdicts;
  std::vector<LiteralId> found;
  std::vector<uint32_t> outcomes;
  uint32_t events = 0;                   // so far; comes round
  std::unique_ptr<RuleTally[]> tallies;  // by rule

  Status add_rules(std::span<const Expression> rules, LiteralScanner::Engine engine);
  Status add_plans(std::span<const Expression> rules, LiteralScanner::Engine engine);
  Result<uint32_t> emit(const Expression& expression, uint32_t on_true, uint32_t on_false);
  Result<uint32_t> emit_list(const std::vector<Expression>& children, uint32_t on_true, uint32_t on_false,
                             uint32_t Step::* chained);

  bool evaluate(uint32_t entry);
  bool evaluate_timed(RuleId rule);
  std::span<const uint32_t> judge();
  void match_row(const event::Row& row, uint32_t position, std::vector<Hit>& hits);
};

// Emitted from the last test to the first, so that where each leads is known.
Result<uint32_t> Matcher::Program::emit(const Expression& expression, uint32_t on_true, uint32_t on_false) {
  if (const auto* test = std::get_if<Test>(&expression.node)) {
    TRY(const PredicateId predicate, predicates.intern(*test));
    steps.push_back({predicate, on_true, on_false});
    return static_cast<uint32_t>(steps.size() - 1);
  }
  if (const auto* node = std::get_if<Not>(&expression.node)) return emit(*node->child, on_false, on_true);
  if (const auto* node = std::get_if<And>(&expression.node)) {
    return emit_list(node->children, on_true, on_false, &Step::on_true);
  }
  return emit_list(std::get<Or>(expression.node).children, on_true, on_false, &Step::on_false);
}

// A list goes on with its next child where `chained` leads. Children that decide it soon come first.
Result<uint32_t> Matcher::Program::emit_list(const std::vector<Expression>& children, uint32_t on_true,
                                             uint32_t on_false, uint32_t Step::* chained) {
  std::vector<std::pair<double, const Expression*>> order;
  const double deciding_truth = chained == &Step::on_false ? 1 : 0;
  for (const Expression& child : children) order.emplace_back(cost_to_decide(child, deciding_truth), &child);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  Step target{0, on_true, on_false};
  for (const auto& [cost, child] : order) {
    TRY(target.*chained, emit(*child, target.on_true, target.on_false));
  }
  return target.*chained;
}

Status Matcher::Program::add_plans(std::span<const Expression> rules, LiteralScanner::Engine engine) {
  TriggerChances chances;
  for (const Expression& rule : rules) count_triggers(rule, slots, chances);
  GateChooser chooser(chances);
  std::vector<std::vector<TriggerSet>> sets;
  std::vector<PlanSet::RuleGate> gates;
  for (const Expression& rule : rules) {
    sets.push_back(necessary_triggers(rule, slots, chances));
    gates.push_back({.types = possible_types(rule), .gate = {}});
    chooser.consider(sets.back(), gates.back().types);
  }
  for (size_t i = 0; i < sets.size(); ++i) {
    gates[i].gate = chooser.choose(std::move(sets[i]), gates[i].types);
    gates[i].gate.excluded = excluding_triggers(rules[i], slots);
  }
  return plans.build(std::move(gates), engine, scan);
}

Status Matcher::Program::add_rules(std::span<const Expression> rules, LiteralScanner::Engine engine) {
  for (const Expression& rule : rules) {
    TRY(const uint32_t entry, emit(rule, kAccept, kReject));
    entries.push_back(entry);
  }
  TRY_STATUS(predicates.build(engine, scan));
  TRY_STATUS(add_plans(rules, engine));
  verdicts.resize(predicates.size());
  event.emplace(slots);
  run.emplace(plans);
  memo.emplace(slots);
  tallies = std::make_unique<RuleTally[]>(rules.size());
  return {};
}

bool Matcher::Program::evaluate(uint32_t entry) {
  const PredicateSet::Scratch scratch{.event = *event, .scan = scan, .found = found, .texts = text_verdicts};
  uint32_t at = entry;
  while (at < kReject) {
    const Step& step = steps[at];
    at = verdicts.holds(step.predicate, predicates, scratch) ? step.on_true : step.on_false;
  }
  return at == kAccept;
}

bool Matcher::Program::evaluate_timed(RuleId rule) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begun = Clock::now();
  const bool holds = evaluate(entries[rule]);
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun);
  tallies[rule].sampled_ns.add(static_cast<uint64_t>(took.count()));
  return holds;
}

// The words of the outcomes of the event in hand.
std::span<const uint32_t> Matcher::Program::judge() {
  const bool sampled = ++events % kSampledEvents == 0;
  if (const auto known = memo->find(*event, *run, scan)) return *known;
  verdicts.start_event();
  outcomes.clear();
  for (const RuleId rule : run->find(*event, scan)) {
    const bool holds = sampled ? evaluate_timed(rule) : evaluate(entries[rule]);
    outcomes.push_back((holds ? Outcome::matched(rule) : Outcome::failed(rule)).word());
  }
  memo->keep(*event, outcomes);
  return outcomes;
}

void Matcher::Program::match_row(const event::Row& row, uint32_t position, std::vector<Hit>& hits) {
  event->start_event(row);
  for (const uint32_t word : judge()) {
    const Outcome outcome(word);
    RuleTally& tally = tallies[outcome.rule()];
    tally.evaluated.add(1);
    if (!outcome.has_matched()) continue;
    tally.matched.add(1);
    hits.push_back({position, outcome.rule()});
  }
}

Matcher::Matcher(std::unique_ptr<Program> program) : program_(std::move(program)) {}
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::~Matcher() = default;

Result<Matcher> Matcher::compile(std::span<const Expression> rules, MatcherOptions options) {
  auto program = std::make_unique<Program>();
  TRY_STATUS(program->add_rules(rules, options.scanner));
  return Matcher(std::move(program));
}

void Matcher::match(const event::Batch& batch, std::vector<Hit>& hits) {
  program_->event->start_batch(batch);
  program_->run->start_batch(batch);
  for (size_t i = 0; i < batch.size(); ++i) {
    batch.prefetch(i + kRowsAhead);
    program_->match_row(batch.row(i), static_cast<uint32_t>(i), hits);
  }
}

std::vector<RuleCounter> Matcher::counters() const {
  std::vector<RuleCounter> counters(program_->entries.size());
  for (size_t i = 0; i < counters.size(); ++i) {
    const RuleTally& tally = program_->tallies[i];
    counters[i] = {
        .evaluated = tally.evaluated.value(), .matched = tally.matched.value(), .sampled_ns = tally.sampled_ns.value()};
  }
  return counters;
}

}  // namespace redoubt::query::match
