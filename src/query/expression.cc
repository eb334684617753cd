#include "query/expression.h"

#include "base/time.h"
#include "query/pattern.h"

namespace redoubt::query {

std::string_view name_of(Operator op) {
  switch (op) {
    case Operator::equal: return "=";
    case Operator::less: return "<";
    case Operator::less_equal: return "<=";
    case Operator::greater: return ">";
    case Operator::greater_equal: return ">=";
    case Operator::contains: return "contains";
    case Operator::starts_with: return "starts_with";
    case Operator::ends_with: return "ends_with";
    case Operator::like: return "like";
    case Operator::regex: return "regex";
    case Operator::cidr: return "cidr";
    case Operator::exists: return "exists";
  }
  return "";
}

std::string_view name_of(TimePart part) {
  switch (part) {
    case TimePart::none: return "";
    case TimePart::minute: return "minute";
    case TimePart::hour: return "hour";
    case TimePart::day: return "day";
    case TimePart::week: return "week";
    case TimePart::month: return "month";
  }
  return "";
}

Expression Expression::all_of(std::vector<Expression> children) { return {And{std::move(children)}}; }

Expression Expression::any_of(std::vector<Expression> children) { return {Or{std::move(children)}}; }

Expression Expression::negate(Expression child) { return {Not{std::make_unique<Expression>(std::move(child))}}; }

Expression Expression::constant(bool value) {
  if (value) return {And{}};
  return {Or{}};
}

Expression Expression::test(event::Field field, Operator op, std::vector<Operand> operands, CaseMode case_mode) {
  return {Test{.field = field, .op = op, .case_mode = case_mode, .operands = std::move(operands)}};
}

Expression Expression::test_attribute(std::string name, Operator op, std::vector<Operand> operands,
                                      CaseMode case_mode) {
  return {Test{.field = event::Field::attributes,
               .attribute = std::move(name),
               .op = op,
               .case_mode = case_mode,
               .operands = std::move(operands)}};
}

Expression Expression::of_types(event::EventTypeSet types) {
  if (types == event::kAllEventTypes) return constant(true);
  std::vector<Operand> names;
  for (const event::EventTypeInfo& row : event::kEventTypes) {
    if ((types & event::set_of(row.type)) != 0) names.emplace_back(std::string(row.name));
  }
  if (names.empty()) return constant(false);
  return test(event::Field::event_type, Operator::equal, std::move(names));
}

namespace {

std::vector<Expression> clone_all(const std::vector<Expression>& expressions) {
  std::vector<Expression> copies;
  copies.reserve(expressions.size());
  for (const Expression& expression : expressions) copies.push_back(expression.clone());
  return copies;
}

struct Cloner {
  Expression operator()(const And& node) const { return {And{clone_all(node.children)}}; }
  Expression operator()(const Or& node) const { return {Or{clone_all(node.children)}}; }
  Expression operator()(const Not& node) const { return Expression::negate(node.child->clone()); }
  Expression operator()(const Test& node) const { return {node}; }
};

void append_quoted(std::string_view value, Operator op, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string text = op == Operator::like ? written_pattern(value) : std::string(value);
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
      continue;
    }
    // A written pattern brings its own backslashes.
    if (c == '"' || (c == '\\' && op != Operator::like)) out += '\\';
    out += c;
  }
  out += '"';
}

void append_operand(const Test& test, const Operand& operand, std::string& out) {
  out += ' ';
  if (const auto* text = std::get_if<std::string>(&operand)) {
    append_quoted(*text, test.op, out);
  } else if (const auto* field = std::get_if<event::Field>(&operand)) {
    out += event::info(*field).name;
  } else if (const auto* attribute = std::get_if<AttributeName>(&operand)) {
    out += "attributes." + attribute->name;
  } else {
    const int64_t number = std::get<int64_t>(operand);
    const bool is_time = event::info(test.field).type == event::FieldType::time && test.part == TimePart::none;
    out += is_time ? base::format_time(base::Time{number}) : std::to_string(number);
  }
}

struct Printer {
  std::string& out;

  void print(const Expression& expression) const { std::visit(*this, expression.node); }

  void list(std::string_view name, std::string_view empty, const std::vector<Expression>& children) const {
    if (children.empty()) {
      out += empty;
      return;
    }
    out += '(';
    out += name;
    for (const Expression& child : children) {
      out += ' ';
      print(child);
    }
    out += ')';
  }

  void operator()(const And& node) const { list("and", "true", node.children); }
  void operator()(const Or& node) const { list("or", "false", node.children); }
  void operator()(const Not& node) const {
    out += "(not ";
    print(*node.child);
    out += ')';
  }
  void operator()(const Test& node) const {
    out += '(';
    out += name_of(node.op);
    if (node.case_mode == CaseMode::exact) out += "/exact";
    out += ' ';
    out += event::info(node.field).name;
    if (!node.attribute.empty()) out += "." + node.attribute;
    if (node.part != TimePart::none) out += "/" + std::string(name_of(node.part));
    for (const Operand& operand : node.operands) append_operand(node, operand, out);
    out += ')';
  }
};

}  // namespace

Expression Expression::clone() const { return std::visit(Cloner{}, node); }

std::string to_text(const Expression& expression) {
  std::string out;
  Printer{out}.print(expression);
  return out;
}

}  // namespace redoubt::query
