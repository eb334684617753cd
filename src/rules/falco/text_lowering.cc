#include "rules/falco/text_lowering.h"

#include <algorithm>

namespace redoubt::rules::falco {

namespace {

using event::Field;
using query::CaseMode;
using query::Expression;
using query::Operand;
using query::Operator;

// `(?:a|b)`
std::string alternatives(const Values& values) {
  std::string out = "(?:";
  for (size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : "|") + escape_regex(values[i]);
  return out + ")";
}

bool is_glob(std::string_view text) { return text.find_first_of("*?[") != std::string_view::npos; }

Expression lower_glob(Field field, const Values& values, CaseMode mode) {
  std::vector<Expression> tests;
  for (const std::string& value : values) {
    tests.push_back(Expression::test(field, Operator::regex, {"^" + glob_regex(value, ".*") + "$"}, mode));
  }
  return Expression::any_of(std::move(tests));
}

// A listed path, or anything below it; a star stays within one component.
Expression lower_path_prefix(Field field, const Values& values) {
  std::vector<Expression> tests;
  for (std::string path : values) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    if (is_glob(path)) {
      tests.push_back(one(field, Operator::regex, "^" + glob_regex(path, "[^/]*") + "(?:/|$)"));
    } else if (path == "/") {
      tests.push_back(one(field, Operator::starts_with, path));
    } else {
      tests.push_back(either(one(field, Operator::equal, path), one(field, Operator::starts_with, path + "/")));
    }
  }
  return Expression::any_of(std::move(tests));
}

std::string around(CheckOperator op, const Values& values, std::string_view any, std::string_view end) {
  std::string pattern;
  if (op == CheckOperator::contains || op == CheckOperator::endswith) pattern += any;
  pattern += alternatives(values);
  if (op == CheckOperator::equal || op == CheckOperator::endswith) pattern += end;
  return pattern;
}

// Falco's line is the program's name and all arguments but the first.
Expression lower_one_command_line(const FieldSource& source, CheckOperator op, const std::string& value) {
  const size_t blank = value.find(' ');
  const Field name = source.second;
  if (blank == std::string::npos) {
    if (op == CheckOperator::startswith) return lower_text(name, op, {value}).expression;
    return both(lower_program_name(name, CheckOperator::equal, {value}).expression,
                one(source.field, Operator::regex, "^[^ ]*$"));
  }
  const std::string rest = "^[^ ]*" + escape_regex(std::string_view(value).substr(blank));
  return both(lower_program_name(name, CheckOperator::equal, {value.substr(0, blank)}).expression,
              one(source.field, Operator::regex, op == CheckOperator::equal ? rest + "$" : rest));
}

bool is_plain_operator(CheckOperator op) {
  return op == CheckOperator::equal || op == CheckOperator::contains || op == CheckOperator::startswith ||
         op == CheckOperator::endswith;
}

}  // namespace

std::string glob_regex(std::string_view glob, std::string_view star) {
  std::string out;
  for (size_t i = 0; i < glob.size(); ++i) {
    const size_t closing = glob[i] == '[' ? glob.find(']', i + 2) : std::string_view::npos;
    if (glob[i] == '*') {
      out += star;
    } else if (glob[i] == '?') {
      out += star.substr(0, star.size() - 1);
    } else if (closing != std::string_view::npos) {
      const bool negated = glob[i + 1] == '!' || glob[i + 1] == '^';
      out += negated ? "[^" : "[";
      for (size_t k = i + 1 + (negated ? 1 : 0); k < closing; ++k) {
        if (glob[k] == '\\' || glob[k] == '[' || glob[k] == '^') out += '\\';
        out += glob[k];
      }
      out += ']';
      i = closing;
    } else {
      if (glob[i] == '\\' && i + 1 < glob.size()) ++i;
      out += escape_regex(glob.substr(i, 1));
    }
  }
  return out;
}

Expression exact(Field field, Operator op, const Values& values) {
  std::vector<Operand> operands(values.begin(), values.end());
  return Expression::test(field, op, std::move(operands), CaseMode::exact);
}

Expression one(Field field, Operator op, std::string value) { return exact(field, op, {std::move(value)}); }

