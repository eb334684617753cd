#include "rules/falco/reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "base/text.h"
#include "rules/sigma/document.h"

namespace redoubt::rules::falco {

namespace {

using sigma::Node;
using sigma::NodeKind;

constexpr std::string_view kContainerPlugin = "container";

constexpr auto kPriorityNames = std::to_array<std::pair<std::string_view, Priority>>({
    {"emergency", Priority::emergency},
    {"alert", Priority::alert},
    {"critical", Priority::critical},
    {"error", Priority::error},
    {"warning", Priority::warning},
    {"notice", Priority::notice},
    {"informational", Priority::informational},
    {"info", Priority::informational},
    {"debug", Priority::debug},
});

constexpr auto kRuleKeys = std::to_array<std::string_view>(
    {"rule", "condition", "output", "desc", "priority", "source", "enabled", "capture", "capture_duration",
     "warn_evttypes", "skip-if-unknown-filter", "tags", "exceptions", "override", "append"});
constexpr auto kMacroKeys = std::to_array<std::string_view>({"macro", "condition", "append", "override"});
constexpr auto kListKeys = std::to_array<std::string_view>({"list", "items", "append", "override"});
constexpr auto kRuleAppendable = std::to_array<std::string_view>({"condition", "output", "desc", "tags", "exceptions"});
constexpr auto kRuleReplaceable =
    std::to_array<std::string_view>({"condition", "output", "desc", "tags", "exceptions", "priority", "capture",
                                     "capture_duration", "enabled", "warn_evttypes", "skip-if-unknown-filter"});
constexpr auto kItemsOnly = std::to_array<std::string_view>({"items"});
constexpr auto kConditionOnly = std::to_array<std::string_view>({"condition"});

bool holds(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_identifier(std::string_view name) {
  return !name.empty() && is_ascii_letter(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
    return is_ascii_letter(c) || c == '_' || (c >= '0' && c <= '9');
  });
}

bool is_bare_string(std::string_view name) {
  return !name.empty() && name.find_first_of(" \t\n()\"'=,") == std::string_view::npos;
}

// "17" (0.17.0), "0.57.0"
std::optional<std::array<unsigned, 3>> parse_version(std::string_view text) {
  std::array<unsigned, 3> parts{};
  size_t count = 0;
  while (count < parts.size()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parts[count]);
    if (error != std::errc()) return std::nullopt;
    ++count;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.empty()) break;
    if (!text.starts_with('.')) return std::nullopt;
    text.remove_prefix(1);
  }
  if (!text.empty() || count == 2) return std::nullopt;
  if (count == 1) return std::array<unsigned, 3>{0, parts[0], 0};
  return parts;
}

// How an item changes what is defined: not at all, by `append: true`, or key by key.
struct Change {
  enum class Kind : uint8_t { define, append, override_keys } kind = Kind::define;
  std::vector<std::string> appended;
  std::vector<std::string> replaced;

  bool appends(std::string_view key) const {
    return std::find(appended.begin(), appended.end(), key) != appended.end();
  }
  bool replaces(std::string_view key) const {
    return std::find(replaced.begin(), replaced.end(), key) != replaced.end();
  }
};

class ItemReader {
 public:
  ItemReader(const std::string& path, Definitions& definitions, LoadResult& result)
      : path_(path), definitions_(definitions), result_(result) {}

  // False after an error.
  bool read(const Node& item) {
    if (item.kind != NodeKind::map) return error(item.place, "an item is a map with a key such as 'rule'");
    if (const Node* version = item.find("required_engine_version")) return read_engine_version(*version);
    if (const Node* plugins = item.find("required_plugin_versions")) return read_plugin_versions(*plugins);
    if (const Node* name = item.find("list")) return read_named(item, *name, "list", &ItemReader::read_list);
    if (const Node* name = item.find("macro")) return read_named(item, *name, "macro", &ItemReader::read_macro);
    if (const Node* name = item.find("rule")) return read_named(item, *name, "rule", &ItemReader::read_rule);
    const std::string key = item.items.empty() ? "" : item.items.front().text;
    warn(LoadCode::unknown_item, item.place, "an item '" + key + "' is not known and is left out");
    return true;
  }

