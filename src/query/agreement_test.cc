// The two back ends mean the same: random expressions over random events, judged by a plain evaluator that shares no
// code with them, by the matcher and by DuckDB.
#include <gtest/gtest.h>
#include <re2/re2.h>
#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "base/text.h"
#include "base/time.h"
#include "query/match/matcher.h"
#include "query/sql/duckdb_test_table.h"
#include "redoubt/event.pb.h"

namespace redoubt::query {
namespace {

using event::Field;
using event::FieldType;
using event::Value;

constexpr size_t kEvents = 100;
constexpr size_t kExpressions = 100;

// Small alphabets, so that tests often hold: case pairs that are hard, wildcards of every back end, escapes.
constexpr std::string_view kPieces[] = {
    "a", "A",  "b", "B", "k", "K", "\u212A", "i", "I",  "\u0130", "\u0131", "ss", "ß",     "ẞ", "Σ",    "σ", "ς", "é",
    "É", "日", "𐐀", "𐐨", "%", "_", "*",      "?", "\\", "\n",     "\t",     " ",  "\\xff", "/", "\r\n", ".", "'", "\""};
constexpr std::string_view kAddresses[] = {"10.0.0.1", "10.0.0.2", "10.1.2.3",  "192.168.1.1",
                                           "::1",      "fd00::1",  "fe80::a:b", "x"};
constexpr std::string_view kPrefixes[] = {"10.0.0.0/8", "10.0.0.0/31", "0.0.0.0/0",          "fd00::/8",
                                          "::/0",       "10.0.0.1",    "::ffff:10.0.0.0/104"};
constexpr std::string_view kHashes[] = {"00ff", "abcd", "ABCD", "e3b0"};
constexpr std::string_view kRegexParts[] = {".",  ".*",   "^",    "$",   "[a-k]", "\\w",     "(?:ss|k)",
                                            "a+", "\\\\", "[^a]", "\\b", "s?",    "\\x{df}", "i|b"};

constexpr Field kTexts[] = {Field::process_executable, Field::process_name, Field::user_name, Field::event_action};
constexpr Field kNumbers[] = {Field::process_pid, Field::process_parent_pid, Field::user_id};
constexpr Field kTimes[] = {Field::process_start, Field::process_end};
constexpr Field kIps[] = {Field::source_ip, Field::destination_ip};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  size_t below(size_t count) { return engine_() % count; }
  bool one_in(size_t count) { return below(count) == 0; }
  template <class T, size_t N>
  T of(const T (&values)[N]) {
    return values[below(N)];
  }

