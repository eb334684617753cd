#include "rules/stix/pattern.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "rules/stix/lexer.h"
#include "rules/stix/object_path.h"
#include "rules/stix/problem.h"

namespace redoubt::rules::stix {

namespace {

using query::Operator;

struct ComparisonRow {
  std::string_view name;
  Operator op;
  Polarity polarity;
};

constexpr auto kComparisons = std::to_array<ComparisonRow>({
    {"=", Operator::equal, Polarity::positive},
    {"==", Operator::equal, Polarity::positive},
    {"!=", Operator::equal, Polarity::negative},
    {"<>", Operator::equal, Polarity::negative},
    {"<", Operator::less, Polarity::positive},
    {"<=", Operator::less_equal, Polarity::positive},
    {">", Operator::greater, Polarity::positive},
    {">=", Operator::greater_equal, Polarity::positive},
    {"IN", Operator::equal, Polarity::positive},
    {"LIKE", Operator::like, Polarity::positive},
    {"MATCHES", Operator::regex, Polarity::positive},
    {"ISSUBSET", Operator::equal, Polarity::positive},
    {"ISSUPERSET", Operator::equal, Polarity::positive},
});

constexpr size_t kPatternWarningsMax = 100;

// `%` is any run of characters, `_` any one.
std::string like_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%') {
      out += query::kAnyRunUtf8;
    } else if (c == '_') {
      out += query::kAnyOneUtf8;
    } else {
      out += c;
    }
  }
  return out;
}

query::Diagnostic diagnostic_at(std::string_view pattern, PatternError error) {
  const std::string_view before = pattern.substr(0, std::min(error.offset, pattern.size()));
  const auto code_points = [](std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  };
  query::Diagnostic diagnostic;
  diagnostic.code = std::string(error.code);
  diagnostic.line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  diagnostic.column = 1 + code_points(before.substr(before.rfind('\n') + 1));
  diagnostic.length = std::max<size_t>(1, code_points(pattern.substr(before.size(), error.size)));
  diagnostic.message = std::move(error.message);
  diagnostic.hint = std::move(error.hint);
  return diagnostic;
}

// Where an object path stands, and its text for the table.
struct PathText {
  std::string text;
  size_t offset = 0;
  size_t size = 0;
};

// Recursive descent; after the first error every pass returns at once.
class PatternParser {
 public:
  PatternParser(std::string_view pattern, std::vector<Token> tokens) : pattern_(pattern), tokens_(std::move(tokens)) {}

  tl::expected<Pattern, query::Diagnostic> parse() {
    Pattern pattern;
    pattern.criterion = parse_observations(1);
    if (!error_ && current().kind != TokenKind::end) fail_here("the pattern goes on after its end");
    if (error_) return tl::unexpected<query::Diagnostic>(diagnostic_at(pattern_, std::move(*error_)));
    pattern.warnings = std::move(warnings_);
    return pattern;
  }

 private:
  const Token& current() const { return tokens_[at_]; }
  void advance() {
    if (at_ + 1 < tokens_.size()) ++at_;
  }
  bool is(TokenKind kind, std::string_view text) const { return current().kind == kind && current().text == text; }
  bool accept(TokenKind kind, std::string_view text) {
    if (error_ || !is(kind, text)) return false;
    advance();
    return true;
  }
  bool accept_symbol(std::string_view text) { return accept(TokenKind::symbol, text); }
  bool accept_word(std::string_view text) { return accept(TokenKind::word, text); }

  void fail(std::string_view code, size_t offset, size_t size, std::string message, std::string hint = "") {
    if (error_) return;
    error_ = PatternError{
        .code = code, .offset = offset, .size = size, .message = std::move(message), .hint = std::move(hint)};
  }
  void fail_here(std::string message, std::string hint = "") {
    fail(code::kGrammar, current().offset, current().size, std::move(message), std::move(hint));
  }
  void expect_symbol(std::string_view text) {
    if (!error_ && !accept_symbol(text)) fail_here("'" + std::string(text) + "' is expected here");
  }

  void warn(std::string_view code, const PathText& path, std::string message) {
    if (warnings_.size() == kPatternWarningsMax) return;
    warnings_.push_back(diagnostic_at(
        pattern_, {.code = code, .offset = path.offset, .size = path.size, .message = std::move(message), .hint = ""}));
  }

  bool enter(int depth) {
    if (depth > kPatternNestingMax) {
      fail(code::kLimit, current().offset, 1,
           "nested more than " + std::to_string(kPatternNestingMax) + " levels deep");
    }
    return !error_;
  }

  // observation (OR observation)*
  Criterion parse_observations(int depth) {
    Criterion any;
    if (!enter(depth)) return any;
    any.children.push_back(parse_observation(depth));
    while (!error_) {
      if (is(TokenKind::word, "AND") || is(TokenKind::word, "FOLLOWEDBY")) {
        refuse_correlation("joins two observations");
      } else if (!accept_word("OR")) {
        break;
      } else {
        any.children.push_back(parse_observation(depth));
      }
    }
    return any;
  }

