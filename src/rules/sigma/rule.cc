#include "rules/sigma/rule.h"

#include <optional>

#include "rules/sigma/collection.h"
#include "rules/sigma/detection.h"
#include "rules/sigma/log_source.h"
#include "rules/sigma/metadata.h"

namespace redoubt::rules::sigma {

namespace {

using query::Expression;

class RuleReader {
 public:
  RuleReader(const Node& document, const ReadOptions& options, TextBudget& budget, Problems& problems)
      : document_(document), options_(options), budget_(budget), problems_(problems) {}

  Rule read(const std::string& path) {
    if (document_.kind != NodeKind::map) {
      problems_.add(code::kShape, document_.place, "a rule is a map with title, logsource and detection");
      return {};
    }
    Rule rule = read_metadata(document_, path, problems_);
    if (!problems_.first()) rule.expression = read_expression();
    rule.warnings = std::move(notes_);
    return rule;
  }
  const FieldScope& fields() const { return fields_; }

 private:
  Expression read_expression() {
    const Node* log_source = required(document_, "logsource", problems_);
    const Node* detection = required(document_, "detection", problems_);
    if (log_source == nullptr || detection == nullptr) return {};
    LogSource source = read_source(*log_source);
    if (problems_.first()) return {};
    fields_ = source.fields;
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
  FieldScope fields_;
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
  std::shared_ptr<const std::string> text;  // made once a correlation needs it
  for (const Node& document : read_documents(source, path, file.refusals)) {
    Problems problems;
    if (is_filter(document)) {
      Filter filter =
          read_filter(document, {.text = source, .path = path, .options = options, .budget = budget}, problems);
      if (!problems.first()) file.filters.push_back(std::move(filter));
    } else if (is_correlation(document)) {
      if (text == nullptr) text = std::make_shared<const std::string>(source);
      CorrelationDraft draft = read_correlation(document, path, text, problems);
      if (!problems.first()) file.correlations.push_back(std::move(draft));
    } else {
      RuleReader reader(document, options, budget, problems);
      Rule rule = reader.read(path);
      if (!problems.first()) {
        file.rules.push_back(std::move(rule));
        file.id_places.push_back(id_place(document));
        file.scopes.push_back(reader.fields());
        file.log_sources.push_back(read_log_source_names(document));
      }
    }
    if (problems.first()) file.refusals.push_back(refuse_rule(problems, source, path, document.text_of("title")));
  }
  return file;
}

}  // namespace redoubt::rules::sigma
