// Looks up what correlations name: the second half of correlation.h.
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "base/text.h"
#include "rules/rule_file.h"
#include "rules/sigma/correlation.h"
#include "rules/sigma/field_map.h"

namespace redoubt::rules::sigma {

namespace {

using correlation::Definition;
using correlation::Key;
using correlation::Reference;
using correlation::ReferenceKind;
using correlation::Type;

// What a name stands for: one of the rules, or one of the drafts.
struct Target {
  ReferenceKind kind = ReferenceKind::rule;
  size_t index = 0;
};

enum class Progress : uint8_t { untouched, open, linked, refused };

class Linker {
 public:
  Linker(std::vector<CorrelationDraft>& drafts, std::span<Rule> rules, std::span<const FieldScope> scopes,
         std::vector<Refusal>& refusals)
      : drafts_(drafts),
        rules_(rules),
        scopes_(scopes),
        refusals_(refusals),
        progress_(drafts.size()),
        depth_(drafts.size()) {
    for (size_t i = 0; i < rules.size(); ++i) enter(rules[i], {ReferenceKind::rule, i});
    for (size_t i = 0; i < drafts.size(); ++i) enter(drafts[i].correlation.rule, {ReferenceKind::correlation, i});
  }

  std::vector<Correlation> link() {
    for (size_t i = 0; i < drafts_.size(); ++i) link_draft(i, 0);
    switch_alerts();
    std::vector<Correlation> linked;
    for (size_t i = 0; i < drafts_.size(); ++i) {
      if (progress_[i] == Progress::linked) linked.push_back(std::move(drafts_[i].correlation));
    }
    return linked;
  }

 private:
  void enter(const Rule& rule, Target target) {
    by_id_[rule.id] = target;
    if (!rule.name.empty()) by_name_[rule.name].push_back(target);
  }

  // Depth first, so that what is counted is linked before what counts it.
  void link_draft(size_t index, size_t above) {
    if (progress_[index] != Progress::untouched) return;
    progress_[index] = Progress::open;
    Problems problems;
    std::vector<Target> targets;
    for (const Written& name : drafts_[index].rules) {
      const std::optional<Target> target = find(name, problems);
      if (!target) break;
      if (target->kind == ReferenceKind::correlation) check_chain(index, target->index, name, above, problems);
      if (problems.first()) break;
      targets.push_back(*target);
    }
    if (!problems.first()) add_references(index, targets, problems);
    progress_[index] = problems.first() ? Progress::refused : Progress::linked;
    if (!problems.first()) return;
    const CorrelationDraft& draft = drafts_[index];
    refusals_.push_back(
        refusal_of(draft.correlation.rule.path, draft.correlation.rule.title, *problems.first(), *draft.source));
  }

  std::optional<Target> find(const Written& name, Problems& problems) const {
    if (const auto id = by_id_.find(base::fold_case(name.text)); id != by_id_.end()) return id->second;
    if (const auto id = by_id_.find(name.text); id != by_id_.end()) return id->second;
    const auto named = by_name_.find(name.text);
    if (named != by_name_.end() && named->second.size() == 1) return named->second.front();
    if (named != by_name_.end()) {
      problems.add(code::kCorrelationRule, name.place, "several rules are called '" + name.text + "'",
                   "name it by its id");
      return std::nullopt;
    }
    std::vector<std::string_view> known;
    for (const auto& [each, targets] : by_name_) known.push_back(each);
    problems.add(code::kCorrelationRule, name.place, "no rule here is called '" + name.text + "'",
                 suggest(base::nearest_names(name.text, known, 2), ""));
    return std::nullopt;
  }

  void check_chain(size_t index, size_t inner, const Written& name, size_t above, Problems& problems) {
    if (above + 1 < correlation::kChainDepthMax) link_draft(inner, above + 1);
    depth_[index] = std::max(depth_[index], depth_[inner] + 1);
    switch (progress_[inner]) {
      case Progress::open:
        problems.add(code::kCorrelationCycle, name.place, "'" + name.text + "' counts this correlation itself");
        break;
      case Progress::refused:
        problems.add(code::kCorrelationRule, name.place, "correlation '" + name.text + "' is refused itself");
        break;
      case Progress::untouched:
      case Progress::linked:
        if (progress_[inner] == Progress::linked && depth_[index] < correlation::kChainDepthMax) break;
        problems.add(code::kCorrelationCycle, name.place,
                     "a chain of more than " + std::to_string(correlation::kChainDepthMax) + " correlations");
        break;
    }
  }

