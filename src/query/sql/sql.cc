#include "query/sql/sql.h"

#include "query/pattern.h"
#include "query/semantics.h"
#include "query/sql/clickhouse.h"

namespace redoubt::query::sql {

namespace {

constexpr std::string_view kEscape = "\\";

std::string_view column_of(event::Field field) { return event::info(field).column; }

std::string folded(std::string value, Form form) {
  return form == Form::folded ? "redoubt_fold(" + value + ")" : value;
}

std::string value_of(event::Field field, Form form) { return folded(std::string(column_of(field)), form); }

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

// An attribute by its name.
std::string attribute_of(std::string_view name) {
  return "redoubt_attribute(" + std::string(column_of(event::Field::attributes)) + ", " + quoted(name) + ")";
}

std::string stored_value(const Test& test) {
  return test.attribute.empty() ? std::string(column_of(test.field)) : attribute_of(test.attribute);
}

bool is_of_any_attribute(const Test& test) { return test.field == event::Field::attributes && test.attribute.empty(); }

// A pattern as LIKE writes it. The escape character is only there where it is needed: without ESCAPE, DuckDB finds the
// quick ways of its own.
struct LikePattern {
  std::string text;
  bool escaped = false;
};

LikePattern like_pattern(std::string_view pattern) {
  LikePattern out;
  while (!pattern.empty()) {
    if (pattern.starts_with(kAnyRunUtf8) || pattern.starts_with(kAnyOneUtf8)) {
      out.text += pattern.starts_with(kAnyRunUtf8) ? '%' : '_';
      pattern.remove_prefix(kAnyRunUtf8.size());
      continue;
    }
    const char c = pattern.front();
    if (c == '%' || c == '_' || c == kEscape.front()) {
      out.text += kEscape;
      out.escaped = true;
    }
    out.text += c;
    pattern.remove_prefix(1);
  }
  return out;
}

struct ConditionWriter {
  const Answered& answered;
  Statement out;

  void write(const Expression& expression) { std::visit(*this, expression.node); }

  void list(const std::vector<Expression>& children, std::string_view joint, std::string_view empty) {
    if (children.empty()) {
      out.text += empty;
      return;
    }
    out.text += '(';
    for (size_t i = 0; i < children.size(); ++i) {
      if (i > 0) out.text += joint;
      write(children[i]);
    }
    out.text += ')';
  }

  void operator()(const And& node) { list(node.children, " AND ", "TRUE"); }
  void operator()(const Or& node) { list(node.children, " OR ", "FALSE"); }
  // Below a negation NULL has to be false; elsewhere WHERE takes it for false, and bare comparisons reach the indexes.
  void operator()(const Not& node) {
    out.text += "(NOT coalesce(";
    write(*node.child);
    out.text += ", FALSE))";
  }

  void operator()(const Test& test) {
    if (const std::string column = answered ? answered(test) : ""; !column.empty()) {
      out.text += column;
      return;
    }
    if (test.op == Operator::exists) {
      out.text += "(" + stored_value(test) + " IS NOT NULL)";
      return;
    }
    std::vector<const Operand*> constants;
    std::vector<const Operand*> others;
    for (const Operand& operand : test.operands) {
      const bool listed = test.op == Operator::equal && is_constant(operand) && !is_of_any_attribute(test);
      (listed ? constants : others).push_back(&operand);
    }
    out.text += '(';
    bool first = true;
    if (!constants.empty()) {
      equals(test, constants);
      first = false;
    }
    for (const Operand* operand : others) {
      if (!first) out.text += " OR ";
      compare(test, *operand);
      first = false;
    }
    if (first) out.text += "FALSE";
    out.text += ')';
  }

  std::string left(const Test& test) const {
    if (test.field == event::Field::attributes && is_ordering(test.op)) return number_of_text(stored_value(test));
    if (test.part != TimePart::none) {
      return "date_part(" + quoted(name_of(test.part)) + ", make_timestamp(" + stored_value(test) + "))";
    }
    const bool textual = event::is_textual(event::info(test.field).type);
    return folded(stored_value(test), textual ? form_of(test.field, test.case_mode) : Form::raw);
  }

