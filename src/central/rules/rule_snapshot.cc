#include "central/rules/rule_snapshot.h"

#include <algorithm>
#include <future>
#include <set>

#include "query/hunt.h"
#include "rules/read_paths.h"

namespace redoubt::central {

using query::Expression;

std::shared_ptr<const RuleSnapshot> RuleSnapshot::make(std::shared_ptr<const rules::RuleSet> files,
                                                       const RuleDecisions& decisions,
                                                       std::vector<Exclusion> exclusions, base::Time now) {
  auto snapshot = std::make_shared<RuleSnapshot>();
  snapshot->files_ = std::move(files);
  snapshot->exclusions_ = std::move(exclusions);
  std::vector<std::optional<Expression>> conditions(snapshot->exclusions_.size());
  for (size_t i = 0; i < conditions.size(); ++i) {
    Exclusion& exclusion = snapshot->exclusions_[i];
    exclusion.problem.clear();
    if (has_expired(exclusion, now)) continue;
    auto condition = query::parse_condition(exclusion.condition, now);
    if (condition) conditions[i] = *std::move(condition);
    if (!condition) exclusion.problem = condition.error().message;
  }
  snapshot->entries_.resize(snapshot->size());
  for (size_t i = 0; i < snapshot->size(); ++i) {
    const std::string& id = snapshot->rule(i).id;
    snapshot->index_.try_emplace(id, i);
    const auto decided = decisions.find(id);
    if (decided != decisions.end()) snapshot->entries_[i].decision = decided->second;
    if (snapshot->is_correlation(i)) continue;
    if (snapshot->entries_[i].decision.state == RuleSwitch::on) snapshot->live_.push_back(static_cast<uint32_t>(i));
    snapshot->narrow(i, conditions);
  }
  snapshot->gather_reads();
  return snapshot;
}

void RuleSnapshot::gather_reads() {
  std::set<std::string> patterns;
  for (const uint32_t rule : live_) {
    rules::ReadPaths paths = rules::read_paths_of(expression(rule));
    patterns.insert(paths.patterns.begin(), paths.patterns.end());
    if (paths.elsewhere) reads_.elsewhere.push_back(rules()[rule].title);
  }
  reads_.patterns.assign(patterns.begin(), patterns.end());
}

void RuleSnapshot::narrow(size_t rule, const std::vector<std::optional<Expression>>& conditions) {
  Entry& entry = entries_[rule];
  for (size_t i = 0; i < conditions.size(); ++i) {
    Exclusion& exclusion = exclusions_[i];
    if (!conditions[i] || (!exclusion.rule_id.empty() && exclusion.rule_id != rules()[rule].id)) continue;
    std::vector<Expression> both;
    both.push_back(expression(rule).clone());
    both.push_back(Expression::negate(conditions[i]->clone()));
    auto narrowed = query::normalize(Expression::all_of(std::move(both)));
    if (!narrowed) {
      exclusion.problem = "rule '" + rules()[rule].title + "': " + narrowed.error().message;
      continue;
    }
    entry.narrowed = *std::move(narrowed);
    ++entry.exclusions;
  }
}

const rules::Rule& RuleSnapshot::rule(size_t number) const {
  return is_correlation(number) ? files_->correlations()[number - rules().size()].rule : rules()[number];
}

rules::Importance RuleSnapshot::importance(size_t number) const {
  return entries_[number].decision.importance.value_or(rule(number).importance);
}

const Expression& RuleSnapshot::expression(size_t rule) const {
  const Entry& entry = entries_[rule];
  return entry.narrowed ? *entry.narrowed : this->rule(rule).expression;
}

std::optional<size_t> RuleSnapshot::find(std::string_view rule_id) const {
  const auto found = index_.find(rule_id);
  return found != index_.end() ? std::optional(found->second) : std::nullopt;
}

Result<std::vector<query::match::Matcher>> RuleSnapshot::compile(size_t matchers) const {
  std::vector<Expression> expressions;
  expressions.reserve(live_.size());
  for (const uint32_t rule : live_) expressions.push_back(expression(rule).clone());
  // A thread each: whoever changed a rule waits for it.
  std::vector<std::future<Result<query::match::Matcher>>> coming;
  for (size_t i = 0; i < matchers; ++i) {
    coming.push_back(
        std::async(std::launch::async, [&expressions] { return query::match::Matcher::compile(expressions); }));
  }
  std::vector<query::match::Matcher> compiled;
  for (auto& each : coming) {
    TRY(query::match::Matcher matcher, each.get());
    compiled.push_back(std::move(matcher));
  }
  return compiled;
}

base::Time RuleSnapshot::next_expiry(base::Time now) const {
  base::Time next;
  for (const Exclusion& exclusion : exclusions_) {
    if (exclusion.expires.us == 0 || has_expired(exclusion, now)) continue;
    if (next.us == 0 || exclusion.expires < next) next = exclusion.expires;
  }
  return next;
}

}  // namespace redoubt::central
