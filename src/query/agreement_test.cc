// The two back ends mean the same: random expressions over random events, judged by a plain evaluator that shares no
// code with them, by the matcher and by DuckDB.
#include <gtest/gtest.h>
#include <re2/re2.h>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
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
constexpr size_t kBatches = 3;  // of one round

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
// Some differ in case alone, or only a reader of JSON has to be careful with them.
constexpr std::string_view kSystems[] = {"windows", "Linux", "macos"};
constexpr std::string_view kChannels[] = {"Security", "system"};
constexpr std::string_view kAttributes[] = {"ProcessId", "ProcessID", "Access Mask", "a.b", "é\"\\", "Details"};

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

// Numbers as logs write them, and what only looks like one.
constexpr std::string_view kDigits[] = {"0", "1", "-1", "2", "02", "1.0", "0x1", "", "-", "99999999999999999999", " 1"};

void set_text(v1::Event& event, Field field, std::string text) {
  const auto* descriptor = v1::Event::descriptor()->FindFieldByNumber(event::info(field).number);
  event.GetReflection()->SetString(&event, descriptor, std::move(text));
}

void set_number(v1::Event& event, Field field, int64_t number) {
  const auto* descriptor = v1::Event::descriptor()->FindFieldByNumber(event::info(field).number);
  event.GetReflection()->SetInt64(&event, descriptor, number);
}

std::string random_attribute_value(Random& random) {
  switch (random.below(4)) {
    case 0: return std::string(random.of(kDigits));
    case 1: return std::string(random.of(kAddresses));
    default: return random.text();
  }
}

// Each batch with names in an order of its own, some of which no event has.
std::vector<std::string> random_names(Random& random) {
  std::vector<std::string> names(std::begin(kAttributes), std::end(kAttributes));
  for (size_t i = 0; i < 3; ++i) names.push_back("other " + std::to_string(i));
  for (size_t i = names.size() - 1; i > 0; --i) std::swap(names[i], names[random.below(i + 1)]);
  return names;
}

void add_attributes(Random& random, const std::vector<std::string>& names, v1::Event& event) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (random.one_in(2)) continue;
    v1::Attribute& attribute = *event.add_attributes();
    attribute.set_name(static_cast<uint32_t>(i));
    attribute.set_value(random_attribute_value(random));
  }
}

// The names stand first, as in frames; protobuf would write them last.
event::Batch decoded(const std::vector<std::string>& names, const v1::EventBatch& wire) {
  v1::EventBatch head;
  for (const std::string& name : names) head.add_attribute_names(name);
  auto batch = event::Batch::decode(head.SerializeAsString() + wire.SerializeAsString());
  CHECK(batch.has_value());
  return *std::move(batch);
}

// Near the epoch, where times are compared as a whole; or of four hundred years around it.
int64_t random_time(Random& random) {
  if (random.one_in(2)) return static_cast<int64_t>(random.below(4));
  constexpr int64_t kMinuteUs = 60'000'000;
  constexpr size_t kMinutes = size_t{400} * 366 * 24 * 60;
  return (static_cast<int64_t>(random.below(kMinutes)) - static_cast<int64_t>(kMinutes / 2)) * kMinuteUs;
}

event::Batch random_batch(Random& random) {
  v1::EventBatch wire;
  wire.set_schema(1);
  const std::vector<std::string> names = random_names(random);
  for (size_t i = 0; i < kEvents; ++i) {
    v1::Event& event = *wire.add_events();
    if (i > 0 && random.one_in(4)) {
      // What was seen before is where a matcher that remembers could go wrong.
      event = wire.events(static_cast<int>(random.below(i)));
      event.set_event_sequence(static_cast<int64_t>(i + 1));
      continue;
    }
    event.set_event_type(static_cast<v1::EventType>(event::kEventTypes[random.below(event::kEventTypes.size())].type));
    event.set_event_sequence(static_cast<int64_t>(i + 1));
    event.set_event_time(static_cast<int64_t>(random.below(4)));
    for (const Field field : kTexts) {
      if (!random.one_in(3)) set_text(event, field, random.text());
    }
    for (const Field field : kNumbers) {
      if (!random.one_in(3)) set_number(event, field, static_cast<int64_t>(random.below(5)) - 2);
    }
    for (const Field field : kTimes) {
      if (!random.one_in(3)) set_number(event, field, random_time(random));
    }
    for (const Field field : kIps) {
      if (!random.one_in(3)) set_text(event, field, std::string(random.of(kAddresses)));
    }
    if (!random.one_in(3)) set_text(event, Field::host_id, random.text());
    if (!random.one_in(3)) set_text(event, Field::process_hash_sha256, std::string(random.of(kHashes)));
    if (!random.one_in(3)) set_text(event, Field::host_os_family, std::string(random.of(kSystems)));
    if (!random.one_in(3)) set_text(event, Field::log_channel, std::string(random.of(kChannels)));
    if (!random.one_in(3)) set_number(event, Field::event_code, static_cast<int64_t>(random.below(3)));
    add_attributes(random, names, event);
  }
  return decoded(names, wire);
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
  if (random.one_in(8)) return AttributeName{std::string(random.of(kAttributes))};
  if (event::info(field).type == FieldType::hash) return std::string(random.of(kHashes)).substr(random.below(3));
  return random.text();
}