  // number_of() of semantics.h.
  static std::string number_of_text(const std::string& value) {
    return "(CASE WHEN regexp_full_match(" + value + ", '-?[0-9]{1," + std::to_string(kNumberDigitsMax) +
           "}') THEN TRY_CAST(" + value + " AS BIGINT) END)";
  }

  std::string parameter(const Test& test, const Operand& operand) {
    if (const auto* field = std::get_if<event::Field>(&operand)) {
      const bool textual = event::is_textual(event::info(test.field).type);
      return value_of(*field, textual ? form_of(test.field, test.case_mode) : Form::raw);
    }
    if (const auto* attribute = std::get_if<AttributeName>(&operand)) {
      return folded(attribute_of(attribute->name), form_of(test.field, test.case_mode));
    }
    if (const auto* text = std::get_if<std::string>(&operand)) {
      out.parameters.emplace_back(operand_text(test, *text));
    } else {
      out.parameters.emplace_back(std::get<int64_t>(operand));
    }
    return "?";
  }

  void equals(const Test& test, const std::vector<const Operand*>& operands) {
    out.text += left(test);
    out.text += operands.size() == 1 ? " = " : " IN (";
    for (size_t i = 0; i < operands.size(); ++i) {
      if (i > 0) out.text += ", ";
      out.text += parameter(test, *operands[i]);
    }
    if (operands.size() > 1) out.text += ')';
  }

  // One function for every operator: what it does is any_attribute_in().
  void compare_any_attribute(const Test& test, const Operand& operand) {
    out.text += "redoubt_any_attribute(" + std::string(column_of(test.field)) + ", " + quoted(name_of(test.op)) + ", ";
    out.text += form_of(test.field, test.case_mode) == Form::folded ? "'folded', " : "'raw', ";
    // The function takes texts; a number is one of digits.
    const auto* number = std::get_if<int64_t>(&operand);
    out.text += parameter(test, number != nullptr ? Operand(std::to_string(*number)) : operand) + ")";
  }

  void compare(const Test& test, const Operand& operand) {
    if (is_of_any_attribute(test)) return compare_any_attribute(test, operand);
    switch (test.op) {
      case Operator::equal: infix(test, " = ", operand); return;
      case Operator::less: infix(test, " < ", operand); return;
      case Operator::less_equal: infix(test, " <= ", operand); return;
      case Operator::greater: infix(test, " > ", operand); return;
      case Operator::greater_equal: infix(test, " >= ", operand); return;
      case Operator::contains: call("contains", left(test), test, operand); return;
      case Operator::starts_with: call("starts_with", left(test), test, operand); return;
      case Operator::ends_with: call("ends_with", left(test), test, operand); return;
      case Operator::regex: call("regexp_matches", stored_value(test), test, operand); return;
      case Operator::cidr: call("redoubt_in_cidr", stored_value(test), test, operand); return;
      case Operator::like: matches_pattern(test, std::get<std::string>(operand)); return;
      case Operator::exists: return;
    }
  }

  void infix(const Test& test, std::string_view op, const Operand& operand) {
    out.text += left(test);
    out.text += op;
    out.text += parameter(test, operand);
  }

  void call(std::string_view function, const std::string& value, const Test& test, const Operand& operand) {
    out.text += function;
    out.text += "(" + value + ", " + parameter(test, operand) + ")";
  }

  void matches_pattern(const Test& test, const std::string& pattern) {
    LikePattern like = like_pattern(operand_text(test, pattern));
    out.text += left(test) + " LIKE ?";
    if (like.escaped) out.text += " ESCAPE '" + std::string(kEscape) + "'";
    out.parameters.emplace_back(std::move(like.text));
  }
};

void append(Statement& statement, Statement more) {
  statement.text += more.text;
  for (Parameter& parameter : more.parameters) statement.parameters.push_back(std::move(parameter));
}

struct SelectWriter {
  const Hunt& hunt;
  std::string_view source;
  Dialect dialect;
  const Answered& answered;

  Statement from(std::string columns) const {
    Statement out{.text = "SELECT " + std::move(columns) + " FROM " + std::string(source)};
    append(out, where(hunt, dialect, answered));
    return out;
  }

  static void limit(Statement& out, uint32_t rows, uint32_t offset) {
    out.text += " LIMIT " + std::to_string(rows);
    if (offset > 0) out.text += " OFFSET " + std::to_string(offset);
  }

