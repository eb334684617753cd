// redoubt replay: rules over recorded events, on this machine alone. Matches go to standard output as JSON, what could
// not be read to standard error.
#include <nlohmann/json.hpp>

#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"
#include "base/time.h"
#include "event/json.h"
#include "event/recording.h"
#include "rules/correlation/correlator.h"
#include "rules/rule_set.h"

namespace redoubt::cli {

namespace {

using nlohmann::ordered_json;

event::dialect::NamedLog named_log(std::string_view name) {
  const auto next = [&name] {
    const size_t end = std::min(name.find('/'), name.size());
    const std::string part(name.substr(0, end));
    name.remove_prefix(std::min(end + 1, name.size()));
    return part;
  };
  event::dialect::NamedLog log;
  log.product = next();
  log.service = next();
  log.category = next();
  return log;
}

class Replay {
 public:
  Replay(const Arguments& arguments, const rules::RuleSet& rules, query::match::Matcher matcher)
      : arguments_(arguments),
        rules_(rules),
        matcher_(std::move(matcher)),
        correlator_(rules),
        matches_(rules.rules().size()),
        firings_(rules.correlations().size()) {}

  Status run(const std::string& path) {
    TRY(event::Recording recording, event::Recording::open(path, named_log(arguments_.log_name)));
    for (;;) {
      TRY(const auto batch, recording.next());
      if (!batch) break;
      judge(*batch, path);
    }
    for (const std::string& trouble : recording.troubles().first) print_note(printable(trouble));
    troubles_ += recording.troubles().records;
    return {};
  }

  Exit finish() const {
    uint64_t matches = 0;
    for (size_t i = 0; i < matches_.size(); ++i) {
      // What is only counted by a correlation is no match of its own.
      if (rules_.rules()[i].alerting == rules::Alerting::off) continue;
      matches += matches_[i];
      print_count(rules_.rules()[i], matches_[i]);
    }
    for (size_t i = 0; i < firings_.size(); ++i) {
      matches += firings_[i];
      print_count(rules_.correlations()[i].rule, firings_[i]);
    }
    print_note(std::to_string(events_) + " events, " + std::to_string(matches_.size() + firings_.size()) + " rules, " +
               std::to_string(matches) + " matches" +
               (troubles_ == 0 ? "" : "; " + std::to_string(troubles_) + " records could not be read"));
    if (troubles_ > 0) return Exit::failed;
    return matches == 0 ? Exit::nothing : Exit::ok;
  }

 private:
  static ordered_json rule_json(const rules::Rule& rule) {
    return {{"id", rule.id},
            {"title", rule.title},
            {"importance", rules::name_of(rule.importance)},
            {"format", rule.format},
            {"techniques", rule.techniques}};
  }

  static void print_json(const ordered_json& line) {
    print_line(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  }

  void print_count(const rules::Rule& rule, uint64_t matches) const {
    if (!arguments_.count_only || matches == 0) return;
    ordered_json line = rule_json(rule);
    line["matches"] = matches;
    print_json(line);
  }

  void judge(const event::Batch& batch, const std::string& path) {
    hits_.clear();
    matcher_.match(batch, hits_);
    events_ += batch.size();
    for (const query::match::Hit& hit : hits_) {
      ++matches_[hit.rule];
      const rules::Rule& rule = rules_.rules()[hit.rule];
      if (arguments_.count_only || rule.alerting == rules::Alerting::off) continue;
      print_json({{"rule", rule_json(rule)},
                  {"recording", path},
                  {"event", ordered_json::parse(event::to_json(batch.row(hit.row)))}});
    }
    if (firings_.empty() || batch.size() == 0) return;
    // A recording stands for the host: its records are numbered through.
    for (const auto& firing : correlator_.take(correlator_.observe(path, batch, hits_)).firings) report(firing, path);
  }

  void report(const rules::correlation::Firing& firing, const std::string& path) {
    ++firings_[firing.correlation];
    if (arguments_.count_only) return;
    const rules::Correlation& correlation = rules_.correlations()[firing.correlation];
    ordered_json group = ordered_json::object();
    for (size_t i = 0; i < firing.group.size(); ++i) group[correlation.definition.group_by[i]] = firing.group[i];
    print_json({{"rule", rule_json(correlation.rule)},
                {"recording", path},
                {"group", std::move(group)},
                {"events", firing.count},
                {"first", base::format_time({firing.first_us})},
                {"last", base::format_time({firing.last_us})}});
  }

  const Arguments& arguments_;
  const rules::RuleSet& rules_;
  query::match::Matcher matcher_;
  rules::correlation::Correlator correlator_;
  std::vector<query::match::Hit> hits_;
  std::vector<uint64_t> matches_;  // by rule
  std::vector<uint64_t> firings_;  // by correlation
  uint64_t events_ = 0;
  uint64_t troubles_ = 0;
};

}  // namespace

Exit run_replay(const Arguments& arguments) {
  const auto rules = rules::RuleSet::load(arguments.rules_directory);
  if (!rules) return print_error(rules.error());
  for (const rules::Refusal& refusal : rules->refusals()) {
    print_note(printable(refusal.path + ": refused: " + refusal.diagnostic.code + " " + refusal.diagnostic.message));
  }
  auto matcher = rules->compile();
  if (!matcher) return print_error(matcher.error());
  Replay replay(arguments, *rules, *std::move(matcher));
  for (const std::string& path : arguments.files) {
    if (const Status done = replay.run(path); !done) return print_error(done.error());
  }
  return replay.finish();
}

}  // namespace redoubt::cli