Operator random_order(Random& random) {
  constexpr Operator kOrders[] = {Operator::less, Operator::less_equal, Operator::greater, Operator::greater_equal};
  return random.of(kOrders);
}

Test random_part_test(Random& random) {
  constexpr TimePart kParts[] = {TimePart::minute, TimePart::hour, TimePart::day, TimePart::week, TimePart::month};
  Test test{.field = random.of(kTimes),
            .op = random.one_in(2) ? Operator::equal : random_order(random),
            .part = random.of(kParts),
            .operands = {}};
  for (size_t i = 1 + random.below(3); i > 0; --i)
    test.operands.emplace_back(static_cast<int64_t>(random.below(62)) - 1);
  return test;
}

Test random_number_test(Random& random) {
  if (random.one_in(4)) return random_part_test(random);
  const bool number = random.one_in(2);
  Test test{.field = number ? random.of(kNumbers) : random.of(kTimes),
            .op = random.one_in(3) ? Operator::equal : random_order(random),
            .operands = {}};
  for (size_t i = 1 + random.below(3); i > 0; --i) {
    if (random.one_in(4)) {
      test.operands.emplace_back(number ? random.of(kNumbers) : random.of(kTimes));
    } else {
      test.operands.emplace_back(static_cast<int64_t>(random.below(5)) - 2);
    }
  }
  return test;
}

Test random_address_test(Random& random) {
  Test test{.field = random.of(kIps), .op = random.one_in(2) ? Operator::cidr : Operator::equal, .operands = {}};
  for (size_t i = 1 + random.below(3); i > 0; --i) {
    test.operands.emplace_back(std::string(test.op == Operator::cidr ? random.of(kPrefixes) : random.of(kAddresses)));
  }
  return test;
}

Test random_text_test(Random& random, Field field) {
  Test test{.field = field, .op = random_text_operator(random), .operands = {}};
  // Sometimes as many as make a table or a scanner of them.
  const size_t count = random.one_in(8) ? 12 : 1 + random.below(3);
  for (size_t i = count; i > 0; --i) test.operands.push_back(random_text_operand(random, field, test.op));
  return test;
}

Test random_attribute_test(Random& random) {
  Test test{.field = Field::attributes, .operands = {}};
  switch (random.below(6)) {
    case 0: break;  // exists
    case 1:
      test.op = random_order(random);
      for (size_t i = 1 + random.below(2); i > 0; --i)
        test.operands.emplace_back(static_cast<int64_t>(random.below(4)) - 1);
      break;
    case 2:
      test.op = Operator::cidr;
      for (size_t i = 1 + random.below(2); i > 0; --i) test.operands.emplace_back(std::string(random.of(kPrefixes)));
      break;
    default: test = random_text_test(random, Field::attributes);
  }
  // Without a name: any attribute.
  if (!random.one_in(4)) test.attribute = random.of(kAttributes);
  return test;
}

Test random_test(Random& random) {
  switch (random.below(12)) {
    case 0: {
      Test test{.field = Field::event_type, .op = Operator::equal, .operands = {}};
      for (size_t i = 1 + random.below(3); i > 0; --i)
        test.operands.emplace_back(std::string(event::kEventTypes[random.below(event::kEventTypes.size())].name));
      return test;
    }
    case 1: return random_number_test(random);
    case 2: return random_address_test(random);
    case 3: {
      constexpr Field kAny[] = {Field::process_name, Field::process_pid, Field::source_ip, Field::host_id,
                                Field::process_end};
      return {.field = random.of(kAny), .op = Operator::exists, .operands = {}};
    }
    case 4:
    case 5:
    case 6: return random_attribute_test(random);
    case 7: return random_text_test(random, random.one_in(2) ? Field::host_id : Field::process_hash_sha256);
    default: return random_text_test(random, random.of(kTexts));
  }
}

