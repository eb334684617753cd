#include "rules/openioc/rule.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <pugixml.hpp>
#include <set>

#include "base/text.h"
#include "rules/openioc/term.h"

namespace redoubt::rules::openioc {

namespace {

using query::Diagnostic;
using query::Operator;

constexpr size_t kIdSizeMax = 200;

struct ConditionRow {
  std::string_view name;
  Operator op;
  Polarity polarity;
};

constexpr auto kConditions = std::to_array<ConditionRow>({
    {"is", Operator::equal, Polarity::positive},
    {"isnot", Operator::equal, Polarity::negative},
    {"contains", Operator::contains, Polarity::positive},
    {"containsnot", Operator::contains, Polarity::negative},
    {"matches", Operator::regex, Polarity::positive},
    {"starts-with", Operator::starts_with, Polarity::positive},
    {"ends-with", Operator::ends_with, Polarity::positive},
    {"greater-than", Operator::greater, Polarity::positive},
    {"less-than", Operator::less, Polarity::positive},
});

Polarity opposite(Polarity polarity) {
  return polarity == Polarity::positive ? Polarity::negative : Polarity::positive;
}

// Without the namespace prefix, which writers choose as they like.
std::string_view local_name(const char* name) {
  const char* colon = std::strchr(name, ':');
  return colon == nullptr ? name : colon + 1;
}

pugi::xml_node child_named(const pugi::xml_node& node, std::string_view name) {
  return node.find_child([name](const pugi::xml_node& child) { return local_name(child.name()) == name; });
}

std::string text_of(const pugi::xml_node& node) {
  std::string text;
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) text += child.value();
  }
  return text;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(kBlanks) - first + 1));
}

struct Interval {
  std::string from;
  std::string to;
};

// "[a TO b]" or "a TO b".
std::optional<Interval> read_interval(std::string_view value) {
  constexpr std::string_view kBetween = " TO ";
  if (value.starts_with('[') && value.ends_with(']')) value = value.substr(1, value.size() - 2);
  const size_t at = value.find(kBetween);
  if (at == std::string_view::npos) return std::nullopt;
  return Interval{.from = trimmed(value.substr(0, at)), .to = trimmed(value.substr(at + kBetween.size()))};
}

class IocReader {
 public:
  IocReader(std::string_view source, const std::string& path) : source_(source), path_(path) {}

  LoadedFile read() {
    LoadedFile file;
    LoadedRule loaded = read_document();
    if (!refusal_) {
      file.rules.push_back(std::move(loaded));
      return file;
    }
    file.refusals.push_back(refusal_of(path_, std::move(loaded.rule.title), *std::move(refusal_), source_));
    return file;
  }

 private:
  LoadedRule read_document() {
    pugi::xml_document document;
    LoadedRule loaded;
    if (!base::is_utf8(source_)) {
      refuse(code::kXml, 0, "the file is not UTF-8");
      return loaded;
    }
    const auto parsed = document.load_buffer(source_.data(), source_.size(), pugi::parse_default | pugi::parse_doctype,
                                             pugi::encoding_utf8);
    if (!parsed) {
      const auto offset = static_cast<size_t>(std::max<std::ptrdiff_t>(0, parsed.offset));
      refuse(code::kXml, offset, "not XML: " + std::string(parsed.description()));
      return loaded;
    }
    for (const pugi::xml_node& node : document.children()) {
      if (node.type() == pugi::node_doctype) refuse(code::kLimit, node, "a document type and its entities are refused");
    }
    if (!refusal_) read_root(document.document_element(), loaded);
    return loaded;
  }

  void read_root(const pugi::xml_node& root, LoadedRule& loaded) {
    const std::string_view name = local_name(root.name());
    if (name != "ioc" && name != "OpenIOC") {
      return refuse(code::kShape, root, "the root is '" + std::string(name) + "', not 'ioc' (1.0) or 'OpenIOC' (1.1)");
    }
    const bool newer = name == "OpenIOC";
    const pugi::xml_node metadata = newer ? child_named(root, "metadata") : root;
    const pugi::xml_node criteria = child_named(root, newer ? "criteria" : "definition");
    read_metadata(root, metadata, loaded);
    if (!criteria) refuse(code::kShape, root, newer ? "'criteria' is missing" : "'definition' is missing");
    if (refusal_) return;
    Criterion criterion;
    for (const pugi::xml_node& child : criteria.children()) {
      if (child.type() == pugi::node_element) criterion.children.push_back(read_indicator(child, 1));
    }
    if (!refusal_) lower(criterion, criteria, loaded.rule);
  }

