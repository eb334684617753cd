#include "central/ingest/judge.h"

#include "central/ingest/detection.h"

namespace redoubt::central {

namespace {

using event::Field;

NewDetection detection_of(const RuleSnapshot& rules, size_t number, const std::string& host_id, const event::Row& row) {
  const rules::Rule& rule = rules.rules()[number];
  NewDetection detection = detection_about(rule);
  detection.key = rule.id + "|" + host_id + "|" + std::string(row.text(Field::host_boot_id)) + "|" +
                  std::to_string(row.integer(Field::event_sequence));
  detection.importance = rules.importance(number);
  detection.time = {row.integer(Field::event_time)};
  detection.host_id = host_id;
  describe_event(row, detection);
  return detection;
}

}  // namespace

// One set of rules and its matchers.
struct Judge::Generation {
  std::shared_ptr<const RuleSnapshot> rules;
  std::vector<query::match::Matcher> matchers;
  std::vector<size_t> free;  // indexes of matchers

  bool idle() const { return free.size() == matchers.size(); }
};

Judge::Judge(CorrelationBook& correlations, base::Metrics& metrics, size_t workers)
    : correlations_(correlations),
      detections_(metrics.counter("redoubt_detections_total", "events that a rule matched")),
      workers_(workers) {}
Judge::~Judge() = default;

Result<std::unique_ptr<Judge>> Judge::make(std::shared_ptr<const RuleSnapshot> rules, CorrelationBook& correlations,
                                           base::Metrics& metrics, size_t workers) {
  std::unique_ptr<Judge> judge(new Judge(correlations, metrics, workers));
  TRY_STATUS(judge->replace(std::move(rules)));
  return judge;
}

Status Judge::replace(std::shared_ptr<const RuleSnapshot> rules) {
  auto next = std::make_shared<Generation>();
  TRY(next->matchers, rules->compile(workers_));
  // First: a batch that was matched by the rules of before counts by the ids of its rules.
  TRY_STATUS(correlations_.reload(rules));
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
  const RuleSnapshot& now = *matched.generation->rules;
  std::vector<NewDetection> detections;
  std::vector<query::match::Hit> hits;  // by index into the rules, as correlations count them
  for (const query::match::Hit& hit : matched.hits) {
    const uint32_t number = now.live()[hit.rule];
    hits.push_back({.row = hit.row, .rule = number});
    if (now.rules()[number].alerting == rules::Alerting::on) {
      detections.push_back(detection_of(now, number, host_id, batch.row(hit.row)));
    }
  }
  TRY(const size_t fresh,
      base::within("store detections", correlations_.store(now, host_id, batch, hits, std::move(detections))));
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
