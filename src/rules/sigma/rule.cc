#include "rules/sigma/rule.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "rules/sigma/condition.h"
#include "rules/sigma/log_source.h"
#include "rules/sigma/search.h"
#include "rules/sigma/tags.h"

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

constexpr size_t kConditionUsesMax = 1000;

class RuleReader {
 public:
  RuleReader(const Node& document, Problems& problems) : document_(document), problems_(problems) {}

  Rule read() {
    Rule rule;
    if (!check_kind()) return rule;
    rule.title = required_text("title");
    rule.id = read_id();
    rule.description = std::string(document_.text_of("description"));
    rule.author = std::string(document_.text_of("author"));
    rule.format = "sigma";
    rule.importance = read_level();
    rule.references = read_texts("references");
    rule.false_positives = read_texts("falsepositives");
    read_tags(read_texts("tags"), rule.techniques, rule.tactics);
    if (!problems_.first()) rule.expression = read_expression();
    return rule;
  }

 private:
  bool check_kind() {
    if (document_.kind != NodeKind::map) {
      problems_.add(code::kShape, document_.place, "a rule is a map with title, logsource and detection");
      return false;
    }
    for (const std::string_view key : {"correlation", "filter", "action"}) {
      if (document_.find(key) == nullptr) continue;
      problems_.add(code::kDocumentKind, key_place(key), "'" + std::string(key) + "' documents are not supported",
                    "only detection rules are");
      return false;
    }
    return true;
  }

  Place key_place(std::string_view key) const {
    for (size_t i = 0; i + 1 < document_.items.size(); i += 2) {
      if (document_.items[i].text == key) return document_.items[i].place;
    }
    return document_.place;
  }

  // The value under the key, or a problem.
  const Node* required(const Node& map, std::string_view key, Place place) {
    const Node* value = map.find(key);
    if (value == nullptr) problems_.add(code::kMissing, place, "'" + std::string(key) + "' is missing");
    return value;
  }

  std::string required_text(std::string_view key) {
    const Node* value = required(document_, key, document_.place);
    if (value == nullptr) return "";
    if (value->kind != NodeKind::scalar || value->text.empty()) {
      problems_.add(code::kShape, value->place, "'" + std::string(key) + "' is a text");
    }
    return value->text;
  }

  std::string read_id() {
    std::string id = base::fold_case(required_text("id"));
    bool well_formed = id.size() == 36;
    for (size_t i = 0; i < id.size() && well_formed; ++i) {
      const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
      well_formed = dash ? id[i] == '-' : std::string_view("0123456789abcdef").find(id[i]) != std::string_view::npos;
    }
    if (!well_formed) problems_.add(code::kId, key_place("id"), "'id' is not a UUID");
    return id;
  }

  Importance read_level() {
    const Node* level = document_.find("level");
    if (level == nullptr) return Importance::medium;
    constexpr std::array kLevels = {Importance::informational, Importance::low, Importance::medium, Importance::high,
                                    Importance::critical};
    for (const Importance importance : kLevels) {
      if (level->text == name_of(importance)) return importance;
    }
    std::vector<std::string_view> names;
    names.reserve(kLevels.size());
    for (const Importance importance : kLevels) names.push_back(name_of(importance));
    problems_.add(code::kLevel, level->place, "'" + level->text + "' is not a level",
                  suggest(base::nearest_names(level->text, names, 1), "informational, low, medium, high or critical"));
    return Importance::medium;
  }

  // A list of texts, or one text.
  std::vector<std::string> read_texts(std::string_view key) {
    std::vector<std::string> texts;
    const Node* value = document_.find(key);
    if (value == nullptr || value->kind == NodeKind::null) return texts;
    if (value->kind == NodeKind::scalar) return {value->text};
    for (const Node& item : value->items) {
      if (value->kind == NodeKind::map || item.kind != NodeKind::scalar) {
        problems_.add(code::kShape, item.place, "'" + std::string(key) + "' is a list of texts");
        break;
      }
      texts.push_back(item.text);
    }
    return texts;
  }

  Expression read_expression() {
    const Node* log_source = required(document_, "logsource", document_.place);
    const Node* detection = required(document_, "detection", document_.place);
    if (log_source == nullptr || detection == nullptr) return {};
    if (detection->kind != NodeKind::map) {
      problems_.add(code::kShape, detection->place, "'detection' is a map of searches and a condition");
      return {};
    }
    auto source = read_log_source(*log_source, problems_);
    const Node* condition = required(*detection, "condition", key_place("detection"));
    if (!source || condition == nullptr) return {};
    const Searches searches = read_searches(*detection, source->types);
    std::vector<Expression> both;
    both.push_back(std::move(source->condition));
    both.push_back(read_conditions(*condition, searches));
    if (problems_.first()) return {};
    auto normalized = query::normalize(Expression::all_of(std::move(both)));
    if (!normalized) {
      problems_.add(code::kTooBig, key_place("detection"), normalized.error().message);
      return {};
    }
    return *std::move(normalized);
  }

  Searches read_searches(const Node& detection, event::EventTypeSet types) {
    Searches searches;
    for (size_t i = 0; i + 1 < detection.items.size() && !problems_.first(); i += 2) {
      const std::string& name = detection.items[i].text;
      if (name == "condition") continue;
      searches.names.push_back(name);
      searches.expressions.push_back(lower_search(detection.items[i + 1], types, problems_));
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
    return lower_condition(condition, searches);
  }

  const Node& document_;
  Problems& problems_;
};

Refusal refuse_rule(const Problems& problems, std::string_view source, const std::string& path,
                    std::string_view title) {
  return {.path = path,
          .title = std::string(title),
          .diagnostic = *problems.first(),
          .rendered = problems.first()->render(source)};
}

}  // namespace

RuleFile read_rules(std::string_view source, const std::string& path) {
  RuleFile file;
  Problems syntax;
  const std::vector<Node> documents = parse_yaml(source, syntax);
  if (!syntax.first() && documents.empty()) syntax.add(code::kShape, {}, "the file holds no rule");
  if (syntax.first()) {
    const std::string_view title = documents.empty() ? "" : documents.front().text_of("title");
    file.refusals.push_back(refuse_rule(syntax, source, path, title));
    return file;
  }
  for (const Node& document : documents) {
    Problems problems;
    Rule rule = RuleReader(document, problems).read();
    rule.path = path;
    if (problems.first()) {
      file.refusals.push_back(refuse_rule(problems, source, path, document.text_of("title")));
    } else {
      file.rules.push_back(std::move(rule));
      file.id_places.push_back(document.find("id")->place);
    }
  }
  return file;
}

}  // namespace redoubt::rules::sigma