 private:
  bool error(Place place, std::string message, LoadCode code = LoadCode::yaml_validate, std::string hint = "") {
    result_.add(code, path_, item_, place, std::move(message), std::move(hint));
    return false;
  }
  void warn(LoadCode code, Place place, std::string message, std::string hint = "") {
    result_.add(code, path_, item_, place, std::move(message), std::move(hint));
  }

  bool read_named(const Node& item, const Node& name, std::string_view kind, bool (ItemReader::*read)(const Node&)) {
    if (name.kind != NodeKind::scalar || name.text.empty()) {
      return error(name.place, "the name of a " + std::string(kind) + " is a text that is not empty");
    }
    item_ = std::string(kind) + " " + name.text;
    defined_ = {.name = name.text, .path = path_, .place = name.place, .index = 0, .visibility = 0};
    defined_.index = defined_.visibility = definitions_.next_index++;
    return (this->*read)(item);
  }

  bool read_engine_version(const Node& node) {
    const auto version = node.kind == NodeKind::scalar ? parse_version(node.text) : std::nullopt;
    if (!version) return error(node.place, "'required_engine_version' is a number or a version such as 0.57.0");
    if (*version > std::array<unsigned, 3>{0, kEngineMinor, 0}) {
      return error(node.place,
                   "the file needs engine version " + node.text + "; this one reads up to 0." +
                       std::to_string(kEngineMinor) + ".0",
                   LoadCode::validate);
    }
    return true;
  }

  bool read_plugin_versions(const Node& node) {
    if (node.kind != NodeKind::sequence) return error(node.place, "'required_plugin_versions' is a list");
    for (const Node& plugin : node.items) {
      bool satisfied = false;
      if (!read_plugin(plugin, satisfied)) return false;
      if (const Node* others = plugin.find("alternatives")) {
        if (others->kind != NodeKind::sequence) return error(others->place, "'alternatives' is a list");
        for (const Node& other : others->items) {
          if (!read_plugin(other, satisfied)) return false;
        }
      }
      if (!satisfied) {
        return error(plugin.place, "plugin " + std::string(plugin.text_of("name")) + " is not here",
                     LoadCode::validate);
      }
    }
    return true;
  }

  bool read_plugin(const Node& plugin, bool& satisfied) {
    const auto version = parse_version(plugin.text_of("version"));
    if (plugin.text_of("name").empty() || !version) {
      return error(plugin.place, "a required plugin has a name and a version such as 0.4.0");
    }
    satisfied = satisfied || plugin.text_of("name") == kContainerPlugin;
    return true;
  }

  void check_keys(const Node& item, std::span<const std::string_view> known) {
    for (size_t i = 0; i + 1 < item.items.size(); i += 2) {
      const Node& key = item.items[i];
      if (holds(known, key.text)) continue;
      const auto near = base::nearest_names(key.text, known, 1);
      warn(LoadCode::unknown_key, key.place, "key '" + key.text + "' is not known and is left out",
           near.empty() ? "" : "did you mean '" + near.front() + "'?");
    }
  }

  // Absent: `otherwise`.
  bool read_answer(const Node& item, std::string_view key, Answer& answer) {
    const Node* node = item.find(key);
    if (node == nullptr) return true;
    constexpr std::array<std::string_view, 3> kYes = {"true", "yes", "on"};
    constexpr std::array<std::string_view, 3> kNo = {"false", "no", "off"};
    const std::string text = base::fold_case(node->text);
    if (node->kind != NodeKind::scalar || (!holds(kYes, text) && !holds(kNo, text))) {
      return error(node->place, "'" + std::string(key) + "' is true or false");
    }
    answer = holds(kYes, text) ? Answer::yes : Answer::no;
    return true;
  }

