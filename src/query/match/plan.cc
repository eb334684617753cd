#include "query/match/plan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>

namespace redoubt::query::match {

// The plans while they are made.
struct PlanSet::Draft {
  struct Leads {
    std::vector<RuleId> rules;
    std::vector<PlanId> plans;
  };

  PlanSet& set;
  std::map<std::pair<PlanId, SlotId>, uint32_t> finders;
  std::map<std::pair<PlanId, TriggerSet>, PlanId> by_kind;
  std::map<std::pair<PlanId, TriggerSet>, PlanId> by_exclusion;
  std::map<std::pair<uint32_t, Trigger>, TriggerId> numbers;  // by finder
  std::vector<Leads> leads;                                   // by TriggerId

  PlanId new_plan() {
    set.plans_.emplace_back();
    return static_cast<PlanId>(set.plans_.size() - 1);
  }

  uint32_t finder_of(PlanId plan, SlotId slot) {
    const auto next = static_cast<uint32_t>(set.finders_.size());
    const auto [at, added] = finders.try_emplace({plan, slot}, next);
    if (!added) return at->second;
    set.finders_.emplace_back();
    set.plans_[plan].stations.push_back({slot, next});
    return next;
  }

  Leads& leads_of(PlanId plan, const Trigger& trigger) {
    const uint32_t finder = finder_of(plan, trigger.slot);
    const auto next = static_cast<TriggerId>(leads.size());
    const auto [at, added] = numbers.try_emplace({finder, trigger}, next);
    if (added) {
      set.finders_[finder].add(trigger, next);
      leads.emplace_back();
    }
    return leads[at->second];
  }

  // The plan that the triggers of a kind of record lead to from another.
  PlanId plan_of_kind(PlanId from, const TriggerSet& kind) {
    const auto [at, added] = by_kind.try_emplace({from, kind}, kNoPlan);
    if (!added) return at->second;
    const PlanId plan = new_plan();
    at->second = plan;
    for (const Trigger& trigger : kind) leads_of(from, trigger).plans.push_back(plan);
    return plan;
  }

  // The plan that is run after another unless one of the triggers, all of one slot, fires.
  PlanId plan_unless(PlanId from, const TriggerSet& excluded) {
    const auto [at, added] = by_exclusion.try_emplace({from, excluded}, kNoPlan);
    if (!added) return at->second;
    const PlanId plan = new_plan();
    at->second = plan;
    const auto finder = static_cast<uint32_t>(set.finders_.size());
    set.finders_.emplace_back();
    for (const Trigger& trigger : excluded) set.finders_.back().add(trigger, 0);
    set.plans_[from].guarded.push_back({.unless = {excluded.front().slot, finder}, .plan = plan});
    return plan;
  }

  void add(PlanId plan, RuleId rule, const Gate& gate) {
    if (!gate.excluded.empty()) plan = plan_unless(plan, gate.excluded);
    const bool both = !gate.kind.empty() && !gate.triggers.empty();
    if (both) plan = plan_of_kind(plan, gate.kind);
    const TriggerSet& last = gate.triggers.empty() ? gate.kind : gate.triggers;
    if (last.empty()) set.plans_[plan].always.push_back(rule);
    for (const Trigger& trigger : last) leads_of(plan, trigger).rules.push_back(rule);
  }

  // Keyword rules look for the same words in every attribute and in every field: one look at the batch is for all.
  void gather_words(Plan& plan) const {
    const auto every = std::find_if(plan.stations.begin(), plan.stations.end(),
                                    [](const Station& each) { return each.slot == kEveryAttribute; });
    if (every == plan.stations.end()) return;
    plan.words = every->finder;
    const auto is_other = [&](const Station& each) {
      return each.finder != plan.words && !set.finders_[plan.words].looks_for_all_of(set.finders_[each.finder]);
    };
    const auto first = std::stable_partition(plan.stations.begin(), plan.stations.end(), is_other);
    plan.word_stations.assign(first, plan.stations.end());
    plan.stations.erase(first, plan.stations.end());
  }

