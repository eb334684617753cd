#include "rules/sigma/filter.h"

#include <algorithm>

#include "base/text.h"
#include "rules/sigma/log_source.h"

namespace redoubt::rules::sigma {

namespace {

using query::Expression;

std::string as_warning(std::string rendered) {
  constexpr std::string_view kError = "error";
  return rendered.starts_with(kError) ? "warning" + rendered.substr(kError.size()) : rendered;
}

class FilterReader {
 public:
  FilterReader(const Node& document, const FilterSource& source, Problems& problems)
      : document_(document), source_(source), problems_(problems) {}

  Filter read() {
    filter_.path = source_.path;
    filter_.title = required_text(document_, "title", problems_);
    filter_.log_source = read_log_source_names(document_);
    const Node* log_source = required(document_, "logsource", problems_);
    const Node* body = document_.find("filter");
    if (log_source == nullptr || problems_.first()) return {};
    read_targets(*body);
    read_condition(*body, read_scope(*log_source));
    return std::move(filter_);
  }

 private:
  FieldScope read_scope(const Node& log_source) {
    if (source_.options.vocabulary == Vocabulary::any) return {};
    const auto read = read_log_source(log_source, problems_);
    return read ? read->fields : FieldScope{};
  }

  void read_targets(const Node& body) {
    const Node* rules = body.find("rules");
    if (rules == nullptr) {
      problems_.add(code::kMissing, key_place(document_, "filter"), "'rules' is missing",
                    "ids or names of rules, or 'any'");
      return;
    }
    if (rules->kind == NodeKind::scalar && rules->text != "any") add_target(*rules);
    if (rules->kind == NodeKind::map) {
      problems_.add(code::kShape, rules->place, "'rules' is 'any' or a list of ids and names");
    }
    if (rules->kind != NodeKind::sequence) return;
    for (const Node& item : rules->items) add_target(item);
  }

  void add_target(const Node& node) {
    if (node.kind != NodeKind::scalar) {
      problems_.add(code::kShape, node.place, "the id or name of a rule expected");
      return;
    }
    filter_.targets.push_back(
        {.name = node.text,
         .unknown = warning(code::kFilterRule, node.place, "no rule here is called '" + node.text + "'", "")});
  }

  void read_condition(const Node& body, const FieldScope& fields) {
    const DetectionScope scope{.name = "filter",
                               .place = key_place(document_, "filter"),
                               .skipped = "rules",
                               .searches = {.fields = fields, .options = source_.options, .budget = source_.budget}};
    Detection detection = read_detection(body, scope, problems_);
    if (problems_.first()) return;
    filter_.expression = std::move(detection.expression);
    if (detection.negation == Negation::present) return;
    filter_.warnings.push_back(warning(code::kFilterSense, body.find("condition")->place,
                                       "the filter lets through only what it names: its condition has no 'not'",
                                       "'not' before the search leaves out what it names"));
  }

  Refusal warning(std::string_view code, Place place, std::string message, std::string hint) const {
    Problems problems;
    problems.add(code, place, std::move(message), std::move(hint));
    return {.path = source_.path,
            .title = filter_.title,
            .diagnostic = *problems.first(),
            .rendered = as_warning(problems.first()->render(source_.text))};
  }

  const Node& document_;
  const FilterSource& source_;
  Problems& problems_;
  Filter filter_;
};

bool is_called(const Rule& rule, const std::string& name) {
  return rule.id == base::fold_case(name) || rule.name == name;
}

bool is_for(const Filter& filter, const Rule& rule, const LogSourceNames& source) {
  if (rule.format != "sigma" || !covers(filter.log_source, source)) return false;
  return filter.targets.empty() ||
         std::any_of(filter.targets.begin(), filter.targets.end(),
                     [&](const FilterTarget& target) { return is_called(rule, target.name); });
}

// What could not be done, or nothing.
std::optional<Refusal> narrow(const Filter& filter, Rule& rule) {
  std::vector<Expression> both;
  both.push_back(rule.expression.clone());
  both.push_back(filter.expression.clone());
  auto narrowed = query::normalize(Expression::all_of(std::move(both)));
  if (narrowed) {
    rule.expression = *std::move(narrowed);
    return std::nullopt;
  }
  Refusal refusal{.path = filter.path, .title = filter.title, .diagnostic = {}, .rendered = ""};
  refusal.diagnostic.code = std::string(code::kTooBig);
  refusal.diagnostic.message = "rule " + rule.id + " cannot be filtered: " + narrowed.error().message;
  refusal.rendered = as_warning(refusal.diagnostic.render(""));
  return refusal;
}

void warn_of_unknown(const Filter& filter, std::span<const Rule> rules, std::vector<Refusal>& warnings) {
  for (const FilterTarget& target : filter.targets) {
    bool found = false;
    for (size_t i = 0; i < rules.size() && !found; ++i) found = is_called(rules[i], target.name);
    if (!found) warnings.push_back(target.unknown);
  }
}

}  // namespace

bool is_filter(const Node& document) { return document.find("filter") != nullptr; }

Filter read_filter(const Node& document, const FilterSource& source, Problems& problems) {
  return FilterReader(document, source, problems).read();
}

std::vector<Refusal> apply_filters(std::span<const Filter> filters, std::span<const LogSourceNames> sources,
                                   std::span<Rule> rules) {
  std::vector<Refusal> warnings;
  for (const Filter& filter : filters) {
    warnings.insert(warnings.end(), filter.warnings.begin(), filter.warnings.end());
    warn_of_unknown(filter, rules, warnings);
    for (size_t i = 0; i < rules.size(); ++i) {
      if (!is_for(filter, rules[i], sources[i])) continue;
      if (auto failed = narrow(filter, rules[i])) warnings.push_back(*std::move(failed));
    }
  }
  return warnings;
}

}  // namespace redoubt::rules::sigma
