#include "query/match/predicate.h"

#include <re2/re2.h>
#include <algorithm>

#include "query/match/literal_parts.h"
#include "query/match/needle.h"
#include "query/match/prefixes.h"

namespace redoubt::query::match {

using event::Field;
using event::Value;

namespace {

// From how many constants on tables and scanners are quicker than one comparison after the other.
constexpr size_t kTableOperandsMin = 8;
constexpr size_t kScannerOperandsMin = 4;
// Looking for few literals in a shorter text costs less than a look-up in a table that is in no near cache.
constexpr size_t kQuickTextMax = 96;

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

struct Regex {
  std::unique_ptr<re2::RE2> regex;
  re2::RE2::Anchor anchor;
  std::vector<Needle> atoms{};  // one of them is in every text that it matches, once that is folded; none: not known

  bool has_atom_in(std::string_view folded) const {
    return std::any_of(atoms.begin(), atoms.end(), [&](const Needle& atom) { return atom.is_in(folded); });
  }
  bool is_in(std::string_view text) const { return regex->Match(text, 0, text.size(), anchor, nullptr, 0); }
};

constexpr int kNeedleBytesMin = 2;
// Past this many, looking for them costs as much as the expression.
constexpr size_t kNeedlesMax = 8;

std::vector<Needle> needles_of(const std::string& regex) {
  std::vector<Needle> needles;
  std::vector<std::string> atoms = atoms_of(regex, kNeedleBytesMin);
  if (atoms.size() > kNeedlesMax) return {};
  for (std::string& atom : atoms) needles.emplace_back(std::move(atom));
  return needles;
}

// Whether a text that has a match has one from its beginning on: an expression that starts with a run of any
// characters, without alternatives. Found there, it is not tried at every place, which takes the square of a number
// such as that of
// `.{1000,}`.
bool starts_with_open_run(std::string_view pattern) {
  static const re2::RE2 kOpenRun(R"(\.(?:[*+]|\{\d+,\})[^|()]*|\.\{\d+\})");
  return re2::RE2::FullMatch(pattern, kOpenRun);
}

Result<std::unique_ptr<re2::RE2>> compile_regex(const std::string& source) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemoryMax);
  auto regex = std::make_unique<re2::RE2>(source, options);
  if (!regex->ok()) return fail(Errc::invalid_argument, "regular expression '" + source + "': " + regex->error());
  return regex;
}

bool number_fits(Operator op, int64_t left, int64_t right) {
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

}  // namespace

struct PredicateSet::Predicate {
  SlotId slot = 0;
  Operator op = Operator::exists;
  Form form = Form::raw;
  TimePart part = TimePart::none;
  event::EventTypeSet types = 0;  // of an equality of event.type
  std::vector<int64_t> numbers;   // ascending
  std::vector<SlotId> slots;      // other fields and attributes that the value is compared with
  std::vector<std::string> texts;
  std::vector<Needle> needles;
  LiteralTable table{Anchor::whole};
  LiteralScanner scanner;
  PrefixTable prefixes;
  std::vector<Regex> regexes;
  // Whether it says the same of the same text, and evaluating it costs more than looking that up: for a text of so many
  // bytes or more.
  size_t remembered_from = SIZE_MAX;
  // Whether it looks for literals alone that are short enough to be looked for in the parts of a text.
  bool is_found_in_parts = false;
};

PredicateSet::PredicateSet(SlotTable& slots) : slots_(slots) {}
PredicateSet::~PredicateSet() = default;

Status PredicateSet::add_constants(const Test& test, Predicate& predicate) {
  for (const Operand& operand : test.operands) {
    if (const auto* number = std::get_if<int64_t>(&operand)) {
      predicate.numbers.push_back(*number);
    } else if (const auto* field = std::get_if<Field>(&operand)) {
      predicate.slots.push_back(slots_.number(*field, ""));
    } else if (const auto* attribute = std::get_if<AttributeName>(&operand)) {
      predicate.slots.push_back(slots_.number(Field::attributes, attribute->name));
    } else {
      const auto& pattern = std::get<std::string>(operand);
      const std::string text = operand_text(test, pattern);
      if (test.op == Operator::regex) {
        TRY(auto regex, compile_regex(text));
        const auto anchor = starts_with_open_run(pattern) ? re2::RE2::ANCHOR_START : re2::RE2::UNANCHORED;
        predicate.regexes.push_back({std::move(regex), anchor, needles_of(text)});
      } else if (test.op == Operator::cidr) {
        predicate.prefixes.add(text, 0);
      } else {
        predicate.texts.push_back(text);
      }
    }
  }
  return {};
}

