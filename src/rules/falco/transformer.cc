#include "rules/falco/transformer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/ascii.h"
#include "rules/falco/text_lowering.h"

namespace redoubt::rules::falco {

namespace {

using query::CaseMode;
using query::Expression;

struct TransformerInfo {
  std::string_view name;
  size_t arguments_min;
  size_t arguments_max;
};
constexpr size_t kArgumentsMax = 64;
constexpr auto kTransformerInfos = std::to_array<TransformerInfo>({
    {"tolower", 1, 1},
    {"toupper", 1, 1},
    {"b64", 1, 1},
    {"basename", 1, 1},
    {"len", 1, 1},
    {"join", 2, 2},
    {"concat", 2, kArgumentsMax},
    {"getopt", 2, 2},
});

// In ASCII, as Falco does.
std::string lower_case(std::string text) {
  for (char& c : text) c = base::lower_ascii(c);
  return text;
}
std::string upper_case(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Without padding.
std::string to_base64(std::string_view bytes) {
  std::string out;
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) out += kBase64Digits[bits >> (held - 6) & 63];
  }
  if (held > 0) out += kBase64Digits[bits << (6 - held) & 63];
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string out;
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const size_t digit = kBase64Digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 255);
  }
  if (held >= 6) return std::nullopt;
  return out;
}

Judgement no_test(const Filter& check) {
  return Judgement::not_known(to_text(check.left) + " with operator " + std::string(name_of(check.op)) +
                              " has no test here");
}

// The same check of another term.
Filter check_of(const Filter& check, const Term& term) {
  Filter other = check;
  other.left = term;
  return other;
}

Filter check_of(const Term& term, CheckOperator op, std::string value) {
  Filter check;
  check.kind = FilterKind::check;
  check.left = term;
  check.op = op;
  Term literal;
  literal.text = std::move(value);
  check.values.push_back(std::move(literal));
  return check;
}

// Alternatives; the first that is not known makes all of them so.
Judgement lower_alternatives(const std::vector<Filter>& checks, EventClass event_class) {
  std::vector<Expression> any;
  std::string note;
  for (const Filter& check : checks) {
    Judgement each = lower_check(check, event_class);
    if (!each.unknown.empty()) return each;
    if (!each.note.empty()) note = each.note;
    any.push_back(std::move(each.expression));
  }
  Judgement judgement = Judgement::of(Expression::any_of(std::move(any)));
  judgement.note = std::move(note);
  return judgement;
}

void fold_tests(Expression& expression) {
  if (auto* all = std::get_if<query::And>(&expression.node)) {
    for (Expression& child : all->children) fold_tests(child);
  } else if (auto* any = std::get_if<query::Or>(&expression.node)) {
    for (Expression& child : any->children) fold_tests(child);
  } else if (auto* negation = std::get_if<query::Not>(&expression.node)) {
    fold_tests(*negation->child);
  } else if (auto* test = std::get_if<query::Test>(&expression.node)) {
    test->case_mode = CaseMode::folded;
  }
}

// Shapes that are written as tests of what hosts and people named; the others compare with Falco's own words.
bool is_named_text(const Term& term, EventClass event_class) {
  if (term.kind == TermKind::transformer) return true;  // asked of what is inside it
  const FoundSource found = find_source(term, event_class);
  if (!found.source) return true;  // its reason comes from the check
  switch (found.source->shape) {
    case Shape::absent:
    case Shape::command_line:
    case Shape::arguments:
    case Shape::first_argument:
    case Shape::any_ancestor:
    case Shape::ancestor:
    case Shape::ancestor_command:
    case Shape::environment:
    case Shape::directory: return true;
    case Shape::plain: return event::is_textual(event::info(found.source->field).type);
    case Shape::container:
    case Shape::flag:
    case Shape::moment:
    case Shape::seconds:
    case Shape::terminal:
    case Shape::login_user:
    case Shape::constant_text:
    case Shape::constant_number:
    case Shape::number_at_least:
    case Shape::address_family:
    case Shape::lines:
    case Shape::mount_part:
    case Shape::label:
    case Shape::both_ends:
    case Shape::prefix_flag:
    case Shape::no_prefix_flag:
    case Shape::executable_flag:
    case Shape::mode_bits:
    case Shape::file_kind:
    case Shape::error_name:
    case Shape::error_number: return false;
  }
  return false;
}