  bool read_text(const Node& item, std::string_view key, std::string& text) {
    const Node* node = item.find(key);
    if (node == nullptr || node->kind != NodeKind::scalar) {
      return error(node == nullptr ? item.place : node->place, "'" + std::string(key) + "' is a text");
    }
    std::string_view trimmed = node->text;
    while (!trimmed.empty() && (trimmed.back() == '\n' || trimmed.back() == ' ')) trimmed.remove_suffix(1);
    text = std::string(trimmed);
    return true;
  }

  bool read_texts(const Node& node, std::vector<std::string>& texts) {
    if (node.kind == NodeKind::null) return true;
    if (node.kind != NodeKind::sequence) return error(node.place, "a list of texts is needed here");
    for (const Node& each : node.items) {
      if (each.kind != NodeKind::scalar) return error(each.place, "a list of texts is needed here");
      texts.push_back(each.text);
    }
    return true;
  }

  bool read_change(const Node& item, std::span<const std::string_view> appendable,
                   std::span<const std::string_view> replaceable, Change& change) {
    Answer append = Answer::no;
    if (!read_answer(item, "append", append)) return false;
    if (append == Answer::yes) {
      change.kind = Change::Kind::append;
      warn(LoadCode::deprecated_item, item.place, "'append' is out of date", "use 'override'");
    }
    const Node* override_map = item.find("override");
    if (override_map == nullptr) return true;
    if (override_map->kind != NodeKind::map) return error(override_map->place, "'override' is a map");
    if (override_map->items.empty()) return true;
    if (item.find("append") != nullptr) {
      return error(override_map->place, "'append' and 'override' do not go together");
    }
    change.kind = Change::Kind::override_keys;
    for (size_t i = 0; i + 1 < override_map->items.size(); i += 2) {
      const Node& key = override_map->items[i];
      const Node& how = override_map->items[i + 1];
      const bool is_append = how.text == "append";
      if (!is_append && how.text != "replace") return error(how.place, "an override is 'append' or 'replace'");
      if (!holds(is_append ? appendable : replaceable, key.text)) {
        return error(key.place, "'" + key.text + "' cannot be overridden by '" + how.text + "'");
      }
      if (item.find(key.text) == nullptr) {
        return error(key.place, "an override of '" + key.text + "' without '" + key.text + "'");
      }
      (is_append ? change.appended : change.replaced).push_back(key.text);
    }
    return check_overridden_keys(item, replaceable, change);
  }

  bool check_overridden_keys(const Node& item, std::span<const std::string_view> replaceable, const Change& change) {
    for (size_t i = 0; i + 1 < item.items.size(); i += 2) {
      const Node& key = item.items[i];
      if (!holds(replaceable, key.text) || change.appends(key.text) || change.replaces(key.text)) continue;
      return error(key.place, "'" + key.text + "' stands here without an entry in 'override'");
    }
    return true;
  }

  bool no_such(const Node& item, std::string_view kind) {
    return error(item.place, "there is no " + std::string(kind) + " " + defined_.name + " to change",
                 LoadCode::validate);
  }

  bool read_list(const Node& item) {
    check_keys(item, kListKeys);
    if (!is_bare_string(defined_.name)) {
      warn(LoadCode::invalid_list_name, defined_.place, "list name '" + defined_.name + "' cannot be used");
    }
    Change change;
    if (!read_change(item, kItemsOnly, kItemsOnly, change)) return false;
    const Node* items = item.find("items");
    if (items == nullptr) return error(item.place, "list " + defined_.name + " has no items");
    ListDefinition list{defined_, {}};
    if (!read_texts(*items, list.items)) return false;
    ListDefinition* earlier = definitions_.lists.find(defined_.name);
    if (change.kind == Change::Kind::append || change.appends("items")) {
      if (earlier == nullptr) return no_such(item, "list");
      earlier->visibility = defined_.visibility;
      earlier->items.insert(earlier->items.end(), list.items.begin(), list.items.end());
      return true;
    }
    if (change.kind == Change::Kind::override_keys && earlier == nullptr) return no_such(item, "list");
    definitions_.lists.define(std::move(list));
    return true;
  }

