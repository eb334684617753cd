#include "rules/correlation/definition.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/hash.h"

namespace redoubt::rules::correlation {

namespace {

constexpr std::array<std::string_view, 9> kTypeNames = {"event_count", "value_count",      "value_sum",
                                                        "value_avg",   "value_percentile", "value_median",
                                                        "temporal",    "temporal_ordered", "temporal_extended"};
constexpr std::array<std::string_view, 6> kComparisonNames = {"gt", "gte", "lt", "lte", "eq", "neq"};

std::string number_text(double number) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr};
}

void append_keys(std::string& text, const std::vector<Key>& keys) {
  for (const Key& key : keys) {
    append_part(text, key.name);
    for (const KeyPlace& place : key.places) {
      append_part(text, event::info(place.field).name);
      append_part(text, place.attribute);
    }
    append_part(text, std::to_string(key.position));
  }
}

}  // namespace

std::string_view name_of(Type type) { return kTypeNames[static_cast<size_t>(type)]; }
std::string_view name_of(Comparison comparison) { return kComparisonNames[static_cast<size_t>(comparison)]; }

bool holds(const Bound& bound, double measured) {
  switch (bound.comparison) {
    case Comparison::gt: return measured > bound.value;
    case Comparison::gte: return measured >= bound.value;
    case Comparison::lt: return measured < bound.value;
    case Comparison::lte: return measured <= bound.value;
    case Comparison::eq: return measured == bound.value;
    case Comparison::neq: return measured != bound.value;
  }
  return false;
}

Decision decision_of(const Definition& definition) {
  switch (definition.type) {
    case Type::value_avg:
    case Type::value_percentile:
    case Type::value_median: return Decision::at_the_end;
    case Type::temporal_ordered: return Decision::at_once;
    case Type::temporal_extended:
      return std::any_of(definition.presence.begin(), definition.presence.end(),
                         [](const Presence& each) { return each.step == PresenceStep::negation; })
                 ? Decision::at_the_end
                 : Decision::at_once;
    case Type::event_count:
    case Type::value_count:
    case Type::value_sum:
    case Type::temporal: break;
  }
  const bool rises = std::all_of(definition.bounds.begin(), definition.bounds.end(), [](const Bound& bound) {
    return bound.comparison == Comparison::gt || bound.comparison == Comparison::gte;
  });
  return rises ? Decision::at_once : Decision::at_the_end;
}

std::string key_of(std::string_view id, const Definition& definition) {
  std::string text;
  append_part(text, id);
  append_part(text, name_of(definition.type));
  append_part(text, std::to_string(definition.timespan_us));
  append_part(text, number_text(definition.percentile));
  for (const Bound& bound : definition.bounds) {
    append_part(text, name_of(bound.comparison));
    append_part(text, number_text(bound.value));
  }
  for (const Presence& each : definition.presence) {
    append_part(text, std::to_string(static_cast<int>(each.step)) + ":" + std::to_string(each.reference));
  }
  for (const Reference& reference : definition.references) {
    append_part(text, reference.kind == ReferenceKind::rule ? "rule" : "correlation");
    append_part(text, reference.id);
    append_keys(text, reference.group_by);
    append_keys(text, reference.fields);
  }
  return base::sha256_hex(text);
}

}  // namespace redoubt::rules::correlation