  void add_references(size_t index, const std::vector<Target>& targets, Problems& problems) {
    CorrelationDraft& draft = drafts_[index];
    Definition& definition = draft.correlation.definition;
    std::set<std::string> ids;
    for (size_t i = 0; i < targets.size(); ++i) {
      const Rule& about = rule_of(targets[i]);
      if (!ids.insert(about.id).second) {
        problems.add(code::kCorrelationRule, draft.rules[i].place, "'" + draft.rules[i].text + "' is named twice");
      }
      Reference reference{.id = about.id, .kind = targets[i].kind};
      for (const Written& name : draft.group_by) {
        reference.group_by.push_back(group_key(draft, name, draft.rules[i], targets, i, problems));
      }
      for (const Written& name : draft.fields) {
        reference.fields.push_back(key(name, targets[i], draft.rules[i], problems));
        check_number(definition.type, reference.fields.back(), name, problems);
      }
      definition.references.push_back(std::move(reference));
    }
  }

  // The field that the name means on the events of `rule`, through the aliases.
  Key group_key(const CorrelationDraft& draft, const Written& name, const Written& rule,
                const std::vector<Target>& targets, size_t at, Problems& problems) const {
    const auto alias = std::find_if(draft.aliases.begin(), draft.aliases.end(),
                                    [&](const Alias& each) { return each.name.text == name.text; });
    if (alias == draft.aliases.end()) return key(name, targets[at], rule, problems);
    for (const Alias::Meaning& meaning : alias->meanings) {
      if (meaning.rule.text == rule.text) return key(meaning.field, targets[at], rule, problems);
    }
    problems.add(code::kGroupBy, alias->name.place,
                 "alias '" + name.text + "' does not say which field of '" + rule.text + "' it is");
    return {};
  }

  Key key(const Written& name, const Target& target, const Written& rule, Problems& problems) const {
    Key key{.name = name.text};
    if (target.kind == ReferenceKind::correlation) {
      const auto& names = drafts_[target.index].correlation.definition.group_by;
      const auto found = std::find(names.begin(), names.end(), name.text);
      key.position = static_cast<uint32_t>(found - names.begin());
      if (found == names.end()) {
        problems.add(code::kGroupBy, name.place,
                     "correlation '" + rule.text + "' is not grouped by '" + name.text + "'",
                     "what it is grouped by is all that is known of it");
      }
      return key;
    }
    for (FieldPlace& place : find_field(name.text, scopes_[target.index], name.place, problems)) {
      key.places.push_back({.field = place.field, .attribute = std::move(place.attribute)});
    }
    return key;
  }

  static void check_number(Type type, const Key& key, const Written& name, Problems& problems) {
    if (type == Type::value_count) return;
    for (const correlation::KeyPlace& place : key.places) {
      // An attribute is text that may be a number.
      const bool named = place.field == event::Field::attributes;
      if (named || !event::is_textual(event::info(place.field).type)) continue;
      problems.add(code::kValue, name.place, "field '" + name.text + "' is no number");
    }
  }

  const Rule& rule_of(const Target& target) const {
    return target.kind == ReferenceKind::rule ? rules_[target.index] : drafts_[target.index].correlation.rule;
  }

  // What is counted is silent, unless one of those that count it generates its alerts.
  void switch_alerts() {
    std::map<std::string, Alerting> counted;
    for (size_t i = 0; i < drafts_.size(); ++i) {
      if (progress_[i] != Progress::linked) continue;
      for (const Reference& reference : drafts_[i].correlation.definition.references) {
        const auto [at, added] = counted.try_emplace(reference.id, drafts_[i].of_rules);
        if (drafts_[i].of_rules == Alerting::on) at->second = Alerting::on;
      }
    }
    const auto apply = [&](Rule& rule) {
      if (const auto found = counted.find(rule.id); found != counted.end()) rule.alerting = found->second;
    };
    for (Rule& rule : rules_) apply(rule);
    for (CorrelationDraft& draft : drafts_) apply(draft.correlation.rule);
  }

  std::vector<CorrelationDraft>& drafts_;
  std::span<Rule> rules_;
  std::span<const FieldScope> scopes_;
  std::vector<Refusal>& refusals_;
  std::vector<Progress> progress_;
  std::vector<size_t> depth_;  // correlations below one that is linked
  std::map<std::string, Target, std::less<>> by_id_;
  std::map<std::string, std::vector<Target>, std::less<>> by_name_;
};

}  // namespace

std::vector<Correlation> link_correlations(std::vector<CorrelationDraft> drafts, std::span<Rule> rules,
                                           std::span<const FieldScope> scopes, std::vector<Refusal>& refusals) {
  return Linker(drafts, rules, scopes, refusals).link();
}

}  // namespace redoubt::rules::sigma