  bool read_macro(const Node& item) {
    check_keys(item, kMacroKeys);
    if (!is_identifier(defined_.name)) {
      warn(LoadCode::invalid_macro_name, defined_.place, "macro name '" + defined_.name + "' cannot be used",
           "a letter, then letters, digits and underscores");
    }
    Change change;
    if (!read_change(item, kConditionOnly, kConditionOnly, change)) return false;
    MacroDefinition macro{defined_, ""};
    if (!read_text(item, "condition", macro.condition)) return false;
    MacroDefinition* earlier = definitions_.macros.find(defined_.name);
    if (change.kind == Change::Kind::append || change.appends("condition")) {
      if (earlier == nullptr) return no_such(item, "macro");
      earlier->visibility = defined_.visibility;
      earlier->condition += " " + macro.condition;
      return true;
    }
    if (change.kind == Change::Kind::override_keys && earlier == nullptr) return no_such(item, "macro");
    definitions_.macros.define(std::move(macro));
    return true;
  }

  bool read_rule(const Node& item) {
    check_keys(item, kRuleKeys);
    Change change;
    if (!read_change(item, kRuleAppendable, kRuleReplaceable, change)) return false;
    RuleDefinition* earlier = definitions_.rules.find(defined_.name);
    if (change.kind != Change::Kind::define) {
      if (earlier == nullptr) return no_such(item, "rule");
      earlier->visibility = defined_.visibility;
      return change.kind == Change::Kind::append ? append_to_rule(item, *earlier)
                                                 : override_rule(item, change, *earlier);
    }
    constexpr auto kRequired = std::to_array<std::string_view>({"condition", "output", "desc", "priority"});
    const auto has = [&](std::string_view key) { return item.find(key) != nullptr; };
    if (std::none_of(kRequired.begin(), kRequired.end(), has) && has("enabled")) {
      warn(LoadCode::deprecated_item, item.place, "a rule with 'enabled' alone is out of date", "use 'override'");
      if (earlier == nullptr) return no_such(item, "rule");
      return read_answer(item, "enabled", earlier->enabled);
    }
    for (const std::string_view key : kRequired) {
      if (!has(key)) return error(item.place, "rule " + defined_.name + " has no '" + std::string(key) + "'");
    }
    return define_rule(item);
  }

  bool define_rule(const Node& item) {
    RuleDefinition rule;
    static_cast<Defined&>(rule) = defined_;
    if (!read_text(item, "condition", rule.condition) || !read_text(item, "output", rule.output) ||
        !read_text(item, "desc", rule.description) || !read_priority(item, rule) || !read_answers(item, rule)) {
      return false;
    }
    if (item.find("source") != nullptr && !read_text(item, "source", rule.source)) return false;
    if (const Node* tags = item.find("tags"); tags != nullptr && !read_texts(*tags, rule.tags)) return false;
    if (!read_exceptions(item, rule.exceptions)) return false;
    definitions_.rules.define(std::move(rule));
    return true;
  }

  bool read_answers(const Node& item, RuleDefinition& rule) {
    Answer capture = Answer::no;
    return read_answer(item, "enabled", rule.enabled) && read_answer(item, "warn_evttypes", rule.warn_event_types) &&
           read_answer(item, "skip-if-unknown-filter", rule.skip_unknown_filter) &&
           read_answer(item, "capture", capture);
  }

  bool read_priority(const Node& item, RuleDefinition& rule) {
    std::string text;
    if (!read_text(item, "priority", text)) return false;
    const std::string folded = base::fold_case(text);
    std::vector<std::string_view> names;
    for (const auto& [name, priority] : kPriorityNames) {
      names.push_back(name);
      if (name != folded) continue;
      rule.priority = priority;
      return true;
    }
    const auto near = base::nearest_names(text, names, 1);
    return error(item.find("priority")->place, "'" + text + "' is not a priority", LoadCode::yaml_validate,
                 near.empty() ? "" : "did you mean '" + near.front() + "'?");
  }

