#include "rules/sigma/correlation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "base/time.h"
#include "rules/sigma/condition.h"
#include "rules/sigma/metadata.h"

namespace redoubt::rules::sigma {

namespace {

using correlation::Bound;
using correlation::Comparison;
using correlation::Definition;
using correlation::Presence;
using correlation::PresenceStep;
using correlation::Type;

constexpr std::string_view kSection = "correlation";
constexpr size_t kAliasesMax = correlation::kGroupFieldsMax;
constexpr size_t kBoundsMax = 2;  // a range
constexpr double kPercentileMax = 100;
constexpr size_t kPresenceStepsMax = 1000;

constexpr auto kTypes =
    std::to_array<Type>({Type::event_count, Type::value_count, Type::value_sum, Type::value_avg, Type::value_percentile,
                         Type::value_median, Type::temporal, Type::temporal_ordered, Type::temporal_extended});
constexpr auto kComparisons = std::to_array<Comparison>(
    {Comparison::gt, Comparison::gte, Comparison::lt, Comparison::lte, Comparison::eq, Comparison::neq});
constexpr auto kKeys =
    std::to_array<std::string_view>({"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"});

struct TimespanUnit {
  char letter;
  int64_t us;
};
constexpr auto kUnits = std::to_array<TimespanUnit>(
    {{'s', base::kSecondUs}, {'m', base::kMinuteUs}, {'h', base::kHourUs}, {'d', base::kDayUs}});

bool counts_fields(Type type) {
  return type != Type::event_count && type != Type::temporal && type != Type::temporal_ordered &&
         type != Type::temporal_extended;
}

std::optional<double> number_in(const Node& node) {
  double number = 0;
  const char* const end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, number);
  const bool whole = node.kind == NodeKind::scalar && error == std::errc{} && stop == end;
  return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

template <class Value, size_t N>
std::vector<std::string_view> names_of(const std::array<Value, N>& values) {
  std::vector<std::string_view> names;
  for (const Value value : values) names.push_back(correlation::name_of(value));
  return names;
}

// Operands before what joins them.
void write_steps(const Condition& condition, const std::vector<std::string>& names, std::vector<Presence>& steps) {
  if (condition.kind == ConditionKind::identifier) {
    const auto found = std::find(names.begin(), names.end(), condition.identifier);
    steps.push_back({.step = PresenceStep::occurs, .reference = static_cast<uint32_t>(found - names.begin())});
    return;
  }
  const bool any = condition.kind == ConditionKind::any;
  for (size_t i = 0; i < condition.children.size(); ++i) {
    write_steps(condition.children[i], names, steps);
    if (i > 0) steps.push_back({.step = any ? PresenceStep::either : PresenceStep::both});
  }
  if (condition.kind == ConditionKind::negation) steps.push_back({.step = PresenceStep::negation});
}

class CorrelationReader {
 public:
  CorrelationReader(const Node& document, Problems& problems)
      : document_(document), body_(*document.find(kSection)), problems_(problems) {}

  CorrelationDraft read(const std::string& path) {
    draft_.correlation.rule = read_metadata(document_, path, problems_);
    draft_.correlation.rule.expression = query::Expression::constant(false);
    draft_.id_place = id_place(document_);
    if (document_.find("detection") != nullptr) {
      problems_.add(code::kShape, key_place(document_, "detection"), "a document has a detection or a correlation");
    }
    check_keys();
    read_type();
    draft_.rules = read_list("rules", correlation::kReferencesMax);
    if (draft_.rules.empty()) {
      problems_.add(code::kMissing, key_place(body_, "rules"), "'rules' is missing", "ids or names of rules");
    }
    draft_.group_by = read_list("group-by", correlation::kGroupFieldsMax);
    for (const Written& each : draft_.group_by) definition_.group_by.push_back(each.text);
    read_timespan();
    read_aliases();
    read_generate();
    if (!problems_.first()) read_condition();
    draft_.correlation.definition = std::move(definition_);
    return std::move(draft_);
  }

 private:
  void check_keys() {
    if (body_.kind != NodeKind::map) {
      problems_.add(code::kShape, key_place(document_, kSection),
                    "'correlation' is a map with type, rules and timespan");
    }
    for (size_t i = 0; i + 1 < body_.items.size(); i += 2) {
      const Node& key = body_.items[i];
      if (std::find(kKeys.begin(), kKeys.end(), key.text) != kKeys.end()) continue;
      problems_.add(code::kCorrelationKey, key.place, "'" + key.text + "' is not a key of a correlation",
                    suggest(base::nearest_names(key.text, kKeys, 1), ""));
    }
  }

  void read_type() {
    const Node* node = required(body_, "type", problems_);
    if (node == nullptr) return;
    const std::vector<std::string_view> names = names_of(kTypes);
    const auto found = std::find(names.begin(), names.end(), node->text);
    if (found != names.end()) {
      definition_.type = kTypes[static_cast<size_t>(found - names.begin())];
    } else if (node->text == "temporal_ordered_extended") {
      problems_.add(code::kCorrelationType, node->place, "'temporal_ordered_extended' is not supported",
                    "temporal_ordered, or temporal_extended where the order does not matter");
    } else {
      problems_.add(code::kCorrelationType, node->place, "'" + node->text + "' is not a type of correlation",
                    suggest(base::nearest_names(node->text, names, 2), "event_count, value_count, temporal …"));
    }
  }

