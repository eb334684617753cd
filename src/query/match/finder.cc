#include "query/match/finder.h"

#include <algorithm>

#include "base/text.h"

namespace redoubt::query::match {

Finder::Finder() = default;

void Finder::add(const Trigger& trigger, TriggerId id) {
  OfForm& form = forms_[static_cast<size_t>(trigger.form)];
  const bool is_text = trigger.kind != TriggerKind::number && trigger.kind != TriggerKind::prefix;
  has_other_triggers_ = has_other_triggers_ || !is_text || trigger.text.empty();
  finds_in_parts_ = finds_in_parts_ && trigger.kind == TriggerKind::anywhere && trigger.text.size() <= kPartLiteralMax;
  // One more than are looked for ahead says that there are too many.
  if (is_text && texts_.size() <= CaselessLook::kLiteralsMax) texts_.push_back(base::fold_case(trigger.text));
  switch (trigger.kind) {
    case TriggerKind::whole: form.whole.add(trigger.text, id); break;
    case TriggerKind::start: form.start.add(trigger.text, id); break;
    case TriggerKind::end: form.end.add(trigger.text, id); break;
    case TriggerKind::anywhere: form.anywhere.add(trigger.text, id); break;
    case TriggerKind::prefix: form.prefixes.add(trigger.text, id); break;
    case TriggerKind::number: numbers_.emplace_back(trigger.number, id); break;
  }
}

bool Finder::looks_for_all_of(const Finder& other) const {
  const auto is_looked_for = [this](const std::string& text) {
    return std::find(texts_.begin(), texts_.end(), text) != texts_.end();
  };
  return can_look_ahead() && other.can_look_ahead() &&
         std::all_of(other.texts_.begin(), other.texts_.end(), is_looked_for);
}

Status Finder::build(LiteralScanner::Engine engine, ScanScratch& scratch) {
  const bool scans =
      std::any_of(forms_.begin(), forms_.end(), [](const OfForm& form) { return !form.anywhere.empty(); });
  if (scans && !has_other_triggers_) TRY_STATUS(look_.build(texts_, scratch));
  texts_ = {};
  std::sort(numbers_.begin(), numbers_.end());
  for (OfForm& form : forms_) {
    form.whole.build();
    form.start.build();
    form.end.build();
    form.prefixes.build();
    // A scan costs more than a few look-ups however few its literals are.
    constexpr size_t kScanLooks = 8;
    looks_ += (form.whole.empty() ? 0 : 1) + form.start.looks() + form.end.looks() +
              (form.anywhere.empty() ? 0 : kScanLooks) + (form.prefixes.empty() ? 0 : kScanLooks);
    TRY_STATUS(form.anywhere.build(engine, scratch));
  }
  return {};
}

void Finder::find_text(Form form, std::string_view text, ScanScratch& scratch, std::vector<TriggerId>& fired) const {
  const OfForm& tables = forms_[static_cast<size_t>(form)];
  tables.whole.find(text, fired);
  tables.start.find(text, fired);
  tables.end.find(text, fired);
  if (!tables.anywhere.empty()) tables.anywhere.find(text, scratch, fired);
  tables.prefixes.find(text, fired);
}

void Finder::find_number(int64_t number, std::vector<TriggerId>& fired) const {
  auto at = std::lower_bound(numbers_.begin(), numbers_.end(), std::pair<int64_t, TriggerId>(number, 0));
  for (; at != numbers_.end() && at->first == number; ++at) fired.push_back(at->second);
}

}  // namespace redoubt::query::match