  void refuse_correlation(const std::string& what) {
    fail(code::kCorrelation, current().offset, current().size,
         "'" + current().text + "' " + what + ": a rule here is about one event",
         "OR of observations, and AND inside the brackets, are");
  }

  // A bracketed comparison or observations in parentheses, and its qualifiers.
  Criterion parse_observation(int depth) {
    Criterion criterion;
    if (accept_symbol("(")) {
      criterion = parse_observations(depth + 1);
      expect_symbol(")");
    } else {
      expect_symbol("[");
      criterion = parse_any(depth + 1);
      expect_symbol("]");
    }
    while (!error_) {
      if (is(TokenKind::word, "WITHIN") || is(TokenKind::word, "REPEATS")) {
        refuse_correlation("counts or times several events");
      } else if (accept_word("START")) {
        criterion = parse_interval(std::move(criterion));
      } else {
        break;
      }
    }
    return criterion;
  }

  // … t'from' STOP t'to'
  Criterion parse_interval(Criterion criterion) {
    Criterion all;
    all.kind = Criterion::Kind::all;
    all.children.push_back(std::move(criterion));
    all.children.push_back(parse_bound(Operator::greater_equal));
    if (!accept_word("STOP")) fail_here("'STOP' is expected here");
    all.children.push_back(parse_bound(Operator::less));
    return all;
  }

  Criterion parse_bound(Operator op) {
    Criterion bound;
    if (error_) return bound;
    bound.kind = Criterion::Kind::test;
    bound.properties = {{.entity = Entity::acting_process, .field = event::Field::event_time}};
    bound.op = op;
    bound.values = {current().text};
    if (current().kind != TokenKind::timestamp && current().kind != TokenKind::string) {
      fail_here("a time is expected here", "as in t'2026-01-01T00:00:00Z'");
    } else if (const auto fits = check_test(bound); !fits) {
      fail(code::kValue, current().offset, current().size, fits.error().message);
    }
    advance();
    return bound;
  }

  // all (OR all)*
  Criterion parse_any(int depth) {
    Criterion any;
    if (!enter(depth)) return any;
    any.children.push_back(parse_all(depth));
    while (accept_word("OR")) any.children.push_back(parse_all(depth));
    return any;
  }

  // comparison (AND comparison)*
  Criterion parse_all(int depth) {
    Criterion all;
    all.kind = Criterion::Kind::all;
    all.children.push_back(parse_comparison(depth));
    while (accept_word("AND")) all.children.push_back(parse_comparison(depth));
    return all;
  }

  Criterion parse_comparison(int depth) {
    Criterion criterion;
    if (error_) return criterion;
    if (accept_symbol("(")) {
      criterion = parse_any(depth + 1);
      expect_symbol(")");
      return criterion;
    }
    const bool negated = accept_word("NOT");
    if (accept_word("EXISTS")) {
      criterion.op = Operator::exists;
      criterion.polarity = negated ? Polarity::negative : Polarity::positive;
      return with_path(std::move(criterion), parse_path());
    }
    if (negated) {
      fail_here("'EXISTS' is expected here", "a comparison is negated before its operator: a NOT = 'b'");
      return criterion;
    }
    return parse_path_comparison();
  }

  // path NOT? operator value
  Criterion parse_path_comparison() {
    const PathText path = parse_path();
    const bool negated = accept_word("NOT");
    const auto* const row = std::find_if(kComparisons.begin(), kComparisons.end(), [this](const ComparisonRow& each) {
      return each.name == current().text && (current().kind == TokenKind::symbol || current().kind == TokenKind::word);
    });
    if (row == kComparisons.end()) {
      fail_here("an operator is expected here", "=, !=, <, >, <=, >=, IN, LIKE, MATCHES, ISSUBSET or ISSUPERSET");
      return {};
    }
    Criterion test;
    test.op = row->op;
    test.polarity = row->polarity;
    if (negated) test.polarity = test.polarity == Polarity::positive ? Polarity::negative : Polarity::positive;
    test.case_mode = query::CaseMode::exact;
    const Token& operation = current();
    advance();
    parse_values(row->name, test);
    if (error_) return {};
    if (row->name == "ISSUPERSET" && !keep_single_addresses(test)) {
      warn(code::kNever, path, path.text + ": an address is never a superset of a network");
      return {};
    }
    test = with_path(std::move(test), path);
    check_set_operator(row->name, test, operation);
    return test;
  }

