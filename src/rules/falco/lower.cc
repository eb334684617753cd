#include "rules/falco/lower.h"

#include <algorithm>
#include <map>

#include "rules/falco/field_source.h"
#include "rules/falco/test_lowering.h"
#include "rules/falco/vocabulary.h"

namespace redoubt::rules::falco {

namespace {

using query::Expression;

// More event types than this are no choice of the rule's author.
constexpr size_t kNamedEventsMax = 100;
constexpr size_t kTextsMax = 64;

void add_text(std::vector<std::string>& texts, const std::string& text) {
  if (texts.size() < kTextsMax && std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
}

// Written as Expression::constant() does; what run() returns holds no constant inside.
template <bool kValue>
bool is_constant(const Expression& expression) {
  const auto* all = std::get_if<query::And>(&expression.node);
  const auto* any = std::get_if<query::Or>(&expression.node);
  return kValue ? all != nullptr && all->children.empty() : any != nullptr && any->children.empty();
}

// The condition on events of one kind.
struct ClassLowering {
  EventClass event_class;
  std::vector<std::string> notes;

  Judgement run(const Filter& filter) {
    switch (filter.kind) {
      case FilterKind::check: return run_check(filter);
      case FilterKind::macro: return Judgement::not_known("macro " + filter.macro + " is not resolved");
      case FilterKind::negation: {
        Judgement inner = run(filter.children.front());
        if (!inner.unknown.empty()) return inner;
        if (is_constant<true>(inner.expression)) return Judgement::of(Expression::constant(false));
        if (is_constant<false>(inner.expression)) return Judgement::of(Expression::constant(true));
        inner.expression = Expression::negate(std::move(inner.expression));
        return inner;
      }
      case FilterKind::all: return run_chain<false>(filter);
      case FilterKind::any: return run_chain<true>(filter);
    }
    return Judgement::of(Expression::constant(false));
  }

  Judgement run_check(const Filter& filter) {
    Judgement check = lower_check(filter, event_class);
    if (!check.unknown.empty()) return check;
    if (!check.note.empty()) add_text(notes, check.note);
    const auto value = constant_of(check.expression);
    return value ? Judgement::of(Expression::constant(*value)) : std::move(check);
  }

  // What is not known does not matter beside a child that decides: false in an `and`, true in an `or`.
  template <bool kDeciding>
  Judgement run_chain(const Filter& filter) {
    std::vector<Expression> children;
    std::string unknown;
    const std::vector<std::string> notes_before = std::move(notes);
    std::vector<std::string> notes_of_all = notes_before;
    for (const Filter& child : filter.children) {
      notes.clear();
      Judgement judgement = run(child);
      if (!judgement.unknown.empty()) {
        if (unknown.empty()) unknown = judgement.unknown;
        continue;
      }
      const bool decides = is_constant<kDeciding>(judgement.expression);
      std::vector<std::string> notes_of_child = std::move(notes);
      notes = decides ? notes_before : std::move(notes_of_all);
      for (const std::string& note : notes_of_child) add_text(notes, note);
      if (decides) return Judgement::of(Expression::constant(kDeciding));
      notes_of_all = std::move(notes);
      if (!is_constant<!kDeciding>(judgement.expression)) children.push_back(std::move(judgement.expression));
    }
    notes = std::move(notes_of_all);
    if (!unknown.empty()) return Judgement::not_known(unknown);
    return Judgement::of(kDeciding ? Expression::any_of(std::move(children)) : Expression::all_of(std::move(children)));
  }
};

// Whether the condition can only be true of those calls of the class that are events.
bool keeps_within(const Filter& filter, const EventClassInfo& row) {
  const auto keeps = [&](const Filter& child) { return keeps_within(child, row); };
  const auto& children = filter.children;
  switch (filter.kind) {
    case FilterKind::all: return std::any_of(children.begin(), children.end(), keeps);
    case FilterKind::any: return std::all_of(children.begin(), children.end(), keeps);
    case FilterKind::macro:
    case FilterKind::negation: return false;
    case FilterKind::check: break;
  }
  const std::string& name = filter.left.text;
  const bool is_positive = filter.op == CheckOperator::equal || filter.op == CheckOperator::in ||
                           filter.op == CheckOperator::intersects || filter.op == CheckOperator::contains;
  if (filter.left.kind != TermKind::field || !is_positive || filter.values.empty()) {
    return false;
  }
  const auto all_values = [&](auto test) { return std::all_of(filter.values.begin(), filter.values.end(), test); };
  if (name == "evt.type") {
    return all_values([&](const Term& value) { return !is_listed(row.events, value.text); });
  }
  return name == row.limit.field &&
         all_values([&](const Term& value) { return is_listed(row.limit.values, value.text); });
}

// Kinds of event on which the condition comes to the same.
struct Group {
  std::vector<EventClass> classes;
  Expression condition;
};

struct Lowering {
  Lowered result;
  std::map<std::string, Group> groups;  // by the condition's text
  EventNameSet types;
  EventNameSet covered;

  void run(const Filter& filter) {
    types = event_types_of(filter);
    for (const EventClassInfo& row : event_classes()) {
      if (!covers(row)) continue;
      ClassLowering lowering{row.event_class, {}};
      Judgement judgement = lowering.run(filter);
      const std::string text = judgement.unknown.empty() ? query::to_text(judgement.expression) : "";
      if (!judgement.unknown.empty()) {
        add_text(result.reasons, judgement.unknown);
      } else if (!is_constant<false>(judgement.expression)) {
        for (const std::string& note : lowering.notes) add_text(result.notes, note);
        const bool is_named = types.count() <= kNamedEventsMax;
        if (is_named && !row.limit.text.empty() && !keeps_within(filter, row))
          add_text(result.notes, std::string(row.limit.text));
        Group& group = groups[text];
        group.classes.push_back(row.event_class);
        if (group.classes.size() == 1) group.condition = std::move(judgement.expression);
      }
    }
    join();
  }

  bool covers(const EventClassInfo& row) {
    bool any = false;
    for (const std::string_view all : {row.events, row.rare}) {
      std::string_view names = all;
      while (!names.empty()) {
        const size_t end = std::min(names.find(' '), names.size());
        const auto index = event_name_index(names.substr(0, end));
        if (index && types.test(*index)) {
          covered.set(*index);
          any = true;
        }
        names.remove_prefix(std::min(end + 1, names.size()));
      }
    }
    return any;
  }

  void join() {
    if (types.count() <= kNamedEventsMax) {
      for (size_t i = 0; i < event_names().size(); ++i) {
        if (!types.test(i) || covered.test(i)) continue;
        std::string text = "event " + std::string(event_names()[i]) + " is not seen here";
        add_text(groups.empty() ? result.reasons : result.notes, text);
      }
    }
    if (groups.empty()) {
      if (result.reasons.empty()) result.reasons.emplace_back("the condition is never true of the events seen here");
      return;
    }
    std::vector<Expression> alternatives;
    for (auto& [text, group] : groups) {
      std::vector<Expression> kinds;
      for (const EventClass event_class : group.classes) kinds.push_back(events_of(event_class));
      std::vector<Expression> both;
      both.push_back(Expression::any_of(std::move(kinds)));
      both.push_back(std::move(group.condition));
      alternatives.push_back(Expression::all_of(std::move(both)));
    }
    auto normalized = query::normalize(Expression::any_of(std::move(alternatives)));
    if (normalized) {
      result.expression = *std::move(normalized);
      for (const std::string& reason : result.reasons) add_text(result.notes, reason);
      result.reasons.clear();
    } else {
      result.reasons.push_back(normalized.error().message);
    }
  }
};

}  // namespace

Lowered lower_filter(const Filter& filter) {
  Lowering lowering;
  lowering.run(filter);
  return std::move(lowering.result);
}

}  // namespace redoubt::rules::falco
