#include "rules/sigma/search.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/address.h"
#include "base/time.h"
#include "rules/sigma/field_map.h"
#include "rules/sigma/modifier.h"

namespace redoubt::rules::sigma {

namespace {

using event::Field;
using event::FieldType;
using query::CaseMode;
using query::Expression;
using query::Operand;
using query::Operator;
using query::Test;

// What keywords are looked for in: every field with words of the host in it. Ids are random, and the closed sets are
// our own words for what happened: a keyword such as `connection` is not about them.
std::vector<FieldPlace> keyword_places() {
  std::vector<FieldPlace> places;
  for (const event::FieldInfo& row : event::kFields) {
    if (event::is_textual(row.type) && row.type != FieldType::id && row.type != FieldType::keyword)
      places.push_back({.field = row.field});
  }
  return places;
}

void absorb(Expression alternative, std::vector<Expression>& grouped) {
  if (auto* nested = std::get_if<query::Or>(&alternative.node)) {
    for (Expression& child : nested->children) absorb(std::move(child), grouped);
    return;
  }
  if (const auto* test = std::get_if<Test>(&alternative.node); test != nullptr && !test->operands.empty()) {
    for (Expression& each : grouped) {
      auto* other = std::get_if<Test>(&each.node);
      const bool alike = other != nullptr && !other->operands.empty() && other->field == test->field &&
                         other->attribute == test->attribute && other->op == test->op &&
                         other->case_mode == test->case_mode;
      if (!alike) continue;
      other->operands.insert(other->operands.end(), test->operands.begin(), test->operands.end());
      return;
    }
  }
  grouped.push_back(std::move(alternative));
}

// An Or in which tests that differ in their operand alone are one test: long value lists stay one set for the matcher.
Expression any_grouped(std::vector<Expression> alternatives) {
  std::vector<Expression> grouped;
  for (Expression& each : alternatives) absorb(std::move(each), grouped);
  if (grouped.size() == 1) return std::move(grouped.front());
  return Expression::any_of(std::move(grouped));
}

Expression all_combined(std::vector<Expression> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return Expression::all_of(std::move(parts));
}

std::optional<int64_t> parse_whole_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
    base = 16;
  }
  int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

Operator operator_of(Position position) {
  switch (position) {
    case Position::whole: return Operator::equal;
    case Position::anywhere: return Operator::contains;
    case Position::start: return Operator::starts_with;
    case Position::end: return Operator::ends_with;
  }
  return Operator::equal;
}

// Of the field's type, where any field will do.
Field stand_in_for(const Modifiers& modifiers) {
  if (modifiers.time_part != TimePart::none) return Field::event_time;
  switch (modifiers.kind) {
    case ValueKind::cidr: return Field::destination_ip;
    case ValueKind::less:
    case ValueKind::less_equal:
    case ValueKind::greater:
    case ValueKind::greater_equal: return Field::process_pid;
    case ValueKind::text:
    case ValueKind::regex:
    case ValueKind::exists:
    case ValueKind::field: return Field::process_command_line;
  }
  return Field::process_command_line;
}

bool is_false(const Expression& expression) {
  const auto* node = std::get_if<query::Or>(&expression.node);
  return node != nullptr && node->children.empty();
}

constexpr int64_t kYearMin = 1970;
constexpr int64_t kYearMax = 9998;

struct TimePartRow {
  TimePart modifier;
  query::TimePart part;
  int64_t least;
  int64_t most;
};
constexpr auto kTimeParts = std::to_array<TimePartRow>({
    {TimePart::minute, query::TimePart::minute, 0, 59},
    {TimePart::hour, query::TimePart::hour, 0, 23},
    {TimePart::day, query::TimePart::day, 1, 31},
    {TimePart::week, query::TimePart::week, 1, 53},
    {TimePart::month, query::TimePart::month, 1, 12},
});

int64_t start_of_year(int64_t year) {
  const auto start = base::parse_time(std::to_string(year) + "-01-01");
  return start ? start->us : 0;
}

// Lowers the searches of one rule. After a problem the expressions mean nothing and are thrown away.
class SearchLowering {
 public:
  SearchLowering(const SearchScope& scope, Problems& problems) : scope_(scope), problems_(problems) {}