  void read_metadata(const pugi::xml_node& root, const pugi::xml_node& metadata, LoadedRule& loaded) {
    Rule& rule = loaded.rule;
    rule.id = base::fold_case(trimmed(root.attribute("id").value()));
    rule.title = trimmed(text_of(child_named(metadata, "short_description")));
    rule.description = trimmed(text_of(child_named(metadata, "description")));
    rule.author = trimmed(text_of(child_named(metadata, "authored_by")));
    rule.format = "openioc";
    rule.path = path_;
    if (rule.title.empty()) rule.title = path_;
    loaded.id_line = place_of(offset_of(root)).line;
    if (rule.id.empty() || rule.id.size() > kIdSizeMax)
      refuse(code::kShape, root, "attribute 'id' is missing, or longer than " + std::to_string(kIdSizeMax) + " bytes");
    for (const pugi::xml_node& link : child_named(metadata, "links").children()) {
      const std::string address = trimmed(link.attribute("href").value());
      if (!address.empty()) rule.references.push_back(address);
    }
  }

  void lower(const Criterion& criterion, const pugi::xml_node& place, Rule& rule) {
    add_term_warnings();
    auto lowered = lower_criterion(criterion);
    if (!lowered) return refuse(code::kTooBig, place, lowered.error().message);
    if (never_holds(*lowered)) {
      return refuse(code::kNothing, place, "no condition of the file can hold on the events here",
                    warnings_.empty() ? "it has none" : warnings_.front().message);
    }
    rule.expression = *std::move(lowered);
    rule.warnings = std::move(warnings_);
  }

  Criterion read_indicator(const pugi::xml_node& node, int depth) {
    Criterion criterion;
    if (refusal_) return criterion;
    const std::string_view name = local_name(node.name());
    if (name == "IndicatorItem") return read_item(node);
    if (name != "Indicator") {
      refuse(code::kShape, node, "'" + std::string(name) + "' is neither Indicator nor IndicatorItem");
      return criterion;
    }
    if (depth > kNestingMax) {
      refuse(code::kLimit, node, "nested more than " + std::to_string(kNestingMax) + " levels deep");
      return criterion;
    }
    const std::string operation = base::fold_case(node.attribute("operator").value());
    if (operation != "and" && operation != "or") refuse(code::kShape, node, "attribute 'operator' is AND or OR");
    for (const pugi::xml_node& child : node.children()) {
      if (child.type() == pugi::node_element) criterion.children.push_back(read_indicator(child, depth + 1));
    }
    // An AND of nothing says nothing, and must not hold always.
    if (operation == "and" && !criterion.children.empty()) criterion.kind = Criterion::Kind::all;
    return criterion;
  }

  // A criterion that never holds where the condition cannot be answered.
  Criterion read_item(const pugi::xml_node& node) {
    if (++conditions_ > kConditionsMax) {
      refuse(code::kLimit, node, "more than " + std::to_string(kConditionsMax) + " conditions");
      return {};
    }
    const std::string term = trimmed(child_named(node, "Context").attribute("search").value());
    const pugi::xml_node content = child_named(node, "Content");
    if (term.empty() || !content) {
      refuse(code::kShape, node, "a condition needs Context with 'search', and Content");
      return {};
    }
    Criterion test;
    test.kind = Criterion::Kind::test;
    test.properties = properties_of(term);
    if (test.properties.empty()) {
      const auto [at, added] = unsupported_.try_emplace(term, offset_of(node), 0);
      ++at->second.second;
      return {};
    }
    if (const std::string missing = missing_on_agents(test.properties);
        !missing.empty() && reached_.insert(term).second) {
      warn(code::kTerm, offset_of(node), term + ": " + missing);
    }
    const std::string_view condition = node.attribute("condition").value();
    const auto* const row = std::find_if(kConditions.begin(), kConditions.end(),
                                         [&](const ConditionRow& each) { return each.name == condition; });
    if (row == kConditions.end()) {
      warn(code::kCondition, offset_of(node), "condition '" + std::string(condition) + "' is not known");
      return {};
    }
    test.op = row->op;
    test.polarity = node.attribute("negate").as_bool() ? opposite(row->polarity) : row->polarity;
    if (node.attribute("preserve-case").as_bool()) test.case_mode = query::CaseMode::exact;
    return with_value(std::move(test), node, text_of(content));
  }