Expression random_expression(Random& random, int depth) {
  const size_t kind = depth == 0 ? 3 : random.below(4);
  if (kind == 3) {
    Test test = random_test(random);
    test.case_mode = random.one_in(3) ? CaseMode::exact : CaseMode::folded;
    return {std::move(test)};
  }
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
    return holds(std::get<Test>(expression.node));
  }

 private:
  using Text = std::optional<std::string>;

  // Of a field that is text, or of an attribute.
  Text text_of(Field field, const std::string& attribute) const {
    if (field != Field::attributes) {
      const Value value = row_.get(field);
      return value.is_text() ? Text(value.text()) : std::nullopt;
    }
    for (const event::Attribute& each : row_.attributes()) {
      if (row_.attribute_name(each) == attribute) return std::string(each.value);
    }
    return std::nullopt;
  }

  bool holds(const Test& test) const {
    std::vector<std::string> texts;
    if (test.field == Field::attributes && test.attribute.empty()) {
      for (const event::Attribute& each : row_.attributes()) texts.emplace_back(each.value);
    } else if (const Text text = text_of(test.field, test.attribute)) {
      texts.push_back(*text);
    } else if (row_.get(test.field).present()) {
      return test.op == Operator::exists || any_number(test, number_of(test, row_.get(test.field).integer()));
    }
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) {
      if (test.op == Operator::exists) return true;
      const bool ordered = test.op == Operator::less || test.op == Operator::less_equal ||
                           test.op == Operator::greater || test.op == Operator::greater_equal;
      if (ordered) return re2::RE2::FullMatch(text, "-?[0-9]{1,18}") && any_number(test, std::stoll(text));
      return std::any_of(test.operands.begin(), test.operands.end(),
                         [&](const Operand& operand) { return fits(test, text, operand); });
    });
  }

  // By the C library's calendar.
  static int64_t number_of(const Test& test, int64_t value) {
    if (test.part == TimePart::none) return value;
    const auto seconds = static_cast<time_t>(value >= 0 ? value / 1'000'000 : (value - 999'999) / 1'000'000);
    tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 8> week{};
    switch (test.part) {
      case TimePart::minute: return parts.tm_min;
      case TimePart::hour: return parts.tm_hour;
      case TimePart::day: return parts.tm_mday;
      case TimePart::month: return parts.tm_mon + 1;
      case TimePart::week:
      case TimePart::none: break;
    }
    std::strftime(week.data(), week.size(), "%V", &parts);
    return std::stoll(week.data());
  }

  bool any_number(const Test& test, int64_t left) const {
    return std::any_of(test.operands.begin(), test.operands.end(),
                       [&](const Operand& operand) { return fits(test, left, operand); });
  }

  bool fits(const Test& test, int64_t left, const Operand& operand) const {
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

  bool fits(const Test& test, std::string left, const Operand& operand) const {
    const FieldType type = event::info(test.field).type;
    const bool by_mode = (type == FieldType::text || type == FieldType::keyword) && test.field != Field::event_type;
    const bool folds = by_mode && test.case_mode == CaseMode::folded;
    std::string right;
    if (const auto* constant = std::get_if<std::string>(&operand)) {
      right = type == FieldType::hash && test.op != Operator::regex ? base::fold_case(*constant) : *constant;
    } else {
      const auto* field = std::get_if<Field>(&operand);
      const Text other =
          field != nullptr ? text_of(*field, "") : text_of(Field::attributes, std::get<AttributeName>(operand).name);
      if (!other) return false;
      right = *other;
    }
    if (test.op == Operator::regex) return found(left, right, folds || type == FieldType::hash);
    if (test.op == Operator::cidr) return base::in_cidr(left, right);
    if (folds) {
      left = base::fold_case(left);
      right = base::fold_case(right);
    }
    switch (test.op) {
      case Operator::equal: return left == right;
      case Operator::contains: return left.find(right) != std::string::npos;
      case Operator::starts_with: return left.rfind(right, 0) == 0;
      case Operator::ends_with: return left.size() >= right.size() && left.substr(left.size() - right.size()) == right;
      default: return matches(code_points(left), code_points(right));
    }
  }

  // Compiled once a round: the same expression judges many rows.
  static bool found(const std::string& text, const std::string& pattern, bool without_case) {
    static std::map<std::pair<std::string, bool>, std::unique_ptr<re2::RE2>> known;
    constexpr size_t kKnownMax = 1000;
    if (known.size() > kKnownMax) known.clear();
    auto& regex = known[{pattern, without_case}];
    if (regex == nullptr) {
      re2::RE2::Options options;
      options.set_dot_nl(true);
      options.set_case_sensitive(!without_case);
      regex = std::make_unique<re2::RE2>(pattern, options);
    }
    return re2::RE2::PartialMatch(text, *regex);
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

// Many rules in one matcher, which judges several batches.
struct Round {
  std::vector<event::Batch> batches;
  std::vector<Expression> raw;
  std::vector<Expression> normal;
};

// What rules say first: the types they are about, the kind of record, the system.
Expression random_source(Random& random) {
  switch (random.below(5)) {
    case 0: return Expression::of_types(event::set_of(event::kEventTypes[random.below(3)].type));
    case 1:
      return Expression::test(Field::event_code, Operator::equal,
                              {Operand(static_cast<int64_t>(random.below(3))), Operand(int64_t{1})});
    case 2: return Expression::test(Field::log_channel, Operator::equal, {Operand(std::string(random.of(kChannels)))});
    case 3:
      return Expression::test(Field::host_os_family, Operator::equal, {Operand(std::string(random.of(kSystems)))});
    default:
      return Expression::negate(
          Expression::test(Field::host_os_family, Operator::equal,
                           {Operand(std::string(random.of(kSystems))), Operand(std::string(random.of(kSystems)))}));
  }
}

Round random_round(Random& random) {
  Round round;
  for (size_t i = 0; i < kBatches; ++i) round.batches.push_back(random_batch(random));
  while (round.raw.size() < kExpressions) {
    std::vector<Expression> parts;
    for (size_t i = random.below(3); i > 0; --i) parts.push_back(random_source(random));
    parts.push_back(random_expression(random, 4));
    Expression expression = Expression::all_of(std::move(parts));
    auto normal = normalize(expression.clone());
    if (!normal) continue;  // a regular expression that random put together wrongly
    round.raw.push_back(std::move(expression));
    round.normal.push_back(*std::move(normal));
  }
  return round;
}

// By batch and expression.
using Found = std::vector<std::vector<Sequences>>;

Found by_matcher(const Round& round, match::LiteralScanner::Engine scanner) {
  auto matcher = match::Matcher::compile(round.normal, {.scanner = scanner});
  CHECK(matcher.has_value());
  Found found;
  for (const event::Batch& batch : round.batches) {
    std::vector<match::Hit> hits;
    matcher->match(batch, hits);
    EXPECT_TRUE(std::is_sorted(hits.begin(), hits.end()));
    auto& of_batch = found.emplace_back(round.normal.size());
    for (const match::Hit& hit : hits) EXPECT_TRUE(of_batch[hit.rule].insert(hit.row + 1).second);
  }
  return found;
}

Sequences by_plain(const event::Batch& batch, const Expression& expression) {
  Sequences found;
  for (size_t row = 0; row < batch.size(); ++row) {
    if (Plain(batch.row(row)).holds(expression)) found.insert(static_cast<int64_t>(row + 1));
  }
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

Random seeded_random() {
  const uint64_t seed = number_from_environment("REDOUBT_SEED", std::random_device{}());
  std::printf("REDOUBT_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return Random(seed);
}

std::string story_of(const Round& round, size_t expression) {
  return to_text(round.normal[expression]) + "\nfrom " + to_text(round.raw[expression]) + "\nin SQL " +
         sql::condition(round.normal[expression], sql::Dialect::duckdb).text;
}

// REDOUBT_PAIRS sets how many (expression, event) pairs are compared, REDOUBT_SEED repeats a run.
TEST(BackEnds, agree_on_random_expressions_and_events) {
  const uint64_t pairs = number_from_environment("REDOUBT_PAIRS", 100'000);
  Random random = seeded_random();
  sql::DuckdbTestTable table;
  for (uint64_t done = 0; done < pairs; done += kEvents * kExpressions) {
    const Round round = random_round(random);
    const event::Batch& batch = round.batches.front();
    table.clear();
    table.append(batch);
    for (size_t i = 0; i < kExpressions; ++i)
      ASSERT_EQ(by_duckdb(table, round.normal[i]), by_plain(batch, round.raw[i])) << story_of(round, i);
  }
}

// REDOUBT_MATCHER_PAIRS sets how many pairs.
TEST(Matcher, agrees_with_a_plain_evaluator_whatever_finds_its_literals) {
  using Engine = match::LiteralScanner::Engine;
  const uint64_t pairs = number_from_environment("REDOUBT_MATCHER_PAIRS", 1'000'000);
  Random random = seeded_random();
  size_t held = 0;
  for (uint64_t done = 0; done < pairs; done += kBatches * kEvents * kExpressions) {
    const Round round = random_round(random);
    const Found found = by_matcher(round, Engine::windows);
    for (size_t b = 0; b < kBatches; ++b) {
      for (size_t i = 0; i < kExpressions; ++i) {
        const Sequences plain = by_plain(round.batches[b], round.raw[i]);
        held += plain.size();
        ASSERT_EQ(found[b][i], plain) << story_of(round, i);
      }
    }
    // Every round costs Hyperscan the compilation of many small sets: some rounds will do.
    if (match::LiteralScanner::has(Engine::hyperscan) && random.one_in(4)) {
      ASSERT_EQ(by_matcher(round, Engine::hyperscan), found);
    }
  }
  // Neither all nor nothing: the comparison says something.
  EXPECT_GT(held, pairs / 20);
  EXPECT_LT(held, pairs - pairs / 20);
}

}  // namespace
}  // namespace redoubt::query