  Expression lower(const Node& search) {
    if (search.kind == NodeKind::map) return lower_map(search);
    if (search.kind == NodeKind::scalar) return lower_item(keyword_key(search), search);
    if (search.kind == NodeKind::null || search.items.empty()) {
      return refuse(code::kEmpty, search.place, "the search is empty");
    }
    std::vector<Expression> alternatives;
    alternatives.reserve(search.items.size());
    for (const Node& item : search.items) {
      alternatives.push_back(item.kind == NodeKind::map ? lower_map(item) : lower_item(keyword_key(item), item));
    }
    return any_grouped(std::move(alternatives));
  }

 private:
  // A field of an item with its modifiers, ready for values.
  struct ItemKey {
    std::vector<FieldPlace> places;
    Modifiers modifiers;
    Place place;
  };

  Expression refuse(std::string_view code, Place place, std::string message, std::string hint = "") {
    problems_.add(code, place, std::move(message), std::move(hint));
    return Expression::constant(false);
  }

  static ItemKey keyword_key(const Node& node) {
    ItemKey key{.places = keyword_places(), .modifiers = {}, .place = node.place};
    key.modifiers.position = Position::anywhere;
    return key;
  }

  Expression lower_map(const Node& map) {
    if (map.items.empty()) return refuse(code::kEmpty, map.place, "the search is empty");
    std::vector<Expression> parts;
    for (size_t i = 0; i + 1 < map.items.size(); i += 2) {
      const Node& key = map.items[i];
      const Node& value = map.items[i + 1];
      if (key.kind != NodeKind::scalar) return refuse(code::kShape, key.place, "a field name expected");
      const FieldKey parsed = read_field_key(key.text, key.place, problems_);
      ItemKey item = keyword_key(key);
      if (!parsed.field.empty()) {
        item.places = places_of(parsed.field, parsed.modifiers, key.place);
        if (item.places.empty()) return Expression::constant(false);
        item.modifiers = parsed.modifiers;
      } else {
        item.modifiers = parsed.modifiers;
        if (!goes_with_keywords(parsed.modifiers)) {
          return refuse(code::kModifierUse, key.place, "keywords are texts or regular expressions");
        }
        if (item.modifiers.position == Position::whole) item.modifiers.position = Position::anywhere;
      }
      parts.push_back(lower_item(item, value));
    }
    return all_combined(std::move(parts));
  }

  Expression lower_item(const ItemKey& key, const Node& value) {
    if (value.kind == NodeKind::map) return refuse(code::kShape, value.place, "a value or a list of values expected");
    Expression expression = lower_values(key, value);
    if (key.modifiers.sense == Sense::plain) return expression;
    return Expression::negate(std::move(expression));
  }

  Expression lower_values(const ItemKey& key, const Node& value) {
    const bool list = value.kind == NodeKind::sequence;
    if (key.modifiers.linking == Linking::all && !list) {
      return refuse(code::kModifierUse, key.place, "'all' goes with a list of values");
    }
    if (!list) {
      Expression expression = lower_value(key, value);
      return is_false(expression) ? refuse_value(key, value) : std::move(expression);
    }
    if (value.items.empty()) return refuse(code::kEmpty, value.place, "the list of values is empty");
    std::vector<Expression> values;
    const bool all = key.modifiers.linking == Linking::all;
    bool nothing_holds = !all;
    for (const Node& item : value.items) {
      if (item.kind == NodeKind::sequence || item.kind == NodeKind::map) {
        return refuse(code::kShape, item.place, "a value expected");
      }
      if (item.kind == NodeKind::null) {
        return refuse(code::kValue, item.place, "null does not go into a list", "give it a search of its own");
      }
      values.push_back(lower_value(key, item));
      if (problems_.first()) return Expression::constant(false);
      const bool holds_never = is_false(values.back());
      nothing_holds = all ? nothing_holds || holds_never : nothing_holds && holds_never;
    }
    if (nothing_holds) return refuse_value(key, value.items.front());
    return all ? all_combined(std::move(values)) : any_grouped(std::move(values));
  }

