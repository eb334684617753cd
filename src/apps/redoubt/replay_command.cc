// redoubt replay: rules over recorded events, on this machine alone. Matches go to standard output as JSON, what could
// not be read to standard error.
#include <nlohmann/json.hpp>

#include "apps/redoubt/commands.h"
#include "apps/redoubt/output.h"
#include "event/json.h"
#include "event/recording.h"
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
      : arguments_(arguments), rules_(rules), matcher_(std::move(matcher)), matches_(rules.rules().size()) {}

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
      matches += matches_[i];
      if (!arguments_.count_only || matches_[i] == 0) continue;
      ordered_json line = rule_json(rules_.rules()[i]);
      line["matches"] = matches_[i];
      print_line(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    }
    print_note(std::to_string(events_) + " events, " + std::to_string(matches_.size()) + " rules, " +
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

  void judge(const event::Batch& batch, const std::string& path) {
    hits_.clear();
    matcher_.match(batch, hits_);
    events_ += batch.size();
    for (const query::match::Hit& hit : hits_) {
      ++matches_[hit.rule];
      if (arguments_.count_only) continue;
      const ordered_json line = {{"rule", rule_json(rules_.rules()[hit.rule])},
                                 {"recording", path},
                                 {"event", ordered_json::parse(event::to_json(batch.row(hit.row)))}};
      print_line(line.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    }
  }

  const Arguments& arguments_;
  const rules::RuleSet& rules_;
  query::match::Matcher matcher_;
  std::vector<query::match::Hit> hits_;
  std::vector<uint64_t> matches_;  // by rule
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
