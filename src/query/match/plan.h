// Which rules an event needs evaluated. Rules are found by their gates: per set of rules that events of a type have, a
// plan lists the slots to look at, each with a finder of all triggers there; a trigger that fires names rules, or a
// further plan (of the rules for that kind of record). PlanSet is read-only after build(); a PlanRun belongs to one
// thread.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "query/match/finder.h"
#include "query/match/gate.h"
#include "query/match/memo.h"
#include "query/match/slots.h"

namespace redoubt::query::match {

using RuleId = uint32_t;

class PlanSet {
 public:
  struct RuleGate {
    event::EventTypeSet types;
    Gate gate;
  };
  // The gates of all rules, in order of their numbers.
  Status build(std::vector<RuleGate> rules, LiteralScanner::Engine engine, ScanScratch& scratch);

 private:
  friend class PlanRun;
  using PlanId = uint32_t;
  static constexpr PlanId kNoPlan = UINT32_MAX;
  static constexpr uint32_t kNoFinder = UINT32_MAX;
  static constexpr size_t kTypes = event::kEventTypesMax;
  // Rules of more types than this are in one plan for all types: no literal is in many finders.
  static constexpr int kNarrowTypesMax = 4;

  struct Station {
    SlotId slot;
    uint32_t finder;
  };
  struct Guarded {
    Station unless;  // something fires there
    PlanId plan;
  };
  struct Plan {
    std::vector<RuleId> always;
    std::vector<Station> stations;
    // Where words are looked for in every attribute: the finder of those, and the stations at which nothing fires that
    // it does not look ahead for. They are passed over in batches that have none of the words.
    uint32_t words = kNoFinder;
    std::vector<Station> word_stations;
    std::vector<Guarded> guarded;  // plans that are run after this one
  };
  // What a trigger leads to: parts of target_rules_ and target_plans_.
  struct Target {
    uint32_t first_rule = 0;
    uint32_t rules = 0;
    uint32_t first_plan = 0;
    uint32_t plans = 0;
  };
  struct Draft;

  std::vector<event::EventTypeSet> types_;  // by rule
  std::vector<Plan> plans_;
  std::vector<Finder> finders_;
  std::vector<Target> targets_;  // by TriggerId
  std::vector<RuleId> target_rules_;
  std::vector<PlanId> target_plans_;
  PlanId wide_ = kNoPlan;
  std::vector<PlanId> plan_of_type_;
};

// The rules that an event makes candidates, each once and in order.
class PlanRun {
 public:
  explicit PlanRun(const PlanSet& plans);
  // Before the events of another batch.
  void start_batch(const event::Batch& batch);
  std::span<const RuleId> find(EventView& event, ScanScratch& scratch);
  // One look at the texts of all events of the batch, before any is looked at alone: false where nothing of the finder
  // is in any of them.
  bool may_fire_in_batch(uint32_t finder, ScanScratch& scratch);

 private:
  void run(const PlanSet::Plan& plan, EventView& event, ScanScratch& scratch);
  void run_words(const PlanSet::Plan& plan, EventView& event, ScanScratch& scratch);
  void stop_at(const PlanSet::Station& station, EventView& event, ScanScratch& scratch);
  void fire(std::span<const TriggerId> triggers);
  void search(const PlanSet::Station& station, std::string_view raw, EventView& event, ScanScratch& scratch);
  bool search_parts(const PlanSet::Station& station, EventView& event, ScanScratch& scratch);
  std::span<const TriggerId> fired_at(const PlanSet::Station& station, const event::Value& text, EventView& event,
                                      ScanScratch& scratch);
  void add(RuleId rule);

  const PlanSet& plans_;
  event::EventTypeSet type_ = 0;
  uint32_t event_ = 0;
  std::vector<uint32_t> candidate_for_;  // by rule: the number of the event
  std::vector<uint32_t> plan_run_for_;   // by plan
  std::vector<RuleId> candidates_;
  std::vector<PlanSet::PlanId> waiting_;
  std::vector<TriggerId> fired_;
  // Whether anything of a finder may be anywhere in the batch: found out when it is first asked.
  enum class Chance : uint8_t { unknown, none, some };
  const event::Batch* batch_ = nullptr;
  std::vector<Chance> chance_in_batch_;  // by finder
  FoundMemo known_texts_;
};

}  // namespace redoubt::query::match
