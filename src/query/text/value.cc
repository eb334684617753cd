#include "query/text/value.h"

#include <re2/re2.h>
#include <algorithm>
#include <charconv>

#include "base/address.h"
#include "base/config.h"
#include "base/text.h"
#include "query/hash_kind.h"
#include "query/pattern.h"
#include "query/semantics.h"

namespace redoubt::query::text {

using event::FieldType;

std::string_view name_of(Verb verb) {
  switch (verb) {
    case Verb::equal: return "=";
    case Verb::less: return "<";
    case Verb::less_equal: return "<=";
    case Verb::greater: return ">";
    case Verb::greater_equal: return ">=";
    case Verb::contains: return "CONTAINS";
    case Verb::starts: return "STARTS";
    case Verb::ends: return "ENDS";
    case Verb::matches: return "MATCHES";
    case Verb::like: return "LIKE";
    case Verb::cidr: return "CIDR";
    case Verb::in: return "IN";
    case Verb::exists: return "EXISTS";
  }
  return "";
}

std::string_view described(FieldType type) {
  switch (type) {
    case FieldType::text: return "text";
    case FieldType::keyword: return "one of a few words";
    case FieldType::id: return "an id";
    case FieldType::hash: return "a hash";
    case FieldType::integer: return "a number";
    case FieldType::time: return "a time";
    case FieldType::ip: return "an address";
  }
  return "";
}

std::string_view verbs_of(event::Field field) {
  if (field == event::Field::event_type) return "= != IN EXISTS";
  if (field == event::Field::attributes) return "= != < <= > >= CONTAINS STARTS ENDS MATCHES LIKE CIDR IN EXISTS";
  switch (event::info(field).type) {
    case FieldType::text:
    case FieldType::keyword: return "= != CONTAINS STARTS ENDS MATCHES LIKE IN EXISTS";
    case FieldType::id:
    case FieldType::hash: return "= != STARTS IN EXISTS";
    case FieldType::integer:
    case FieldType::time: return "= != < <= > >= IN EXISTS";
    case FieldType::ip: return "= != CIDR IN EXISTS";
  }
  return "";
}

bool has_verb(event::Field field, Verb verb) {
  const std::string verbs = " " + std::string(verbs_of(field)) + " ";
  return verbs.find(" " + std::string(name_of(verb)) + " ") != std::string::npos;
}

bool takes_pattern(Verb verb) { return verb == Verb::equal || verb == Verb::in || verb == Verb::like; }

namespace {

Operator operator_of(Verb verb) {
  switch (verb) {
    case Verb::equal:
    case Verb::in: return Operator::equal;
    case Verb::less: return Operator::less;
    case Verb::less_equal: return Operator::less_equal;
    case Verb::greater: return Operator::greater;
    case Verb::greater_equal: return Operator::greater_equal;
    case Verb::contains: return Operator::contains;
    case Verb::starts: return Operator::starts_with;
    case Verb::ends: return Operator::ends_with;
    case Verb::matches: return Operator::regex;
    case Verb::like: return Operator::like;
    case Verb::cidr: return Operator::cidr;
    case Verb::exists: return Operator::exists;
  }
  return Operator::exists;
}

struct Typer {
  std::string_view source;
  event::Field field;
  Verb verb;
  const ValueSyntax& value;
  base::Time now;

  const Token& token() const { return value.token; }
  FieldType type() const { return event::info(field).type; }
  std::string subject() const { return "field '" + std::string(event::info(field).name) + "'"; }

  tl::unexpected<Diagnostic> wrong(std::string message, std::string hint) const {
    return complain(source, token().span, {"Q302", std::move(message), std::move(hint)});
  }

  Outcome<TypedValue> run() const {
    if (value.field) return other_field();
    if (field == event::Field::attributes && is_ordering(operator_of(verb))) return integer();
    if (field == event::Field::attributes && verb == Verb::cidr) return address();
    switch (type()) {
      case FieldType::text:
      case FieldType::keyword:
      case FieldType::id:
      case FieldType::hash: return textual();
      case FieldType::integer: return integer();
      case FieldType::time: return time();
      case FieldType::ip: return address();
    }
    return textual();
  }

  Outcome<TypedValue> other_field() const {
    const FieldType other = event::info(*value.field).type;
    const bool fits = event::is_textual(type()) ? event::is_textual(other) : type() == other;
    if (!fits) {
      return wrong(subject() + " is " + std::string(described(type())) + " and '" + token().text + "' is " +
                       std::string(described(other)),
                   "text stands in quotes");
    }
    const Operator op = operator_of(verb);
    if (op == Operator::regex || op == Operator::cidr || op == Operator::like) {
      return wrong(std::string(name_of(verb)) + " takes no field", "text stands in quotes");
    }
    return TypedValue{op, *value.field};
  }

  // Resolves what may stand without quotes: numbers as text; ids and hashes.
  bool may_be_bare() const {
    const char first = token().text.front();
    return (first >= '0' && first <= '9') || type() == FieldType::id || type() == FieldType::hash;
  }

