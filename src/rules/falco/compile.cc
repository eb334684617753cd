#include "rules/falco/compile.h"

#include <algorithm>
#include <optional>
#include <set>

#include "rules/falco/transformer.h"

namespace redoubt::rules::falco {

namespace {

constexpr size_t kUnspecificEventTypes = 100;

struct Mistake {
  LoadCode code = LoadCode::compile_condition;
  std::string message;
  std::string hint;
};

bool delimits_list(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '(' || c == ')' || c == ',' || c == '=';
}

// Lists are text: a name between delimiters becomes its items, in quotes too.
class ListExpander {
 public:
  explicit ListExpander(const Definitions& definitions) : definitions_(definitions) {}

  std::optional<std::string> expand(std::string_view condition) {
    std::string out;
    for (size_t at = 0; at < condition.size();) {
      if (delimits_list(condition[at])) {
        out += condition[at++];
        continue;
      }
      size_t end = at;
      while (end < condition.size() && !delimits_list(condition[end])) ++end;
      const std::string word(condition.substr(at, end - at));
      at = end;
      const ListDefinition* list = definitions_.lists.find(word);
      if (list == nullptr) {
        out += word;
      } else if (std::string items; !append_items(*list, 1, items)) {
        return std::nullopt;
      } else if (!items.empty()) {
        out += items;
      } else {
        at = drop_comma(out, condition, at);
      }
      if (out.size() > kFilterTextMax) return std::nullopt;
    }
    written_ += out.size();
    if (written_ > kWrittenMax) return std::nullopt;
    return out;
  }

  const std::set<std::string>& used() const { return used_; }

 private:
  bool append_items(const ListDefinition& list, int depth, std::string& items) {
    used_.insert(list.name);
    if (depth > kListDepthMax) return false;
    for (const std::string& item : list.items) {
      const ListDefinition* inner = item == list.name ? nullptr : definitions_.lists.find(item);
      std::string text = inner == nullptr ? item : "";
      if (inner != nullptr && !append_items(*inner, depth + 1, text)) return false;
      if (text.empty() && inner != nullptr) continue;
      if (!items.empty()) items += ", ";
      items += text;
      if (items.size() > kFilterTextMax) return false;
    }
    return true;
  }

  // An empty list takes one comma with it.
  static size_t drop_comma(std::string& out, std::string_view condition, size_t at) {
    const size_t before = out.find_last_not_of(" \t\r\n");
    if (before != std::string::npos && out[before] == ',') {
      out.resize(before);
      return at;
    }
    const size_t next = condition.find_first_not_of(" \t\r\n", at);
    return next != std::string_view::npos && condition[next] == ',' ? next + 1 : at;
  }

