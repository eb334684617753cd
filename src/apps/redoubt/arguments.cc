#include "apps/redoubt/arguments.h"

#include <CLI/CLI.hpp>
#include <array>
#include <iostream>

#include "apps/redoubt/commands.h"

namespace redoubt::cli {

namespace {

using AddOptions = void (*)(CLI::App&, Arguments&);

// One command: its noun (empty: the verb stands alone), examples that come first in its help, what it takes.
struct CommandRow {
  std::string_view noun;
  std::string_view verb;
  std::string_view help;
  std::string_view examples;
  AddOptions add;
  Run run;
};

void add_nothing(CLI::App&, Arguments&) {}

// What is not said stays as it was at the first `up`.
void add_up(CLI::App& app, Arguments& arguments) {
  const CLI::Range port(0, 65535);
  app.add_option("--listen", arguments.listen, "address of the console and of the agent link; at first 127.0.0.1");
  app.add_option("--api-port", arguments.api_port, "port of console and API; at first 8443")->check(port);
  app.add_option("--link-port", arguments.link_port, "port of the agent link; at first 8444")->check(port);
  app.add_option("--scanner-port", arguments.scanner_port, "port where external systems submit objects; at first 8445")
      ->check(port);
}

void add_limit(CLI::App& app, Arguments& arguments) {
  app.add_option("--limit", arguments.limit, "at most so many")->check(CLI::Range(1, 10'000))->capture_default_str();
}

CLI::Option* add_file_format(CLI::App& app, Arguments& arguments) {
  return app.add_option("--format", arguments.file_format, "csv, jsonl or parquet; else by the end of the file's name")
      ->check(CLI::IsMember({"csv", "jsonl", "parquet"}));
}

void add_hunt(CLI::App& app, Arguments& arguments) {
  CLI::Option* query = app.add_option("QUERY", arguments.query, "hunting query; an empty one finds everything");
  CLI::Option* rule =
      app.add_option("--rule", arguments.rule_file, "a rule file (of any format; - is standard input) instead");
  rule->excludes(query);
  app.parse_complete_callback([&app, query, rule] {
    const bool is_verb = !app.get_subcommands().empty();
    if (!is_verb && query->empty() && rule->empty()) throw CLI::RequiredError("QUERY or --rule");
  });
  app.add_option("--since", arguments.since,
                 "not older than this: 90s, 15m, 24h, 7d or an RFC 3339 time; with --rule else 30d");
  add_limit(app, arguments);
  CLI::Option* file = app.add_option("--export", arguments.output, "write all of it to this new file instead");
  file->excludes(rule)->excludes(app.get_option("--limit"));
  add_file_format(app, arguments)->needs(file);
}

void add_scan(CLI::App& app, Arguments& arguments) {
  app.add_option("FILE", arguments.files, "files to submit; - is standard input")->required();
  app.add_option("--wait", arguments.wait_s, "seconds to wait for each verdict")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
}

void add_replay(CLI::App& app, Arguments& arguments) {
  app.add_option("EVENTS", arguments.files,
                 "recordings: JSON records (our own, Windows event logs and Sysmon, ECS, Falco), or our spool; - is "
                 "standard input")
      ->required();
  app.add_option("--rules", arguments.rules_directory, "directory of rules, as a node takes it")->required();
  app.add_option("--log", arguments.log_name,
                 "what other records are: PRODUCT, PRODUCT/SERVICE or PRODUCT/SERVICE/CATEGORY, in Sigma's words");
  app.add_flag("--count", arguments.count_only, "print how often each rule matched instead of each match");
}

void add_alert_list(CLI::App& app, Arguments& arguments) {
  arguments.status = "new,in_progress";
  app.add_option("--status", arguments.status, "new, in_progress, closed; several joined by commas")
      ->capture_default_str();
  app.add_option("--importance", arguments.importance, "informational, low, medium, high, critical");
  add_limit(app, arguments);
}

void add_id(CLI::App& app, Arguments& arguments) {
  app.add_option("ID", arguments.id, "as `list` shows it")->required();
}

void add_close(CLI::App& app, Arguments& arguments) {
  add_id(app, arguments);
  app.add_option("--comment", arguments.comment, "why");
}

void add_external_system(CLI::App& app, Arguments& arguments) {
  add_id(app, arguments);
  app.add_option("--name", arguments.name, "how it is listed from now on");
}

void add_invite(CLI::App& app, Arguments& arguments) {
  app.add_option("--valid", arguments.valid, "how long the token works: 15m, 24h, 7d")->capture_default_str();
  app.add_option("--uses", arguments.uses, "how many hosts may join with it")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
}

void add_name(CLI::App& app, Arguments& arguments) {
  app.add_option("NAME", arguments.name, "what the token is for")->required();
}

void add_rule_id(CLI::App& app, Arguments& arguments) {
  app.add_option("RULE", arguments.id, "id of the rule, as `rule list` shows it")->required();
}

void add_rule_set(CLI::App& app, Arguments& arguments) {
  add_rule_id(app, arguments);
  app.add_option("--importance", arguments.importance, "of its alerts from now on; own: what the rule's file says")
      ->required()
      ->check(CLI::IsMember({"informational", "low", "medium", "high", "critical", "own"}));
}

void add_rule_exclude(CLI::App& app, Arguments& arguments) {
  app.add_option("RULE", arguments.id, "id of the rule, or `all`")->required();
  app.add_option("CONDITION", arguments.query, "hunting text: an event that it holds for makes no alert")->required();
  app.add_option("--name", arguments.name, "how it is listed; else the condition");
  app.add_option("--note", arguments.comment, "why");
  app.add_option("--expires", arguments.expires, "when it ends: 24h, 30d or an RFC 3339 time; else never");
}

void add_exclusions(CLI::App& app, Arguments& arguments) {
  app.add_option("RULE", arguments.id, "those of this rule, and those of all rules");
}

void add_exclusion_id(CLI::App& app, Arguments& arguments) {
  app.add_option("EXCLUSION", arguments.id, "as `rule exclusions` shows it")->required();
}

void add_policy_exclude(CLI::App& app, Arguments& arguments) {
  app.add_option("KIND", arguments.name, "program: its file and network events; path: files at or below; network: CIDR")
      ->required()
      ->check(CLI::IsMember({"program", "path", "network"}));
  app.add_option("VALUE", arguments.id, "an absolute path, or a network")->required();
  app.add_option("--note", arguments.comment, "why");
}

void add_policy_id(CLI::App& app, Arguments& arguments) {
  app.add_option("EXCLUSION", arguments.id, "as `policy show` shows it")->required();
}

void add_rule_files(CLI::App& app, Arguments& arguments) {
  app.add_option("FILE", arguments.files, "rule files; - is standard input")->required();
}

void add_hunt_save(CLI::App& app, Arguments& arguments) {
  arguments.importance = "medium";
  app.add_option("QUERY", arguments.query, "hunting query without a time of its own")->required();
  app.add_option("--name", arguments.name, "title of its alerts")->required();
  app.add_option("--every", arguments.interval, "15m, 24h; at least 1m")->required();
  app.add_option("--window", arguments.window, "how far back a run looks; else --every and 10 minutes more");
  app.add_option("--importance", arguments.importance, "of its alerts")
      ->check(CLI::IsMember({"informational", "low", "medium", "high", "critical"}))
      ->capture_default_str();
}

void add_bundle(CLI::App& app, Arguments& arguments) {
  app.add_option("FILE", arguments.files, "the enterprise ATT&CK bundle, STIX 2.1")->required()->expected(1);
}

void add_yara_rule(CLI::App& app, Arguments& arguments) {
  app.add_option("RULE", arguments.id, "its name, as `yara list` shows it")->required();
}

void add_yara_set(CLI::App& app, Arguments& arguments) {
  add_yara_rule(app, arguments);
  app.add_option("--importance", arguments.importance, "informational, low, medium, high, critical; own: the rule's")
      ->required();
}

void add_indicator(CLI::App& app, Arguments& arguments) {
  app.add_option("VALUE", arguments.id, "a hash (MD5, SHA-1, SHA-256), an address, a domain or a URL")->required();
}

void add_reputation_source(CLI::App& app, Arguments& arguments) {
  app.add_option("SOURCE", arguments.name, "name of a feed")->required();
}

void add_reputation_list(CLI::App& app, Arguments& arguments) {
  app.add_option("SOURCE", arguments.name, "its entries, newest first; else all sources");
  app.add_option("--limit", arguments.limit, "how many entries")->check(CLI::Range(1, 500));
}

void add_reputation_word(CLI::App& app, Arguments& arguments) {
  arguments.status = "bad";
  app.add_option("--reputation", arguments.status, "good or bad; bad if not said")
      ->check(CLI::IsMember({"good", "bad"}));
}

void add_reputation_entry(CLI::App& app, Arguments& arguments) {
  add_indicator(app, arguments);
  add_reputation_word(app, arguments);
  app.add_option("--note", arguments.comment, "why");
}

void add_reputation_id(CLI::App& app, Arguments& arguments) {
  app.add_option("ENTRY", arguments.id, "as `reputation list` shows it")->required();
}

void add_reputation_import(CLI::App& app, Arguments& arguments) {
  app.add_option("FILE", arguments.files, "list, CSV, ClamAV hash signatures, MISP event or STIX 2.1 bundle")
      ->required()
      ->expected(1);
  app.add_option("--source", arguments.name, "name of the feed; what it said before and says no more is gone")
      ->required();
  add_reputation_word(app, arguments);
}

void add_store(CLI::App& app, Arguments& arguments) {
  app.add_option("--data", arguments.data, "data directory of a node that is stopped; else the running node is asked");
}

void add_backup(CLI::App& app, Arguments& arguments) {
  app.add_option("DIR", arguments.output, "on the node's machine: absent, empty, or of a backup that was broken off")
      ->required();
  app.add_flag("--copy", arguments.copy, "copy files instead of linking them where the file system can");
  add_store(app, arguments);
}

void add_restore(CLI::App& app, Arguments& arguments) {
  app.add_option("BACKUP", arguments.output, "what `store backup` made")->required();
  app.add_option("--data", arguments.data, "the data directory to make: absent or empty")->required();
}

void add_store_migrate(CLI::App& app, Arguments& arguments) {
  app.add_option("--data", arguments.data, "data directory of a node that is stopped")->required();
  app.add_option("--servers", arguments.servers, "as store.clickhouse.servers of its configuration")->required();
  app.add_option("--cluster", arguments.cluster, "as store.clickhouse.cluster");
  app.add_option("--user", arguments.account, "as store.clickhouse.user")->capture_default_str();
  app.add_option("--password-file", arguments.password_file, "as store.clickhouse.password_file");
  app.add_option("--ca-cert", arguments.ca_file, "as store.clickhouse.ca_cert");
}

void add_store_export(CLI::App& app, Arguments& arguments) {
  app.add_option("FILE", arguments.output, "the file to make; an existing one is not written over")->required();
  app.add_option("QUERY", arguments.query, "hunting query; without one: everything");
  app.add_option("--since", arguments.since, "not older than this: 15m, 24h, 7d or an RFC 3339 time");
  app.add_option("--until", arguments.until, "older than this");
  add_file_format(app, arguments);
  add_store(app, arguments);
}

void add_login(CLI::App& app, Arguments& arguments) {
  app.add_option("--url", arguments.url, "https://HOST:PORT")->required();
  app.add_option("--fingerprint", arguments.fingerprint, "SHA-256 of the server certificate; nothing else is trusted")
      ->required();
  app.add_option("--user", arguments.user, "account")->capture_default_str();
}

constexpr std::array kCommands = {
    CommandRow{"", "up",
               "Run the whole of Redoubt on this machine: node, agent, first account. Again: changes nothing.",
               "redoubt up\nredoubt up --home /srv/redoubt --listen 0.0.0.0 --api-port 443", add_up, run_up},
    CommandRow{"", "down", "Stop what `up` started; data stays.", "redoubt down\nredoubt down --home /srv/redoubt",
               add_nothing, run_down},
    CommandRow{"", "status", "State of the node and of its parts.", "redoubt status\nredoubt status --json",
               add_nothing, run_status},
    CommandRow{"", "hunt", "Search everything that happened, newest first. --json: one object a line.",
               "redoubt hunt 'EventType = \"process\" AND FileName CONTAINS \"curl\"' --since 24h\n"
               "redoubt hunt 'UserName = \"root\" | count by process.name top 10'\n"
               "redoubt hunt 'destination.port = 4444' --json | jq -r '.\"process.command_line\"'\n"
               "redoubt hunt 'destination.port = 4444 | fields time, host.name' --since 7d --export port4444.csv\n"
               "redoubt hunt --rule suspicious_curl.yml --since 30d",
               add_hunt, run_hunt},
    CommandRow{"", "replay", "Run rules over recorded events, without a node. One JSON object a match.",
               "redoubt replay --rules rules/sigma sysmon.json\n"
               "redoubt replay --rules sigma/ --count recordings/*.json\n"
               "redoubt replay --rules sigma/ --log aws/cloudtrail trail.jsonl",
               add_replay, run_replay},
    CommandRow{"", "scan", "Have files judged by the node's engines.",
               "redoubt scan invoice.pdf\nredoubt scan *.exe --json\ncurl -s https://example.org/x | redoubt scan -",
               add_scan, run_scan},
    CommandRow{"", "login", "Log in to a node; the password is read from standard input. Writes the profile.",
               "redoubt login --url https://edr.example.org:8443 --fingerprint 9f86d0…", add_login, run_login},
    CommandRow{"alert", "list", "Alerts, most important first.",
               "redoubt alert list\nredoubt alert list --status closed --importance high,critical", add_alert_list,
               run_alert_list},
    CommandRow{"alert", "show", "One alert with its rule, process and comments.", "redoubt alert show 42", add_id,
               run_alert_show},
    CommandRow{"alert", "close", "Close an alert.", "redoubt alert close 42 --comment 'a test of ours'", add_close,
               run_alert_close},
    CommandRow{"host", "list", "Hosts, their state, event rate and losses.", "redoubt host list", add_nothing,
               run_host_list},
    CommandRow{"host", "show", "One host: how its agent is, and what was lost lately.",
               "redoubt host show 7e2c9f52-5b60-4c5e-a6f4-6d9a2f3b1c11", add_id, run_host_show},
    CommandRow{"host", "revoke", "Refuse a host's certificate from now on.",
               "redoubt host revoke 7e2c9f52-5b60-4c5e-a6f4-6d9a2f3b1c11", add_id, run_host_revoke},
    CommandRow{"host", "invite", "Make a token with which a host joins, and say how.",
               "redoubt host invite\nredoubt host invite --uses 50 --valid 24h", add_invite, run_host_invite},
    CommandRow{
        "hunt", "save", "Save a hunt that runs by schedule and makes alerts of what it finds, each event once.",
        "redoubt hunt save 'process.name = \"nc\" AND user.name = \"www-data\"' --name 'netcat of the web server' "
        "--every 15m\n"
        "redoubt hunt save 'destination.port = 4444' --name 'port 4444' --every 1h --window 6h --importance high",
        add_hunt_save, run_hunt_save},
    CommandRow{"hunt", "list", "Saved hunts, their latest and next runs.", "redoubt hunt list", add_nothing,
               run_hunt_list},
    CommandRow{"hunt", "run", "Run a saved hunt now.", "redoubt hunt run 3", add_id, run_hunt_run},
    CommandRow{"hunt", "delete", "Delete a saved hunt; its alerts stay.", "redoubt hunt delete 3", add_id,
               run_hunt_delete},
    CommandRow{
        "external-systems", "list", "Systems that submit objects or ask to, with their certificates.",
        "redoubt external-systems list\n"
        "redoubt external-systems list --json | jq -r '.external_systems[] | select(.state == \"pending\") | .id'",
        add_nothing, run_external_systems_list},
    CommandRow{
        "external-systems", "approve", "Let a system submit objects with its certificate. Compare fingerprints first.",
        "redoubt external-systems approve 3 --name 'mail gateway'", add_external_system, run_external_systems_approve},
    CommandRow{"external-systems", "reject", "Refuse a system's certificate; the row stays.",
               "redoubt external-systems reject 3", add_external_system, run_external_systems_reject},
    CommandRow{"external-systems", "remove", "Forget a system's certificate; if it asks again it waits for approval.",
               "redoubt external-systems remove 3", add_id, run_external_systems_remove},
    CommandRow{"rule", "list", "Detection rules with their state, hits and cost; rule files that were refused.",
               "redoubt rule list\nredoubt rule list --json | jq -r '.rules[] | select(.enabled | not) | .title'",
               add_nothing, run_rule_list},
    CommandRow{"rule", "show", "One rule.", "redoubt rule show 0b1c7d4a-0000-4000-8000-000000000001", add_rule_id,
               run_rule_show},
    CommandRow{"rule", "enable", "Switch a rule on.", "redoubt rule enable 0b1c7d4a-0000-4000-8000-000000000001",
               add_rule_id, run_rule_enable},
    CommandRow{"rule", "disable", "Switch a rule off: it makes no alerts.",
               "redoubt rule disable 0b1c7d4a-0000-4000-8000-000000000001", add_rule_id, run_rule_disable},
    CommandRow{"rule", "set", "Set how much a rule's alerts matter.",
               "redoubt rule set 0b1c7d4a-0000-4000-8000-000000000001 --importance low\n"
               "redoubt rule set 0b1c7d4a-0000-4000-8000-000000000001 --importance own",
               add_rule_set, run_rule_set},
    CommandRow{
        "rule", "exclude", "Add an exclusion to a rule, or to all rules.",
        "redoubt rule exclude 0b1c7d4a-0000-4000-8000-000000000001 'process.parent.executable = \"/usr/bin/apt\"'\n"
        "redoubt rule exclude all 'host.name = \"scanner-1\"' --name 'our scanner' --expires 30d",
        add_rule_exclude, run_rule_exclude},
    CommandRow{"rule", "exclusions", "Exclusions and their state.", "redoubt rule exclusions", add_exclusions,
               run_rule_exclusions},
    CommandRow{"rule", "include", "Remove an exclusion.", "redoubt rule include 7", add_exclusion_id, run_rule_include},
    CommandRow{"rule", "check", "Check rule files of any format without loading them; exit 2 where one is refused.",
               "redoubt rule check my_rule.yml\ncat hashes.iocs.txt | redoubt rule check -", add_rule_files,
               run_rule_check},
    CommandRow{"rule", "reload", "Read the rule directory again now; changed files are read by themselves in seconds.",
               "redoubt rule reload", add_nothing, run_rule_reload},
    CommandRow{"policy", "show", "What hosts leave out of their telemetry.", "redoubt policy show", add_nothing,
               run_policy_show},
    CommandRow{"policy", "exclude", "Have hosts leave something out; starts and ends of programs are always told.",
               "redoubt policy exclude program /usr/bin/restic --note 'backup'\n"
               "redoubt policy exclude path /var/cache\n"
               "redoubt policy exclude network 10.1.0.0/16",
               add_policy_exclude, run_policy_exclude},
    CommandRow{"policy", "include", "Have them tell it again.", "redoubt policy include 7", add_policy_id,
               run_policy_include},
    CommandRow{"attack", "import", "Give ATT&CK's techniques their names: the bundle that attack.mitre.org publishes.",
               "redoubt attack import enterprise-attack.json", add_bundle, run_attack_import},
    CommandRow{"reputation", "check", "What is known of a hash, an address, a domain or a URL, and who says so.",
               "redoubt reputation check evil.example.com", add_indicator, run_reputation_check},
    CommandRow{"reputation", "list", "Sources of the reputation service, or what one of them says.",
               "redoubt reputation list\nredoubt reputation list manual", add_reputation_list, run_reputation_list},
    CommandRow{"reputation", "add", "Say yourself that something is bad, or good.",
               "redoubt reputation add http://evil.example.com/a --note 'mail of Monday'\n"
               "redoubt reputation add 275a021b… --reputation good --note 'our own test file'",
               add_reputation_entry, run_reputation_add},
    CommandRow{"reputation", "remove", "Take an entry back.", "redoubt reputation remove 17", add_reputation_id,
               run_reputation_remove},
    CommandRow{"reputation", "import", "Have a file say what is bad from now on; works with no outside network.",
               "redoubt reputation import hashes.csv --source partner\n"
               "redoubt reputation import event.json --source misp\n"
               "redoubt reputation import golden.txt --source 'golden image' --reputation good",
               add_reputation_import, run_reputation_import},
    CommandRow{"reputation", "forget", "Remove all that a source says.", "redoubt reputation forget partner",
               add_reputation_source, run_reputation_forget},
    CommandRow{"store", "stats", "What the event store holds: events, segments, bytes, kinds, hosts.",
               "redoubt store stats\nredoubt store stats --data /var/lib/redoubt/node --json", add_store,
               run_store_stats},
    CommandRow{"store", "verify", "Read every file of the store and name what is damaged; exit 1 where something is.",
               "redoubt store verify\nredoubt store verify --data /var/lib/redoubt/node", add_store, run_store_verify},
    CommandRow{"store", "compact", "Merge small segments now; a running node does it in the background.",
               "redoubt store compact", add_store, run_store_compact},
    CommandRow{"store", "export", "Write all that a query finds to a file: CSV, JSON lines or Parquet.",
               "redoubt store export day.parquet --since 24h\n"
               "redoubt store export logins.csv 'EventType = \"login\" | fields @timestamp, host.name, user.name' "
               "--since 2026-11-01 --until 2026-12-01\n"
               "redoubt store export all.jsonl --data /var/lib/redoubt/node",
               add_store_export, run_store_export},
    CommandRow{"store", "backup", "Copy all that makes the node to a directory, while it works.",
               "redoubt store backup /backup/redoubt-2026-11-25\nredoubt store backup /mnt/usb/redoubt --copy",
               add_backup, run_store_backup},
    CommandRow{"store", "restore", "Make a data directory of a backup, and verify it.",
               "redoubt store restore /backup/redoubt-2026-11-25 --data /var/lib/redoubt/node", add_restore,
               run_store_restore},
    CommandRow{
        "store", "migrate", "Move the events of a node that is stopped to ClickHouse; a second call goes on.",
        "redoubt store migrate --data /var/lib/redoubt/node --servers http://10.0.0.1:8123/redoubt --user redoubt "
        "--password-file /etc/redoubt/clickhouse-password",
        add_store_migrate, run_store_migrate},
    CommandRow{"token", "create", "Make an API token; it is shown once.", "redoubt token create backup-script",
               add_name, run_token_create},
    CommandRow{"yara", "list", "YARA rules in force, what people decided about them, and those that were refused.",
               "redoubt yara list", add_nothing, run_yara_list},
    CommandRow{"yara", "enable", "Switch a YARA rule on.", "redoubt yara enable EICAR_Test_File", add_yara_rule,
               run_yara_enable},
    CommandRow{"yara", "disable", "Switch a YARA rule off: it detects nothing.", "redoubt yara disable EICAR_Test_File",
               add_yara_rule, run_yara_disable},
    CommandRow{"yara", "set", "Set how much a YARA rule's detections matter.",
               "redoubt yara set EICAR_Test_File --importance low", add_yara_set, run_yara_set},
};

constexpr std::string_view kMainHelp =
    "Redoubt: endpoint detection and response, from the command line.\n\n"
    "Examples:\n"
    "  redoubt up\n"
    "  redoubt hunt 'EventType = \"process\" AND UserName = \"root\"' --since 1h\n"
    "  redoubt scan suspicious.bin\n"
    "  redoubt alert list --json\n\n"
    "The node is found through a profile (address, certificate fingerprint, token): --home DIR means DIR/cli.json, "
    "else\n"
    "$REDOUBT_PROFILE, else ~/.config/redoubt/cli.json (see `redoubt login`), else the one that `redoubt up` wrote.\n\n"
    "Exit codes: 0 good; 1 failed; 2 command line or query wrong; 3 no such thing, or nothing found; 4 scan: "
    "detected.\n";

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kNouns = {{
    {"alert", "What the analyst handles."},
    {"attack", "Names of ATT&CK."},
    {"external-systems", "Systems that submit objects."},
    {"host", "Hosts that send events."},
    {"policy", "What hosts leave out of their telemetry."},
    {"reputation", "What is known as good or bad, with no outside network."},
    {"rule", "What detects."},
    {"store", "Where events are kept."},
    {"token", "How programs log in."},
    {"yara", "What detects in objects."},
}};

std::string describe(const CommandRow& row) {
  std::string text = "Examples:\n";
  std::string_view examples = row.examples;
  while (!examples.empty()) {
    const size_t end = examples.find('\n');
    text += "  " + std::string(examples.substr(0, end)) + "\n";
    examples = end == std::string_view::npos ? std::string_view() : examples.substr(end + 1);
  }
  return text + "\n" + std::string(row.help) + "\n";
}

// The list of commands shows one line each; examples belong to the command's own help.
class CommandFormatter : public CLI::Formatter {
 public:
  std::string make_subcommand(const CLI::App* command) const override {
    const std::string whole = command->get_description();
    const size_t blank = whole.find("\n\n");
    std::string line = blank == std::string::npos ? whole : whole.substr(blank + 2);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    std::string name = "  " + command->get_name();
    name.resize(std::max<size_t>(name.size() + 2, 12), ' ');
    return name + line + "\n";
  }
};

// Options belong to the command that is used: each row fills arguments of its own.
void build(CLI::App& app, std::array<Arguments, kCommands.size()>& filled, Arguments& chosen) {
  app.description(std::string(kMainHelp));
  app.set_version_flag("--version", std::string("redoubt ") + REDOUBT_VERSION);
  app.require_subcommand(1);
  app.formatter(std::make_shared<CommandFormatter>());
  for (const auto& [noun, help] : kNouns) {
    CLI::App* group = app.add_subcommand(std::string(noun), std::string(help));
    group->require_subcommand(1);
  }
  for (size_t i = 0; i < kCommands.size(); ++i) {
    const CommandRow& row = kCommands[i];
    // `hunt` is both: a command, and the noun of those behind it.
    CLI::App* parent = row.noun.empty() ? &app : app.get_subcommand(std::string(row.noun));
    CLI::App* command = parent->add_subcommand(std::string(row.verb), describe(row));
    Arguments& arguments = filled[i];
    arguments.run = row.run;
    row.add(*command, arguments);
    command->add_option("--home", arguments.home, "directory of `redoubt up`; its cli.json is the profile");
    command->add_flag_callback("--json", [&arguments] { arguments.format = Format::json; }, "print JSON");
    command->callback([command, &arguments, &chosen] {
      if (command->get_subcommands().empty()) chosen = arguments;
    });
  }
}

}  // namespace

std::variant<Arguments, Exit> parse_arguments(int argc, char** argv) {
  CLI::App app;
  std::array<Arguments, kCommands.size()> filled;
  Arguments chosen;
  try {
    build(app, filled, chosen);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? Exit::ok : Exit::usage;
  } catch (const std::exception& error) {
    std::cerr << "redoubt: " << error.what() << "\n";
    return Exit::failed;
  }
  return chosen;
}

}  // namespace redoubt::cli