  void finish() {
    for (Plan& plan : set.plans_) gather_words(plan);
    for (const Leads& each : leads) {
      set.targets_.push_back({.first_rule = static_cast<uint32_t>(set.target_rules_.size()),
                              .rules = static_cast<uint32_t>(each.rules.size()),
                              .first_plan = static_cast<uint32_t>(set.target_plans_.size()),
                              .plans = static_cast<uint32_t>(each.plans.size())});
      set.target_rules_.insert(set.target_rules_.end(), each.rules.begin(), each.rules.end());
      set.target_plans_.insert(set.target_plans_.end(), each.plans.begin(), each.plans.end());
    }
  }
};

Status PlanSet::build(std::vector<RuleGate> rules, LiteralScanner::Engine engine, ScanScratch& scratch) {
  Draft draft{.set = *this, .finders = {}, .by_kind = {}, .by_exclusion = {}, .numbers = {}, .leads = {}};
  std::array<std::vector<RuleId>, kTypes> of_type;
  wide_ = draft.new_plan();
  event::EventTypeSet known = 0;
  for (const event::EventTypeInfo& type : event::kEventTypes) known |= event::set_of(type.type);
  for (RuleId rule = 0; rule < rules.size(); ++rule) {
    const event::EventTypeSet types = rules[rule].types;
    types_.push_back(types);
    if (std::popcount(types & known) > kNarrowTypesMax) {
      draft.add(wide_, rule, rules[rule].gate);
      continue;
    }
    for (size_t type = 0; type < kTypes; ++type) {
      if ((types >> type & 1) != 0) of_type[type].push_back(rule);
    }
  }
  // Types that have the same rules share a plan.
  std::map<std::vector<RuleId>, PlanId> by_rules;
  for (const std::vector<RuleId>& list : of_type) {
    const auto [at, added] = by_rules.try_emplace(list, kNoPlan);
    if (added) {
      at->second = draft.new_plan();
      for (const RuleId rule : list) draft.add(at->second, rule, rules[rule].gate);
    }
    plan_of_type_.push_back(at->second);
  }
  draft.finish();
  for (Finder& finder : finders_) TRY_STATUS(finder.build(engine, scratch));
  return {};
}

PlanRun::PlanRun(const PlanSet& plans)
    : plans_(plans), candidate_for_(plans.types_.size()), plan_run_for_(plans.plans_.size()) {}

void PlanRun::start_batch(const event::Batch& batch) {
  batch_ = &batch;
  chance_in_batch_.assign(plans_.finders_.size(), Chance::unknown);
}

void PlanRun::add(RuleId rule) {
  if (candidate_for_[rule] == event_ || (plans_.types_[rule] & type_) == 0) return;
  candidate_for_[rule] = event_;
  candidates_.push_back(rule);
}

void PlanRun::fire(std::span<const TriggerId> triggers) {
  for (const TriggerId trigger : triggers) {
    const PlanSet::Target& target = plans_.targets_[trigger];
    for (uint32_t i = 0; i < target.rules; ++i) add(plans_.target_rules_[target.first_rule + i]);
    for (uint32_t i = 0; i < target.plans; ++i) {
      const PlanSet::PlanId plan = plans_.target_plans_[target.first_plan + i];
      if (plan_run_for_[plan] == event_) continue;
      plan_run_for_[plan] = event_;
      waiting_.push_back(plan);
    }
  }
}

namespace {

void drop_repeated(std::vector<TriggerId>& triggers) {
  std::sort(triggers.begin(), triggers.end());
  triggers.erase(std::unique(triggers.begin(), triggers.end()), triggers.end());
}

}  // namespace

// From this size on a quick look at the whole text pays before it is folded and searched.
constexpr size_t kLookAheadMin = 128;

// Fills fired_ with the triggers that fire on the text, each once.
void PlanRun::search(const PlanSet::Station& station, std::string_view raw, EventView& event, ScanScratch& scratch) {
  const Finder& finder = plans_.finders_[station.finder];
  fired_.clear();
  if (raw.size() >= kLookAheadMin && !finder.may_fire_in(raw, scratch)) return;
  for (const Form form : {Form::raw, Form::folded}) {
    if (!finder.wants(form)) continue;
    const bool is_passing = station.slot == kEveryAttribute;
    const std::string_view text = is_passing ? event.passing_text(raw, form) : event.text(station.slot, form);
    finder.find_text(form, text, scratch, fired_);
  }
  drop_repeated(fired_);
}

// The same where the text is like others; false where it is not.
bool PlanRun::search_parts(const PlanSet::Station& station, EventView& event, ScanScratch& scratch) {
  const Finder& finder = plans_.finders_[station.finder];
  if (!finder.finds_in_parts() || station.slot == kEveryAttribute) return false;
  const PartedText* const raw = event.parted_text(station.slot, Form::raw);
  if (raw == nullptr) return false;
  const PartedText* const folded = event.parted_text(station.slot, Form::folded);
  const auto find = [&](std::string_view PartedText::* part) {
    finder.find_text(Form::raw, raw->*part, scratch, fired_);
    finder.find_text(Form::folded, folded->*part, scratch, fired_);
  };
  fired_.clear();
  if (const auto known = known_texts_.find(station.finder, raw->common)) {
    fired_.assign(known->begin(), known->end());
  } else {
    find(&PartedText::before);
    find(&PartedText::behind);
    drop_repeated(fired_);
    known_texts_.keep(station.finder, raw->common, fired_);
  }
  find(&PartedText::middle);
  drop_repeated(fired_);
  return true;
}

// Valid until the next call.
std::span<const TriggerId> PlanRun::fired_at(const PlanSet::Station& station, const event::Value& text,
                                             EventView& event, ScanScratch& scratch) {
  const bool is_dear = plans_.finders_[station.finder].is_dear();
  const TextId id = is_dear ? event.ids().of(station.slot, text) : event.ids().of_known(text);
  if (const auto known = known_texts_.find(station.finder, id)) return *known;
  if (!search_parts(station, event, scratch)) search(station, text.text(), event, scratch);
  known_texts_.keep(station.finder, id, fired_);
  return fired_;
}

bool PlanRun::may_fire_in_batch(uint32_t finder, ScanScratch& scratch) {
  Chance& chance = chance_in_batch_[finder];
  if (chance == Chance::unknown) {
    chance = Chance::none;
    batch_->for_each_stretch([&](std::string_view stretch) {
      if (chance == Chance::none && plans_.finders_[finder].may_fire_in(stretch, scratch)) chance = Chance::some;
    });
  }
  return chance == Chance::some;
}

void PlanRun::stop_at(const PlanSet::Station& station, EventView& event, ScanScratch& scratch) {
  if (station.slot == kEveryAttribute) {
    for (const event::Attribute& each : event.every_attribute()) {
      fire(fired_at(station, event::Value::of_text(each.value, each.text_number), event, scratch));
    }
    return;
  }
  const event::Value value = event.value(station.slot);
  if (value.is_text()) {
    fire(fired_at(station, value, event, scratch));
  } else if (value.present()) {
    fired_.clear();
    plans_.finders_[station.finder].find_number(value.integer(), fired_);
    fire(fired_);
  }
}

void PlanRun::run_words(const PlanSet::Plan& plan, EventView& event, ScanScratch& scratch) {
  event.reads().add_look(plan.words);
  if (!may_fire_in_batch(plan.words, scratch)) return;
  event.stop_noting();
  for (const PlanSet::Station& station : plan.word_stations) stop_at(station, event, scratch);
}

void PlanRun::run(const PlanSet::Plan& plan, EventView& event, ScanScratch& scratch) {
  for (const RuleId rule : plan.always) add(rule);
  for (const PlanSet::Station& station : plan.stations) stop_at(station, event, scratch);
  if (!plan.word_stations.empty()) run_words(plan, event, scratch);
  for (const PlanSet::Guarded& guarded : plan.guarded) {
    const event::Value value = event.value(guarded.unless.slot);
    const bool excluded = value.is_text() && !fired_at(guarded.unless, value, event, scratch).empty();
    if (!excluded) run(plans_.plans_[guarded.plan], event, scratch);
  }
}

std::span<const RuleId> PlanRun::find(EventView& event, ScanScratch& scratch) {
  if (++event_ == 0) {
    // The stamp has come round: old ones must not look new.
    std::fill(candidate_for_.begin(), candidate_for_.end(), 0);
    std::fill(plan_run_for_.begin(), plan_run_for_.end(), 0);
    event_ = 1;
  }
  type_ = event::set_of(event.row().type());
  candidates_.clear();
  waiting_.clear();
  run(plans_.plans_[plans_.wide_], event, scratch);
  run(plans_.plans_[plans_.plan_of_type_[static_cast<size_t>(event.row().type()) % PlanSet::kTypes]], event, scratch);
  // A plan of one kind of record leads to no further one.
  for (size_t i = 0; i < waiting_.size(); ++i) run(plans_.plans_[waiting_[i]], event, scratch);
  std::sort(candidates_.begin(), candidates_.end());
  return candidates_;
}

}  // namespace redoubt::query::match
