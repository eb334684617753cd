#include <algorithm>

#include "query/hunt.h"
#include "query/outline.h"
#include "query/text/lexer.h"
#include "query/text/parser.h"

namespace redoubt::query {

namespace {

std::string shortened(std::string_view text) { return "'" + std::string(text.substr(0, 64)) + "'"; }

tl::unexpected<Error> refuse(std::string message) { return fail(Errc::invalid_argument, std::move(message)); }

tl::expected<text::QuerySyntax, Diagnostic> read_alone(std::string_view source) {
  REDOUBT_OUTCOME(std::vector<text::Token> tokens, text::lex(source));
  return text::parse(source, std::move(tokens));
}

// The one test that the text is, without pipes.
std::optional<text::TestSyntax> read_test_alone(const std::string& source) {
  auto syntax = read_alone(source);
  if (!syntax || !syntax->pipes.empty() || syntax->where.kind != text::NodeKind::test) return std::nullopt;
  return std::move(syntax->where.test);
}

void append_hex(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += kDigits[byte >> 4U];
  out += kDigits[byte & 15U];
}

void append_character(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else if (byte < 0x20 || byte == 0x7F) {
    append_hex(out, c);
  } else {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

enum class Wildcards : uint8_t { none, possible };

std::string quoted_text(std::string_view text, Wildcards wildcards) {
  std::string out = "\"";
  for (const char c : text) {
    if (wildcards == Wildcards::possible && (c == '*' || c == '?')) out += '\\';
    append_character(out, c);
  }
  return out + '"';
}

std::string quoted_pattern(std::string_view pattern) {
  std::string out = "\"";
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (pattern[i] == '\\' && (next == '*' || next == '?' || next == '\\')) {
      out += pattern.substr(i++, 2);
    } else {
      append_character(out, pattern[i]);
    }
  }
  return out + '"';
}

// As it is written, but for quotes; a backslash takes what follows with it.
Result<std::string> quoted_regex(std::string_view regex) {
  std::string out = "\"";
  for (size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      if (i + 1 == regex.size()) return refuse("the regular expression " + shortened(regex) + " ends in a backslash");
      out += regex.substr(i++, 2);
    } else {
      if (regex[i] == '"') out += '\\';
      out += regex[i];
    }
  }
  return out + '"';
}

bool takes_wildcards(std::string_view op) { return op == "=" || op == "IN" || op == "LIKE"; }

class OutlinePrinter {
 public:
  Result<std::string> run(Outline& outline) {
    TRY_STATUS(print_node(outline.where, 1, false));
    for (const std::string& pipe : outline.pipes) TRY_STATUS(print_pipe(pipe));
    return std::move(out_);
  }

 private:
  static bool says_something(const OutlineNode& node, int level) {
    if (node.kind == OutlineKind::test || node.kind == OutlineKind::text) return true;
    if (level > kOutlineLevelsMax) return true;  // refused where it is printed
    return std::any_of(node.children.begin(), node.children.end(),
                       [level](const OutlineNode& child) { return says_something(child, level + 1); });
  }

  Status print_node(OutlineNode& node, int level, bool inside) {
    if (level > kOutlineLevelsMax) {
      return refuse("groups are nested more than " + std::to_string(kOutlineLevelsMax) + " levels deep");
    }
    if (++nodes_ > kOutlineNodesMax) return refuse("more than " + std::to_string(kOutlineNodesMax) + " conditions");
    if (!says_something(node, level)) return {};
    node.offset = out_.size();
    if (node.negated) out_ += "NOT ";
    if (node.kind == OutlineKind::test) {
      TRY_STATUS(print_test(node));
    } else {
      const bool parentheses = inside || node.negated;
      if (parentheses) out_ += '(';
      TRY_STATUS(node.kind == OutlineKind::text ? print_written(node) : print_children(node, level));
      if (parentheses) out_ += ')';
    }
    node.size = out_.size() - node.offset;
    if (out_.size() > kHuntTextMax) return refuse("the text is longer than " + std::to_string(kHuntTextMax) + " bytes");
    return {};
  }