  Criterion with_value(Criterion test, const pugi::xml_node& node, std::string value) {
    const event::FieldType type = event::info(test.properties.front().field).type;
    const bool is_text = type == event::FieldType::text || type == event::FieldType::keyword;
    if (!is_text) value = trimmed(value);
    if (trimmed(value).empty()) {
      warn(code::kValue, offset_of(node), "the condition compares with nothing");
      return {};
    }
    const bool is_ordered = !event::is_textual(type) && test.op == Operator::equal;
    const auto interval = is_ordered ? read_interval(value) : std::nullopt;
    if (interval) return with_interval(std::move(test), node, *interval);
    test.values.push_back(std::move(value));
    return checked(std::move(test), node);
  }

  Criterion with_interval(Criterion test, const pugi::xml_node& node, const Interval& interval) {
    const bool inside = test.polarity == Polarity::positive;
    test.polarity = Polarity::positive;
    Criterion low = test;
    low.op = inside ? Operator::greater_equal : Operator::less;
    low.values = {interval.from};
    Criterion high = std::move(test);
    high.op = inside ? Operator::less_equal : Operator::greater;
    high.values = {interval.to};
    Criterion both;
    both.kind = inside ? Criterion::Kind::all : Criterion::Kind::any;
    for (Criterion* bound : {&low, &high}) {
      both.children.push_back(checked(std::move(*bound), node));
      if (both.children.back().kind != Criterion::Kind::test) return {};
    }
    return both;
  }

  Criterion checked(Criterion test, const pugi::xml_node& node) {
    if (test.op == Operator::regex && ++regexes_ > kRegexesMax) {
      refuse(code::kLimit, node, "more than " + std::to_string(kRegexesMax) + " regular expressions");
      return {};
    }
    if (const auto fits = check_test(test); !fits) {
      warn(code::kValue, offset_of(node), fits.error().message);
      return {};
    }
    return test;
  }

  static size_t offset_of(const pugi::xml_node& node) {
    return static_cast<size_t>(std::max<std::ptrdiff_t>(0, node.offset_debug()));
  }

  Diagnostic place_of(size_t offset) const {
    const std::string_view before = source_.substr(0, std::min(offset, source_.size()));
    const size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
    Diagnostic place;
    place.line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
    place.column = 1 + static_cast<size_t>(std::count_if(before.begin() + static_cast<std::ptrdiff_t>(line_start),
                                                         before.end(), is_first_byte));
    return place;
  }

  // Only the first one is kept.
  void refuse(std::string_view code, const pugi::xml_node& node, std::string message, std::string hint = "") {
    if (refusal_) return;
    refuse(code, offset_of(node), std::move(message), std::move(hint));
    refusal_->length = std::max<size_t>(1, std::strlen(node.name()));
  }

  void refuse(std::string_view code, size_t offset, std::string message, std::string hint = "") {
    if (refusal_) return;
    refusal_ = place_of(offset);
    refusal_->code = std::string(code);
    refusal_->message = std::move(message);
    refusal_->hint = std::move(hint);
  }

  void warn(std::string_view code, size_t offset, std::string message) {
    if (warnings_.size() > kWarningsMax) return;
    Diagnostic warning = place_of(offset);
    warning.code = std::string(code);
    warning.message = warnings_.size() == kWarningsMax ? "more of the conditions cannot hold" : std::move(message);
    warnings_.push_back(std::move(warning));
  }

  void add_term_warnings() {
    for (const auto& [term, found] : unsupported_) {
      const auto& [offset, count] = found;
      warn(code::kTerm, offset,
           term + ": " + why_unsupported(term) + (count > 1 ? " (" + std::to_string(count) + " conditions)" : ""));
    }
  }

  std::string_view source_;
  const std::string& path_;
  size_t conditions_ = 0;
  size_t regexes_ = 0;
  std::map<std::string, std::pair<size_t, size_t>> unsupported_;  // by term: where first, and how many
  std::vector<Diagnostic> warnings_;
  std::set<std::string> reached_;  // terms whose reach was said
  std::optional<Diagnostic> refusal_;
};

}  // namespace

LoadedFile read_openioc(std::string_view source, const std::string& path) { return IocReader(source, path).read(); }

}  // namespace redoubt::rules::openioc