bool is_plain_text(const Term& term, EventClass event_class) {
  if (term.kind != TermKind::field) return false;
  const FoundSource found = find_source(term, event_class);
  if (!found.source || found.source->shape == Shape::absent) return true;
  return found.source->shape == Shape::plain && event::is_textual(event::info(found.source->field).type);
}

// A text in small letters is `a` where the text is `a` whatever its case. What has other letters is never equal.
Judgement lower_case_change(const Filter& check, EventClass event_class) {
  const bool is_lower = check.left.text == "tolower";
  const bool is_pattern = check.op == CheckOperator::regex;
  if (is_pattern || !is_named_text(check.left.parts.front(), event_class)) return no_test(check);
  Filter inner = check_of(check, check.left.parts.front());
  const bool ignores_case = check.op == CheckOperator::icontains || check.op == CheckOperator::iglob;
  std::erase_if(inner.values, [&](const Term& value) {
    return !ignores_case && value.text != (is_lower ? lower_case(value.text) : upper_case(value.text));
  });
  for (const Term& value : inner.values) {
    if (check.op == CheckOperator::glob && value.text.find('[') != std::string::npos) return no_test(check);
  }
  if (inner.values.empty()) return Judgement::of(Expression::constant(false));
  const bool has_other_letters = std::any_of(inner.values.begin(), inner.values.end(), [](const Term& value) {
    return std::any_of(value.text.begin(), value.text.end(), [](char c) { return (c & 0x80) != 0; });
  });
  Judgement judgement = lower_check(inner, event_class);
  if (judgement.unknown.empty()) fold_tests(judgement.expression);
  if (has_other_letters) judgement.note = check.left.text + " folds letters outside ASCII too";
  return judgement;
}

// What follows the last slash.
Judgement lower_base_name(const Filter& check, EventClass event_class) {
  const Term& path = check.left.parts.front();
  const bool is_whole_end = check.op == CheckOperator::equal || check.op == CheckOperator::endswith;
  const Term& named =
      path.kind == TermKind::transformer && !path.parts.empty() && is_whole_end ? path.parts.front() : path;
  if (!is_plain_text(named, event_class)) return no_test(check);
  std::vector<Filter> checks;
  for (const Term& value : check.values) {
    if (value.text.find('/') != std::string::npos) continue;
    if (check.op == CheckOperator::equal) {
      checks.push_back(check_of(path, CheckOperator::endswith, "/" + value.text));
      checks.push_back(check_of(path, CheckOperator::equal, value.text));
    } else if (check.op == CheckOperator::endswith) {
      checks.push_back(check_of(path, CheckOperator::endswith, value.text));
    } else if (check.op == CheckOperator::startswith) {
      checks.push_back(check_of(path, CheckOperator::regex, "(?:.*/)?" + escape_regex(value.text) + "[^/]*"));
    } else if (check.op == CheckOperator::contains) {
      checks.push_back(check_of(path, CheckOperator::regex, ".*" + escape_regex(value.text) + "[^/]*"));
    } else {
      return no_test(check);
    }
  }
  return lower_alternatives(checks, event_class);
}

// The pattern of texts whose length compares in that way with `length`; "" where none has.
std::string length_pattern(CheckOperator op, size_t length) {
  const std::string n = std::to_string(length);
  if (op == CheckOperator::equal) return ".{" + n + "}";
  if (op == CheckOperator::greater_equal) return ".{" + n + ",}";
  if (op == CheckOperator::greater) return ".{" + std::to_string(length + 1) + ",}";
  if (op == CheckOperator::less_equal) return ".{0," + n + "}";
  return length == 0 ? "" : ".{0," + std::to_string(length - 1) + "}";
}

