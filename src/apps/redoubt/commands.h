// The commands, one function each; their rows are in arguments.cc. Each prints its result and returns the exit code.
#pragma once

#include "apps/redoubt/arguments.h"

namespace redoubt::cli {

Exit run_up(const Arguments& arguments);            // up_command.cc
Exit run_down(const Arguments& arguments);          // down_command.cc
Exit run_status(const Arguments& arguments);        // node_commands.cc
Exit run_token_create(const Arguments& arguments);  // node_commands.cc
Exit run_login(const Arguments& arguments);         // login_command.cc
Exit run_hunt(const Arguments& arguments);          // hunt_command.cc
Exit run_replay(const Arguments& arguments);        // replay_command.cc
Exit run_scan(const Arguments& arguments);          // scan_command.cc
Exit run_alert_list(const Arguments& arguments);    // alert_commands.cc
Exit run_alert_show(const Arguments& arguments);    // alert_commands.cc
Exit run_alert_close(const Arguments& arguments);   // alert_commands.cc
Exit run_host_list(const Arguments& arguments);     // host_commands.cc
Exit run_host_show(const Arguments& arguments);     // host_commands.cc
Exit run_host_revoke(const Arguments& arguments);   // host_commands.cc
Exit run_host_invite(const Arguments& arguments);   // host_commands.cc

// rule_commands.cc
Exit run_rule_list(const Arguments& arguments);
Exit run_rule_show(const Arguments& arguments);
Exit run_rule_enable(const Arguments& arguments);
Exit run_rule_disable(const Arguments& arguments);
Exit run_rule_set(const Arguments& arguments);
Exit run_rule_check(const Arguments& arguments);
Exit run_rule_reload(const Arguments& arguments);

// exclusion_commands.cc
Exit run_rule_exclude(const Arguments& arguments);
Exit run_rule_exclusions(const Arguments& arguments);
Exit run_rule_include(const Arguments& arguments);

// saved_hunt_commands.cc
Exit run_hunt_save(const Arguments& arguments);
Exit run_hunt_list(const Arguments& arguments);
Exit run_hunt_delete(const Arguments& arguments);
Exit run_hunt_run(const Arguments& arguments);

// store_commands.cc
Exit run_store_stats(const Arguments& arguments);
Exit run_store_verify(const Arguments& arguments);
Exit run_store_compact(const Arguments& arguments);
Exit run_store_backup(const Arguments& arguments);
Exit run_store_restore(const Arguments& arguments);
Exit run_store_migrate(const Arguments& arguments);
Exit run_store_export(const Arguments& arguments);

// policy_commands.cc
Exit run_yara_list(const Arguments& arguments);
Exit run_yara_enable(const Arguments& arguments);
Exit run_yara_disable(const Arguments& arguments);
Exit run_yara_set(const Arguments& arguments);
Exit run_reputation_check(const Arguments& arguments);
Exit run_reputation_list(const Arguments& arguments);
Exit run_reputation_add(const Arguments& arguments);
Exit run_reputation_remove(const Arguments& arguments);
Exit run_reputation_import(const Arguments& arguments);
Exit run_reputation_forget(const Arguments& arguments);
Exit run_policy_show(const Arguments& arguments);
Exit run_policy_exclude(const Arguments& arguments);
Exit run_policy_include(const Arguments& arguments);

// external_system_commands.cc
Exit run_external_systems_list(const Arguments& arguments);
Exit run_external_systems_approve(const Arguments& arguments);
Exit run_external_systems_reject(const Arguments& arguments);
Exit run_external_systems_remove(const Arguments& arguments);

Exit run_attack_import(const Arguments& arguments);  // node_commands.cc

}  // namespace redoubt::cli