  // A list of texts without repetition, or one text.
  std::vector<Written> read_list(std::string_view key, size_t count_max) {
    const Node* node = body_.find(key);
    if (node == nullptr || node->kind == NodeKind::null) return {};
    return texts_of(*node, key, count_max);
  }

  std::vector<Written> texts_of(const Node& node, std::string_view key, size_t count_max) {
    if (node.kind == NodeKind::scalar) return {{node.text, node.place}};
    std::vector<Written> texts;
    for (const Node& item : node.items) {
      if (node.kind == NodeKind::map || item.kind != NodeKind::scalar || item.text.empty()) {
        problems_.add(code::kShape, item.place, "'" + std::string(key) + "' is a list of texts");
        return {};
      }
      if (texts.size() == count_max) {
        problems_.add(code::kCorrelationLimit, item.place,
                      "'" + std::string(key) + "' has more than " + std::to_string(count_max) + " entries");
        return {};
      }
      if (std::any_of(texts.begin(), texts.end(), [&](const Written& each) { return each.text == item.text; })) {
        problems_.add(code::kShape, item.place, "'" + item.text + "' is named twice");
      }
      texts.push_back({item.text, item.place});
    }
    return texts;
  }

  void read_timespan() {
    const Node* node = required(body_, "timespan", problems_);
    if (node == nullptr) return;
    int64_t count = 0;
    const char* const end = node->text.data() + node->text.size();
    const auto [stop, error] = std::from_chars(node->text.data(), end, count);
    const auto* const unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const TimespanUnit& each) {
      return end - stop == 1 && *stop == each.letter;
    });
    if (node->kind != NodeKind::scalar || error != std::errc{} || unit == kUnits.end() || count < 1) {
      problems_.add(code::kTimespan, node->place, "'" + node->text + "' is not a timespan",
                    "a number and s, m, h or d: 30s, 5m, 1h, 7d");
    } else if (count > correlation::kTimespanUsMax / unit->us) {
      problems_.add(code::kTimespan, node->place,
                    "a timespan is at most " + std::to_string(correlation::kTimespanUsMax / base::kDayUs) + " days");
    } else {
      definition_.timespan_us = count * unit->us;
    }
  }

  void read_aliases() {
    const Node* node = body_.find("aliases");
    if (node == nullptr || node->kind == NodeKind::null) return;
    if (node->kind != NodeKind::map || node->items.size() / 2 > kAliasesMax) {
      problems_.add(
          code::kShape, key_place(body_, "aliases"),
          "'aliases' is a map of at most " + std::to_string(kAliasesMax) + " names, each a map of rule to field");
      return;
    }
    for (size_t i = 0; i + 1 < node->items.size(); i += 2) {
      const Node& name = node->items[i];
      const Node& meanings = node->items[i + 1];
      Alias alias{.name = {name.text, name.place}};
      if (meanings.kind != NodeKind::map) {
        problems_.add(code::kShape, meanings.place, "an alias is a map of rule to field");
      }
      for (size_t j = 0; j + 1 < meanings.items.size(); j += 2) read_meaning(meanings, j, alias);
      const auto used = [&](const Written& each) { return each.text == alias.name.text; };
      if (std::none_of(draft_.group_by.begin(), draft_.group_by.end(), used)) {
        problems_.add(code::kGroupBy, name.place, "alias '" + name.text + "' is not in 'group-by'");
      }
      draft_.aliases.push_back(std::move(alias));
    }
  }

  void read_meaning(const Node& meanings, size_t at, Alias& alias) {
    const Node& rule = meanings.items[at];
    const Node& field = meanings.items[at + 1];
    if (field.kind != NodeKind::scalar) problems_.add(code::kShape, field.place, "the name of a field expected");
    const auto called = [&](const Written& each) { return each.text == rule.text; };
    if (std::none_of(draft_.rules.begin(), draft_.rules.end(), called)) {
      problems_.add(code::kGroupBy, rule.place, "'" + rule.text + "' is not in 'rules'");
    }
    alias.meanings.push_back({.rule = {rule.text, rule.place}, .field = {field.text, field.place}});
  }

  void read_generate() {
    const Node* node = body_.find("generate");
    if (node == nullptr) return;
    if (node->text == "true") draft_.of_rules = Alerting::on;
    if (node->text != "true" && node->text != "false") {
      problems_.add(code::kShape, node->place, "'generate' is true or false");
    }
  }

  void read_condition() {
    const Type type = definition_.type;
    const Node* node = body_.find("condition");
    const bool optional = type == Type::temporal || type == Type::temporal_ordered;
    if (node == nullptr && optional) return expect_all();
    if (node == nullptr) node = required(body_, "condition", problems_);
    if (node == nullptr) return;
    if (type == Type::temporal_extended) return read_presence(*node);
    if (node->kind != NodeKind::map) {
      problems_.add(code::kShape, node->place, "a condition of this type is a map: gte: 10");
      return;
    }
    for (size_t i = 0; i + 1 < node->items.size(); i += 2) read_condition_key(node->items[i], node->items[i + 1]);
    check_condition(*node);
  }