Judgement lower_length(const Filter& check, EventClass event_class) {
  const Term& text = check.left.parts.front();
  const bool is_order = check.op == CheckOperator::less || check.op == CheckOperator::less_equal ||
                        check.op == CheckOperator::greater || check.op == CheckOperator::greater_equal;
  if (!is_plain_text(text, event_class) || (check.op != CheckOperator::equal && !is_order)) return no_test(check);
  std::vector<Filter> checks;
  bool counts = false;
  for (const Term& value : check.values) {
    size_t length = 0;
    const char* const end = value.text.data() + value.text.size();
    const auto [stop, error] = std::from_chars(value.text.data(), end, length);
    if (error != std::errc() || stop != end || length >= kLengthMax) {
      return Judgement::not_known("len() is compared with whole numbers below " + std::to_string(kLengthMax) + " here");
    }
    counts = counts || length > 1 ||
             (length == 1 && check.op != CheckOperator::greater_equal && check.op != CheckOperator::less);
    const std::string pattern = length_pattern(check.op, length);
    if (!pattern.empty()) checks.push_back(check_of(text, CheckOperator::regex, pattern));
  }
  Judgement judgement = lower_alternatives(checks, event_class);
  if (counts && judgement.unknown.empty()) judgement.note = "len() counts characters, not bytes";
  return judgement;
}

// The encoded text, with padding or without it.
Judgement lower_base64(const Filter& check, EventClass event_class) {
  const Term& text = check.left.parts.front();
  if (check.op != CheckOperator::equal || !is_plain_text(text, event_class)) return no_test(check);
  std::vector<Filter> checks;
  for (const Term& value : check.values) {
    std::string encoded = to_base64(value.text);
    checks.push_back(check_of(text, CheckOperator::equal, encoded));
    if (encoded.size() % 4 == 0) continue;
    encoded.append(4 - encoded.size() % 4, '=');
    checks.push_back(check_of(text, CheckOperator::equal, std::move(encoded)));
  }
  return lower_alternatives(checks, event_class);
}

// A joined text with one part that is not known beforehand: what stands before and behind that part.
struct Joined {
  std::string before;
  const Term* part = nullptr;
  std::string after;
};

std::optional<Joined> joined_of(const Term& term) {
  const bool is_join = term.text == "join";
  const std::string separator = is_join ? term.parts.front().text : "";
  if (is_join && term.parts.back().kind != TermKind::list) return std::nullopt;
  const std::vector<Term>& parts = is_join ? term.parts.back().parts : term.parts;
  Joined joined;
  for (const Term& part : parts) {
    std::string& side = joined.part == nullptr ? joined.before : joined.after;
    if (&part != &parts.front()) side += separator;
    if (part.kind == TermKind::literal) {
      side += part.text;
    } else if (part.kind == TermKind::list || joined.part != nullptr) {
      return std::nullopt;
    } else {
      joined.part = &part;
    }
  }
  return joined.part == nullptr ? std::nullopt : std::optional<Joined>(std::move(joined));
}

Judgement lower_joined(const Filter& check, EventClass event_class) {
  const std::optional<Joined> joined = joined_of(check.left);
  if (!joined) return Judgement::not_known(check.left.text + " of other than one field has no test here");
  const bool is_equal = check.op == CheckOperator::equal;
  const bool is_start = check.op == CheckOperator::startswith && joined->after.empty();
  const bool is_end = check.op == CheckOperator::endswith && joined->before.empty();
  if (!is_equal && !is_start && !is_end) return no_test(check);
  std::vector<Filter> checks;
  for (const Term& value : check.values) {
    std::string_view rest = value.text;
    const bool is_inside = (is_start && std::string_view(joined->before).starts_with(rest)) ||
                           (is_end && std::string_view(joined->after).ends_with(rest));
    if (is_inside) {
      checks.push_back(check_of(*joined->part, CheckOperator::exists, ""));
      continue;
    }
    if (!rest.starts_with(joined->before)) continue;
    rest.remove_prefix(joined->before.size());
    if (!rest.ends_with(joined->after)) continue;
    rest.remove_suffix(joined->after.size());
    checks.push_back(check_of(*joined->part, check.op, std::string(rest)));
  }
  return lower_alternatives(checks, event_class);
}

