#include "query/match/literal_parts.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>
#include <algorithm>
#include <numeric>
#include <optional>

#include "query/match/needle.h"
#include "query/pattern.h"
#include "query/semantics.h"

namespace redoubt::query::match {

namespace {

using event::Field;

constexpr int kTriggerBytesMin = 3;
constexpr size_t kAtomsMax = 256;

// The pieces between wildcards.
std::vector<std::string_view> pieces_of(std::string_view pattern) {
  std::vector<std::string_view> pieces(1);
  size_t start = 0;
  for (size_t at = 0; at < pattern.size();) {
    const std::string_view rest = pattern.substr(at);
    const bool wild = rest.starts_with(kAnyRunUtf8) || rest.starts_with(kAnyOneUtf8);
    at += wild ? kAnyRunUtf8.size() : 1;
    if (wild) {
      start = at;
      pieces.emplace_back();
    } else {
      pieces.back() = pattern.substr(start, at - start);
    }
  }
  return pieces;
}

// The longest piece, at its place.
std::optional<Trigger> trigger_of_pattern(Trigger trigger, std::string_view pattern) {
  const auto pieces = pieces_of(pattern);
  const auto longest = std::max_element(pieces.begin(), pieces.end(),
                                        [](std::string_view a, std::string_view b) { return a.size() < b.size(); });
  if (longest->empty()) return std::nullopt;
  const bool first = longest == pieces.begin();
  const bool last = longest + 1 == pieces.end();
  trigger.kind = first && last ? TriggerKind::whole
                 : first       ? TriggerKind::start
                 : last        ? TriggerKind::end
                               : TriggerKind::anywhere;
  trigger.text = *longest;
  return trigger;
}

// Whether the expression may match a text that has the lower-case literals `present` and no others of its atoms.
bool may_match(const re2::FilteredRE2& filter, const std::vector<int>& present) {
  std::vector<int> potential;
  filter.AllPotentials(present, &potential);
  return !potential.empty();
}

TriggerKind kind_of(Operator op) {
  if (op == Operator::starts_with) return TriggerKind::start;
  if (op == Operator::ends_with) return TriggerKind::end;
  return op == Operator::contains ? TriggerKind::anywhere : TriggerKind::whole;
}

// Appends those of one operand; false where it has none.
bool add_triggers(const Test& test, const Operand& operand, Trigger trigger, std::vector<Trigger>& out) {
  if (const auto* number = std::get_if<int64_t>(&operand)) {
    trigger.kind = TriggerKind::number;
    trigger.number = *number;
    out.push_back(std::move(trigger));
    return test.op == Operator::equal;
  }
  const auto* text = std::get_if<std::string>(&operand);
  if (text == nullptr) return false;
  if (test.op == Operator::regex) {
    trigger.kind = TriggerKind::anywhere;
    trigger.form = Form::folded;
    const auto atoms = atoms_of(operand_text(test, *text), kTriggerBytesMin);
    for (const std::string& atom : atoms) {
      trigger.text = atom;
      out.push_back(trigger);
    }
    return !atoms.empty();
  }
  const std::string literal = operand_text(test, *text);
  if (test.op == Operator::like) {
    auto piece = trigger_of_pattern(std::move(trigger), literal);
    if (piece) out.push_back(*std::move(piece));
    return piece.has_value();
  }
  trigger.kind = test.op == Operator::cidr ? TriggerKind::prefix : kind_of(test.op);
  trigger.text = literal;
  out.push_back(std::move(trigger));
  // What every text has says nothing.
  return !literal.empty() || test.op == Operator::equal;
}

}  // namespace

std::vector<std::string> atoms_of(const std::string& source, int bytes_min) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryMax);
  re2::FilteredRE2 filter(bytes_min);
  int id = 0;
  if (filter.Add(source, options, &id) != re2::RE2::NoError) return {};
  std::vector<std::string> atoms;
  filter.Compile(&atoms);
  if (atoms.empty() || atoms.size() > kAtomsMax || may_match(filter, {})) return {};
  // Those that need not be looked for are left out, the frequent ones first: short ones of frequent bytes.
  constexpr size_t kRareByteWorth = 3;
  const auto rarity = [&](int atom) {
    const std::string& text = atoms[static_cast<size_t>(atom)];
    return text.size() + kRareByteWorth * rare_bytes(text);
  };
  std::vector<int> order(atoms.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return rarity(a) < rarity(b); });
  std::vector<int> left_out;
  std::vector<std::string> kept;
  for (const int atom : order) {
    left_out.push_back(atom);
    // The functions of RE2 take the numbers in order.
    std::vector<int> sorted = left_out;
    std::sort(sorted.begin(), sorted.end());
    if (!may_match(filter, sorted)) continue;
    left_out.pop_back();
    kept.push_back(atoms[static_cast<size_t>(atom)]);
  }
  // RE2's lower case and our folding are the same for ASCII alone: what RE2 takes for a letter of it, we fold to it.
  if (!std::all_of(kept.begin(), kept.end(), is_ascii)) return {};
  return kept;
}

std::vector<Trigger> triggers_of(const Test& test, SlotTable& slots) {
  // Types are the first index already, most events have most fields, and an order holds for many values.
  const bool telling = test.field != Field::event_type && test.op != Operator::exists && !is_ordering(test.op) &&
                       test.part == TimePart::none;
  if (!telling) return {};
  const Trigger trigger{.slot = slots.number(test.field, test.attribute), .form = form_of(test.field, test.case_mode)};
  std::vector<Trigger> triggers;
  for (const Operand& operand : test.operands) {
    if (!add_triggers(test, operand, trigger, triggers)) return {};
  }
  return triggers;
}

}  // namespace redoubt::query::match