  bool append_to_rule(const Node& item, RuleDefinition& rule) {
    std::string condition;
    if (item.find("condition") == nullptr && item.find("exceptions") == nullptr && item.find("tags") == nullptr) {
      return error(item.place, "an appended rule has a 'condition', 'exceptions' or 'tags'");
    }
    if (item.find("condition") != nullptr && !read_text(item, "condition", condition)) return false;
    if (!condition.empty()) rule.condition += " " + condition;
    if (const Node* tags = item.find("tags"); tags != nullptr && !read_texts(*tags, rule.tags)) return false;
    return append_exceptions(item, rule);
  }

  bool override_rule(const Node& item, const Change& change, RuleDefinition& rule) {
    for (auto [key, target] : {std::pair{"condition", &rule.condition}, std::pair{"output", &rule.output},
                               std::pair{"desc", &rule.description}}) {
      std::string text;
      if (!change.appends(key) && !change.replaces(key)) continue;
      if (!read_text(item, key, text)) return false;
      *target = change.appends(key) ? *target + " " + text : text;
    }
    if (change.replaces("tags")) rule.tags.clear();
    if (change.replaces("tags") || change.appends("tags")) {
      if (!read_texts(*item.find("tags"), rule.tags)) return false;
    }
    if (change.replaces("exceptions")) {
      rule.exceptions.clear();
      if (!read_exceptions(item, rule.exceptions)) return false;
    }
    if (change.appends("exceptions") && !append_exceptions(item, rule)) return false;
    if (change.replaces("priority") && !read_priority(item, rule)) return false;
    return read_answers(item, rule);
  }

  bool append_exceptions(const Node& item, RuleDefinition& rule) {
    std::vector<ExceptionDefinition> added;
    const Node* node = item.find("exceptions");
    if (node == nullptr) return true;
    if (!read_exceptions(item, added)) return false;
    for (ExceptionDefinition& each : added) {
      const auto earlier = std::find_if(rule.exceptions.begin(), rule.exceptions.end(),
                                        [&](const ExceptionDefinition& one) { return one.name == each.name; });
      if (earlier == rule.exceptions.end()) {
        if (each.fields.empty()) return error(node->place, "exception " + each.name + " is new and has no fields");
        if (each.rows.empty()) return error(node->place, "exception " + each.name + " is new and has no values");
        rule.exceptions.push_back(std::move(each));
        continue;
      }
      if (!each.fields.empty()) {
        return error(node->place, "exception " + each.name + " is there already: only values can be added");
      }
      if (each.rows.empty()) {
        warn(LoadCode::append_no_values, node->place, "exception " + each.name + " adds no values");
      }
      if (earlier->form == ExceptionDefinition::Form::one_field) flatten(each);
      std::move(each.rows.begin(), each.rows.end(), std::back_inserter(earlier->rows));
    }
    return true;
  }

  // The rows of an exception with one field are its values.
  static void flatten(ExceptionDefinition& exception) {
    std::vector<std::vector<ExceptionValue>> rows;
    for (const auto& row : exception.rows) {
      for (const ExceptionValue& value : row) {
        for (const std::string& text : value) rows.push_back({{text}});
      }
    }
    exception.rows = std::move(rows);
  }

  bool read_exceptions(const Node& item, std::vector<ExceptionDefinition>& exceptions) {
    const Node* node = item.find("exceptions");
    if (node == nullptr || node->kind == NodeKind::null) return true;
    if (node->kind != NodeKind::sequence) return error(node->place, "'exceptions' is a list");
    for (const Node& each : node->items) {
      ExceptionDefinition exception;
      if (!read_exception(each, exception)) return false;
      const auto is_same = [&](const ExceptionDefinition& other) { return other.name == exception.name; };
      if (std::any_of(exceptions.begin(), exceptions.end(), is_same)) {
        warn(LoadCode::exception_name_not_unique, each.place, "exception " + exception.name + " stands here twice");
      }
      exceptions.push_back(std::move(exception));
    }
    return true;
  }

