#include "central/ingest/judge.h"

#include "event/json.h"

namespace redoubt::central {

namespace {

using event::Field;

NewDetection detection_of(const RuleSnapshot& rules, size_t number, const std::string& host_id, const event::Row& row) {
  const rules::Rule& rule = rules.rules()[number];
  return {
      .key = rule.id + "|" + host_id + "|" + std::string(row.text(Field::host_boot_id)) + "|" +
             std::to_string(row.integer(Field::event_sequence)),
      .source = AlertSource::rule,
      .rule = {.id = rule.id,
               .title = rule.title,
               .description = rule.description,
               .format = rule.format,
               .author = rule.author,
               .references = rule.references,
               .false_positives = rule.false_positives},
      .importance = rules.importance(number),
      .techniques = rule.techniques,
      .tactics = rule.tactics,
      .time = {row.integer(Field::event_time)},
      .host_id = host_id,
      .host_name = std::string(row.text(Field::host_name)),
      .user = std::string(row.text(Field::user_name)),
      .process = {.entity_id = std::string(row.text(Field::process_entity_id)),
                  .executable = std::string(row.text(Field::process_executable)),
                  .command_line = std::string(row.text(Field::process_command_line))},
      .event_json = event::to_json(row),
  };
}

}  // namespace

// One set of rules and its matchers.
struct Judge::Generation {
  std::shared_ptr<const RuleSnapshot> rules;
  std::vector<query::match::Matcher> matchers;
  std::vector<size_t> free;  // indexes of matchers

  bool idle() const { return free.size() == matchers.size(); }
};

Judge::Judge(AlertBook& alerts, base::Metrics& metrics, size_t workers)
    : alerts_(alerts),
      detections_(metrics.counter("redoubt_detections_total", "events that a rule matched")),
      workers_(workers) {}
Judge::~Judge() = default;

Result<std::unique_ptr<Judge>> Judge::make(std::shared_ptr<const RuleSnapshot> rules, AlertBook& alerts,
                                           base::Metrics& metrics, size_t workers) {
  std::unique_ptr<Judge> judge(new Judge(alerts, metrics, workers));
  TRY_STATUS(judge->replace(std::move(rules)));
  return judge;
}

Status Judge::replace(std::shared_ptr<const RuleSnapshot> rules) {
  auto next = std::make_shared<Generation>();
  TRY(next->matchers, rules->compile(workers_));
  next->rules = std::move(rules);
  for (size_t i = 0; i < next->matchers.size(); ++i) next->free.push_back(i);
  {
    const std::lock_guard lock(mutex_);
    if (current_ && current_->idle()) add_counters(*current_, past_);
    std::swap(current_, next);
  }
  freed_.notify_all();
  return {};  // what was replaced goes now, unless batches still hold it
}

void Judge::add_counters(const Generation& generation, RuleCounters& sums) {
  const std::vector<uint32_t>& live = generation.rules->live();
  for (const query::match::Matcher& matcher : generation.matchers) {
    const std::vector<query::match::RuleCounter> counters = matcher.counters();
    for (size_t i = 0; i < counters.size(); ++i) {
      query::match::RuleCounter& sum = sums[generation.rules->rules()[live[i]].id];
      sum.evaluated += counters[i].evaluated;
      sum.matched += counters[i].matched;
      sum.sampled_ns += counters[i].sampled_ns;
    }
  }
}

Judge::Matched Judge::match(const event::Batch& batch) {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [&] { return !current_->free.empty(); });
  Matched matched{.generation = current_, .hits = {}};
  Generation& generation = *matched.generation;
  const size_t number = generation.free.back();
  generation.free.pop_back();
  lock.unlock();
  generation.matchers[number].match(batch, matched.hits);
  lock.lock();
  generation.free.push_back(number);
  // The last batch of rules that were replaced meanwhile.
  if (matched.generation != current_ && generation.idle()) add_counters(generation, past_);
  freed_.notify_one();
  return matched;
}

Status Judge::judge(const std::string& host_id, const event::Batch& batch) {
  const Matched matched = match(batch);
  const RuleSnapshot& rules = *matched.generation->rules;
  std::vector<NewDetection> detections;
  for (const query::match::Hit& hit : matched.hits) {
    detections.push_back(detection_of(rules, rules.live()[hit.rule], host_id, batch.row(hit.row)));
  }
  TRY(const size_t fresh, base::within("store detections", alerts_.add_all(detections)));
  detections_.add(static_cast<int64_t>(fresh));
  return {};
}

RuleCounters Judge::counters() const {
  const std::lock_guard lock(mutex_);
  RuleCounters sums = past_;
  add_counters(*current_, sums);
  return sums;
}

}  // namespace redoubt::central
