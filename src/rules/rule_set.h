// A rule set: detection rules of every format, lowered to expressions, and the matcher over them. load() reads a
// directory tree; a rule that cannot be used is refused with a diagnostic and the others go on.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/batch.h"
#include "query/diagnostic.h"
#include "query/expression.h"
#include "query/match/matcher.h"
#include "rules/correlation/definition.h"

namespace redoubt::rules {

namespace falco {
struct AlertFormat;
}

// How much an alert of the rule matters; Sigma's levels.
enum class Importance : uint8_t { informational, low, medium, high, critical };

std::string_view name_of(Importance importance);

// off: what a correlation counts and nothing else; its hits are no detections of their own.
enum class Alerting : uint8_t { on, off };

struct Rule {
  std::string id;    // Sigma: its UUID
  std::string name;  // Sigma's: a person's word for it, by which filters and correlations refer to it
  std::string title;
  std::string description;
  std::string author;
  std::string format;  // "sigma", "falco", "openioc", "stix", "list"
  std::string path;    // of its file, relative to the rule directory
  Importance importance = Importance::medium;
  std::vector<std::string> techniques;  // ATT&CK ids: "T1059.004"
  std::vector<std::string> tactics;     // ATT&CK tactic short names: "execution"
  std::vector<std::string> references;
  std::vector<std::string> false_positives;
  query::Expression expression;             // normalized, log source included
  std::vector<query::Diagnostic> warnings;  // parts that can never hold on the events here; the rest of the rule counts
  std::shared_ptr<const falco::AlertFormat> falco;  // what its alerts say (falco/alert.h); null for other formats
  Alerting alerting = Alerting::on;
};

// A rule about hits of other rules; `rule.expression` holds for no event.
struct Correlation {
  Rule rule;
  correlation::Definition definition;
};

// A rule that was not loaded, and why.
struct Refusal {
  std::string path;
  std::string title;  // where it could be read
  query::Diagnostic diagnostic;
  std::string rendered;  // the diagnostic with the line it is about
};

// What the text of one file holds, as load() would take it. Falco's text stands alone: lists and macros of other files
// are not there. `path` of rules and refusals is the name.
struct RuleText {
  std::string_view format;  // "sigma", "falco", "openioc", "stix", "list"
  std::vector<Rule> rules;
  std::vector<Correlation> correlations;
  std::vector<Refusal> refusals;
  std::vector<Refusal> warnings;
};
// The format is told from the end of the name, as in a rule directory; where that says nothing, from how the text
// begins.
RuleText read_text(std::string_view text, std::string_view name = "");

constexpr size_t kRuleFilesMax = 100'000;  // below one directory

// Whether a file of this name holds rules, or values for their placeholders.
bool is_rule_file(std::string_view path);

class RuleSet {
 public:
  // Every file below `directory` whose name ends as a format of rules does (the table in rule_set.cc). An unreadable
  // directory is an error; a bad rule is a refusal. Sigma's filters narrow the rules they are for; values for its
  // placeholders stand in `placeholders.yml` at the top.
  static Result<RuleSet> load(const std::string& directory);
  static Result<RuleSet> of(std::vector<Rule> rules, std::vector<Correlation> correlations = {});

  const std::vector<Rule>& rules() const { return rules_; }
  // Run by correlation::Correlator.
  const std::vector<Correlation>& correlations() const { return correlations_; }
  const std::vector<Refusal>& refusals() const { return refusals_; }
  // What loads but is likely not meant: a filter without `not`, or for a rule that is not there; what Falco warns of.
  const std::vector<Refusal>& warnings() const { return warnings_; }

  // A matcher over rules(): Hit::rule indexes them. One a thread.
  Result<query::match::Matcher> compile() const;

 private:
  std::vector<Rule> rules_;
  std::vector<Correlation> correlations_;
  std::vector<Refusal> refusals_;
  std::vector<Refusal> warnings_;
};

}  // namespace redoubt::rules