  bool read_exception(const Node& node, ExceptionDefinition& exception) {
    if (node.text_of("name").empty()) return error(node.place, "an exception has a name");
    constexpr auto kKeys = std::to_array<std::string_view>({"name", "fields", "comps", "values"});
    check_keys(node, kKeys);
    exception.name = std::string(node.text_of("name"));
    const Node* fields = node.find("fields");
    const Node* comparisons = node.find("comps");
    if (fields != nullptr && fields->kind == NodeKind::scalar) {
      exception.fields = {fields->text};
      exception.comparisons = {"in"};
      if (comparisons != nullptr && comparisons->kind != NodeKind::scalar) {
        return error(comparisons->place, "exception " + exception.name + " has one field and a list of comps");
      }
      if (comparisons != nullptr) exception.comparisons = {comparisons->text};
    } else if (fields != nullptr) {
      exception.form = ExceptionDefinition::Form::several_fields;
      if (!read_texts(*fields, exception.fields)) return false;
      exception.comparisons.assign(exception.fields.size(), "=");
      if (comparisons != nullptr) {
        exception.comparisons.clear();
        if (!read_texts(*comparisons, exception.comparisons)) return false;
      }
      if (exception.comparisons.size() != exception.fields.size()) {
        return error(node.place, "exception " + exception.name + " has " + std::to_string(exception.fields.size()) +
                                     " fields and " + std::to_string(exception.comparisons.size()) + " comps");
      }
    }
    return read_exception_values(node, exception);
  }

  bool read_exception_values(const Node& node, ExceptionDefinition& exception) {
    const Node* values = node.find("values");
    if (values == nullptr || values->kind == NodeKind::null) return true;
    if (values->kind != NodeKind::sequence) return error(values->place, "'values' is a list");
    for (const Node& row : values->items) {
      std::vector<ExceptionValue> entries;
      const std::span<const Node> cells =
          row.kind == NodeKind::sequence ? std::span<const Node>(row.items) : std::span<const Node>(&row, 1);
      for (const Node& cell : cells) {
        ExceptionValue value;
        if (cell.kind == NodeKind::scalar) {
          value.push_back(cell.text);
        } else if (!read_texts(cell, value)) {
          return false;
        }
        entries.push_back(std::move(value));
      }
      exception.rows.push_back(std::move(entries));
    }
    if (exception.form == ExceptionDefinition::Form::one_field && !exception.fields.empty()) flatten(exception);
    return true;
  }

  const std::string& path_;
  Definitions& definitions_;
  LoadResult& result_;
  std::string item_;
  Defined defined_;
};

LoadCode code_of(std::string_view yaml_code) {
  return yaml_code == sigma::code::kFile ? LoadCode::file_read : LoadCode::yaml_parse;
}

}  // namespace

void read_file(std::string_view source, const std::string& path, Definitions& definitions, LoadResult& result) {
  sigma::Problems problems;
  const std::vector<Node> documents = sigma::parse_yaml(source, problems);
  if (const auto& problem = problems.first()) {
    const Place place{.line = problem->line, .column = problem->column, .length = problem->length};
    result.add(code_of(problem->code), path, "", place, problem->message, problem->hint);
    return;
  }
  for (const Node& document : documents) {
    if (document.kind != NodeKind::sequence) {
      result.add(LoadCode::yaml_validate, path, "", document.place, "a rules file is a list of items");
      return;
    }
    for (const Node& item : document.items) {
      if (!ItemReader(path, definitions, result).read(item)) return;
    }
  }
}

}  // namespace redoubt::rules::falco
