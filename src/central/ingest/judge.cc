#include "central/ingest/judge.h"

#include "central/ingest/detection.h"
#include "rules/falco/alert.h"

namespace redoubt::central {

namespace {

using event::Field;

NewDetection detection_of(const rules::Rule& rule, const std::string& host_id, const event::Row& row) {
  NewDetection detection = detection_about(rule);
  detection.key = rule.id + "|" + host_id + "|" + std::string(row.text(Field::host_boot_id)) + "|" +
                  std::to_string(row.integer(Field::event_sequence));
  detection.time = {row.integer(Field::event_time)};
  detection.host_id = host_id;
  describe_event(row, detection);
  if (rule.falco != nullptr) {
    detection.message = rules::falco::render(rule.falco->output, row);
    detection.falco_json = rules::falco::to_json(*rule.falco, row);
  }
  return detection;
}

}  // namespace

Judge::Judge(const rules::RuleSet& rules, CorrelationBook& correlations, base::Metrics& metrics)
    : rules_(rules),
      correlations_(correlations),
      detections_(metrics.counter("redoubt_detections_total", "events that a rule matched")) {}

Result<std::unique_ptr<Judge>> Judge::make(const rules::RuleSet& rules, CorrelationBook& correlations,
                                           base::Metrics& metrics, size_t workers) {
  std::unique_ptr<Judge> judge(new Judge(rules, correlations, metrics));
  for (size_t i = 0; i < workers; ++i) {
    TRY(query::match::Matcher matcher, rules.compile());
    judge->free_.push_back(std::move(matcher));
  }
  return judge;
}

std::vector<query::match::Hit> Judge::match(const event::Batch& batch) {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [&] { return !free_.empty(); });
  query::match::Matcher matcher = std::move(free_.back());
  free_.pop_back();
  lock.unlock();
  std::vector<query::match::Hit> hits;
  matcher.match(batch, hits);
  lock.lock();
  free_.push_back(std::move(matcher));
  freed_.notify_one();
  return hits;
}

Status Judge::judge(const std::string& host_id, const event::Batch& batch) {
  std::vector<NewDetection> detections;
  std::vector<query::match::Hit> hits = match(batch);
  rules::falco::choose_hits(falco_matching_, rules_.rules(), hits);
  for (const query::match::Hit& hit : hits) {
    const rules::Rule& rule = rules_.rules()[hit.rule];
    if (rule.alerting == rules::Alerting::on) detections.push_back(detection_of(rule, host_id, batch.row(hit.row)));
  }
  TRY(const size_t fresh,
      base::within("store detections", correlations_.store(rules_, host_id, batch, hits, std::move(detections))));
  detections_.add(static_cast<int64_t>(fresh));
  return {};
}

}  // namespace redoubt::central
