// The handlers that the route table names, one group a *_routes.cc file.
#pragma once

#include "central/api/routes.h"

namespace redoubt::central {

// session_routes.cc
Response log_in(Services& services, const Request& request);
Response who_am_i(Services& services, const Request& request);
Response log_out(Services& services, const Request& request);
Response list_tokens(Services& services, const Request& request);
Response create_token(Services& services, const Request& request);
Response delete_token(Services& services, const Request& request);

// alert_routes.cc
Response list_alerts(Services& services, const Request& request);
Response stream_alerts(Services& services, const Request& request);
Response get_alert(Services& services, const Request& request);
Response change_alert(Services& services, const Request& request);
Response get_alert_tree(Services& services, const Request& request);
Response get_process_tree(Services& services, const Request& request);

// hunt_routes.cc
Response list_fields(Services& services, const Request& request);
Response run_hunt(Services& services, const Request& request);
Response export_hunt(Services& services, const Request& request);
Response hunt_histogram(Services& services, const Request& request);
Response check_hunt(Services& services, const Request& request);

// map_routes.cc
Response map_neighbours(Services& services, const Request& request);

// outline_routes.cc
Response read_outline(Services& services, const Request& request);
Response print_outline(Services& services, const Request& request);
Response seen_values(Services& services, const Request& request);

// fleet_routes.cc
Response list_hosts(Services& services, const Request& request);
Response get_host(Services& services, const Request& request);
Response revoke_host(Services& services, const Request& request);
Response create_enrollment_token(Services& services, const Request& request);
Response enroll_host(Services& services, const Request& request);

// policy_routes.cc
Response get_policy(Services& services, const Request& request);
Response add_policy_exclusion(Services& services, const Request& request);
Response remove_policy_exclusion(Services& services, const Request& request);

// object_routes.cc
Result<std::unique_ptr<BodySink>> submit_object(Services& services, const Request& request);
Response submit_url(Services& services, const Request& request);
Response export_objects(Services& services, const Request& request);
Response list_objects(Services& services, const Request& request);
Response get_object(Services& services, const Request& request);
Response get_object_archive(Services& services, const Request& request);
Response preview_object(Services& services, const Request& request);
Response remove_object_content(Services& services, const Request& request);
Response rescan_object(Services& services, const Request& request);

// reputation_routes.cc
Response get_reputation(Services& services, const Request& request);
Response list_reputation(Services& services, const Request& request);
Response add_reputation_entry(Services& services, const Request& request);
Response remove_reputation_entry(Services& services, const Request& request);
Response list_reputation_sources(Services& services, const Request& request);
Result<std::unique_ptr<BodySink>> import_reputation(Services& services, const Request& request);
Response remove_reputation_source(Services& services, const Request& request);

// external_system_routes.cc
Response list_external_systems(Services& services, const Request& request);
Response approve_external_system(Services& services, const Request& request);
Response reject_external_system(Services& services, const Request& request);
Response remove_external_system(Services& services, const Request& request);

// scanner_routes.cc, scanner_submission.cc
Result<std::unique_ptr<BodySink>> submit_scan(Services& services, const Request& request);
Response list_scan_states(Services& services, const Request& request);
Response get_scan(Services& services, const Request& request);
Response delete_scan(Services& services, const Request& request);
Response delete_scans(Services& services, const Request& request);
Response get_scan_filters(Services& services, const Request& request);
Response list_detects(Services& services, const Request& request);

// yara_routes.cc
Response list_yara_rules(Services& services, const Request& request);
Response try_yara_rules(Services& services, const Request& request);
Response change_yara_rule(Services& services, const Request& request);

// rule_routes.cc
Response list_rules(Services& services, const Request& request);
Response get_rule(Services& services, const Request& request);
Response change_rule(Services& services, const Request& request);
Response reload_rules(Services& services, const Request& request);

// rule_text_routes.cc
Response check_rule(Services& services, const Request& request);
Response backtest_rule(Services& services, const Request& request);

// exclusion_routes.cc
Response list_exclusions(Services& services, const Request& request);
Response add_exclusion(Services& services, const Request& request);
Response check_exclusion(Services& services, const Request& request);
Response change_exclusion(Services& services, const Request& request);
Response remove_exclusion(Services& services, const Request& request);

// attack_routes.cc
Response get_attack(Services& services, const Request& request);
Result<std::unique_ptr<BodySink>> import_attack(Services& services, const Request& request);

// saved_hunt_routes.cc
Response list_saved_hunts(Services& services, const Request& request);
Response save_hunt(Services& services, const Request& request);
Response change_saved_hunt(Services& services, const Request& request);
Response delete_saved_hunt(Services& services, const Request& request);
Response run_saved_hunt(Services& services, const Request& request);

// store_routes.cc
Response get_store(Services& services, const Request& request);
Response verify_store(Services& services, const Request& request);
Response compact_store(Services& services, const Request& request);
Response back_up_store(Services& services, const Request& request);
Response export_store(Services& services, const Request& request);

// node_routes.cc
Response get_health(Services& services, const Request& request);
Response get_metrics(Services& services, const Request& request);
Response get_openapi(Services& services, const Request& request);

}  // namespace redoubt::central
