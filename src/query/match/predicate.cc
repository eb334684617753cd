#include "query/match/predicate.h"

#include <re2/re2.h>
#include <algorithm>

#include "base/text.h"

namespace redoubt::query::match {

using event::Field;
using event::Value;

struct PredicateSet::Predicate {
  Test test;  // operands that a group finds are taken out
  Form form = Form::raw;
  GroupId group = kNoGroup;
  event::EventTypeSet types = 0;  // of an equality of event.type
  std::vector<std::unique_ptr<re2::RE2>> regexes;
};

// The constants of one field in one form under one operator.
struct PredicateSet::Group {
  Field field;
  std::string attribute;
  Form form;
  Operator op;
  LiteralTable table;      // equal, starts_with, ends_with
  LiteralScanner scanner;  // contains
  std::unordered_map<int64_t, std::vector<PredicateId>> numbers;
};

PredicateSet::PredicateSet() = default;
PredicateSet::PredicateSet(PredicateSet&&) noexcept = default;
PredicateSet& PredicateSet::operator=(PredicateSet&&) noexcept = default;
PredicateSet::~PredicateSet() = default;

void Scratch::next_event(const event::Row& next) {
  row = &next;
  fired.clear();
  if (++event != 0) return;
  // The stamp has come round: old ones must not look new.
  std::fill(known.begin(), known.end(), 0);
  std::fill(holds.begin(), holds.end(), 0);
  std::fill(group_done.begin(), group_done.end(), 0);
  folded_for.fill(0);
  event = 1;
}

namespace {

bool is_grouped(const Test& test) {
  if (test.field == Field::event_type) return false;
  if (test.field == Field::attributes && test.attribute.empty()) return test.op == Operator::contains;
  if (!event::is_textual(event::info(test.field).type)) return test.op == Operator::equal;
  return test.op == Operator::equal || test.op == Operator::starts_with || test.op == Operator::ends_with ||
         test.op == Operator::contains;
}

Anchor anchor_of(Operator op) {
  if (op == Operator::starts_with) return Anchor::start;
  return op == Operator::ends_with ? Anchor::end : Anchor::whole;
}

event::EventTypeSet types_of(const Test& test) {
  event::EventTypeSet types = 0;
  for (const Operand& operand : test.operands) {
    const auto* name = std::get_if<std::string>(&operand);
    const auto type = name != nullptr ? event::event_type_named(*name) : std::nullopt;
    if (type) types |= event::set_of(*type);
  }
  return types;
}

Result<std::unique_ptr<re2::RE2>> compile_regex(const std::string& source) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryMax);
  auto regex = std::make_unique<re2::RE2>(source, options);
  if (!regex->ok()) return fail(Errc::invalid_argument, "regular expression '" + source + "': " + regex->error());
  return regex;
}

std::string_view text_in_form(Field field, Form form, std::string_view raw, Scratch& scratch) {
  if (form == Form::raw) return raw;
  if (field == Field::attributes) {
    base::fold_case_into(raw, scratch.folded_attribute);
    return scratch.folded_attribute;
  }
  const auto at = static_cast<size_t>(field);
  if (scratch.folded_for[at] != scratch.event) {
    base::fold_case_into(raw, scratch.folded[at]);
    scratch.folded_for[at] = scratch.event;
  }
  return scratch.folded[at];
}

template <class T>
bool ordered(Operator op, const T& left, const T& right) {
  switch (op) {
    case Operator::equal: return left == right;
    case Operator::less: return left < right;
    case Operator::less_equal: return left <= right;
    case Operator::greater: return left > right;
    case Operator::greater_equal: return left >= right;
    case Operator::contains:
    case Operator::starts_with:
    case Operator::ends_with:
    case Operator::like:
    case Operator::regex:
    case Operator::cidr:
    case Operator::exists: return false;
  }
  return false;
}

bool number_holds(const Test& test, int64_t number, const event::Row& row) {
  return std::any_of(test.operands.begin(), test.operands.end(), [&](const Operand& operand) {
    if (const auto* constant = std::get_if<int64_t>(&operand)) return ordered(test.op, number, *constant);
    // An attribute is text: normalize() lets none be compared with a number.
    const auto* field = std::get_if<Field>(&operand);
    const Value other = field != nullptr ? row.get(*field) : Value();
    return other.present() && !other.is_text() && ordered(test.op, number, other.integer());
  });
}

// True if `holds` is true of a value that the field, the attribute of that name, or any attribute has.
template <class Holds>
bool any_value(Field field, const std::string& attribute, const event::Row& row, Holds holds) {
  if (field != Field::attributes) {
    const Value value = row.get(field);
    return value.present() && holds(value);
  }
  const auto attributes = row.attributes();
  return std::any_of(attributes.begin(), attributes.end(), [&](const event::Attribute& each) {
    return (attribute.empty() || row.attribute_name(each) == attribute) && holds(Value::of_text(each.value));
  });
}

}  // namespace

GroupId PredicateSet::group_for(const Test& test) {
  const Form form = form_of(test.field, test.case_mode);
  for (size_t i = 0; i < groups_.size(); ++i) {
    const Group& group = groups_[i];
    const bool same = group.field == test.field && group.attribute == test.attribute;
    if (same && group.form == form && group.op == test.op) return static_cast<GroupId>(i);
  }
  groups_.push_back({test.field, test.attribute, form, test.op, LiteralTable(anchor_of(test.op)), {}, {}});
  return static_cast<GroupId>(groups_.size() - 1);
}