  std::string text() {
    std::string out;
    for (size_t i = below(5); i > 0; --i) out += of(kPieces);
    return out;
  }
  std::string pattern() {
    std::string out;
    for (size_t i = below(5); i > 0; --i) {
      out += one_in(2) ? of(kPieces) : one_in(2) ? kAnyRunUtf8 : kAnyOneUtf8;
    }
    return out;
  }
  std::string regex() {
    std::string out;
    for (size_t i = 1 + below(4); i > 0; --i)
      out += one_in(2) ? re2::RE2::QuoteMeta(std::string(of(kPieces))) : std::string(of(kRegexParts));
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

void set_text(v1::Event& event, Field field, std::string text) {
  const auto* descriptor = v1::Event::descriptor()->FindFieldByNumber(event::info(field).number);
  event.GetReflection()->SetString(&event, descriptor, std::move(text));
}

void set_number(v1::Event& event, Field field, int64_t number) {
  const auto* descriptor = v1::Event::descriptor()->FindFieldByNumber(event::info(field).number);
  event.GetReflection()->SetInt64(&event, descriptor, number);
}

event::Batch random_batch(Random& random) {
  v1::EventBatch wire;
  wire.set_schema(1);
  for (size_t i = 0; i < kEvents; ++i) {
    v1::Event& event = *wire.add_events();
    event.set_event_type(static_cast<v1::EventType>(1 + random.below(event::kEventTypes.size())));
    event.set_event_sequence(static_cast<int64_t>(i + 1));
    event.set_event_time(static_cast<int64_t>(random.below(4)));
    for (const Field field : kTexts) {
      if (!random.one_in(3)) set_text(event, field, random.text());
    }
    for (const Field field : kNumbers) {
      if (!random.one_in(3)) set_number(event, field, static_cast<int64_t>(random.below(5)) - 2);
    }
    for (const Field field : kTimes) {
      if (!random.one_in(3)) set_number(event, field, static_cast<int64_t>(random.below(4)));
    }
    for (const Field field : kIps) {
      if (!random.one_in(3)) set_text(event, field, std::string(random.of(kAddresses)));
    }
    if (!random.one_in(3)) set_text(event, Field::host_id, random.text());
    if (!random.one_in(3)) set_text(event, Field::process_hash_sha256, std::string(random.of(kHashes)));
  }
  auto batch = event::Batch::decode(wire.SerializeAsString());
  CHECK(batch.has_value());
  return *std::move(batch);
}

Operator random_text_operator(Random& random) {
  constexpr Operator kOperators[] = {Operator::equal,     Operator::contains, Operator::starts_with,
                                     Operator::ends_with, Operator::like,     Operator::regex};
  return random.of(kOperators);
}

Operand random_text_operand(Random& random, Field field, Operator op) {
  if (op == Operator::regex) return random.regex();
  if (op == Operator::like) return random.pattern();
  if (random.one_in(8)) return random.of(kTexts);
  if (event::info(field).type == FieldType::hash) return std::string(random.of(kHashes)).substr(random.below(3));
  return random.text();
}

Expression random_test(Random& random) {
  const CaseMode mode = random.one_in(3) ? CaseMode::exact : CaseMode::folded;
  std::vector<Operand> operands;
  const size_t count = 1 + random.below(3);
  Field field = Field::event_type;
  Operator op = Operator::equal;
  switch (random.below(10)) {
    case 0:
      for (size_t i = 0; i < count; ++i)
        operands.emplace_back(std::string(event::kEventTypes[random.below(event::kEventTypes.size())].name));
      break;
    case 1: {
      constexpr Operator kOrders[] = {Operator::equal, Operator::less, Operator::less_equal, Operator::greater,
                                      Operator::greater_equal};
      const bool number = random.one_in(2);
      field = number ? random.of(kNumbers) : random.of(kTimes);
      op = random.of(kOrders);
      for (size_t i = 0; i < count; ++i) {
        if (random.one_in(4)) {
          operands.emplace_back(number ? random.of(kNumbers) : random.of(kTimes));
        } else {
          operands.emplace_back(static_cast<int64_t>(random.below(5)) - 2);
        }
      }
      break;
    }
    case 2:
      field = random.of(kIps);
      op = random.one_in(2) ? Operator::cidr : Operator::equal;
      for (size_t i = 0; i < count; ++i) {
        operands.emplace_back(std::string(op == Operator::cidr ? random.of(kPrefixes) : random.of(kAddresses)));
      }
      break;
    case 3: {
      constexpr Field kAny[] = {Field::process_name, Field::process_pid, Field::source_ip, Field::host_id,
                                Field::process_end};
      field = random.of(kAny);
      op = Operator::exists;
      break;
    }
    default: {
      constexpr Field kOthers[] = {Field::host_id, Field::process_hash_sha256};
      field = random.one_in(4) ? random.of(kOthers) : random.of(kTexts);
      op = random_text_operator(random);
      for (size_t i = 0; i < count; ++i) operands.push_back(random_text_operand(random, field, op));
    }
  }
  return Expression::test(field, op, std::move(operands), mode);
}

Expression random_expression(Random& random, int depth) {
  const size_t kind = depth == 0 ? 3 : random.below(4);
  if (kind == 3) return random_test(random);
  if (kind == 2) return Expression::negate(random_expression(random, depth - 1));
  std::vector<Expression> children;
  for (size_t i = random.one_in(20) ? 0 : 1 + random.below(3); i > 0; --i)
    children.push_back(random_expression(random, depth - 1));
  return kind == 1 ? Expression::all_of(std::move(children)) : Expression::any_of(std::move(children));
}

// The plain evaluator: walks the tree as it was built, before normalize().
class Plain {
 public:
  explicit Plain(const event::Row& row) : row_(row) {}

  bool holds(const Expression& expression) const {
    if (const auto* node = std::get_if<And>(&expression.node)) {
      return std::all_of(node->children.begin(), node->children.end(),
                         [this](const auto& child) { return holds(child); });
    }
    if (const auto* node = std::get_if<Or>(&expression.node)) {
      return std::any_of(node->children.begin(), node->children.end(),
                         [this](const auto& child) { return holds(child); });
    }
    if (const auto* node = std::get_if<Not>(&expression.node)) return !holds(*node->child);
    const Test& test = std::get<Test>(expression.node);
    if (!row_.get(test.field).present()) return false;
    if (test.op == Operator::exists) return true;
    return std::any_of(test.operands.begin(), test.operands.end(), [&](const Operand& operand) {
      return event::is_textual(event::info(test.field).type) ? text(test, operand) : number(test, operand);
    });
  }

 private:
  bool number(const Test& test, const Operand& operand) const {
    const int64_t left = row_.get(test.field).integer();
    int64_t right = 0;
    if (const auto* field = std::get_if<Field>(&operand)) {
      if (!row_.get(*field).present()) return false;
      right = row_.get(*field).integer();
    } else {
      right = std::get<int64_t>(operand);
    }
    switch (test.op) {
      case Operator::equal: return left == right;
      case Operator::less: return left < right;
      case Operator::less_equal: return left <= right;
      case Operator::greater: return left > right;
      default: return left >= right;
    }
  }

  bool text(const Test& test, const Operand& operand) const {
    const FieldType type = event::info(test.field).type;
    const bool by_mode = (type == FieldType::text || type == FieldType::keyword) && test.field != Field::event_type;
    const bool folds = by_mode && test.case_mode == CaseMode::folded;
    std::string left(row_.text(test.field));
    std::string right;
    if (const auto* field = std::get_if<Field>(&operand)) {
      if (!row_.get(*field).present()) return false;
      right = row_.text(*field);
    } else {
      right = std::get<std::string>(operand);
      if (type == FieldType::hash && test.op != Operator::regex) right = base::fold_case(right);
    }
    if (test.op == Operator::regex) {
      re2::RE2::Options options;
      options.set_dot_nl(true);
      options.set_case_sensitive(!(folds || type == FieldType::hash));
      return re2::RE2::PartialMatch(left, re2::RE2(right, options));
    }
    if (folds) {
      left = base::fold_case(left);
      right = base::fold_case(right);
    }
    switch (test.op) {
      case Operator::equal: return left == right;
      case Operator::contains: return left.find(right) != std::string::npos;
      case Operator::starts_with: return left.rfind(right, 0) == 0;
      case Operator::ends_with: return left.size() >= right.size() && left.substr(left.size() - right.size()) == right;
      case Operator::cidr: return in_cidr(left, right);
      default: return matches(code_points(left), code_points(right));
    }
  }

  static std::u32string code_points(std::string_view text) {
    std::u32string out;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte & 0xC0) == 0x80) {
        out.back() = out.back() << 6 | (byte & 0x3F);
      } else {
        out += byte < 0x80 ? byte : byte < 0xE0 ? byte & 0x1F : byte < 0xF0 ? byte & 0x0F : byte & 0x07;
      }
    }
    return out;
  }

