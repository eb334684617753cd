// For tests of the back ends: random expressions about the events of agreement_test_events.h.
// One thread.
#pragma once

#include "query/agreement_test_events.h"

namespace redoubt::query::agreement {

inline Operator random_text_operator(Random& random) {
  constexpr Operator kOperators[] = {Operator::equal,     Operator::contains, Operator::starts_with,
                                     Operator::ends_with, Operator::like,     Operator::regex};
  return random.of(kOperators);
}

inline Operand random_text_operand(Random& random, Field field, Operator op) {
  if (op == Operator::regex) return random.regex();
  if (op == Operator::like) return random.pattern();
  if (random.one_in(8)) return random.of(kTexts);
  if (random.one_in(8)) return AttributeName{std::string(random.of(kAttributes))};
  if (event::info(field).type == FieldType::hash) return std::string(random.of(kHashes)).substr(random.below(3));
  return random.text();
}

inline Operator random_order(Random& random) {
  constexpr Operator kOrders[] = {Operator::less, Operator::less_equal, Operator::greater, Operator::greater_equal};
  return random.of(kOrders);
}

inline Test random_part_test(Random& random) {
  constexpr TimePart kParts[] = {TimePart::minute, TimePart::hour, TimePart::day, TimePart::week, TimePart::month};
  Test test{.field = random.of(kTimes),
            .op = random.one_in(2) ? Operator::equal : random_order(random),
            .part = random.of(kParts),
            .operands = {}};
  for (size_t i = 1 + random.below(3); i > 0; --i)
    test.operands.emplace_back(static_cast<int64_t>(random.below(62)) - 1);
  return test;
}

inline Test random_number_test(Random& random) {
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

inline Test random_address_test(Random& random) {
  Test test{.field = random.of(kIps), .op = random.one_in(2) ? Operator::cidr : Operator::equal, .operands = {}};
  for (size_t i = 1 + random.below(3); i > 0; --i) {
    test.operands.emplace_back(std::string(test.op == Operator::cidr ? random.of(kPrefixes) : random.of(kAddresses)));
  }
  return test;
}

inline Test random_text_test(Random& random, Field field) {
  Test test{.field = field, .op = random_text_operator(random), .operands = {}};
  // Sometimes as many as make a table or a scanner of them.
  const size_t count = random.one_in(8) ? 12 : 1 + random.below(3);
  for (size_t i = count; i > 0; --i) test.operands.push_back(random_text_operand(random, field, test.op));
  return test;
}

inline Test random_attribute_test(Random& random) {
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

inline Test random_test(Random& random) {
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

inline Expression random_expression(Random& random, int depth) {
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

// What rules say first: the types they are about, the kind of record, the system.
inline Expression random_source(Random& random) {
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

}  // namespace redoubt::query::agreement
