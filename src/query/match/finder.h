// Triggers: single comparisons of one slot with a constant, of which a rule cannot do without one. A Finder holds those
// of one slot and finds all that fire on a value at once. Built once, then read-only; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "query/match/hyperscan_literals.h"
#include "query/match/literals.h"
#include "query/match/prefixes.h"
#include "query/match/slots.h"

namespace redoubt::query::match {

using TriggerId = LiteralId;

enum class TriggerKind : uint8_t { whole, start, end, anywhere, number, prefix };

struct Trigger {
  SlotId slot = 0;
  TriggerKind kind = TriggerKind::whole;
  Form form = Form::raw;
  std::string text{};  // in that form
  int64_t number = 0;

  friend auto operator<=>(const Trigger&, const Trigger&) = default;
};

class Finder {
 public:
  Finder();
  // A trigger of this slot, each once.
  void add(const Trigger& trigger, TriggerId id);
  // True where this one's look ahead is one for the other too: it looks for every text that the other's triggers need.
  // Before build().
  bool looks_for_all_of(const Finder& other) const;
  // After the last add().
  Status build(LiteralScanner::Engine engine, ScanScratch& scratch);

  // True where finding costs more than looking up what was found on the text before.
  bool is_dear() const { return looks_ > kCheapLooks; }
  // True where all triggers are literals anywhere, short enough to be looked for in the parts of a text.
  bool finds_in_parts() const { return finds_in_parts_; }
  bool wants(Form form) const { return !forms_[static_cast<size_t>(form)].empty(); }
  // A quick look ahead: false where no trigger fires on the text or on any part of it.
  bool may_fire_in(std::string_view text, ScanScratch& scratch) const { return look_.may_hold(text, scratch); }
  // Append the triggers that fire on the text in that form; a trigger may come twice.
  void find_text(Form form, std::string_view text, ScanScratch& scratch, std::vector<TriggerId>& fired) const;
  void find_number(int64_t number, std::vector<TriggerId>& fired) const;

 private:
  static constexpr size_t kCheapLooks = 2;

  struct OfForm {
    LiteralTable whole{Anchor::whole};
    LiteralTable start{Anchor::start};
    LiteralTable end{Anchor::end};
    LiteralScanner anywhere;
    PrefixTable prefixes;

    bool empty() const { return whole.empty() && start.empty() && end.empty() && anywhere.empty() && prefixes.empty(); }
  };

  std::array<OfForm, 2> forms_;  // by Form
  std::vector<std::pair<int64_t, TriggerId>> numbers_;
  bool can_look_ahead() const { return !has_other_triggers_ && texts_.size() <= CaselessLook::kLiteralsMax; }

  std::vector<std::string> texts_;   // of the triggers, folded, until build()
  bool has_other_triggers_ = false;  // than of texts
  size_t looks_ = 0;                 // of a find_text(), at most
  bool finds_in_parts_ = true;
  CaselessLook look_;
};

}  // namespace redoubt::query::match