bool PredicateSet::add_to_group(GroupId id, const Test& test, const Operand& operand, PredicateId predicate) {
  Group& group = groups_[id];
  if (const auto* number = std::get_if<int64_t>(&operand)) {
    group.numbers[*number].push_back(predicate);
    return true;
  }
  const auto* text = std::get_if<std::string>(&operand);
  if (text == nullptr) return false;
  if (test.op == Operator::contains) {
    group.scanner.add(operand_text(test, *text), predicate);
  } else {
    group.table.add(operand_text(test, *text), predicate);
  }
  return true;
}

Result<PredicateId> PredicateSet::intern(const Test& test) {
  const auto id = static_cast<PredicateId>(predicates_.size());
  const auto [at, added] = numbers_.try_emplace(to_text({test}), id);
  if (!added) return at->second;
  Predicate predicate{.test = test, .form = form_of(test.field, test.case_mode)};
  if (test.field == Field::event_type && test.op == Operator::equal) predicate.types = types_of(test);
  if (is_grouped(test)) predicate.group = group_for(test);
  std::vector<Operand> rest;
  for (const Operand& operand : test.operands) {
    if (predicate.group != kNoGroup && add_to_group(predicate.group, test, operand, id)) continue;
    const auto* text = std::get_if<std::string>(&operand);
    if (text != nullptr && test.op == Operator::regex) {
      TRY(auto regex, compile_regex(operand_text(test, *text)));
      predicate.regexes.push_back(std::move(regex));
    } else {
      rest.push_back(text != nullptr ? Operand(operand_text(test, *text)) : operand);
    }
  }
  predicate.test.operands = std::move(rest);
  predicates_.push_back(std::move(predicate));
  return id;
}

void PredicateSet::build() {
  for (Group& group : groups_) group.scanner.build();
  numbers_.clear();
}

size_t PredicateSet::size() const { return predicates_.size(); }

size_t PredicateSet::group_count() const { return groups_.size(); }

GroupId PredicateSet::group_of(PredicateId id) const { return predicates_[id].group; }

void PredicateSet::run_group(GroupId id, Scratch& scratch) const {
  if (scratch.group_done[id] == scratch.event) return;
  scratch.group_done[id] = scratch.event;
  const Group& group = groups_[id];
  const auto found = [&scratch](PredicateId predicate) {
    if (scratch.holds[predicate] == scratch.event) return;
    scratch.holds[predicate] = scratch.event;
    scratch.fired.push_back(predicate);
  };
  any_value(group.field, group.attribute, *scratch.row, [&](const Value& value) {
    if (!value.is_text()) {
      const auto at = group.numbers.find(value.integer());
      if (at != group.numbers.end()) std::for_each(at->second.begin(), at->second.end(), found);
      return false;
    }
    const std::string_view text = text_in_form(group.field, group.form, value.text(), scratch);
    if (group.op == Operator::contains) {
      group.scanner.find(text, found);
    } else {
      group.table.find(text, found);
    }
    return false;
  });
}

bool PredicateSet::holds(PredicateId id, Scratch& scratch) const {
  if (scratch.known[id] == scratch.event) return scratch.holds[id] == scratch.event;
  scratch.known[id] = scratch.event;
  const Predicate& predicate = predicates_[id];
  if (predicate.group != kNoGroup) run_group(predicate.group, scratch);
  if (scratch.holds[id] == scratch.event) return true;
  if (!evaluate(predicate, scratch)) return false;
  scratch.holds[id] = scratch.event;
  return true;
}

bool PredicateSet::evaluate(const Predicate& predicate, Scratch& scratch) const {
  const Test& test = predicate.test;
  if (predicate.types != 0 && (predicate.types & event::set_of(scratch.row->type())) != 0) return true;
  return any_value(test.field, test.attribute, *scratch.row, [&](const Value& value) {
    if (test.op == Operator::exists) return true;
    if (!value.is_text()) return number_holds(test, value.integer(), *scratch.row);
    if (test.field == Field::attributes && is_ordering(test.op)) {
      const auto number = number_of(value.text());
      return number && number_holds(test, *number, *scratch.row);
    }
    return evaluate_text(predicate, value.text(), scratch);
  });
}

bool PredicateSet::evaluate_text(const Predicate& predicate, std::string_view text, Scratch& scratch) const {
  const Test& test = predicate.test;
  if (test.op == Operator::regex) {
    return std::any_of(predicate.regexes.begin(), predicate.regexes.end(), [&](const auto& regex) {
      return regex->Match(text, 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
    });
  }
  if (test.operands.empty()) return false;
  const std::string_view left = text_in_form(test.field, predicate.form, text, scratch);
  return std::any_of(test.operands.begin(), test.operands.end(), [&](const Operand& operand) {
    if (const auto* constant = std::get_if<std::string>(&operand)) return text_holds(test.op, left, *constant);
    if (const auto* attribute = std::get_if<AttributeName>(&operand)) {
      const Value other = scratch.row->attribute(attribute->name);
      return other.is_text() && text_holds(test.op, left, in_form(predicate.form, other.text()));
    }
    const auto* field = std::get_if<Field>(&operand);
    const Value other = field != nullptr ? scratch.row->get(*field) : Value();
    if (!other.is_text()) return false;
    return text_holds(test.op, left, text_in_form(*field, predicate.form, other.text(), scratch));
  });
}

}  // namespace redoubt::query::match
