#include "rules/sigma/search.h"

#include <charconv>
#include <utility>

#include "base/time.h"
#include "query/cidr.h"
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
std::vector<Field> keyword_fields() {
  std::vector<Field> fields;
  for (const event::FieldInfo& row : event::kFields) {
    if (event::is_textual(row.type) && row.type != FieldType::id && row.type != FieldType::keyword)
      fields.push_back(row.field);
  }
  return fields;
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
                         other->op == test->op && other->case_mode == test->case_mode;
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

// Lowers the searches of one rule. After a problem the expressions mean nothing and are thrown away.
class SearchLowering {
 public:
  SearchLowering(event::EventTypeSet types, Problems& problems) : types_(types), problems_(problems) {}

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
    FieldMeaning meaning;
    Modifiers modifiers;
    Place place;
  };

  Expression refuse(std::string_view code, Place place, std::string message, std::string hint = "") {
    problems_.add(code, place, std::move(message), std::move(hint));
    return Expression::constant(false);
  }

  static ItemKey keyword_key(const Node& node) {
    ItemKey key{.meaning = {.fields = keyword_fields()}, .modifiers = {}, .place = node.place};
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
        auto meaning = find_field(parsed.field, types_, key.place, problems_);
        if (!meaning) return Expression::constant(false);
        item.meaning = *std::move(meaning);
        item.modifiers = parsed.modifiers;
      } else {
        item.modifiers = parsed.modifiers;
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
    if (value.kind == NodeKind::sequence && value.items.size() > 1) {
      return refuse(code::kModifierUse, key.place, "'neq' takes one value", "negate the search in the condition");
    }
    return Expression::negate(std::move(expression));
  }

  Expression lower_values(const ItemKey& key, const Node& value) {
    const bool list = value.kind == NodeKind::sequence;
    if (key.modifiers.linking == Linking::all && !list) {
      return refuse(code::kModifierUse, key.place, "'all' goes with a list of values");
    }
    if (!list) return lower_value(key, value);
    if (value.items.empty()) return refuse(code::kEmpty, value.place, "the list of values is empty");
    std::vector<Expression> values;
    for (const Node& item : value.items) {
      if (item.kind == NodeKind::sequence || item.kind == NodeKind::map) {
        return refuse(code::kShape, item.place, "a value expected");
      }
      values.push_back(lower_value(key, item));
    }
    return key.modifiers.linking == Linking::all ? all_combined(std::move(values)) : any_grouped(std::move(values));
  }

  Expression lower_value(const ItemKey& key, const Node& value) {
    if (value.text.find("\xF3\xB0\x80") != std::string::npos) {
      return refuse(code::kValue, value.place, "private-use characters are not accepted in values");
    }
    std::vector<Expression> alternatives;
    for (const Field field : key.meaning.fields) {
      alternatives.push_back(value.kind == NodeKind::null ? lower_null(key, field, value)
                                                          : lower_scalar(key, field, value));
      if (problems_.first()) break;
    }
    return any_grouped(std::move(alternatives));
  }

  // null: the field is absent or empty.
  Expression lower_null(const ItemKey& key, Field field, const Node& value) {
    if (key.modifiers.kind != ValueKind::text || key.meaning.fields.size() > 1) {
      return refuse(code::kValue, value.place, "null does not go here", "quote it if the word is meant");
    }
    std::vector<Expression> alternatives;
    alternatives.push_back(Expression::negate(Expression::test(field, Operator::exists, {})));
    const FieldType type = event::info(field).type;
    if (event::is_textual(type) && type != FieldType::ip) {
      alternatives.push_back(Expression::test(field, Operator::equal, {Operand(std::string())}));
    }
    return any_grouped(std::move(alternatives));
  }

  Expression lower_scalar(const ItemKey& key, Field field, const Node& value) {
    switch (key.modifiers.kind) {
      case ValueKind::text: return lower_text(key, field, value);
      case ValueKind::regex: return lower_regex(key, field, value);
      case ValueKind::cidr: return lower_cidr(field, value);
      case ValueKind::exists: return lower_exists(field, value);
      case ValueKind::less: return lower_number(field, Operator::less, value);
      case ValueKind::less_equal: return lower_number(field, Operator::less_equal, value);
      case ValueKind::greater: return lower_number(field, Operator::greater, value);
      case ValueKind::greater_equal: return lower_number(field, Operator::greater_equal, value);
      case ValueKind::field: return lower_field_reference(field, value);
    }
    return Expression::constant(false);
  }

  Expression lower_text(const ItemKey& key, Field field, const Node& value) {
    if (!event::is_textual(event::info(field).type)) {
      if (key.modifiers.position == Position::whole) return lower_number(field, Operator::equal, value);
      return refuse(code::kModifierUse, key.place, name_quoted(field) + " is a number: it is compared as a whole");
    }
    const auto translated = translate_value(key.meaning.notation, value.text);
    if (!translated) {
      return refuse(code::kValue, value.place, "'" + value.text + "' has no counterpart in " + name_quoted(field),
                    key.meaning.notation == Notation::hash_list ? "only SHA256=… is known of files" : "true or false");
    }
    const bool hash = key.meaning.notation == Notation::hash_list;
    Pattern pattern = read_pattern(*translated, hash ? Position::whole : key.modifiers.position);
    if (pattern.op == Operator::exists) return Expression::test(field, Operator::exists, {});
    return Expression::test(field, pattern.op, {Operand(std::move(pattern.text))}, key.modifiers.case_mode);
  }

  // Sigma's regular expressions are found anywhere and mind case; flags go into the expression itself.
  Expression lower_regex(const ItemKey& key, Field field, const Node& value) {
    if (!event::is_textual(event::info(field).type)) {
      return refuse(code::kModifierUse, key.place, name_quoted(field) + " is a number: 're' does not go with it");
    }
    const std::string& flags = key.modifiers.regex_flags;
    std::string regex = flags.empty() ? value.text : "(?" + flags + ")" + value.text;
    Expression test = Expression::test(field, Operator::regex, {Operand(std::move(regex))}, CaseMode::exact);
    if (const auto checked = query::normalize(test.clone()); !checked) {
      return refuse(code::kRegex, value.place, checked.error().message,
                    "look-around and back references are not supported");
    }
    return test;
  }

  Expression lower_cidr(Field field, const Node& value) {
    if (event::info(field).type != FieldType::ip) {
      return refuse(code::kModifierUse, value.place, name_quoted(field) + " is no address: 'cidr' does not go with it");
    }
    if (!query::is_prefix(value.text)) {
      return refuse(code::kCidr, value.place, "'" + value.text + "' is neither an address nor a prefix",
                    "as in 10.0.0.0/8 or fd00::/8");
    }
    return Expression::test(field, Operator::cidr, {Operand(value.text)});
  }

  Expression lower_exists(Field field, const Node& value) {
    if (value.text != "true" && value.text != "false") {
      return refuse(code::kValue, value.place, "'exists' takes true or false");
    }
    Expression test = Expression::test(field, Operator::exists, {});
    return value.text == "true" ? std::move(test) : Expression::negate(std::move(test));
  }

  Expression lower_number(Field field, Operator op, const Node& value) {
    const FieldType type = event::info(field).type;
    if (event::is_textual(type)) {
      return refuse(code::kModifierUse, value.place, name_quoted(field) + " is no number");
    }
    if (type == FieldType::time) {
      const auto time = base::parse_time(value.text);
      if (!time) return refuse(code::kValue, value.place, time.error().message);
      return Expression::test(field, op, {Operand(time->us)});
    }
    const auto number = parse_whole_number(value.text);
    if (!number) {
      return refuse(code::kValue, value.place, name_quoted(field) + " is a number and '" + value.text + "' is not");
    }
    return Expression::test(field, op, {Operand(*number)});
  }

  Expression lower_field_reference(Field field, const Node& value) {
    const auto meaning = find_field(value.text, types_, value.place, problems_);
    if (!meaning) return Expression::constant(false);
    if (meaning->notation != Notation::same || meaning->fields.size() != 1) {
      return refuse(code::kValue, value.place, "'" + value.text + "' cannot be compared with another field");
    }
    Expression test = Expression::test(field, Operator::equal, {Operand(meaning->fields.front())});
    if (const auto checked = query::normalize(test.clone()); !checked) {
      return refuse(code::kValue, value.place, checked.error().message);
    }
    return test;
  }

  static std::string name_quoted(Field field) { return "'" + std::string(event::info(field).name) + "'"; }

  event::EventTypeSet types_;
  Problems& problems_;
};

}  // namespace

Expression lower_search(const Node& search, event::EventTypeSet types, Problems& problems) {
  return SearchLowering(types, problems).lower(search);
}

}  // namespace redoubt::rules::sigma
