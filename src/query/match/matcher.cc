#include "query/match/matcher.h"

#include <algorithm>
#include <numeric>

#include "query/match/gate.h"
#include "query/match/predicate.h"

namespace redoubt::query::match {

namespace {

// Where a step leads: another step, or the end.
constexpr uint32_t kAccept = UINT32_MAX;
constexpr uint32_t kReject = UINT32_MAX - 1;

constexpr size_t kTypeCount = 32;

int expression_cost(const Expression& expression) {
  if (const auto* test = std::get_if<Test>(&expression.node)) return cost_of(*test);
  if (const auto* node = std::get_if<Not>(&expression.node)) return expression_cost(*node->child);
  const auto* both = std::get_if<And>(&expression.node);
  const auto& children = both != nullptr ? both->children : std::get<Or>(expression.node).children;
  return std::accumulate(children.begin(), children.end(), 0, [](int sum, const Expression& child) {
    return std::min(1 << 20, sum + expression_cost(child));
  });
}

}  // namespace

struct Matcher::Program {
  // One test of a rule; the logic between the tests is in where they lead.
  struct Step {
    PredicateId predicate;
    uint32_t on_true;
    uint32_t on_false;
  };

  struct Rule {
    uint32_t entry = kReject;
    event::EventTypeSet types = 0;
  };

  // What an event of one type needs to have looked at.
  struct TypePlan {
    std::vector<uint32_t> ungated;     // rules that are always evaluated
    std::vector<GroupId> groups;       // that find necessary predicates
    std::vector<PredicateId> singles;  // necessary predicates that are evaluated alone
  };

  PredicateSet predicates;
  std::vector<Step> steps;
  std::vector<Rule> rules;
  std::vector<TypePlan> plans{kTypeCount};
  std::vector<std::vector<uint32_t>> gated;  // by PredicateId: the rules that it lets through

  // Of the event in hand.
  Scratch scratch;
  std::vector<uint32_t> candidate_for;  // by rule: the number of the event
  std::vector<uint32_t> candidates;

  Status add_rule(const Expression& expression);
  Status add_gates(const Expression& expression, uint32_t rule);
  Result<uint32_t> emit(const Expression& expression, uint32_t on_true, uint32_t on_false);
  Result<uint32_t> emit_list(const std::vector<Expression>& children, uint32_t on_true, uint32_t on_false,
                             uint32_t Step::* chained);
  void finish();

  void find_candidates(event::EventType type);
  bool evaluate(const Rule& rule);
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

// A list goes on with its next child where `chained` leads. Cheap children come first.
Result<uint32_t> Matcher::Program::emit_list(const std::vector<Expression>& children, uint32_t on_true,
                                             uint32_t on_false, uint32_t Step::* chained) {
  std::vector<std::pair<int, const Expression*>> order;
  for (const Expression& child : children) order.emplace_back(expression_cost(child), &child);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  Step target{0, on_true, on_false};
  for (const auto& [cost, child] : order) {
    TRY(target.*chained, emit(*child, target.on_true, target.on_false));
  }
  return target.*chained;
}

Status Matcher::Program::add_gates(const Expression& expression, uint32_t rule) {
  const auto necessary = necessary_tests(expression);
  const event::EventTypeSet types = rules[rule].types;
  for (size_t type = 0; type < kTypeCount && !necessary; ++type) {
    if ((types >> type & 1) != 0) plans[type].ungated.push_back(rule);
  }
  if (!necessary) return {};
  for (const Test* test : *necessary) {
    TRY(const PredicateId id, predicates.intern(*test));
    gated.resize(std::max<size_t>(gated.size(), id + 1));
    gated[id].push_back(rule);
    // Operands that are fields are not in a group's tables.
    const bool constant = std::all_of(test->operands.begin(), test->operands.end(),
                                      [](const Operand& operand) { return is_constant(operand); });
    const GroupId group = constant ? predicates.group_of(id) : PredicateSet::kNoGroup;
    for (size_t type = 0; type < kTypeCount; ++type) {
      if ((types >> type & 1) == 0) continue;
      if (group == PredicateSet::kNoGroup) {
        plans[type].singles.push_back(id);
      } else {
        plans[type].groups.push_back(group);
      }
    }
  }
  return {};
}

Status Matcher::Program::add_rule(const Expression& expression) {
  const auto number = static_cast<uint32_t>(rules.size());
  TRY(const uint32_t entry, emit(expression, kAccept, kReject));
  rules.push_back({.entry = entry, .types = possible_types(expression)});
  return add_gates(expression, number);
}

void Matcher::Program::finish() {
  const auto unique = [](auto& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
  };
  for (TypePlan& plan : plans) {
    unique(plan.groups);
    unique(plan.singles);
  }
  predicates.build();
  gated.resize(predicates.size());
  scratch.known.resize(predicates.size());
  scratch.holds.resize(predicates.size());
  scratch.group_done.resize(predicates.group_count());
  candidate_for.resize(rules.size());
}

void Matcher::Program::find_candidates(event::EventType type) {
  const TypePlan& plan = plans[static_cast<size_t>(type) % kTypeCount];
  candidates = plan.ungated;
  for (const GroupId group : plan.groups) predicates.run_group(group, scratch);
  for (const PredicateId id : plan.singles) {
    if (predicates.holds(id, scratch)) scratch.fired.push_back(id);
  }
  const event::EventTypeSet bit = event::set_of(type);
  for (const PredicateId id : scratch.fired) {
    for (const uint32_t rule : gated[id]) {
      if (candidate_for[rule] == scratch.event || (rules[rule].types & bit) == 0) continue;
      candidate_for[rule] = scratch.event;
      candidates.push_back(rule);
    }
  }
  std::sort(candidates.begin(), candidates.end());
}

bool Matcher::Program::evaluate(const Rule& rule) {
  uint32_t at = rule.entry;
  while (at < kReject) {
    const Step& step = steps[at];
    at = predicates.holds(step.predicate, scratch) ? step.on_true : step.on_false;
  }
  return at == kAccept;
}

void Matcher::Program::match_row(const event::Row& row, uint32_t position, std::vector<Hit>& hits) {
  scratch.next_event(row);
  if (scratch.event == 1) std::fill(candidate_for.begin(), candidate_for.end(), 0);
  find_candidates(row.type());
  for (const uint32_t rule : candidates) {
    if (evaluate(rules[rule])) hits.push_back({position, rule});
  }
}

Matcher::Matcher(std::unique_ptr<Program> program) : program_(std::move(program)) {}
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;
Matcher::~Matcher() = default;

Result<Matcher> Matcher::compile(std::span<const Expression> rules) {
  auto program = std::make_unique<Program>();
  for (const Expression& rule : rules) TRY_STATUS(program->add_rule(rule));
  program->finish();
  return Matcher(std::move(program));
}

void Matcher::match(const event::Batch& batch, std::vector<Hit>& hits) {
  for (size_t i = 0; i < batch.size(); ++i) program_->match_row(batch.row(i), static_cast<uint32_t>(i), hits);
}

}  // namespace redoubt::query::match