Result<PredicateId> PredicateSet::intern(const Test& test) {
  const auto id = static_cast<PredicateId>(predicates_.size());
  const auto [at, added] = numbers_.try_emplace(to_text({test}), id);
  if (!added) return at->second;
  auto predicate = std::make_unique<Predicate>();
  predicate->slot = slots_.number(test.field, test.attribute);
  predicate->op = test.op;
  predicate->form = form_of(test.field, test.case_mode);
  predicate->part = test.part;
  if (test.field == Field::event_type && test.op == Operator::equal) predicate->types = types_of(test);
  predicate->table = LiteralTable(anchor_of(test.op));
  TRY_STATUS(add_constants(test, *predicate));
  predicates_.push_back(std::move(predicate));
  return id;
}

Status PredicateSet::build(LiteralScanner::Engine engine, ScanScratch& scratch) {
  for (const auto& predicate : predicates_) {
    std::sort(predicate->numbers.begin(), predicate->numbers.end());
    predicate->prefixes.build();
    const bool scanned = predicate->op == Operator::contains && predicate->texts.size() >= kScannerOperandsMin;
    const bool looked_up = (predicate->op == Operator::equal || predicate->op == Operator::starts_with ||
                            predicate->op == Operator::ends_with) &&
                           predicate->texts.size() >= kTableOperandsMin;
    const bool is_search = predicate->op == Operator::contains || predicate->op == Operator::like ||
                           predicate->op == Operator::regex || predicate->op == Operator::cidr;
    if ((is_search || looked_up) && predicate->slots.empty()) {
      const bool is_quick = looked_up || (predicate->op == Operator::contains && !scanned);
      predicate->remembered_from = is_quick ? kQuickTextMax : 0;
    }
    const auto is_short = [](const std::string& text) { return text.size() <= kPartLiteralMax; };
    predicate->is_found_in_parts = predicate->op == Operator::contains && predicate->slots.empty() &&
                                   predicate->slot != kEveryAttribute &&
                                   std::all_of(predicate->texts.begin(), predicate->texts.end(), is_short);
    if (!scanned && predicate->op == Operator::contains) {
      for (std::string& text : predicate->texts) predicate->needles.emplace_back(std::move(text));
      predicate->texts = {};
    }
    if (!scanned && !looked_up) continue;
    for (const std::string& text : predicate->texts) {
      if (scanned) predicate->scanner.add(text, 0);
      if (looked_up) predicate->table.add(text, 0);
    }
    predicate->texts = {};
    predicate->table.build();
    TRY_STATUS(predicate->scanner.build(engine, scratch));
  }
  numbers_ = {};
  return {};
}

bool PredicateSet::holds(PredicateId id, const Scratch& scratch) const {
  const Predicate& predicate = *predicates_[id];
  const event::Row& row = scratch.event.row();
  if (predicate.types != 0 && (predicate.types & event::set_of(row.type())) != 0) return true;
  if (predicate.slot != kEveryAttribute) return slot_holds(id, predicate, scratch);
  const auto attributes = scratch.event.every_attribute();
  return std::any_of(attributes.begin(), attributes.end(), [&](const event::Attribute& each) {
    return value_holds(predicate, Value::of_text(each.value), scratch);
  });
}

bool PredicateSet::slot_holds(PredicateId id, const Predicate& predicate, const Scratch& scratch) const {
  const Value value = scratch.event.value(predicate.slot);
  if (!value.present()) return false;
  if (!value.is_text() || value.text().size() < predicate.remembered_from)
    return value_holds(predicate, value, scratch);
  const TextId text = scratch.event.ids().of(predicate.slot, value);
  const auto known = scratch.texts.find(id, text);
  if (known != TextVerdicts::Known::no) return known == TextVerdicts::Known::is_true;
  const PartedText* const parted =
      predicate.is_found_in_parts ? scratch.event.parted_text(predicate.slot, predicate.form) : nullptr;
  const bool holds =
      parted != nullptr ? parts_hold(id, predicate, *parted, scratch) : value_holds(predicate, value, scratch);
  scratch.texts.keep(id, text, holds ? TextVerdicts::Known::is_true : TextVerdicts::Known::is_false);
  return holds;
}