  const Definitions& definitions_;
  std::set<std::string> used_;
  size_t written_ = 0;
};

std::string quote_exception_value(const std::string& text) {
  const bool is_quoted = text.size() > 1 && (text.front() == '"' || text.front() == '\'');
  return text.find(' ') != std::string::npos && !is_quoted ? "\"" + text + "\"" : text;
}

std::string listed(const ExceptionValue& values) {
  std::string text = "(";
  for (const std::string& value : values) text += (text.size() > 1 ? ", " : "") + quote_exception_value(value);
  return text + ")";
}

// The row as checks joined by `and`; nothing where it has another number of entries than there are fields.
std::optional<std::string> row_text(const ExceptionDefinition& exception, const std::vector<ExceptionValue>& row) {
  if (row.size() != exception.fields.size()) return std::nullopt;
  std::string text;
  for (size_t i = 0; i < row.size(); ++i) {
    const auto op = check_operator_named(exception.comparisons[i]);
    const bool takes_list = op == CheckOperator::in || op == CheckOperator::pmatch || op == CheckOperator::intersects;
    const bool is_list = row[i].size() != 1 || takes_list;
    const bool is_written = row[i].size() == 1 && row[i].front().starts_with('(');
    const std::string value = is_list && !is_written ? listed(row[i])
                              : is_written           ? row[i].front()
                                                     : quote_exception_value(row[i].front());
    text += (i == 0 ? "" : " and ") + exception.fields[i] + " " + exception.comparisons[i] + " " + value;
  }
  return "(" + text + ")";
}

// What the exceptions of a rule add to its condition.
std::optional<Mistake> add_exceptions(const RuleDefinition& rule, std::string& condition) {
  condition = "(" + condition + ")";
  for (const ExceptionDefinition& exception : rule.exceptions) {
    if (exception.fields.empty())
      return Mistake{LoadCode::validate, "exception " + exception.name + " has no fields", ""};
    for (const std::string& field : exception.fields) {
      const ParsedTerm term = parse_term(field);
      const bool is_whole = !term.mistake && term.end == field.size() && term.term.kind != TermKind::literal;
      if (!is_whole || (term.term.kind == TermKind::field && !type_of_field(term.term.text))) {
        return Mistake{LoadCode::validate, "exception " + exception.name + ": '" + field + "' is not a field", ""};
      }
    }
    for (const std::string& comparison : exception.comparisons) {
      const std::string_view op = std::string_view(comparison).substr(0, comparison.find(' '));
      if (!check_operator_named(op)) {
        return Mistake{LoadCode::validate, "exception " + exception.name + ": '" + comparison + "' is not an operator",
                       ""};
      }
    }
    if (exception.rows.empty()) continue;
    std::string text;
    if (exception.form == ExceptionDefinition::Form::one_field) {
      ExceptionValue values;
      for (const auto& row : exception.rows) values.push_back(row.front().front());
      text = exception.fields.front() + " " + exception.comparisons.front() + " " + listed(values);
    } else {
      for (const auto& row : exception.rows) {
        const auto checks = row_text(exception, row);
        if (!checks) {
          return Mistake{LoadCode::validate,
                         "exception " + exception.name + ": a row has " + std::to_string(row.size()) + " values for " +
                             std::to_string(exception.fields.size()) + " fields",
                         ""};
        }
        text += (text.empty() ? "" : " or ") + *checks;
      }
      text = "(" + text + ")";
    }
    condition += " and not " + text;
  }
  return std::nullopt;
}

bool may_be_macro_of(const MacroDefinition& macro, const Defined& referrer) {
  return macro.index < referrer.visibility;
}

// About what a part of a condition takes in memory.
size_t cost_of(const Filter& filter) {
  size_t cost = sizeof(Filter);
  for (const Term& value : filter.values) cost += sizeof(Term) + value.text.size();
  return cost;
}

// Puts macros in for their names.
class MacroResolver {
 public:
  MacroResolver(const Definitions& definitions, const std::map<std::string, Filter>& macros)
      : definitions_(definitions), macros_(macros) {}

  Filter resolve(const Filter& filter, const Defined& referrer, int depth) {
    if (mistake_) return {};
    cost_ += cost_of(filter);
    if (cost_ > kFilterCostMax) return fail_with("condition is too large with its lists and macros written out");
    if (filter.kind == FilterKind::macro) return resolve_macro(filter, referrer, depth);
    if (filter.kind == FilterKind::check) return filter;
    Filter copy;
    copy.kind = filter.kind;
    copy.offset = filter.offset;
    copy.children.reserve(filter.children.size());
    for (const Filter& child : filter.children) copy.children.push_back(resolve(child, referrer, depth));
    return copy;
  }

  const std::optional<std::string>& mistake() const { return mistake_; }
  const std::set<std::string>& used() const { return used_; }

 private:
  Filter fail_with(std::string message) {
    if (!mistake_) mistake_ = std::move(message);
    return {};
  }

  Filter resolve_macro(const Filter& filter, const Defined& referrer, int depth) {
    const MacroDefinition* macro = definitions_.macros.find(filter.macro);
    if (macro == nullptr) return fail_with("macro '" + filter.macro + "' is not defined");
    if (!may_be_macro_of(*macro, referrer)) {
      return fail_with("macro '" + filter.macro + "' is defined after what uses it");
    }
    if (depth > kMacroDepthMax) return fail_with("macro '" + filter.macro + "' leads back to itself or too deep");
    used_.insert(filter.macro);
    const auto parsed = macros_.find(filter.macro);
    if (parsed == macros_.end()) return fail_with("macro '" + filter.macro + "' has an error");
    return resolve(parsed->second, *macro, depth + 1);
  }