  // ISSUPERSET of an event's one address: only that address itself is its subset.
  static bool keep_single_addresses(Criterion& test) {
    std::string& value = test.values.front();
    for (const std::string_view full : {"/32", "/128"}) {
      if (value.ends_with(full)) value.resize(value.size() - full.size());
    }
    return value.find('/') == std::string::npos;
  }

  void check_set_operator(std::string_view name, const Criterion& test, const Token& operation) {
    if (error_ || !name.starts_with("ISSU") || test.properties.empty()) return;
    const event::Field field = test.properties.front().field;
    if (event::info(field).type == event::FieldType::ip) return;
    fail(code::kValue, operation.offset, operation.size, std::string(name) + " takes an address");
  }

  void parse_values(std::string_view operation, Criterion& test) {
    if (operation != "IN") return parse_value(test);
    expect_symbol("(");
    while (!error_) {
      parse_value(test);
      if (!accept_symbol(",")) break;
    }
    std::sort(test.values.begin(), test.values.end());
    expect_symbol(")");
  }

  void parse_value(Criterion& test) {
    if (error_) return;
    const Token& token = current();
    switch (token.kind) {
      case TokenKind::string:
      case TokenKind::integer:
      case TokenKind::real:
      case TokenKind::timestamp: break;
      case TokenKind::word:
        if (token.text == "true" || token.text == "false") break;
        return fail_here("a value is expected here", "text stands in single quotes");
      case TokenKind::hex:
      case TokenKind::binary: return fail(code::kValue, token.offset, token.size, "no event here has binary values");
      case TokenKind::symbol:
      case TokenKind::end: return fail_here("a value is expected here");
    }
    test.values.push_back(test.op == Operator::like ? like_pattern(token.text) : token.text);
    advance();
  }

  // type ':' step ('.' step | '[' index ']')*
  PathText parse_path() {
    PathText path;
    path.offset = current().offset;
    if (error_) return path;
    if (current().kind != TokenKind::word) {
      fail_here("an object path is expected here", "as in file:name");
      return path;
    }
    path.text = current().text;
    advance();
    expect_symbol(":");
    path.text += ":";
    parse_step(path);
    while (!error_ && current().kind == TokenKind::symbol) {
      if (accept_symbol(".")) {
        path.text += ".";
        parse_step(path);
      } else if (accept_symbol("[")) {
        if (current().kind != TokenKind::integer && !is(TokenKind::symbol, "*")) fail_here("an index is expected here");
        advance();
        expect_symbol("]");
      } else {
        break;
      }
    }
    if (at_ > 0) path.size = tokens_[at_ - 1].offset + tokens_[at_ - 1].size - path.offset;
    return path;
  }

  void parse_step(PathText& path) {
    if (error_) return;
    if (current().kind != TokenKind::word && current().kind != TokenKind::string) {
      return fail_here("the name of a property is expected here", "names with other characters stand in quotes");
    }
    path.text += current().text;
    advance();
  }

  // The test with the fields of its path; one that never holds, and a warning, where no event has it.
  Criterion with_path(Criterion test, const PathText& path) {
    if (error_) return {};
    test.properties = properties_of(path.text);
    if (test.properties.empty()) {
      warn(code::kPath, path, path.text + ": " + why_unsupported(path.text));
      return {};
    }
    if (const std::string missing = missing_on_agents(test.properties); !missing.empty()) {
      warn(code::kPath, path, path.text + ": " + missing);
    }
    test.kind = Criterion::Kind::test;
    if (test.op == Operator::regex && ++regexes_ > kRegexesMax) {
      fail(code::kLimit, path.offset, path.size, "more than " + std::to_string(kRegexesMax) + " regular expressions");
      return {};
    }
    if (const auto fits = check_test(test); !fits) fail(code::kValue, path.offset, path.size, fits.error().message);
    return test;
  }

  std::string_view pattern_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t regexes_ = 0;
  std::vector<query::Diagnostic> warnings_;
  std::optional<PatternError> error_;
};

}  // namespace

tl::expected<Pattern, query::Diagnostic> read_pattern(std::string_view pattern) {
  const auto refuse = [&](PatternError error) {
    return tl::unexpected<query::Diagnostic>(diagnostic_at(pattern, std::move(error)));
  };
  if (pattern.size() > kPatternSizeMax) {
    PatternError error{.code = code::kLimit, .offset = 0, .size = 1, .message = "", .hint = ""};
    error.message = "the pattern is longer than " + std::to_string(kPatternSizeMax) + " bytes";
    return refuse(std::move(error));
  }
  if (!base::is_utf8(pattern)) {
    return refuse({.code = code::kGrammar, .offset = 0, .size = 1, .message = "the pattern is not UTF-8", .hint = ""});
  }
  auto tokens = read_tokens(pattern);
  if (!tokens) return refuse(std::move(tokens).error());
  return PatternParser(pattern, *std::move(tokens)).parse();
}

}  // namespace redoubt::rules::stix