  void expect_all() {
    const auto all = static_cast<double>(draft_.rules.size());
    definition_.bounds = {{.comparison = Comparison::gte, .value = all}};
  }

  void read_condition_key(const Node& key, const Node& value) {
    if (key.text == "field" && counts_fields(definition_.type)) {
      draft_.fields = texts_of(value, "field", correlation::kGroupFieldsMax);
      for (const Written& each : draft_.fields) definition_.fields.push_back(each.text);
      return;
    }
    const std::optional<double> number = number_in(value);
    if (key.text == "percentile" && definition_.type == Type::value_percentile) {
      if (!number || *number <= 0 || *number > kPercentileMax) {
        problems_.add(code::kCorrelationBound, value.place, "a percentile is over 0 and at most 100");
      }
      definition_.percentile = number.value_or(0);
      return;
    }
    const std::vector<std::string_view> names = names_of(kComparisons);
    const auto found = std::find(names.begin(), names.end(), key.text);
    if (found == names.end()) {
      problems_.add(
          code::kCorrelationBound, key.place,
          "'" + key.text + "' is not a key of a condition of " + std::string(name_of(definition_.type)),
          counts_fields(definition_.type) ? "gt, gte, lt, lte, eq, neq and field" : "gt, gte, lt, lte, eq or neq");
    } else if (!number) {
      problems_.add(code::kCorrelationBound, value.place, "'" + value.text + "' is not a number");
    } else {
      check_bound(value.place, *number);
      definition_.bounds.push_back(
          {.comparison = kComparisons[static_cast<size_t>(found - names.begin())], .value = *number});
    }
  }

  // Counts that cannot be reached with what is kept of a group.
  void check_bound(Place place, double value) {
    const Type type = definition_.type;
    const bool counts = type == Type::event_count || type == Type::value_count || type == Type::temporal;
    if (counts && (value < 0 || value >= static_cast<double>(correlation::kGroupEventsMax))) {
      problems_.add(code::kCorrelationLimit, place,
                    "a count is from 0 to " + std::to_string(correlation::kGroupEventsMax - 1),
                    "so many events of a group are kept");
    }
    if (type == Type::temporal_ordered && value != static_cast<double>(draft_.rules.size())) {
      problems_.add(code::kCorrelationBound, place, "temporal_ordered is about all of its rules",
                    "no condition, or temporal");
    }
  }

  void check_condition(const Node& node) {
    const Type type = definition_.type;
    if (definition_.bounds.empty() || definition_.bounds.size() > kBoundsMax) {
      problems_.add(code::kCorrelationBound, node.place, "a condition has one comparison, or two as a range",
                    "gt, gte, lt, lte, eq or neq");
    }
    if (counts_fields(type) && draft_.fields.empty()) {
      problems_.add(code::kMissing, node.place, "'field' is missing", "the field whose values are looked at");
    }
    if (counts_fields(type) && type != Type::value_count && draft_.fields.size() > 1) {
      problems_.add(code::kCorrelationBound, draft_.fields[1].place, "this type looks at one field");
    }
    if (type == Type::value_percentile && definition_.percentile == 0) {
      problems_.add(code::kMissing, node.place, "'percentile' is missing", "percentile: 95");
    }
    if (type == Type::temporal_ordered && definition_.bounds.front().comparison != Comparison::gte) {
      problems_.add(code::kCorrelationBound, node.place, "temporal_ordered is about all of its rules",
                    "no condition, or temporal");
    }
  }

  void read_presence(const Node& node) {
    if (node.kind != NodeKind::scalar) {
      problems_.add(code::kShape, node.place, "a condition of temporal_extended is a text", "a and b and not c");
      return;
    }
    std::vector<std::string> names;
    for (const Written& each : draft_.rules) names.push_back(each.text);
    const ConditionScope scope{
        .identifiers = names, .place = node.place, .text_offset = node.text_offset, .missing = "'rules' does not name"};
    const Condition condition = parse_condition(node.text, scope, problems_);
    if (!problems_.first()) write_steps(condition, names, definition_.presence);
    if (definition_.presence.size() > kPresenceStepsMax) {
      problems_.add(code::kCorrelationLimit, node.place,
                    "a condition of more than " + std::to_string(kPresenceStepsMax) + " steps");
    }
  }

  const Node& document_;
  const Node& body_;
  Problems& problems_;
  CorrelationDraft draft_;
  Definition definition_;
};

}  // namespace

bool is_correlation(const Node& document) { return document.find(kSection) != nullptr; }

CorrelationDraft read_correlation(const Node& document, const std::string& path,
                                  const std::shared_ptr<const std::string>& source, Problems& problems) {
  CorrelationDraft draft = CorrelationReader(document, problems).read(path);
  draft.source = source;
  return draft;
}

}  // namespace redoubt::rules::sigma