Expression either(Expression a, Expression b) {
  std::vector<Expression> children;
  children.push_back(std::move(a));
  children.push_back(std::move(b));
  return Expression::any_of(std::move(children));
}

Expression both(Expression a, Expression b) {
  std::vector<Expression> children;
  children.push_back(std::move(a));
  children.push_back(std::move(b));
  return Expression::all_of(std::move(children));
}

Expression exists(Field field) { return Expression::test(field, Operator::exists, {}); }

std::string cannot(CheckOperator op, std::string_view what) {
  return "operator " + std::string(name_of(op)) + " on " + std::string(what) + " has no test here";
}

std::string escape_regex(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain =
        byte >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (is_plain) {
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += {'\\', 'x', kHex[byte / 16], kHex[byte % 16]};
    } else {
      out += {'\\', c};
    }
  }
  return out;
}

Judgement lower_text(Field field, CheckOperator op, const Values& values) {
  switch (op) {
    case CheckOperator::equal: return Judgement::of(exact(field, Operator::equal, values));
    case CheckOperator::contains: return Judgement::of(exact(field, Operator::contains, values));
    case CheckOperator::startswith: return Judgement::of(exact(field, Operator::starts_with, values));
    case CheckOperator::endswith: return Judgement::of(exact(field, Operator::ends_with, values));
    case CheckOperator::icontains: {
      std::vector<Operand> operands(values.begin(), values.end());
      return Judgement::of(Expression::test(field, Operator::contains, std::move(operands)));
    }
    case CheckOperator::glob: return Judgement::of(lower_glob(field, values, CaseMode::exact));
    case CheckOperator::iglob: return Judgement::of(lower_glob(field, values, CaseMode::folded));
    case CheckOperator::regex: {
      Values anchored;
      for (const std::string& value : values) anchored.push_back("^(?:" + value + ")$");
      return Judgement::of(exact(field, Operator::regex, anchored));
    }
    case CheckOperator::pmatch: return Judgement::of(lower_path_prefix(field, values));
    case CheckOperator::exists:
    case CheckOperator::less:
    case CheckOperator::less_equal:
    case CheckOperator::greater:
    case CheckOperator::greater_equal:
    case CheckOperator::not_equal:
    case CheckOperator::bcontains:
    case CheckOperator::bstartswith:
    case CheckOperator::in:
    case CheckOperator::intersects: break;
  }
  return Judgement::not_known(cannot(op, "text"));
}

// Falco sees the first 15 bytes.
Judgement lower_program_name(Field field, CheckOperator op, const Values& values) {
  if (op != CheckOperator::equal) return lower_text(field, op, values);
  Values whole;
  Values cut;
  for (const std::string& value : values) {
    if (value.size() < kProgramNameBytes) whole.push_back(value);
    if (value.size() == kProgramNameBytes) cut.push_back(value);
  }
  return Judgement::of(either(exact(field, Operator::equal, whole), exact(field, Operator::starts_with, cut)));
}

Judgement lower_first_argument(Field field, CheckOperator op, const Values& values) {
  if (!is_plain_operator(op)) return Judgement::not_known(cannot(op, "the first argument"));
  return Judgement::of(one(field, Operator::regex, "^" + around(op, values, "[^ ]*", "(?: |$)")));
}

Judgement lower_arguments(Field field, CheckOperator op, const Values& values) {
  if (!is_plain_operator(op)) {
    if (op != CheckOperator::icontains) return Judgement::not_known(cannot(op, "arguments"));
    std::string pattern = "^[^ ]* .*" + alternatives(values);
    return Judgement::of(Expression::test(field, Operator::regex, {std::move(pattern)}));
  }
  Expression written = one(field, Operator::regex, "^[^ ]* " + around(op, values, ".*", "$"));
  const bool may_be_none = std::find(values.begin(), values.end(), "") != values.end();
  if (!may_be_none) return Judgement::of(std::move(written));
  return Judgement::of(either(one(field, Operator::regex, "^[^ ]*$"), std::move(written)));
}

