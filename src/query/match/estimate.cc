#include "query/match/estimate.h"

#include <xxhash.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

namespace redoubt::query::match {

namespace {

using event::Field;
using event::FieldType;

// Closed sets: a value is one of few.
constexpr double kChanceOfWord = 0.2;
// Of most events: path prefixes, endings such as ".exe".
constexpr double kChanceOfShape = 0.5;
constexpr double kRulesOfDoubtfulWorth = 16;

struct OperatorGuess {
  Operator op;
  Estimate one;  // for one operand; each further one adds a share
};

constexpr auto kOperatorGuesses = std::to_array<OperatorGuess>({
    {Operator::equal, {10, 0.02}},
    {Operator::less, {12, 0.5}},
    {Operator::less_equal, {12, 0.5}},
    {Operator::greater, {12, 0.5}},
    {Operator::greater_equal, {12, 0.5}},
    {Operator::contains, {50, 0.05}},
    {Operator::starts_with, {12, 0.1}},
    {Operator::ends_with, {12, 0.05}},
    {Operator::like, {100, 0.05}},
    {Operator::regex, {400, 0.05}},
    {Operator::cidr, {80, 0.2}},
    {Operator::exists, {4, 0.7}},
});

bool is_word(Field field) { return event::info(field).type == FieldType::keyword; }

Estimate combined(const std::vector<Expression>& children, bool all) {
  Estimate sum{.cost = 0, .chance = 1};
  for (const Expression& child : children) {
    const Estimate each = estimate(child);
    sum.cost += each.cost * sum.chance;
    sum.chance *= all ? each.chance : 1 - each.chance;
  }
  if (!all) sum.chance = 1 - sum.chance;
  return sum;
}

uint64_t hash_of(const Trigger& trigger) {
  const uint64_t seed =
      uint64_t{trigger.slot} << 16 | static_cast<uint64_t>(trigger.kind) << 8 | static_cast<uint64_t>(trigger.form);
  return XXH3_64bits_withSeed(trigger.text.data(), trigger.text.size(),
                              seed ^ (static_cast<uint64_t>(trigger.number) << 32));
}

// From the text alone: long ones are rare.
double chance_of_text(TriggerKind kind, std::string_view text) {
  const auto size = static_cast<double>(text.size());
  switch (kind) {
    case TriggerKind::whole: return size < 2 ? 0.1 : 0.004;
    case TriggerKind::start:
      return size < 4 ? kChanceOfShape : std::max(0.02, kChanceOfShape * std::pow(0.8, size - 4));
    case TriggerKind::end: return size < 5 ? kChanceOfShape : std::max(0.004, 0.1 * std::pow(0.7, size - 5));
    case TriggerKind::anywhere: return size < 2 ? 0.9 : std::max(0.002, 0.9 * std::pow(0.5, size - 1));
    case TriggerKind::number: return 0.02;
    case TriggerKind::prefix: return 0.2;
  }
  return 1;
}

std::optional<TriggerKind> kind_of_literal(Operator op) {
  switch (op) {
    case Operator::equal: return TriggerKind::whole;
    case Operator::contains: return TriggerKind::anywhere;
    case Operator::starts_with: return TriggerKind::start;
    case Operator::ends_with: return TriggerKind::end;
    default: return std::nullopt;
  }
}

// That a test of so many operands holds, each of which alone has that chance.
double chance_of_any(const Test& test, double chance_of_one) {
  constexpr size_t kOperandsMax = 17;  // more make no difference
  const auto kind = kind_of_literal(test.op);
  double none = test.operands.empty() ? 1 - chance_of_one : 1;
  for (size_t i = 0; i < std::min(test.operands.size(), kOperandsMax); ++i) {
    const auto* const text = std::get_if<std::string>(&test.operands[i]);
    none *= 1 - (text != nullptr && kind ? chance_of_text(*kind, *text) : chance_of_one);
  }
  return 1 - none;
}

}  // namespace

Estimate estimate(const Test& test) {
  if (test.field == Field::event_type) return {.cost = 2, .chance = 0.9};
  const auto* const guess = std::find_if(kOperatorGuesses.begin(), kOperatorGuesses.end(),
                                         [&](const OperatorGuess& each) { return each.op == test.op; });
  Estimate result = guess->one;
  const auto count = static_cast<double>(std::max<size_t>(1, test.operands.size()));
  const double further = std::min(count - 1, 16.0);
  result.cost += further * result.cost / 4;
  result.chance =
      is_word(test.field) ? 1 - std::pow(1 - kChanceOfWord, 1 + further) : chance_of_any(test, guess->one.chance);
  constexpr double kAttributesOfAnEvent = 20;
  if (test.field == Field::attributes && test.attribute.empty()) result.cost *= kAttributesOfAnEvent;
  return result;
}

Estimate estimate(const Expression& expression) {
  if (const auto* test = std::get_if<Test>(&expression.node)) return estimate(*test);
  if (const auto* node = std::get_if<And>(&expression.node)) return combined(node->children, true);
  if (const auto* node = std::get_if<Or>(&expression.node)) return combined(node->children, false);
  const Estimate inner = estimate(*std::get<Not>(expression.node).child);
  return {.cost = inner.cost, .chance = 1 - inner.chance};
}

void TriggerChances::count(const Trigger& trigger) { ++rules_[hash_of(trigger)]; }

double TriggerChances::chance(const Trigger& trigger) const {
  double chance = chance_of_text(trigger.kind, trigger.text);
  if (!is_attribute(trigger.slot) && is_word(static_cast<Field>(trigger.slot))) chance = kChanceOfWord;
  const auto found = rules_.find(hash_of(trigger));
  const double rules = found == rules_.end() ? 0 : found->second;
  return std::min(1.0, chance * (1 + rules / kRulesOfDoubtfulWorth * 4));
}

}  // namespace redoubt::query::match
