#include "rules/criterion.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/address.h"
#include "base/time.h"
#include "query/hash_kind.h"

namespace redoubt::rules {

namespace {

using event::EventType;
using event::Field;
using event::FieldType;
using query::Expression;
using query::Operand;
using query::Operator;

// The kinds of events that a criterion is written out for, one after the other.
enum class Scope : uint8_t {
  process_start,
  file_event,
  outbound,
  inbound,
  name_lookup,
  file_load,
  registry_change,
  log_record,
};
constexpr std::array kScopes = {Scope::process_start, Scope::file_event, Scope::outbound,        Scope::inbound,
                                Scope::name_lookup,   Scope::file_load,  Scope::registry_change, Scope::log_record};

// What a property is on the events of a scope.
enum class Role : uint8_t { none, subject, actor };

Role role_of(Entity entity, Scope scope) {
  const auto subject_on = [scope](Scope home) { return scope == home ? Role::subject : Role::none; };
  switch (entity) {
    case Entity::file:
    case Entity::written_file: return subject_on(Scope::file_event);
    case Entity::started_process: return subject_on(Scope::process_start);
    case Entity::acting_process: return scope == Scope::process_start ? Role::subject : Role::actor;
    case Entity::connection: return scope == Scope::outbound ? Role::subject : subject_on(Scope::inbound);
    case Entity::outbound: return subject_on(Scope::outbound);
    case Entity::inbound: return subject_on(Scope::inbound);
    case Entity::looked_up_name: return subject_on(Scope::name_lookup);
    case Entity::loaded_file: return subject_on(Scope::file_load);
    case Entity::registry_value: return subject_on(Scope::registry_change);
    case Entity::log_record: return subject_on(Scope::log_record);
  }
  return Role::none;
}

Expression text_test(Field field, std::string_view value) {
  return Expression::test(field, Operator::equal, {Operand(std::string(value))});
}

// True on the events of the scope.
Expression scope_guard(Scope scope) {
  const auto connections = [](std::string_view direction) {
    std::vector<Expression> parts;
    parts.push_back(Expression::of_types(event::set_of(EventType::connection)));
    parts.push_back(text_test(Field::network_direction, direction));
    return Expression::all_of(std::move(parts));
  };
  switch (scope) {
    case Scope::process_start: return Expression::of_types(event::set_of(EventType::process));
    case Scope::file_event: return Expression::of_types(event::set_of(EventType::filechange));
    case Scope::outbound: return connections("outbound");
    case Scope::inbound: return connections("inbound");
    case Scope::name_lookup: return Expression::of_types(event::set_of(EventType::dns));
    case Scope::file_load:
      return Expression::of_types(event::set_of(EventType::module) | event::set_of(EventType::driver));
    case Scope::registry_change: return Expression::of_types(event::set_of(EventType::registry));
    case Scope::log_record: return Expression::of_types(event::set_of(EventType::systemlog));
  }
  return Expression::constant(false);
}

Status check_text_value(Field field, Operator op, const std::string& value) {
  if (op != Operator::equal) return {};
  const FieldType type = event::info(field).type;
  if (type == FieldType::ip && !base::is_prefix(value))
    return fail(Errc::invalid_argument, "'" + value + "' is neither an address nor a prefix");
  if (type != FieldType::hash) return {};
  const query::HashKind& kind = query::hash_kind(field);
  if (!query::is_hash(kind, value))
    return fail(Errc::invalid_argument, "'" + value + "' is not a " + std::string(kind.name));
  return {};
}

bool compares_text(Operator op) {
  return op == Operator::contains || op == Operator::starts_with || op == Operator::ends_with || op == Operator::like ||
         op == Operator::regex;
}

Result<Operand> operand_of(Field field, Operator op, const std::string& value) {
  const FieldType type = event::info(field).type;
  if (!event::is_textual(type) && compares_text(op)) {
    return fail(Errc::invalid_argument, "field " + std::string(event::info(field).name) + " is a " +
                                            (type == FieldType::time ? "time" : "number") + ": it has no operator " +
                                            std::string(query::name_of(op)));
  }
  if (type == FieldType::time) {
    TRY(const base::Time time, base::parse_time(value));
    return Operand(time.us);
  }
  if (type == FieldType::integer) {
    int64_t number = 0;
    const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc{} || rest != value.data() + value.size())
      return fail(Errc::invalid_argument, "'" + value + "' is not a whole number");
    return Operand(number);
  }
  TRY_STATUS(check_text_value(field, op, value));
  return Operand(value);
}

// The comparison of one field, without polarity.
Result<Expression> compare(Field field, const Criterion& test) {
  std::vector<Operand> operands;
  std::vector<Operand> prefixes;
  const bool splits = event::info(field).type == FieldType::ip && test.op == Operator::equal;
  for (const std::string& value : test.values) {
    TRY(Operand operand, operand_of(field, test.op, value));
    const bool is_prefix = splits && value.find('/') != std::string::npos;
    (is_prefix ? prefixes : operands).push_back(std::move(operand));
  }
  if (prefixes.empty()) return Expression::test(field, test.op, std::move(operands), test.case_mode);
  std::vector<Expression> either;
  if (!operands.empty()) either.push_back(Expression::test(field, test.op, std::move(operands)));
  either.push_back(Expression::test(field, Operator::cidr, std::move(prefixes)));
  return Expression::any_of(std::move(either));
}

Result<Expression> lower_property(const Property& property, const Criterion& test) {
  TRY(Expression comparison, compare(property.field, test));
  std::vector<Expression> parts;
  if (test.polarity == Polarity::negative) {
    if (test.op != Operator::exists) parts.push_back(Expression::test(property.field, Operator::exists, {}));
    comparison = Expression::negate(std::move(comparison));
  }
  if (property.entity == Entity::written_file) {
    std::vector<Operand> actions{std::string("create"), std::string("write"), std::string("rename")};
    parts.push_back(Expression::test(Field::event_action, Operator::equal, std::move(actions)));
  }
  if (parts.empty()) return comparison;
  parts.push_back(std::move(comparison));
  return Expression::all_of(std::move(parts));
}

// A criterion on the events of one scope: the alternatives that say something of what the event is about, and those
// that speak of the acting process alone.
struct Halves {
  std::vector<Expression> subject;
  std::vector<Expression> actor;
};

// Adds an alternative. Tests that differ in their operands alone become one, so that long lists are one set for the
// matcher and one test of the limit.
void add_alternative(std::vector<Expression>& alternatives, Expression added) {
  auto* test = std::get_if<query::Test>(&added.node);
  if (test == nullptr || test->op == Operator::exists) {
    alternatives.push_back(std::move(added));
    return;
  }
  for (Expression& each : alternatives) {
    auto* other = std::get_if<query::Test>(&each.node);
    const bool alike =
        other != nullptr && other->field == test->field && other->op == test->op && other->case_mode == test->case_mode;
    if (!alike) continue;
    std::move(test->operands.begin(), test->operands.end(), std::back_inserter(other->operands));
    return;
  }
  alternatives.push_back(std::move(added));
}

class ScopeLowering {
 public:
  explicit ScopeLowering(Scope scope) : scope_(scope) {}

