#include "rules/sigma/detection.h"

#include <algorithm>

#include "rules/sigma/condition.h"

namespace redoubt::rules::sigma {

namespace {

using query::Expression;

// The searches of one rule, each lowered once.
struct Searches {
  std::vector<std::string> names;
  std::vector<Expression> expressions;

  const Expression& named(const std::string& name) const {
    const auto found = std::find(names.begin(), names.end(), name);
    return expressions[static_cast<size_t>(found - names.begin())];
  }
};

Expression lower_condition(const Condition& condition, const Searches& searches) {
  if (condition.kind == ConditionKind::identifier) return searches.named(condition.identifier).clone();
  std::vector<Expression> children;
  children.reserve(condition.children.size());
  for (const Condition& child : condition.children) children.push_back(lower_condition(child, searches));
  switch (condition.kind) {
    case ConditionKind::all: return Expression::all_of(std::move(children));
    case ConditionKind::any: return Expression::any_of(std::move(children));
    case ConditionKind::negation: return Expression::negate(std::move(children.front()));
    case ConditionKind::identifier: break;
  }
  return Expression::constant(false);
}

// Tests that a condition stands for once its searches are written in.
size_t count_uses(const Condition& condition) {
  size_t uses = condition.kind == ConditionKind::identifier ? 1 : 0;
  for (const Condition& child : condition.children) uses += count_uses(child);
  return uses;
}

bool has_negation(const Condition& condition) {
  return condition.kind == ConditionKind::negation ||
         std::any_of(condition.children.begin(), condition.children.end(), has_negation);
}

constexpr size_t kConditionUsesMax = 1000;

class DetectionReader {
 public:
  DetectionReader(const DetectionScope& scope, Problems& problems) : scope_(scope), problems_(problems) {}

  Detection read(const Node& detection) {
    const Node* condition = detection.find("condition");
    if (condition == nullptr) {
      problems_.add(code::kMissing, scope_.place, "'condition' is missing");
      return {};
    }
    const Searches searches = read_searches(detection);
    Expression expression = read_conditions(*condition, searches);
    return {.expression = std::move(expression), .negation = negation_};
  }

 private:
  Searches read_searches(const Node& detection) {
    Searches searches;
    for (size_t i = 0; i + 1 < detection.items.size() && !problems_.first(); i += 2) {
      const std::string& name = detection.items[i].text;
      if (name == "condition" || name == scope_.skipped) continue;
      searches.names.push_back(name);
      searches.expressions.push_back(lower_search(detection.items[i + 1], scope_.searches, problems_));
    }
    return searches;
  }

  // A condition, or a list of them of which one is enough.
  Expression read_conditions(const Node& node, const Searches& searches) {
    std::vector<Expression> alternatives;
    if (node.kind != NodeKind::sequence) {
      alternatives.push_back(read_one_condition(node, searches));
    } else if (node.items.empty()) {
      problems_.add(code::kEmpty, node.place, "the list of conditions is empty");
    }
    if (node.kind == NodeKind::sequence) {
      for (const Node& item : node.items) alternatives.push_back(read_one_condition(item, searches));
    }
    return Expression::any_of(std::move(alternatives));
  }

  Expression read_one_condition(const Node& node, const Searches& searches) {
    if (problems_.first()) return {};
    if (node.kind != NodeKind::scalar) {
      problems_.add(code::kShape, node.place, "a condition is a text");
      return {};
    }
    const ConditionScope scope{.identifiers = searches.names, .place = node.place, .text_offset = node.text_offset};
    const Condition condition = parse_condition(node.text, scope, problems_);
    if (problems_.first()) return {};
    if (count_uses(condition) > kConditionUsesMax) {
      problems_.add(code::kTooBig, node.place,
                    "condition uses its searches more than " + std::to_string(kConditionUsesMax) + " times");
      return {};
    }
    if (has_negation(condition)) negation_ = Negation::present;
    return lower_condition(condition, searches);
  }

  const DetectionScope& scope_;
  Problems& problems_;
  Negation negation_ = Negation::absent;
};

}  // namespace

Detection read_detection(const Node& detection, const DetectionScope& scope, Problems& problems) {
  if (detection.kind != NodeKind::map) {
    problems.add(code::kShape, detection.place,
                 "'" + std::string(scope.name) + "' is a map of searches and a condition");
    return {};
  }
  return DetectionReader(scope, problems).read(detection);
}

}  // namespace redoubt::rules::sigma