  Expression lower_value(const ItemKey& key, const Node& value) {
    if (value.kind == NodeKind::null) return lower_null(key, value);
    const auto& transforms = key.modifiers.transforms;
    if (std::find(transforms.begin(), transforms.end(), Transform::expand) == transforms.end()) {
      return lower_scalar(key, value);
    }
    std::vector<Expression> alternatives;
    Node expanded = value;
    auto texts = expand_placeholders(value.text, scope_.options.placeholders, value.place, problems_);
    if (!spend(texts.size(), value)) return Expression::constant(false);
    for (std::string& text : texts) {
      expanded.text = std::move(text);
      alternatives.push_back(lower_scalar(key, expanded));
      if (problems_.first()) break;
    }
    return any_grouped(std::move(alternatives));
  }

  // null: the field is absent or empty.
  Expression lower_null(const ItemKey& key, const Node& value) {
    const Modifiers& modifiers = key.modifiers;
    const bool plain = modifiers.kind == ValueKind::text && modifiers.position == Position::whole &&
                       modifiers.transforms.empty() && modifiers.time_part == TimePart::none;
    if (!plain) return refuse(code::kValue, value.place, "null does not go here", "quote it if the word is meant");
    std::vector<Expression> everywhere;
    for (const FieldPlace& place : key.places) {
      std::vector<Expression> alternatives;
      alternatives.push_back(Expression::negate(place.test(Operator::exists, {})));
      const FieldType type = event::info(place.field).type;
      if (event::is_textual(type) && type != FieldType::ip) {
        alternatives.push_back(place.test(Operator::equal, {Operand(std::string())}));
      }
      everywhere.push_back(any_grouped(std::move(alternatives)));
    }
    return all_combined(std::move(everywhere));
  }

  Expression lower_scalar(const ItemKey& key, const Node& value) {
    if (value.text.find("\xF3\xB0\x80") != std::string::npos) {
      return refuse(code::kValue, value.place, "private-use characters are not accepted in values");
    }
    std::vector<Expression> alternatives;
    for (const FieldPlace& place : key.places) {
      alternatives.push_back(lower_in_field(key, place, value));
      if (problems_.first()) break;
    }
    return any_grouped(std::move(alternatives));
  }

  Expression lower_in_field(const ItemKey& key, const FieldPlace& field, const Node& value) {
    if (key.modifiers.time_part == TimePart::year) return lower_year(key, field, value);
    if (key.modifiers.time_part != TimePart::none) return lower_time_part(key, field, value);
    switch (key.modifiers.kind) {
      case ValueKind::text: return lower_text(key, field, value);
      case ValueKind::regex: return lower_regex(key, field, value);
      case ValueKind::cidr: return lower_cidr(field, value);
      case ValueKind::exists: return lower_exists(field, value);
      case ValueKind::less: return lower_number(field, Operator::less, value);
      case ValueKind::less_equal: return lower_number(field, Operator::less_equal, value);
      case ValueKind::greater: return lower_number(field, Operator::greater, value);
      case ValueKind::greater_equal: return lower_number(field, Operator::greater_equal, value);
      case ValueKind::field: return lower_field_reference(key, field, value);
    }
    return Expression::constant(false);
  }

  Expression lower_text(const ItemKey& key, const FieldPlace& field, const Node& value) {
    const Modifiers& modifiers = key.modifiers;
    const bool as_written = std::all_of(modifiers.transforms.begin(), modifiers.transforms.end(),
                                        [](Transform each) { return each == Transform::expand; });
    if (!event::is_textual(event::info(field.field).type)) {
      if (modifiers.position == Position::whole && as_written) return lower_number(field, Operator::equal, value);
      return refuse(code::kModifierUse, key.place, name_quoted(field) + " is a number: it is compared as a whole");
    }
    const Notation notation = field.notation;
    if (notation != Notation::same && !as_written) {
      return refuse(code::kModifierUse, key.place, name_quoted(field) + " is compared with values as they are written");
    }
    auto translated = translate_value(notation, value.text);
    if (!translated) return Expression::constant(false);
    auto texts = transform_text(read_wildcards(*translated), modifiers.transforms, value.place, problems_);
    if (!as_written && !spend(texts.size(), value)) return Expression::constant(false);
    std::vector<Expression> alternatives;
    for (std::string& text : texts) {
      Pattern pattern = place_pattern(std::move(text), is_hash(notation) ? Position::whole : modifiers.position);
      std::vector<Operand> operands;
      if (pattern.op != Operator::exists) operands.emplace_back(std::move(pattern.text));
      alternatives.push_back(field.test(pattern.op, std::move(operands), modifiers.case_mode));
    }
    return any_grouped(std::move(alternatives));
  }