Judgement lower_command_line(const FieldSource& source, CheckOperator op, const Values& values) {
  if (op != CheckOperator::equal && op != CheckOperator::startswith) return lower_text(source.field, op, values);
  std::vector<Expression> tests;
  tests.reserve(values.size());
  for (const std::string& value : values) tests.push_back(lower_one_command_line(source, op, value));
  return Judgement::of(Expression::any_of(std::move(tests)));
}

// The last part of any line is one of the names.
Judgement lower_ancestor_names(Field field, CheckOperator op, const Values& values) {
  if (!is_plain_operator(op)) return Judgement::not_known(cannot(op, "the names of all ancestors"));
  if (op != CheckOperator::equal) {
    const std::string start = op == CheckOperator::startswith ? "(?:^|[/\\n])" : "";
    const std::string end = op == CheckOperator::endswith ? "(?:\\n|$)" : "[^/\\n]*(?:\\n|$)";
    return Judgement::of(one(field, Operator::regex, start + alternatives(values) + end));
  }
  std::vector<Expression> tests;
  for (const std::string& value : values) {
    if (value.size() > kProgramNameBytes) continue;
    if (value.size() == kProgramNameBytes) {
      tests.push_back(one(field, Operator::regex, "(?:^|[/\\n])" + escape_regex(value) + "[^/\\n]*(?:\\n|$)"));
      continue;
    }
    tests.push_back(exact(field, Operator::contains, {"/" + value + "\n", "\n" + value + "\n"}));
    tests.push_back(exact(field, Operator::ends_with, {"/" + value, "\n" + value}));
    tests.push_back(one(field, Operator::starts_with, value + "\n"));
    tests.push_back(one(field, Operator::equal, value));
  }
  return Judgement::of(Expression::any_of(std::move(tests)));
}

Judgement lower_ancestor(const FieldSource& source, CheckOperator op, const Values& values) {
  if (!is_plain_operator(op)) return Judgement::not_known(cannot(op, "an ancestor"));
  const bool is_name = source.shape == Shape::ancestor_name;
  std::string start = "^";
  for (int64_t skipped = 1; skipped < source.number; ++skipped) start += "[^\\n]*\\n";
  if (is_name) start += "(?:[^\\n]*/)?";
  Values whole;
  Values cut;
  for (const std::string& value : values) {
    const bool is_cut = is_name && op == CheckOperator::equal && value.size() == kProgramNameBytes;
    if (is_name && value.size() > kProgramNameBytes) continue;
    (is_cut ? cut : whole).push_back(value);
  }
  const std::string_view any = is_name ? "[^/\\n]*" : "[^\\n]*";
  std::vector<Expression> tests;
  if (!whole.empty()) {
    std::string pattern = start + around(op, whole, any, "(?:\\n|$)");
    if (op == CheckOperator::contains || op == CheckOperator::startswith) pattern += std::string(any) + "(?:\\n|$)";
    tests.push_back(one(source.field, Operator::regex, std::move(pattern)));
  }
  if (!cut.empty()) {
    tests.push_back(one(source.field, Operator::regex, start + alternatives(cut) + "[^/\\n]*(?:\\n|$)"));
  }
  return Judgement::of(Expression::any_of(std::move(tests)));
}

// Falco's directory ends with a slash, ours does not.
Judgement lower_directory(Field field, CheckOperator op, const Values& values) {
  if (!is_plain_operator(op)) return lower_text(field, op, values);
  std::vector<Expression> tests;
  for (const std::string& value : values) {
    const bool has_slash = value.size() > 1 && value.ends_with('/');
    const std::string bare = has_slash ? value.substr(0, value.size() - 1) : value;
    if (op == CheckOperator::equal) {
      tests.push_back(one(field, Operator::equal, bare));
    } else if (op == CheckOperator::endswith) {
      if (has_slash) tests.push_back(one(field, Operator::ends_with, bare));
    } else {
      tests.push_back(lower_text(field, op, {value}).expression);
      if (has_slash) {
        tests.push_back(one(field, op == CheckOperator::startswith ? Operator::equal : Operator::ends_with, bare));
      }
    }
  }
  return Judgement::of(Expression::any_of(std::move(tests)));
}

}  // namespace redoubt::rules::falco
