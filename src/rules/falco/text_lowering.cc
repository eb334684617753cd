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
    return both(one(name, Operator::equal, value), one(source.field, Operator::regex, "^[^ ]*$"));
  }
  const std::string rest = "^[^ ]*" + escape_regex(std::string_view(value).substr(blank));
  return both(one(name, Operator::equal, value.substr(0, blank)),
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

Judgement lower_any_ancestor(Field field, CheckOperator op, const Values& values) {
  if (!is_plain_operator(op)) return Judgement::not_known(cannot(op, "the names of all ancestors"));
  if (op != CheckOperator::equal) {
    const std::string start = op == CheckOperator::startswith ? "(?:^|\\n)" : "";
    const std::string end = op == CheckOperator::endswith ? "(?:\\n|$)" : "";
    return Judgement::of(one(field, Operator::regex, start + alternatives(values) + end));
  }
  std::vector<Expression> tests;
  for (const std::string& value : values) {
    tests.push_back(one(field, Operator::contains, "\n" + value + "\n"));
    tests.push_back(one(field, Operator::ends_with, "\n" + value));
    tests.push_back(one(field, Operator::starts_with, value + "\n"));
    tests.push_back(one(field, Operator::equal, value));
  }
  return Judgement::of(Expression::any_of(std::move(tests)));
}

Judgement lower_ancestor(const FieldSource& source, CheckOperator op, const Values& values) {
  if (!is_plain_operator(op)) return Judgement::not_known(cannot(op, "an ancestor"));
  std::string pattern = "^";
  for (int64_t skipped = 1; skipped < source.number; ++skipped) pattern += "[^\\n]*\\n";
  return Judgement::of(one(source.field, Operator::regex, pattern + around(op, values, "[^\\n]*", "(?:\\n|$)")));
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