  Result<Halves> lower(const Criterion& criterion, int depth) const {
    if (depth > query::kDepthMax) return fail(Errc::invalid_argument, "the conditions are nested too deeply");
    switch (criterion.kind) {
      case Criterion::Kind::test: return lower_test(criterion);
      case Criterion::Kind::any: return lower_any(criterion, depth);
      case Criterion::Kind::all: return lower_all(criterion, depth);
    }
    return Halves{};
  }

 private:
  // Several properties stand for one value: any of them may have it, and none of them may where it is negated.
  Result<Halves> lower_test(const Criterion& test) const {
    Halves halves;
    std::vector<Expression> subject;
    std::vector<Expression> actor;
    for (const Property& property : test.properties) {
      const Role role = role_of(property.entity, scope_);
      if (role == Role::none) continue;
      TRY(Expression lowered, lower_property(property, test));
      (role == Role::subject ? subject : actor).push_back(std::move(lowered));
    }
    if (test.polarity == Polarity::positive) return Halves{std::move(subject), std::move(actor)};
    if (!subject.empty()) halves.subject.push_back(Expression::all_of(std::move(subject)));
    if (!actor.empty()) halves.actor.push_back(Expression::all_of(std::move(actor)));
    return halves;
  }

  Result<Halves> lower_any(const Criterion& criterion, int depth) const {
    Halves halves;
    for (const Criterion& child : criterion.children) {
      TRY(Halves lowered, lower(child, depth + 1));
      for (Expression& each : lowered.subject) add_alternative(halves.subject, std::move(each));
      for (Expression& each : lowered.actor) add_alternative(halves.actor, std::move(each));
    }
    return halves;
  }