  Status print_children(OutlineNode& node, int level) {
    const std::string_view join = node.kind == OutlineKind::all ? " AND " : " OR ";
    const auto said = std::count_if(node.children.begin(), node.children.end(),
                                    [level](const OutlineNode& child) { return says_something(child, level + 1); });
    bool first = true;
    for (OutlineNode& child : node.children) {
      if (!says_something(child, level + 1)) continue;
      if (!first) out_ += join;
      first = false;
      TRY_STATUS(print_node(child, level + 1, said > 1));
    }
    return {};
  }

  Status print_written(const OutlineNode& node) {
    const auto syntax = read_alone(node.text);
    if (!syntax) return refuse("the condition " + shortened(node.text) + " is none: " + syntax.error().message);
    const bool empty = syntax->where.kind == text::NodeKind::all_of && syntax->where.children.empty();
    if (empty || !syntax->pipes.empty()) return refuse("the text " + shortened(node.text) + " is no condition");
    out_ += node.text;
    return {};
  }

  Status print_test(const OutlineNode& node) {
    const auto name = read_test_alone(node.field + " EXISTS");
    if (!name || name->name.text != node.field) return refuse(shortened(node.field) + " is no field name");
    if (std::find(std::begin(kOutlineOperators), std::end(kOutlineOperators), node.op) == std::end(kOutlineOperators)) {
      return refuse(shortened(node.op) + " is no operator");
    }
    const bool ordering = node.op.front() == '<' || node.op.front() == '>';
    if (ordering && node.opposite) return refuse(shortened(node.op) + " has no opposite");
    const bool exists = node.op == "EXISTS";
    if (exists != node.values.empty()) {
      return refuse("the condition on " + shortened(node.field) + (exists ? " takes no value" : " has no value"));
    }
    if (!node.quantifier.empty() && (exists || (node.quantifier != "ANY" && node.quantifier != "ALL"))) {
      return refuse(shortened(node.quantifier) + " is not expected here");
    }
    out_ += node.field;
    if (!node.quantifier.empty()) out_ += ' ' + node.quantifier;
    out_ += node.op == "=" && node.opposite ? " !=" : (node.opposite ? " NOT " : " ") + node.op;
    return print_values(node);
  }

  Status print_values(const OutlineNode& node) {
    const bool parentheses = node.values.size() > 1 || node.op == "IN";
    for (size_t i = 0; i < node.values.size(); ++i) {
      if (++values_ > kOutlineValuesMax) return refuse("more than " + std::to_string(kOutlineValuesMax) + " values");
      TRY(const std::string value, value_text(node, node.values[i]));
      out_ += i == 0 ? (parentheses ? " (" : " ") : ", ";
      out_ += value;
    }
    if (parentheses) out_ += ')';
    return {};
  }

  static Result<std::string> value_text(const OutlineNode& node, const OutlineValue& value) {
    const bool regex = node.op == "MATCHES";
    switch (value.kind) {
      case OutlineValueKind::text:
        if (regex) break;
        return quoted_text(value.text, takes_wildcards(node.op) ? Wildcards::possible : Wildcards::none);
      case OutlineValueKind::pattern:
        if (!takes_wildcards(node.op)) break;
        return quoted_pattern(value.text);
      case OutlineValueKind::regex:
        if (!regex) break;
        return quoted_regex(value.text);
      case OutlineValueKind::word: {
        const auto test = read_test_alone("x = " + value.text);
        const bool one = test && test->values.size() == 1 && test->values[0].token.kind == text::TokenKind::word;
        if (!one || test->values[0].token.text != value.text)
          return refuse(shortened(value.text) + " is no single word");
        return value.text;
      }
    }
    return refuse("a value of kind " + std::string(name_of(value.kind)) + " does not go with " + node.op);
  }

  Status print_pipe(const std::string& pipe) {
    const auto tokens = text::lex(pipe);
    const bool sound =
        tokens && tokens->size() > 1 &&
        std::none_of(tokens->begin(), tokens->end(), [](const auto& token) { return token.is_symbol("|"); });
    if (!sound) return refuse(shortened(pipe) + " is no pipe");
    out_ += out_.empty() ? "| " : " | ";
    out_ += pipe;
    return {};
  }

  std::string out_;
  size_t nodes_ = 0;
  size_t values_ = 0;
};

}  // namespace

Result<std::string> print(Outline& outline) { return OutlinePrinter().run(outline); }

}  // namespace redoubt::query