  // False and a problem once the file's values have become too many texts.
  bool spend(size_t texts, const Node& value) {
    scope_.budget.made += texts;
    if (scope_.budget.made <= kMadeTextsMax) return true;
    refuse(code::kTooBig, value.place,
           "modifiers make more than " + std::to_string(kMadeTextsMax) + " texts of the values of this file");
    return false;
  }

  // A value that the field never has.
  Expression refuse_value(const ItemKey& key, const Node& value) {
    return refuse(
        code::kValue, value.place, "'" + value.text + "' has no counterpart in " + name_quoted(key.places.front()),
        is_hash(key.places.front().notation) ? "as in SHA256=…, SHA1=…, MD5=… or IMPHASH=…" : "true or false");
  }

  // Sigma's regular expressions are found anywhere and mind case; flags go into the expression itself.
  Expression lower_regex(const ItemKey& key, const FieldPlace& field, const Node& value) {
    if (!event::is_textual(event::info(field.field).type)) {
      return refuse(code::kModifierUse, key.place, name_quoted(field) + " is a number: 're' does not go with it");
    }
    if (!check_regex(field, value)) return Expression::constant(false);
    const Position position = key.modifiers.position;
    std::string regex = value.text;
    if (position == Position::start) regex = "\\A(?:" + regex + ")";
    if (position == Position::end) regex = "(?:" + regex + ")\\z";
    if (!key.modifiers.regex_flags.empty()) regex.insert(0, "(?" + key.modifiers.regex_flags + ")");
    return field.test(Operator::regex, {Operand(std::move(regex))}, CaseMode::exact);
  }

  // Alone: what is put around the expression must not make a broken one whole.
  bool check_regex(const FieldPlace& field, const Node& value) {
    Expression test = field.test(Operator::regex, {Operand(value.text)}, CaseMode::exact);
    const auto checked = query::normalize(std::move(test));
    if (checked) return true;
    refuse(code::kRegex, value.place, checked.error().message, "look-around and back references are not supported");
    return false;
  }

  Expression lower_cidr(const FieldPlace& field, const Node& value) {
    if (event::info(field.field).type != FieldType::ip && field.attribute.empty()) {
      return refuse(code::kModifierUse, value.place, name_quoted(field) + " is no address: 'cidr' does not go with it");
    }
    if (!base::is_prefix(value.text)) {
      return refuse(code::kCidr, value.place, "'" + value.text + "' is neither an address nor a prefix",
                    "as in 10.0.0.0/8 or fd00::/8");
    }
    return field.test(Operator::cidr, {Operand(value.text)});
  }

  Expression lower_exists(const FieldPlace& field, const Node& value) {
    if (value.text != "true" && value.text != "false") {
      return refuse(code::kValue, value.place, "'exists' takes true or false");
    }
    Expression test = field.test(Operator::exists, {});
    return value.text == "true" ? std::move(test) : Expression::negate(std::move(test));
  }

  Expression lower_number(const FieldPlace& field, Operator op, const Node& value) {
    const FieldType type = event::info(field.field).type;
    if (event::is_textual(type) && field.attribute.empty()) {
      return refuse(code::kModifierUse, value.place, name_quoted(field) + " is no number");
    }
    if (type == FieldType::time) {
      const auto time = base::parse_time(value.text);
      if (!time) return refuse(code::kValue, value.place, time.error().message);
      return field.test(op, {Operand(time->us)});
    }
    const auto number = parse_whole_number(value.text);
    if (!number) {
      return refuse(code::kValue, value.place, name_quoted(field) + " is a number and '" + value.text + "' is not");
    }
    return field.test(op, {Operand(*number)});
  }