  // Values of a column with a figure each; events without the field are left out.
  Statement values(event::Field field, std::string_view figure, std::string_view order, uint32_t rows) const {
    const std::string column(column_of(field));
    Statement out = from(column + " AS value, " + std::string(figure));
    out.text += " AND " + column + " IS NOT NULL GROUP BY " + column + " ORDER BY " + std::string(order);
    limit(out, rows, hunt.offset);
    return out;
  }

  Statement operator()(const std::monostate&) const {
    std::string columns;
    const auto add = [&](event::Field field) {
      columns += columns.empty() ? "" : ", ";
      columns += column_of(field);
    };
    if (hunt.fields.empty()) {
      for (const event::FieldInfo& row : event::kFields) add(row.field);
    }
    for (const event::Field field : hunt.fields) add(field);
    Statement out = from(std::move(columns));
    const std::string_view direction = hunt.direction == Direction::ascending ? " ASC" : " DESC";
    out.text += " ORDER BY " + std::string(column_of(hunt.sort)) + std::string(direction) + " NULLS LAST";
    // Events of one moment and host stay in their order, and all of them have one.
    out.text += ", " + std::string(column_of(event::Field::event_sequence)) + std::string(direction) + ", " +
                std::string(column_of(event::Field::host_id));
    limit(out, hunt.limit, hunt.offset);
    return out;
  }

  Statement operator()(const CountBy& by) const {
    return values(by.field, "count(*) AS count", "count DESC, value", by.top);
  }

  Statement operator()(const CountPer& per) const {
    const std::string time(column_of(event::Field::event_time));
    // ClickHouse makes of a remainder what is as wide as the divisor.
    const std::string width =
        dialect == Dialect::clickhouse ? clickhouse::literal(per.width_us) : std::to_string(per.width_us);
    Statement out = from(time + " - " + time + " % " + width + " AS bucket, count(*) AS count");
    out.text += " GROUP BY bucket ORDER BY bucket";
    limit(out, hunt.limit, hunt.offset);
    return out;
  }

  Statement operator()(const Distinct& distinct) const {
    return values(distinct.field, "count(*) AS count", "value", hunt.limit);
  }

  Statement operator()(const Rare& rare) const {
    const std::string figures = "count(DISTINCT " + std::string(column_of(rare.by)) + ") AS spread, count(*) AS count";
    return values(rare.field, figures, "spread, count, value", hunt.limit);
  }
};

}  // namespace

Statement condition(const Expression& expression, Dialect dialect, const Answered& answered) {
  switch (dialect) {
    case Dialect::duckdb: break;
    case Dialect::clickhouse: return {.text = clickhouse::condition(expression), .parameters = {}};
  }
  ConditionWriter writer{.answered = answered, .out = {}};
  writer.write(expression);
  return std::move(writer.out);
}

// The bounds first, they are what segments are left out by.
Statement where(const Hunt& hunt, Dialect dialect, const Answered& answered) {
  if (dialect == Dialect::clickhouse) {
    return {.text = " PREWHERE " + clickhouse::bounds(hunt) + clickhouse::condition(hunt.where), .parameters = {}};
  }
  const std::string time(column_of(event::Field::event_time));
  Statement out{.text = " WHERE ", .parameters = {}};
  if (hunt.since) {
    out.text += time + " >= ? AND ";
    out.parameters.emplace_back(hunt.since->us);
  }
  if (hunt.until) {
    out.text += time + " < ? AND ";
    out.parameters.emplace_back(hunt.until->us);
  }
  append(out, condition(hunt.where, dialect, answered));
  return out;
}

Statement select(const Hunt& hunt, std::string_view source, Dialect dialect, const Answered& answered) {
  return std::visit(SelectWriter{hunt, source, dialect, answered}, hunt.aggregate);
}

Statement histogram(const Hunt& hunt, int64_t width_us, std::string_view source, Dialect dialect,
                    const Answered& answered) {
  Hunt buckets;
  buckets.where = hunt.where.clone();
  buckets.since = hunt.since;
  buckets.until = hunt.until;
  buckets.limit = kHuntLimitMax;
  return SelectWriter{buckets, source, dialect, answered}(CountPer{width_us});
}

}  // namespace redoubt::query::sql