  // About the event's subject if any part is.
  Result<Halves> lower_all(const Criterion& criterion, int depth) const {
    std::vector<Expression> parts;
    bool about_subject = false;
    for (const Criterion& child : criterion.children) {
      TRY(Halves lowered, lower(child, depth + 1));
      about_subject = about_subject || !lowered.subject.empty();
      std::move(lowered.actor.begin(), lowered.actor.end(), std::back_inserter(lowered.subject));
      if (lowered.subject.empty()) return Halves{};
      parts.push_back(Expression::any_of(std::move(lowered.subject)));
    }
    Halves halves;
    if (!parts.empty()) (about_subject ? halves.subject : halves.actor).push_back(Expression::all_of(std::move(parts)));
    return halves;
  }

  Scope scope_;
};

}  // namespace

namespace {

// Why agents here do not tell of the property; "" where they do.
std::string_view missing_on_agents(const Property& property) {
  switch (property.entity) {
    case Entity::looked_up_name: return "name look-ups";
    case Entity::loaded_file: return "files that are loaded";
    case Entity::registry_value: return "the Windows registry";
    case Entity::log_record: return "records of logs";
    case Entity::file:
    case Entity::written_file:
    case Entity::started_process:
    case Entity::acting_process:
    case Entity::connection:
    case Entity::outbound:
    case Entity::inbound: break;
  }
  const bool of_a_file = property.entity == Entity::file || property.entity == Entity::written_file;
  if (event::info(property.field).type == FieldType::hash) {
    return property.field != Field::process_hash_sha256 || of_a_file ? "hashes but the SHA-256 of programs" : "";
  }
  return property.field == Field::destination_domain ? "names of other hosts" : "";
}

}  // namespace

std::string missing_on_agents(const std::vector<Property>& properties) {
  std::string missing;
  for (const Property& property : properties) {
    const std::string_view why = missing_on_agents(property);
    if (why.empty()) return "";
    if (missing.find(why) == std::string::npos) missing += (missing.empty() ? "" : ", ") + std::string(why);
  }
  if (missing.empty()) return "";
  return "found in records that are sent in alone: agents on Linux do not tell of " + missing;
}

Status check_test(const Criterion& test) {
  for (const Property& property : test.properties) {
    TRY(Expression lowered, lower_property(property, test));
    TRY_STATUS(query::normalize(std::move(lowered)));
  }
  return {};
}

Result<Expression> lower_criterion(const Criterion& criterion) {
  std::vector<Expression> scopes;
  for (const Scope scope : kScopes) {
    TRY(Halves halves, ScopeLowering(scope).lower(criterion, 1));
    if (halves.subject.empty()) continue;
    std::vector<Expression> both;
    both.push_back(scope_guard(scope));
    both.push_back(Expression::any_of(std::move(halves.subject)));
    scopes.push_back(Expression::all_of(std::move(both)));
  }
  return query::normalize(Expression::any_of(std::move(scopes)));
}

bool never_holds(const Expression& normalized) {
  const auto* node = std::get_if<query::Or>(&normalized.node);
  return node != nullptr && node->children.empty();
}

}  // namespace redoubt::rules
