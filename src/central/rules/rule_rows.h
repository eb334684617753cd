// The tables `rule_decisions` and `rule_exclusions`. Called by the rule book inside its transactions; SOCI stays in the
// .cc. May throw what SOCI throws: StateDb turns that into an error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "central/rules/rule_state.h"
#include "store/state/state_db.h"

namespace redoubt::central {

extern const std::string_view kRulesMigration;

RuleDecisions read_decisions(soci::session& sql);
void write_decision(soci::session& sql, const std::string& rule_id, const RuleDecision& decision);

std::vector<Exclusion> read_exclusions(soci::session& sql);  // in order of ids
// Gives the exclusion its id.
void insert_exclusion(soci::session& sql, Exclusion& exclusion);
void update_exclusion(soci::session& sql, const Exclusion& exclusion);
void delete_exclusion(soci::session& sql, int64_t id);

}  // namespace redoubt::central