  const Definitions& definitions_;
  const std::map<std::string, Filter>& macros_;
  std::optional<std::string> mistake_;
  std::set<std::string> used_;
  size_t cost_ = 0;
};

std::optional<Mistake> check_term(const Term& term, CheckOperator op) {
  if (term.kind == TermKind::field) {
    const auto type = type_of_field(term.text);
    if (!type) {
      const std::string near = nearest_field(term.text);
      return Mistake{LoadCode::unknown_filter, "field '" + term.text + "' is not known",
                     near.empty() ? "" : "did you mean '" + near + "'?"};
    }
    if (!operator_fits(*type, op)) {
      return Mistake{LoadCode::compile_condition, "field " + term.text + " has no operator " + std::string(name_of(op)),
                     ""};
    }
  }
  for (const Term& part : term.parts) {
    if (auto mistake = check_term(part, CheckOperator::exists)) return mistake;
  }
  std::string arguments = argument_mistake(term);
  if (!arguments.empty()) return Mistake{LoadCode::compile_condition, std::move(arguments), ""};
  return std::nullopt;
}

// Fields, event types and operators that Falco does not know.
std::optional<Mistake> check_names(const Filter& filter) {
  for (const Filter& child : filter.children) {
    if (auto mistake = check_names(child)) return mistake;
  }
  if (filter.kind != FilterKind::check) return std::nullopt;
  if (auto mistake = check_term(filter.left, filter.op)) return mistake;
  for (const Term& value : filter.values) {
    if (auto mistake = check_term(value, CheckOperator::exists)) return mistake;
    const bool is_event =
        filter.left.text == "evt.type" && value.kind == TermKind::literal &&
        (filter.op == CheckOperator::equal || filter.op == CheckOperator::in || filter.op == CheckOperator::not_equal);
    if (is_event && !event_name_index(value.text)) {
      return Mistake{LoadCode::unknown_filter, "event type '" + value.text + "' is not known", ""};
    }
  }
  return std::nullopt;
}

// Falco's plugin sources read <NA> as a value.
bool compares_not_available(const Filter& filter) {
  if (filter.kind == FilterKind::check) {
    const bool is_late = filter.left.text.starts_with("ka.") || filter.left.text.starts_with("jevt.");
    return is_late && std::any_of(filter.values.begin(), filter.values.end(),
                                  [](const Term& value) { return value.text == "<NA>"; });
  }
  return std::any_of(filter.children.begin(), filter.children.end(), compares_not_available);
}

// A value that is the name of a field, which stands for its own letters there.
std::string field_as_value(const Filter& filter) {
  if (filter.kind == FilterKind::check) {
    const auto is_field = [](const Term& value) {
      return value.kind == TermKind::literal && type_of_field(value.text).has_value();
    };
    const auto found = std::find_if(filter.values.begin(), filter.values.end(), is_field);
    return found == filter.values.end() ? "" : found->text;
  }
  for (const Filter& child : filter.children) {
    if (std::string name = field_as_value(child); !name.empty()) return name;
  }
  return "";
}

struct Compiler {
  const Definitions& definitions;
  LoadResult& result;
  ListExpander lists;
  std::map<std::string, Filter> macros;
  std::set<std::string> used_macros;

  void report(LoadCode code, const Defined& item, std::string_view kind, const Mistake& mistake) {
    result.add(code, item.path, std::string(kind) + " " + item.name, item.place, mistake.message, mistake.hint);
  }

  // The condition with lists written out, parsed.
  std::optional<Filter> parse(const std::string& condition, Mistake& mistake) {
    const auto text = lists.expand(condition);
    if (!text) {
      mistake = {LoadCode::compile_condition, "lists lead back to themselves or are too large", ""};
      return std::nullopt;
    }
    ParsedFilter parsed = parse_filter(*text);
    if (!parsed.mistake) return std::move(parsed.filter);
    constexpr size_t kShown = 40;
    const size_t start = std::min(parsed.mistake->offset, text->size());
    mistake = {LoadCode::compile_condition, parsed.mistake->message, parsed.mistake->hint};
    if (start < text->size()) {
      std::string near = text->substr(start, kShown);
      std::replace(near.begin(), near.end(), '\n', ' ');
      mistake.message += ", at: " + near;
    }
    return std::nullopt;
  }

