#include "rules/sigma/rule.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "rules/sigma/collection.h"
#include "rules/sigma/detection.h"
#include "rules/sigma/log_source.h"
#include "rules/sigma/tags.h"

namespace redoubt::rules::sigma {

namespace {

using query::Expression;

class RuleReader {
 public:
  RuleReader(const Node& document, const ReadOptions& options, TextBudget& budget, Problems& problems)
      : document_(document), options_(options), budget_(budget), problems_(problems) {}

  Rule read(const std::string& path) {
    Rule rule;
    if (!check_kind()) return rule;
    rule.path = path;
    rule.title = required_text(document_, "title", problems_);
    rule.id = read_id(document_, path, problems_);
    rule.name = std::string(document_.text_of("name"));
    rule.description = std::string(document_.text_of("description"));
    rule.author = std::string(document_.text_of("author"));
    rule.format = "sigma";
    rule.importance = read_level();
    rule.references = read_texts("references");
    rule.false_positives = read_texts("falsepositives");
    read_tags(read_texts("tags"), rule.techniques, rule.tactics);
    if (!problems_.first()) rule.expression = read_expression();
    rule.warnings = std::move(notes_);
    return rule;
  }

 private:
  bool check_kind() {
    if (document_.kind != NodeKind::map) {
      problems_.add(code::kShape, document_.place, "a rule is a map with title, logsource and detection");
      return false;
    }
    if (document_.find("correlation") != nullptr) {
      problems_.add(code::kDocumentKind, key_place(document_, "correlation"),
                    "'correlation' documents are not supported", "detection rules and filters are");
      return false;
    }
    return true;
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
    const Node* log_source = required(document_, "logsource", problems_);
    const Node* detection = required(document_, "detection", problems_);
    if (log_source == nullptr || detection == nullptr) return {};
    LogSource source = read_source(*log_source);
    if (problems_.first()) return {};
    if (!source.note.empty()) note(log_source->place, std::move(source.note));
    const DetectionScope scope{.name = "detection",
                               .place = key_place(document_, "detection"),
                               .skipped = "",
                               .searches = {.fields = source.fields, .options = options_, .budget = budget_}};
    std::vector<Expression> both;
    both.push_back(std::move(source.condition));
    both.push_back(read_detection(*detection, scope, problems_).expression);
    if (problems_.first()) return {};
    auto normalized = query::normalize(Expression::all_of(std::move(both)));
    if (!normalized) {
      problems_.add(code::kTooBig, key_place(document_, "detection"), normalized.error().message);
      return {};
    }
    return *std::move(normalized);
  }

  LogSource read_source(const Node& node) {
    LogSource any{.fields = {}, .condition = Expression::constant(true), .note = ""};
    if (options_.vocabulary == Vocabulary::any) return any;
    auto source = read_log_source(node, problems_);
    return source ? *std::move(source) : std::move(any);
  }

  void note(Place place, std::string message) {
    notes_.push_back({.code = std::string(code::kLogSource),
                      .line = place.line,
                      .column = place.column,
                      .length = place.length,
                      .message = std::move(message),
                      .hint = ""});
  }

  const Node& document_;
  const ReadOptions& options_;
  TextBudget& budget_;
  Problems& problems_;
  std::vector<query::Diagnostic> notes_;
};

Refusal refuse_rule(const Problems& problems, std::string_view source, const std::string& path,
                    std::string_view title) {
  return {.path = path,
          .title = std::string(title),
          .diagnostic = *problems.first(),
          .rendered = problems.first()->render(source)};
}

// The documents of a file, or one refusal of all of them.
std::vector<Node> read_documents(std::string_view source, const std::string& path, std::vector<Refusal>& refusals) {
  Problems syntax;
  std::vector<Node> documents = parse_yaml(source, syntax);
  const std::string title(documents.empty() ? "" : documents.front().text_of("title"));
  if (!syntax.first()) documents = merge_collection(std::move(documents), syntax);
  if (!syntax.first() && documents.empty()) syntax.add(code::kShape, {}, "the file holds no rule");
  if (!syntax.first()) return documents;
  refusals.push_back(refuse_rule(syntax, source, path, title));
  return {};
}

}  // namespace

RuleFile read_rules(std::string_view source, const std::string& path, const ReadOptions& options) {
  RuleFile file;
  TextBudget budget;
  for (const Node& document : read_documents(source, path, file.refusals)) {
    Problems problems;
    if (is_filter(document)) {
      Filter filter =
          read_filter(document, {.text = source, .path = path, .options = options, .budget = budget}, problems);
      if (!problems.first()) file.filters.push_back(std::move(filter));
    } else {
      Rule rule = RuleReader(document, options, budget, problems).read(path);
      if (!problems.first()) {
        file.rules.push_back(std::move(rule));
        file.id_places.push_back(id_place(document));
        file.log_sources.push_back(read_log_source_names(document));
      }
    }
    if (problems.first()) file.refusals.push_back(refuse_rule(problems, source, path, document.text_of("title")));
  }
  return file;
}

}  // namespace redoubt::rules::sigma
