#include "apps/redoubtd/settings.h"

#include <array>
#include <filesystem>

#include "base/file.h"
#include "base/url.h"

namespace redoubt::app {

namespace {

using base::SettingType;
namespace fs = std::filesystem;

constexpr auto kSettings = std::to_array<base::Setting>({
    {"data", SettingType::text, "/var/lib/redoubt/node", "data directory"},
    {"names", SettingType::text, "", "extra names and addresses in the server certificate, comma-separated"},
    {"state.postgres", SettingType::text, "",
     "PostgreSQL that holds the state, as libpq names it, without a password; empty: SQLite in the data directory"},
    {"state.password_file", SettingType::text, "", "file whose first line is its password; empty: as libpq finds one"},
    {"log.level", SettingType::text, "info", "debug, info, warning or error"},
    {"api.address", SettingType::text, "127.0.0.1:8443", "where console and API listen; port 0: any free one"},
    {"api.description", SettingType::text, "", "the OpenAPI file; empty: found beside the program"},
    {"scanner.address", SettingType::text, "127.0.0.1:8445",
     "where external systems submit objects; port 0: any free one; empty: nowhere"},
    {"scanner.open_max", SettingType::integer, "16", "how many submissions of one system may come at once"},
    {"scanner.per_minute_max", SettingType::integer, "3000", "how many submissions one system may make a minute"},
    {"scanner.states", SettingType::text, "array",
     "how states of scans are listed: array; object: {\"scans\": [...]}, for clients that want so"},
    {"link.address", SettingType::text, "127.0.0.1:8444", "where agents connect; port 0: any free one"},
    {"link.public_address", SettingType::text, "",
     "host:port that agents are told; empty: the name they called the API by"},
    {"link.certificate_life", SettingType::duration, "365d",
     "how long the certificates of agents hold; they are renewed after two thirds of it"},
    {"fleet.silent_after", SettingType::duration, "15m",
     "a host that says nothing for longer is an alert; 0s: none is"},
    {"web.directory", SettingType::text, "", "the built console; empty: found beside the program"},
    {"rules.directory", SettingType::text, "", "detection rules; empty: found beside the program"},
    {"yara.directory", SettingType::text, "", "YARA rules; empty: found beside the program"},
    {"scan.program", SettingType::text, "", "the jailed worker; empty: redoubt-scan beside the program"},
    {"scan.workers", SettingType::integer, "2", "how many workers scan objects"},
    {"scan.passwords_file", SettingType::text, "", "passwords to try on archives, one a line; empty: none"},
    {"clamav.socket", SettingType::text, "", "of a clamd that others run; empty: the node runs its own"},
    {"clamav.program", SettingType::text, "clamd", "the node's own clamd; empty: objects are judged without ClamAV"},
    {"clamav.database", SettingType::text, "/var/lib/clamav", "its signatures: *.cvd, *.ndb, *.hdb …"},
    {"store.retention", SettingType::duration, "30d", "age at which events are deleted; 0s: by size alone"},
    {"store.size_max", SettingType::size, "50GiB", "disk for events; 0: by age alone"},
    {"store.memory", SettingType::size, "1GiB", "memory for searching events"},
    {"hunts.export_time_max", SettingType::duration, "10m", "how long a hunt that is exported may take"},
    {"hunts.export_size_max", SettingType::size, "4GiB",
     "largest file of one; 0: as long as the disk has room (two are made at once)"},
    {"store.clickhouse.servers", SettingType::text, "",
     "ClickHouse servers that hold the events, http://host:port/database: replicas of a shard separated by blanks, "
     "shards "
     "by commas; empty: events in the data directory"},
    {"store.clickhouse.cluster", SettingType::text, "", "what their configuration calls them; empty: one server alone"},
    {"store.clickhouse.user", SettingType::text, "default", "the node's account there"},
    {"store.clickhouse.password_file", SettingType::text, "", "file whose first line is its password; empty: none"},
    {"store.clickhouse.ca_cert", SettingType::text, "", "certificates that vouch for them; empty: the system's"},
    {"falco.rule_matching", SettingType::text, "all",
     "all: an event is reported by every Falco rule that holds; first: by the one defined first, as Falco does"},
    {"falco.file_output.filename", SettingType::text, "",
     "what Falco rules detect, as Falco's JSON lines; empty: none"},
    {"falco.http_output.url", SettingType::text, "", "where those lines are posted, one each; empty: nowhere"},
    {"falco.http_output.ca_cert", SettingType::text, "", "certificates that vouch for it; empty: the system's"},
    {"objects.size_max", SettingType::size, "100MiB", "largest object that is taken"},
    {"objects.webhooks", SettingType::text, "",
     "where submissions may have their verdicts posted: addresses up to a slash, comma-separated; empty: nowhere"},
    {"objects.retention", SettingType::duration, "30d",
     "how long contents are kept since they were handed in last; 0s: by size alone"},
    {"objects.store_max", SettingType::size, "50GiB", "disk for contents; 0: by age alone"},
});

fs::path program_directory() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

// The first that exists of the installed place and the one in the source tree.
std::string beside_program(const std::string& configured, const std::string& installed, const std::string& source) {
  if (!configured.empty()) return configured;
  const fs::path program = program_directory();
  std::error_code error;
  for (const fs::path& path : {program / "../share/redoubt" / installed, program / "../../.." / source}) {
    if (fs::exists(path, error)) return fs::weakly_canonical(path, error).string();
  }
  return "";
}

Result<central::ScannerOptions> scanner_options(const base::Config& config) {
  const std::string states = config.text("scanner.states");
  if (states != "array" && states != "object") return fail(Errc::invalid_argument, "scanner.states: array or object");
  const int64_t open_max = config.integer("scanner.open_max");
  const int64_t per_minute_max = config.integer("scanner.per_minute_max");
  if (open_max < 1 || per_minute_max < 1) {
    return fail(Errc::invalid_argument, "scanner.open_max and scanner.per_minute_max: 1 at least");
  }
  return central::ScannerOptions{
      .submissions_open_max = static_cast<size_t>(open_max),
      .submissions_per_minute_max = static_cast<size_t>(per_minute_max),
      .state_list = states == "array" ? central::StateList::array : central::StateList::object};
}

}  // namespace

std::span<const base::Setting> node_settings() { return kSettings; }

std::vector<std::string> certificate_names(const base::Config& config) {
  std::vector<std::string> names;
  const std::string list = config.text("names");
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    if (comma > at) names.push_back(list.substr(at, comma - at));
    at = comma + 1;
  }
  return names;
}