bool PredicateSet::parts_hold(PredicateId id, const Predicate& predicate, const PartedText& parted,
                              const Scratch& scratch) const {
  using Known = TextVerdicts::Known;
  Known common = scratch.texts.find(id, parted.common);
  if (common == Known::no) {
    const bool holds =
        literal_holds(predicate, parted.before, scratch) || literal_holds(predicate, parted.behind, scratch);
    common = holds ? Known::is_true : Known::is_false;
    scratch.texts.keep(id, parted.common, common);
  }
  return common == Known::is_true || literal_holds(predicate, parted.middle, scratch);
}

bool PredicateSet::value_holds(const Predicate& predicate, const Value& value, const Scratch& scratch) const {
  if (predicate.op == Operator::exists) return true;
  if (value.is_text() && !is_ordering(predicate.op)) return text_holds_any(predicate, value.text(), scratch);
  // A text that is ordered is an attribute, and normalize() lets none be compared with a number of another slot.
  auto number = value.is_text() ? number_of(value.text()) : value.integer();
  if (!number) return false;
  if (predicate.part != TimePart::none) number = part_of(*number, predicate.part);
  if (predicate.op == Operator::equal) {
    if (std::binary_search(predicate.numbers.begin(), predicate.numbers.end(), *number)) return true;
  } else {
    const auto fits = [&](int64_t constant) { return number_fits(predicate.op, *number, constant); };
    if (std::any_of(predicate.numbers.begin(), predicate.numbers.end(), fits)) return true;
  }
  return std::any_of(predicate.slots.begin(), predicate.slots.end(), [&](SlotId slot) {
    const Value other = scratch.event.value(slot);
    return other.present() && !other.is_text() && number_fits(predicate.op, *number, other.integer());
  });
}

bool PredicateSet::text_holds_any(const Predicate& predicate, std::string_view raw, const Scratch& scratch) const {
  const auto in_form = [&](Form form) {
    return predicate.slot == kEveryAttribute ? scratch.event.passing_text(raw, form)
                                             : scratch.event.text(predicate.slot, form);
  };
  if (predicate.op == Operator::regex) {
    return std::any_of(predicate.regexes.begin(), predicate.regexes.end(), [&](const Regex& regex) {
      return (regex.atoms.empty() || regex.has_atom_in(in_form(Form::folded))) && regex.is_in(raw);
    });
  }
  if (predicate.prefixes.any(raw)) return true;
  const std::string_view text = in_form(predicate.form);
  if (literal_holds(predicate, text, scratch)) return true;
  return std::any_of(predicate.slots.begin(), predicate.slots.end(), [&](SlotId slot) {
    const Value other = scratch.event.value(slot);
    return other.is_text() && text_holds(predicate.op, text, scratch.event.text(slot, predicate.form));
  });
}

// Of a text in the predicate's form.
bool PredicateSet::literal_holds(const Predicate& predicate, std::string_view text, const Scratch& scratch) const {
  const auto fits = [&](std::string_view operand) { return text_holds(predicate.op, text, operand); };
  const auto is_in = [&](const Needle& needle) { return needle.is_in(text); };
  if (std::any_of(predicate.texts.begin(), predicate.texts.end(), fits)) return true;
  if (std::any_of(predicate.needles.begin(), predicate.needles.end(), is_in)) return true;
  if (predicate.table.any(text)) return true;
  if (predicate.scanner.empty()) return false;
  scratch.found.clear();
  predicate.scanner.find(text, scratch.scan, scratch.found);
  return !scratch.found.empty();
}

void Verdicts::start_event() {
  constexpr uint32_t kEvents = uint32_t{1} << 31;
  if (++event_ != kEvents) return;
  // The stamp has come round: old ones must not look new.
  std::fill(entries_.begin(), entries_.end(), 0);
  event_ = 1;
}

}  // namespace redoubt::query::match