  // The year of a time is a stretch of it.
  Expression lower_year(const ItemKey& key, const FieldPlace& field, const Node& value) {
    if (event::info(field.field).type != FieldType::time) {
      return refuse(code::kModifierUse, key.place, name_quoted(field) + " is no time: 'year' does not go with it");
    }
    const auto year = parse_whole_number(value.text);
    if (!year || *year < kYearMin || *year > kYearMax) {
      return refuse(code::kValue, value.place, "'" + value.text + "' is no year", "as in 2026");
    }
    const auto from = [&](int64_t bound) {
      return field.test(Operator::greater_equal, {Operand(start_of_year(bound))});
    };
    const auto before = [&](int64_t bound) { return field.test(Operator::less, {Operand(start_of_year(bound))}); };
    switch (key.modifiers.kind) {
      case ValueKind::less: return before(*year);
      case ValueKind::less_equal: return before(*year + 1);
      case ValueKind::greater: return from(*year + 1);
      case ValueKind::greater_equal: return from(*year);
      case ValueKind::text:
      case ValueKind::regex:
      case ValueKind::cidr:
      case ValueKind::exists:
      case ValueKind::field: break;
    }
    std::vector<Expression> both;
    both.push_back(from(*year));
    both.push_back(before(*year + 1));
    return Expression::all_of(std::move(both));
  }

  Expression lower_time_part(const ItemKey& key, const FieldPlace& field, const Node& value) {
    const TimePartRow& row = *std::find_if(kTimeParts.begin(), kTimeParts.end(), [&](const TimePartRow& each) {
      return each.modifier == key.modifiers.time_part;
    });
    const std::string name(query::name_of(row.part));
    if (event::info(field.field).type != FieldType::time) {
      return refuse(code::kModifierUse, key.place,
                    name_quoted(field) + " is no time: '" + name + "' does not go with it");
    }
    const auto number = parse_whole_number(value.text);
    if (!number || *number < row.least || *number > row.most) {
      return refuse(code::kValue, value.place, "'" + value.text + "' is no " + name,
                    std::to_string(row.least) + " to " + std::to_string(row.most));
    }
    query::Test test{.field = field.field,
                     .op = number_operator_of(key.modifiers.kind),
                     .part = row.part,
                     .operands = {Operand(*number)}};
    return Expression{std::move(test)};
  }

  // Of a comparison of numbers.
  static Operator number_operator_of(ValueKind kind) {
    switch (kind) {
      case ValueKind::less: return Operator::less;
      case ValueKind::less_equal: return Operator::less_equal;
      case ValueKind::greater: return Operator::greater;
      case ValueKind::greater_equal: return Operator::greater_equal;
      case ValueKind::text:
      case ValueKind::regex:
      case ValueKind::cidr:
      case ValueKind::exists:
      case ValueKind::field: break;
    }
    return Operator::equal;
  }

  Expression lower_field_reference(const ItemKey& key, const FieldPlace& field, const Node& value) {
    std::vector<Expression> alternatives;
    for (const FieldPlace& other : places_of(value.text, key.modifiers, value.place)) {
      if (field.notation != Notation::same || other.notation != Notation::same) {
        return refuse(code::kValue, value.place, "'" + value.text + "' cannot be compared with another field");
      }
      alternatives.push_back(field.test(operator_of(key.modifiers.position), {other.operand()}));
      if (const auto checked = query::normalize(alternatives.back().clone()); !checked) {
        return refuse(code::kValue, value.place, checked.error().message);
      }
    }
    return any_grouped(std::move(alternatives));
  }

  std::vector<FieldPlace> places_of(std::string_view name, const Modifiers& modifiers, Place place) {
    if (scope_.options.vocabulary == Vocabulary::known) return find_field(name, scope_.fields, place, problems_);
    Problems unknown;
    auto places = find_field(name, scope_.fields, place, unknown);
    if (places.empty()) places.push_back({.field = stand_in_for(modifiers)});
    return places;
  }

  static bool goes_with_keywords(const Modifiers& modifiers) {
    return (modifiers.kind == ValueKind::text || modifiers.kind == ValueKind::regex) &&
           modifiers.time_part == TimePart::none;
  }

  static std::string name_quoted(const FieldPlace& field) { return "'" + field.name() + "'"; }

  const SearchScope& scope_;
  Problems& problems_;
};

}  // namespace

Expression lower_search(const Node& search, const SearchScope& scope, Problems& problems) {
  return SearchLowering(scope, problems).lower(search);
}

}  // namespace redoubt::rules::sigma