store::PostgresOptions postgres_options(const base::Config& config) {
  return {.connection = config.text("state.postgres"), .password_file = config.text("state.password_file")};
}

store::ClickHouseOptions clickhouse_options(const base::Config& config) {
  return {.servers = config.text("store.clickhouse.servers"),
          .cluster = config.text("store.clickhouse.cluster"),
          .user = config.text("store.clickhouse.user"),
          .password_file = config.text("store.clickhouse.password_file"),
          .ca_file = config.text("store.clickhouse.ca_cert")};
}

// "https://soar.example.org/": with the slash, so that no other host begins alike.
Result<std::vector<std::string>> webhook_prefixes(const std::string& list) {
  std::vector<std::string> prefixes;
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    std::string prefix = list.substr(at, comma - at);
    prefix.erase(0, prefix.find_first_not_of(' '));
    at = comma + 1;
    if (prefix.empty()) continue;
    TRY_STATUS(base::parse_url(prefix));
    const size_t host = prefix.find("://") + 3;
    if (prefix.find('/', host) == std::string::npos) {
      return fail(Errc::invalid_argument, "objects.webhooks: '" + prefix + "' needs a slash behind its host");
    }
    prefixes.push_back(std::move(prefix));
  }
  return prefixes;
}

// One a line, as people write them; trailing blanks may be part of one.
Result<std::vector<std::string>> read_passwords(const std::string& path) {
  std::vector<std::string> passwords;
  if (path.empty()) return passwords;
  constexpr size_t kPasswordsBytesMax = size_t{64} << 10;
  TRY(const std::string text, base::read_file(path, kPasswordsBytesMax));
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) passwords.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return passwords;
}

Result<central::NodeOptions> node_options(const base::Config& config) {
  const auto matching = rules::falco::rule_matching_named(config.text("falco.rule_matching"));
  if (!matching) return fail(Errc::invalid_argument, "falco.rule_matching: all or first");
  const int64_t certificate_life_us = config.duration_us("link.certificate_life");
  constexpr int64_t kCertificateLifeMin = 30 * base::kSecondUs;
  if (certificate_life_us < kCertificateLifeMin) {
    return fail(Errc::invalid_argument, "link.certificate_life: 30s at least");
  }
  TRY(const central::ScannerOptions scanner, scanner_options(config));
  TRY(std::vector<std::string> webhooks, webhook_prefixes(config.text("objects.webhooks")));
  TRY(std::vector<std::string> passwords, read_passwords(config.text("scan.passwords_file")));
  std::string scan_program = config.text("scan.program");
  if (scan_program.empty()) scan_program = (program_directory() / "redoubt-scan").string();
  return central::NodeOptions{
      .data_directory = config.text("data"),
      .state = postgres_options(config),
      .clickhouse = clickhouse_options(config),
      .api_address = config.text("api.address"),
      .link_address = config.text("link.address"),
      .scanner_address = config.text("scanner.address"),
      .link_public_address = config.text("link.public_address"),
      .web_directory = beside_program(config.text("web.directory"), "web", "web/dist"),
      .rules_directory = beside_program(config.text("rules.directory"), "rules", "rules"),
      .yara_directory = beside_program(config.text("yara.directory"), "rules/yara", "rules/yara"),
      .openapi_path = beside_program(config.text("api.description"), "openapi.yaml", "proto/openapi.yaml"),
      .scan_program = scan_program,
      .scan_workers = static_cast<unsigned>(config.integer("scan.workers")),
      .scan_passwords = std::move(passwords),
      .clamav_socket = config.text("clamav.socket"),
      .clamav_program = config.text("clamav.program"),
      .clamav_directory = config.text("clamav.database"),
      .retention_us = config.duration_us("store.retention"),
      .store_bytes_max = static_cast<uint64_t>(config.size_bytes("store.size_max")),
      .store_memory_bytes = static_cast<uint64_t>(config.size_bytes("store.memory")),
      .export_time_ms_max = config.duration_us("hunts.export_time_max") / 1000,
      .export_bytes_max = static_cast<uint64_t>(config.size_bytes("hunts.export_size_max")),
      .object_bytes_max = static_cast<uint64_t>(config.size_bytes("objects.size_max")),
      .webhook_prefixes = std::move(webhooks),
      .object_retention_us = config.duration_us("objects.retention"),
      .object_store_bytes_max = static_cast<uint64_t>(config.size_bytes("objects.store_max")),
      .agent_certificate_us = certificate_life_us,
      .silent_after_us = config.duration_us("fleet.silent_after"),
      .scanner = scanner,
      .falco_matching = *matching,
      .falco_output = {.file_path = config.text("falco.file_output.filename"),
                       .http_url = config.text("falco.http_output.url"),
                       .http_ca_file = config.text("falco.http_output.ca_cert")},
  };
}

}  // namespace redoubt::app
