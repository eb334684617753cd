// The rules as they are judged by at one moment: what the files hold, and what people decided about it. Made by the
// rule book, read-only afterwards: whoever holds one keeps seeing the same rules. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "central/rules/rule_state.h"
#include "query/match/matcher.h"
#include "rules/rule_set.h"

namespace redoubt::central {

struct ReadDemand {
  std::vector<std::string> patterns;   // of all rules, each once: see rules/read_paths.h
  std::vector<std::string> elsewhere;  // titles of the rules that ask about more than patterns say
};

class RuleSnapshot {
 public:
  // Exclusions are lowered into the rules that are on: `rule AND NOT exclusion`. One that cannot be, says why in its
  // `problem` and leaves its rule as it is: an alert too many before one too few.
  static std::shared_ptr<const RuleSnapshot> make(std::shared_ptr<const rules::RuleSet> files,
                                                  const RuleDecisions& decisions, std::vector<Exclusion> exclusions,
                                                  base::Time now);

  const rules::RuleSet& files() const { return *files_; }
  std::shared_ptr<const rules::RuleSet> shared_files() const { return files_; }
  const std::vector<rules::Rule>& rules() const { return files_->rules(); }
  const std::vector<Exclusion>& exclusions() const { return exclusions_; }

  // The rules and behind them the correlations, under one number each; of a rule it is its index into rules().
  size_t size() const { return rules().size() + files_->correlations().size(); }
  bool is_correlation(size_t number) const { return number >= rules().size(); }
  const rules::Rule& rule(size_t number) const;

  // By number.
  const RuleDecision& decision(size_t rule) const { return entries_[rule].decision; }
  rules::Importance importance(size_t number) const;
  size_t exclusions_of(size_t rule) const { return entries_[rule].exclusions; }  // in effect, those for all rules too
  const query::Expression& expression(size_t rule) const;                        // with its exclusions
  std::optional<size_t> find(std::string_view rule_id) const;

  // The rules that are on, in the matchers' order: Hit::rule indexes it.
  const std::vector<uint32_t>& live() const { return live_; }
  Result<std::vector<query::match::Matcher>> compile(size_t matchers) const;

  // What hosts have to tell of reads so that the rules that are on see what they ask about.
  const ReadDemand& reads() const { return reads_; }

  // When the first exclusion in effect ends; 0: none does.
  base::Time next_expiry(base::Time now) const;

 private:
  struct Entry {
    RuleDecision decision;
    std::optional<query::Expression> narrowed;
    size_t exclusions = 0;
  };
  void gather_reads();
  void narrow(size_t rule, const std::vector<std::optional<query::Expression>>& conditions);

  std::shared_ptr<const rules::RuleSet> files_;
  std::vector<Entry> entries_;
  std::vector<Exclusion> exclusions_;
  std::vector<uint32_t> live_;
  ReadDemand reads_;
  std::map<std::string_view, size_t> index_;
};

}  // namespace redoubt::central