  void compile_macros() {
    for (const MacroDefinition& macro : definitions.macros.items()) {
      Mistake mistake;
      if (auto filter = parse(macro.condition, mistake)) {
        macros.emplace(macro.name, *std::move(filter));
      } else {
        report(mistake.code, macro, "macro", mistake);
      }
    }
  }

  void compile_rule(const RuleDefinition& rule, std::vector<LoadedRule>& rules) {
    if (rule.source != "syscall") {
      report(LoadCode::unknown_source, rule, "rule",
             {{}, "source '" + rule.source + "' is not here: the rule is left out", ""});
      return;
    }
    std::string condition = rule.condition;
    if (const auto mistake = add_exceptions(rule, condition)) return report(mistake->code, rule, "rule", *mistake);
    Mistake mistake;
    const auto filter = parse(rule.exceptions.empty() ? rule.condition : condition, mistake);
    if (!filter) return report(mistake.code, rule, "rule", mistake);
    MacroResolver resolver(definitions, macros);
    // A rule sees every macro, a macro only those before it.
    Defined referrer = rule;
    referrer.visibility = definitions.next_index;
    LoadedRule loaded{rule, resolver.resolve(*filter, referrer, 1), {}, {}, {}};
    used_macros.insert(resolver.used().begin(), resolver.used().end());
    if (resolver.mistake()) return report(LoadCode::compile_condition, rule, "rule", {{}, *resolver.mistake(), ""});
    warn_of_values(rule, loaded.filter);
    if (const auto unknown = check_names(loaded.filter)) return report_name(rule, *unknown);
    ParsedOutput output = parse_output(rule.output);
    if (output.mistake) {
      return report(LoadCode::compile_output, rule, "rule", {{}, output.mistake->message, output.mistake->hint});
    }
    loaded.output = std::move(output.output);
    loaded.event_types = event_types_of(loaded.filter);
    warn(loaded);
    loaded.lowered = lower_filter(loaded.filter);
    rules.push_back(std::move(loaded));
  }

  void report_name(const RuleDefinition& rule, const Mistake& mistake) {
    const bool is_skipped = mistake.code == LoadCode::unknown_filter && rule.skip_unknown_filter == Answer::yes;
    report(is_skipped ? LoadCode::unknown_filter : LoadCode::compile_condition, rule, "rule", mistake);
  }

  void warn(const LoadedRule& rule) {
    if (rule.definition.warn_event_types == Answer::yes && rule.event_types.count() > kUnspecificEventTypes) {
      report(LoadCode::no_evttype, rule.definition, "rule",
             {{}, "the rule can match " + std::to_string(rule.event_types.count()) + " event types", "test evt.type"});
    }
  }

  void warn_of_values(const RuleDefinition& rule, const Filter& filter) {
    if (compares_not_available(filter)) {
      report(LoadCode::unsafe_na_check, rule, "rule", {{}, "<NA> is compared with a field that may be late", ""});
    }
    if (const std::string name = field_as_value(filter); !name.empty()) {
      report(LoadCode::warning_compile_condition, rule, "rule",
             {{}, "value '" + name + "' is the name of a field", "for the field's value: val(" + name + ")"});
    }
  }

  void warn_unused() {
    for (const MacroDefinition& macro : definitions.macros.items()) {
      if (used_macros.count(macro.name) == 0) {
        report(LoadCode::unused_macro, macro, "macro", {{}, "macro " + macro.name + " is not used", ""});
      }
    }
    for (const ListDefinition& list : definitions.lists.items()) {
      if (lists.used().count(list.name) == 0) {
        report(LoadCode::unused_list, list, "list", {{}, "list " + list.name + " is not used", ""});
      }
    }
  }
};

}  // namespace

std::vector<LoadedRule> compile(const Definitions& definitions, LoadResult& result) {
  Compiler compiler{definitions, result, ListExpander(definitions), {}, {}};
  compiler.compile_macros();
  std::vector<LoadedRule> rules;
  for (const RuleDefinition& rule : definitions.rules.items()) compiler.compile_rule(rule, rules);
  compiler.warn_unused();
  return rules;
}

}  // namespace redoubt::rules::falco