  Outcome<TypedValue> textual() const {
    const bool quoted = token().kind == TokenKind::string;
    if (!quoted && !may_be_bare()) {
      return wrong("'" + token().text + "' is neither a value nor a field",
                   "text stands in quotes: \"" + token().text + "\"");
    }
    if (verb == Verb::matches) return regex();
    if (token().bad_escape.size > 0) {
      return complain(
          source, token().bad_escape,
          {"Q106", "this escape is not known", R"(a backslash is written \\; there are \" \' \\ \n \t \r \xHH \* \?)"});
    }
    if (quoted && takes_pattern(verb) && has_wildcard(token().pattern))
      return TypedValue{Operator::like, token().pattern};
    const Operator op = verb == Verb::like ? Operator::equal : operator_of(verb);
    if (field == event::Field::event_type) return event_type();
    if (type() == FieldType::hash && op == Operator::equal && !is_hash(hash_kind(field), token().text)) {
      return wrong_hash();
    }
    return TypedValue{op, token().text};
  }

  tl::unexpected<Diagnostic> wrong_hash() const {
    const HashKind& kind = hash_kind(field);
    const std::string name(kind.name);
    return wrong("'" + token().text + "' is no " + name,
                 "a " + name + " has " + std::to_string(kind.digits) + " hexadecimal digits; the start of one: STARTS");
  }

  Outcome<TypedValue> event_type() const {
    if (const auto type = event::event_type_named(token().text)) {
      return TypedValue{Operator::equal, std::string(event::name_of(*type))};
    }
    std::vector<std::string_view> names;
    std::string all;
    for (const event::EventTypeInfo& row : event::kEventTypes) {
      names.push_back(row.name);
      all += (all.empty() ? "" : ", ") + std::string(row.name);
    }
    const auto nearest = base::nearest_names(token().text, names, 1);
    return complain(source, token().span,
                    {"Q303", "event type '" + token().text + "' is not known",
                     nearest.empty() ? "there are " + all : "did you mean '" + nearest.front() + "'?"});
  }

  Outcome<TypedValue> regex() const {
    if (token().kind != TokenKind::string) return wrong("MATCHES takes a regular expression in quotes", "");
    const Test test{.field = field, .op = Operator::regex, .case_mode = CaseMode::folded, .operands = {token().regex}};
    const auto checked = normalize({test});
    if (!checked) {
      const std::string& message = checked.error().message;
      return complain(source, token().span,
                      {"Q304", message.substr(message.find("regular")), "the syntax is that of RE2"});
    }
    return TypedValue{Operator::regex, token().regex};
  }

  Outcome<TypedValue> integer() const {
    std::string_view text = token().text;
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
      text.remove_prefix(2);
      base = 16;
    }
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error == std::errc{} && end == text.data() + text.size()) return TypedValue{operator_of(verb), number};
    if (const auto size = base::parse_size_bytes(token().text)) return TypedValue{operator_of(verb), *size};
    return wrong(subject() + " is a number, '" + token().text + "' is none",
                 "numbers are written 443, -1, 0x1F, 10KB, 4MiB");
  }

  Outcome<TypedValue> time() const {
    REDOUBT_OUTCOME(const base::Time time, read_time(source, token(), now));
    return TypedValue{operator_of(verb), time.us};
  }

  Outcome<TypedValue> address() const {
    const std::string& text = token().text;
    const bool prefix = text.find('/') != std::string::npos;
    if (base::is_prefix(text)) return TypedValue{prefix || verb == Verb::cidr ? Operator::cidr : Operator::equal, text};
    if (takes_pattern(verb) && has_wildcard(token().pattern)) return TypedValue{Operator::like, token().pattern};
    return wrong(subject() + " is an address, '" + text + "' is none",
                 "addresses are written 10.0.0.1, 10.0.0.0/8, fd00::/8");
  }
};

}  // namespace

Outcome<TypedValue> type_value(std::string_view source, event::Field field, Verb verb, const ValueSyntax& value,
                               base::Time now) {
  return Typer{source, field, verb, value, now}.run();
}

Outcome<base::Time> read_time(std::string_view source, const Token& token, base::Time now) {
  const std::string word = base::fold_case(token.text);
  const size_t sign = word.find_first_of("+-");
  const std::string_view start = std::string_view(word).substr(0, sign);
  if (start == "now" || start == "today") {
    base::Time time = start == "now" ? now : base::Time{now.us - now.us % base::kDayUs};
    if (sign == std::string::npos) return time;
    const auto duration_us = base::parse_duration_us(std::string_view(word).substr(sign + 1));
    if (duration_us) return base::Time{time.us + (word[sign] == '-' ? -*duration_us : *duration_us)};
  } else if (const auto time = base::parse_time(token.text)) {
    return *time;
  }
  const bool duration = base::parse_duration_us(word).has_value();
  return complain(
      source, token.span,
      {"Q302", "'" + token.text + "' is no time",
       duration ? "write now-" + word : "times are written 2026-11-22T04:00:00Z, 2026-11-22, now, today, now-30d"});
}

}  // namespace redoubt::query::text