Judgement lower_getopt(const Filter&, EventClass) {
  return Judgement::not_known("getopt has no test here: arguments are kept as one text");
}

struct TransformerLowering {
  std::string_view name;
  Judgement (*lower)(const Filter& check, EventClass event_class);
};
constexpr auto kLowerings = std::to_array<TransformerLowering>({
    {"tolower", lower_case_change},
    {"toupper", lower_case_change},
    {"b64", lower_base64},
    {"basename", lower_base_name},
    {"len", lower_length},
    {"join", lower_joined},
    {"concat", lower_joined},
    {"getopt", lower_getopt},
});

// Whether there is a value: that of every field inside. A text may be no base64.
Judgement lower_presence(const Term& term, EventClass event_class) {
  if (term.kind == TermKind::literal) return Judgement::of(Expression::constant(true));
  if (term.kind == TermKind::field) {
    Filter check = check_of(term, CheckOperator::exists, "");
    return lower_check(check, event_class);
  }
  if (term.text == "b64" || term.text == "getopt") {
    return Judgement::not_known("whether " + to_text(term) + " has a value has no test here");
  }
  std::vector<Expression> all;
  for (const Term& part : term.parts) {
    Judgement each = lower_presence(part, event_class);
    if (!each.unknown.empty()) return each;
    all.push_back(std::move(each.expression));
  }
  return Judgement::of(Expression::all_of(std::move(all)));
}

}  // namespace

std::string argument_mistake(const Term& term) {
  for (const Term& part : term.parts) {
    if (std::string mistake = argument_mistake(part); !mistake.empty()) return mistake;
  }
  if (term.kind != TermKind::transformer) return "";
  const auto* const row = std::find_if(kTransformerInfos.begin(), kTransformerInfos.end(),
                                       [&](const TransformerInfo& each) { return each.name == term.text; });
  const size_t count = term.parts.size();
  if (row == kTransformerInfos.end() || (count >= row->arguments_min && count <= row->arguments_max)) return "";
  const bool is_range = row->arguments_min != row->arguments_max;
  return term.text + " takes " + std::to_string(row->arguments_min) + (is_range ? " or more" : "") +
         (row->arguments_max == 1 ? " argument" : " arguments") + ", not " + std::to_string(count);
}

std::optional<std::string> transform(std::string_view transformer, const std::vector<std::string>& arguments) {
  if (arguments.empty()) return std::nullopt;
  const std::string& first = arguments.front();
  if (transformer == "tolower") return lower_case(first);
  if (transformer == "toupper") return upper_case(first);
  if (transformer == "b64") return from_base64(first);
  if (transformer == "basename") return first.substr(first.rfind('/') + 1);
  if (transformer == "len") return std::to_string(first.size());
  std::string text;
  if (transformer == "join") {
    for (size_t i = 1; i < arguments.size(); ++i) text += (i == 1 ? "" : first) + arguments[i];
    return text;
  }
  if (transformer != "concat") return std::nullopt;
  for (const std::string& argument : arguments) text += argument;
  return text;
}

Judgement lower_transformer(const Filter& check, EventClass event_class) {
  if (check.op == CheckOperator::exists) return lower_presence(check.left, event_class);
  if (check.op == CheckOperator::not_equal) {
    Judgement present = lower_presence(check.left, event_class);
    if (!present.unknown.empty()) return present;
    Filter equal = check;
    equal.op = CheckOperator::equal;
    Judgement outcome = lower_transformer(equal, event_class);
    if (!outcome.unknown.empty()) return outcome;
    std::vector<Expression> both;
    both.push_back(std::move(present.expression));
    both.push_back(Expression::negate(std::move(outcome.expression)));
    outcome.expression = Expression::all_of(std::move(both));
    return outcome;
  }
  const bool is_listed = check.op == CheckOperator::in || check.op == CheckOperator::intersects;
  if (is_listed) {
    Filter equal = check;
    equal.op = CheckOperator::equal;
    return lower_transformer(equal, event_class);
  }
  for (const TransformerLowering& row : kLowerings) {
    if (row.name == check.left.text) return row.lower(check, event_class);
  }
  return no_test(check);
}

}  // namespace redoubt::rules::falco