  static bool matches(std::u32string_view text, std::u32string_view pattern) {
    if (pattern.empty()) return text.empty();
    if (pattern.front() == kAnyRun) {
      return matches(text, pattern.substr(1)) || (!text.empty() && matches(text.substr(1), pattern));
    }
    return !text.empty() && (pattern.front() == kAnyOne || pattern.front() == text.front()) &&
           matches(text.substr(1), pattern.substr(1));
  }

  const event::Row& row_;
};

using Sequences = std::set<int64_t>;

struct Round {
  event::Batch batch;
  std::vector<Expression> raw;
  std::vector<Expression> normal;
};

Round random_round(Random& random) {
  Round round{random_batch(random), {}, {}};
  while (round.raw.size() < kExpressions) {
    Expression expression = random_expression(random, 4);
    auto normal = normalize(expression.clone());
    if (!normal) continue;  // a regular expression that random put together wrongly
    round.raw.push_back(std::move(expression));
    round.normal.push_back(*std::move(normal));
  }
  return round;
}

std::vector<Sequences> by_matcher(const Round& round) {
  auto matcher = match::Matcher::compile(round.normal);
  CHECK(matcher.has_value());
  std::vector<match::Hit> hits;
  matcher->match(round.batch, hits);
  EXPECT_TRUE(std::is_sorted(hits.begin(), hits.end()));
  std::vector<Sequences> found(round.normal.size());
  for (const match::Hit& hit : hits) found[hit.rule].insert(hit.row + 1);
  return found;
}

Sequences by_duckdb(sql::DuckdbTestTable& table, const Expression& expression) {
  sql::Statement statement = sql::condition(expression, sql::Dialect::duckdb);
  statement.text = "SELECT event_sequence FROM events WHERE " + statement.text;
  const auto rows = table.query(statement);
  EXPECT_TRUE(rows) << rows.error().message;
  Sequences found;
  if (rows) {
    for (const auto& row : *rows) found.insert(std::stoll(row.front()));
  }
  return found;
}

uint64_t number_from_environment(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

// REDOUBT_PAIRS sets how many (expression, event) pairs are compared, REDOUBT_SEED repeats a run.
TEST(BackEnds, agree_on_random_expressions_and_events) {
  const uint64_t pairs = number_from_environment("REDOUBT_PAIRS", 50'000);
  const uint64_t seed = number_from_environment("REDOUBT_SEED", std::random_device{}());
  std::printf("REDOUBT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  sql::DuckdbTestTable table;
  size_t held = 0;
  for (uint64_t done = 0; done < pairs; done += kEvents * kExpressions) {
    const Round round = random_round(random);
    table.clear();
    table.append(round.batch);
    const auto matched = by_matcher(round);
    for (size_t i = 0; i < kExpressions; ++i) {
      Sequences plain;
      for (size_t row = 0; row < kEvents; ++row) {
        if (Plain(round.batch.row(row)).holds(round.raw[i])) plain.insert(static_cast<int64_t>(row + 1));
      }
      held += plain.size();
      ASSERT_EQ(matched[i], plain) << "matcher: " << to_text(round.normal[i]) << "\nfrom " << to_text(round.raw[i]);
      ASSERT_EQ(by_duckdb(table, round.normal[i]), plain) << "duckdb: " << to_text(round.normal[i]) << "\n"
                                                          << sql::condition(round.normal[i], sql::Dialect::duckdb).text;
    }
  }
  // Neither all nor nothing: the comparison says something.
  EXPECT_GT(held, pairs / 20);
  EXPECT_LT(held, pairs - pairs / 20);
}

}  // namespace
}  // namespace redoubt::query
