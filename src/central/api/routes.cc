#include "central/api/routes.h"

#include <array>

#include "central/api/handlers.h"
#include "rules/attack/matrix.h"

namespace redoubt::central {

namespace {

constexpr size_t kNoBody = 0;
constexpr size_t kSmallBody = size_t{16} << 10;
constexpr size_t kTextBody = size_t{512} << 10;

constexpr auto kRoutes = std::to_array<Route>({
    // clang-format off
    {Method::post,  "/session",                  Access::anyone,        log_in,                  kSmallBody, Audited::yes},
    {Method::get,   "/session",                  Access::reader,        who_am_i,                kNoBody,    Audited::no},
    {Method::del,   "/session",                  Access::reader,        log_out,                 kSmallBody, Audited::yes},
    {Method::get,   "/tokens",                   Access::reader,        list_tokens,             kNoBody,    Audited::no},
    {Method::post,  "/tokens",                   Access::officer,       create_token,            kSmallBody, Audited::yes},
    {Method::del,   "/tokens/{id}",              Access::officer,       delete_token,            kSmallBody, Audited::yes},
    {Method::get,   "/fields",                   Access::reader,        list_fields,             kNoBody,    Audited::no},
    {Method::get,   "/alerts",                   Access::reader,        list_alerts,             kNoBody,    Audited::no},
    {Method::get,   "/alerts/stream",            Access::reader,        stream_alerts,           kNoBody,    Audited::no},
    {Method::get,   "/alerts/{id}",              Access::reader,        get_alert,               kNoBody,    Audited::no},
    {Method::patch, "/alerts/{id}",              Access::officer,       change_alert,            kTextBody,  Audited::yes},
    {Method::get,   "/alerts/{id}/tree",         Access::reader,        get_alert_tree,          kNoBody,    Audited::no},
    {Method::get,   "/processes/{entity_id}/tree", Access::reader,      get_process_tree,        kNoBody,    Audited::no},
    {Method::post,  "/map/neighbours",           Access::reader,        map_neighbours,          kSmallBody, Audited::no},
    {Method::post,  "/hunts",                    Access::reader,        run_hunt,                kTextBody,  Audited::yes, nullptr, Client::watched},
    {Method::post,  "/hunts/export",             Access::reader,        export_hunt,             kTextBody,  Audited::yes, nullptr, Client::watched},
    {Method::post,  "/hunts/histogram",          Access::reader,        hunt_histogram,          kTextBody,  Audited::no,  nullptr, Client::watched},
    {Method::post,  "/hunts/check",              Access::reader,        check_hunt,              kTextBody,  Audited::no},
    {Method::post,  "/hunts/outline",            Access::reader,        read_outline,            kTextBody,  Audited::no},
    {Method::post,  "/hunts/print",              Access::reader,        print_outline,           kTextBody,  Audited::no},
    {Method::post,  "/hunts/values",             Access::reader,        seen_values,             kTextBody,  Audited::no,  nullptr, Client::watched},
    {Method::get,   "/hunts/saved",              Access::reader,        list_saved_hunts,        kNoBody,    Audited::no},
    {Method::post,  "/hunts/saved",              Access::officer,       save_hunt,               kTextBody,  Audited::yes},
    {Method::patch, "/hunts/saved/{id}",         Access::officer,       change_saved_hunt,       kTextBody,  Audited::yes},
    {Method::del,   "/hunts/saved/{id}",         Access::officer,       delete_saved_hunt,       kSmallBody, Audited::yes},
    {Method::post,  "/hunts/saved/{id}/run",     Access::officer,       run_saved_hunt,          kSmallBody, Audited::yes},
    {Method::get,   "/hosts",                    Access::reader,        list_hosts,              kNoBody,    Audited::no},
    {Method::get,   "/hosts/{id}",               Access::reader,        get_host,                kNoBody,    Audited::no},
    {Method::post,  "/hosts/{id}/revoke",        Access::administrator, revoke_host,             kSmallBody, Audited::yes},
    {Method::get,   "/policy",                   Access::reader,        get_policy,              kNoBody,    Audited::no},
    {Method::post,  "/policy/exclusions",        Access::administrator, add_policy_exclusion,    kSmallBody, Audited::yes},
    {Method::del,   "/policy/exclusions/{id}",   Access::administrator, remove_policy_exclusion, kSmallBody, Audited::yes},
    {Method::post,  "/enrollment-tokens",        Access::administrator, create_enrollment_token, kSmallBody, Audited::yes},
    {Method::post,  "/enroll",                   Access::anyone,        enroll_host,             size_t{64} << 10, Audited::yes},
    {Method::post,  "/objects",                  Access::officer,       nullptr,                 kNoBody,    Audited::yes, submit_object, Client::ignored, Carries::object},
    {Method::get,   "/objects",                  Access::reader,        list_objects,            kNoBody,    Audited::no},
    {Method::post,  "/objects/url",              Access::officer,       submit_url,              kSmallBody, Audited::yes},
    {Method::get,   "/objects/export",           Access::reader,        export_objects,          kNoBody,    Audited::yes},
    {Method::get,   "/objects/{id}",             Access::reader,        get_object,              kNoBody,    Audited::no},
    {Method::get,   "/objects/{id}/archive",     Access::officer,       get_object_archive,      kNoBody,    Audited::yes},
    {Method::get,   "/objects/{id}/preview",     Access::officer,       preview_object,          kNoBody,    Audited::yes},
    {Method::del,   "/objects/{id}/content",     Access::officer,       remove_object_content,   kSmallBody, Audited::yes},
    {Method::post,  "/objects/{id}/rescan",      Access::officer,       rescan_object,           kSmallBody, Audited::yes},
    {Method::get,   "/yara/rules",               Access::reader,        list_yara_rules,         kNoBody,    Audited::no},
    {Method::post,  "/yara/trial",               Access::officer,       try_yara_rules,          kTextBody,  Audited::yes},
    {Method::patch, "/yara/rules/{name}",        Access::officer,       change_yara_rule,        kSmallBody, Audited::yes},
    {Method::get,   "/reputation",               Access::reader,        get_reputation,          kNoBody,    Audited::no},
    {Method::get,   "/reputation/entries",       Access::reader,        list_reputation,         kNoBody,    Audited::no},
    {Method::post,  "/reputation/entries",       Access::officer,       add_reputation_entry,    kSmallBody, Audited::yes},
    {Method::del,   "/reputation/entries/{id}",  Access::officer,       remove_reputation_entry, kSmallBody, Audited::yes},
    {Method::get,   "/reputation/sources",       Access::reader,        list_reputation_sources, kNoBody,    Audited::no},
    {Method::post,  "/reputation/sources/{name}", Access::officer,      nullptr,                 kFeedBytesMax, Audited::yes, import_reputation},
    {Method::del,   "/reputation/sources/{name}", Access::officer,      remove_reputation_source, kSmallBody, Audited::yes},
    {Method::get,   "/external-systems",         Access::reader,        list_external_systems,   kNoBody,    Audited::no},
    {Method::post,  "/external-systems/{id}/approve", Access::administrator, approve_external_system, kSmallBody, Audited::yes},
    {Method::post,  "/external-systems/{id}/reject", Access::administrator, reject_external_system, kSmallBody, Audited::yes},
    {Method::del,   "/external-systems/{id}",    Access::administrator, remove_external_system,  kSmallBody, Audited::yes},
    {Method::get,   "/rules",                    Access::reader,        list_rules,              kNoBody,    Audited::no},
    {Method::post,  "/rules/check",              Access::reader,        check_rule,              kTextBody,  Audited::no},
    {Method::post,  "/rules/backtest",           Access::reader,        backtest_rule,           kTextBody,  Audited::yes},
    {Method::post,  "/rules/reload",             Access::officer,       reload_rules,            kSmallBody, Audited::yes},
    {Method::get,   "/rules/{id}",               Access::reader,        get_rule,                kNoBody,    Audited::no},
    {Method::patch, "/rules/{id}",               Access::officer,       change_rule,             kSmallBody, Audited::yes},
    {Method::get,   "/exclusions",               Access::reader,        list_exclusions,         kNoBody,    Audited::no},
    {Method::post,  "/exclusions",               Access::officer,       add_exclusion,           kTextBody,  Audited::yes},
    {Method::post,  "/exclusions/check",         Access::reader,        check_exclusion,         kTextBody,  Audited::no},
    {Method::patch, "/exclusions/{id}",          Access::officer,       change_exclusion,        kTextBody,  Audited::yes},
    {Method::del,   "/exclusions/{id}",          Access::officer,       remove_exclusion,        kSmallBody, Audited::yes},
    {Method::get,   "/attack",                   Access::reader,        get_attack,              kNoBody,    Audited::no},
    {Method::post,  "/attack",                   Access::administrator, nullptr,                 rules::attack::kBundleBytesMax, Audited::yes, import_attack},
    {Method::get,   "/store",                    Access::administrator, get_store,               kNoBody,    Audited::no},
    {Method::post,  "/store/verify",             Access::administrator, verify_store,            kSmallBody, Audited::yes},
    {Method::post,  "/store/compact",            Access::administrator, compact_store,           kSmallBody, Audited::yes},
    {Method::post,  "/store/backup",             Access::administrator, back_up_store,           kSmallBody, Audited::yes},
    {Method::post,  "/store/export",             Access::administrator, export_store,            kTextBody,  Audited::yes},
    {Method::get,   "/health",                   Access::anyone,        get_health,              kNoBody,    Audited::no},
    {Method::get,   "/metrics",                  Access::reader,        get_metrics,             kNoBody,    Audited::no},
    {Method::get,   "/openapi.yaml",             Access::anyone,        get_openapi,             kNoBody,    Audited::no},
    // clang-format on
});

// Objects tell who submitted them; reading and forgetting one's own results is no action to be audited.
constexpr auto kScannerRoutes = std::to_array<Route>({
    // clang-format off
    {Method::post, "/sensors/{sensorId}/scans",          Access::external_system, nullptr,             kNoBody, Audited::no, submit_scan, Client::ignored, Carries::object_in_form},
    {Method::del,  "/sensors/{sensorId}/scans",          Access::external_system, delete_scans,        kNoBody, Audited::no},
    {Method::get,  "/sensors/{sensorId}/scans/state",    Access::external_system, list_scan_states,    kNoBody, Audited::no},
    {Method::get,  "/sensors/{sensorId}/scans/filters",  Access::external_system, get_scan_filters,    kNoBody, Audited::no},
    {Method::get,  "/sensors/{sensorId}/scans/{scanId}", Access::external_system, get_scan,            kNoBody, Audited::no},
    {Method::del,  "/sensors/{sensorId}/scans/{scanId}", Access::external_system, delete_scan,         kNoBody, Audited::no},
    {Method::get,  "/sensors/{sensorId}/detects",        Access::external_system, list_detects,        kNoBody, Audited::no},
    // clang-format on
});

constexpr Door kApiDoor = {.prefix = "/api/v1", .routes = kRoutes, .elsewhere = Elsewhere::console_files};
constexpr Door kScannerDoor = {.prefix = "/kata/scanner/v1", .routes = kScannerRoutes, .elsewhere = Elsewhere::nothing};

}  // namespace

const Door& api_door() { return kApiDoor; }
const Door& scanner_door() { return kScannerDoor; }

}  // namespace redoubt::central
