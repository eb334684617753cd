// The central node: the one place that knows all its folders, opens the stores, starts the servers and stops them in
// order. apps/redoubtd calls it; tests start it in their own process on free ports.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "central/alerts/falco_output.h"
#include "central/external_systems/state_list.h"
#include "link/certificate.h"
#include "rules/falco/rule_matching.h"
#include "store/events/clickhouse/options.h"
#include "store/state/postgres_state.h"

namespace redoubt::central {

// What external systems may, and how they are answered.
struct ScannerOptions {
  size_t submissions_open_max = 16;          // of one system, at once
  size_t submissions_per_minute_max = 3000;  // of one system
  StateList state_list = StateList::array;
};

struct NodeOptions {
  std::string data_directory;
  store::PostgresOptions state;                 // no connection: SQLite in the data directory
  store::ClickHouseOptions clickhouse;          // no servers: events in the data directory
  std::string api_address = "127.0.0.1:8443";   // port 0: any free one
  std::string link_address = "127.0.0.1:8444";  // port 0: any free one
  std::string scanner_address;                  // where external systems submit; port 0: any free one; empty: nowhere
  std::string link_public_address;  // host:port that agents are told; empty: the name they called the API by
  std::string web_directory;        // empty: no console
  std::string rules_directory;
  std::string yara_directory;
  std::string openapi_path;
  std::string scan_program;
  unsigned scan_workers = 2;
  std::vector<std::string> scan_passwords;           // to try on archives
  std::string clamav_socket;                         // of a clamd that others run; empty: the node runs its own
  std::string clamav_program = "clamd";              // that one; empty: none
  std::string clamav_directory = "/var/lib/clamav";  // its signatures
  int64_t retention_us = 0;                          // of events; 0: by size alone
  uint64_t store_bytes_max = 0;                      // of sealed events; 0: by age alone
  uint64_t store_memory_bytes = uint64_t{1} << 30;
  int64_t export_time_ms_max = 600'000;  // of a hunt's file; 0 bytes: as long as the disk has room
  uint64_t export_bytes_max = uint64_t{4} << 30;
  uint64_t object_bytes_max = uint64_t{100} << 20;
  std::vector<std::string> webhook_prefixes;        // where verdicts may be posted; none: nowhere
  int64_t object_retention_us = 30 * base::kDayUs;  // of contents, since they were handed in last; 0: by size alone
  uint64_t object_store_bytes_max = uint64_t{50} << 30;  // of all contents; 0: by age alone
  int64_t agent_certificate_us = link::kClientLifeUs;
  int64_t silent_after_us = 15 * base::kMinuteUs;  // a host that says nothing for longer is an alert; 0: none is
  ScannerOptions scanner;
  rules::falco::RuleMatching falco_matching = rules::falco::RuleMatching::all;
  FalcoOutputOptions falco_output;
};

struct InitReport {
  std::string account;
  std::string password;     // empty: the account existed
  std::string fingerprint;  // SHA-256 of the HTTPS certificate (DER), hexadecimal
};

// Makes what is missing of CA, keys, certificate (for this machine's names and `extra_names`), database and first
// account. A second call changes nothing.
Result<InitReport> init_node(const std::string& data_directory, const std::vector<std::string>& extra_names,
                             const store::PostgresOptions& postgres = {});
// Sets the password of an account and ends nothing else: sessions live in the running node.
Status set_account_password(const std::string& data_directory, const std::string& account, const std::string& password,
                            const store::PostgresOptions& postgres = {});

class Node {
 public:
  // The data directory is initialised. already_exists: another node runs on it.
  static Result<std::unique_ptr<Node>> start(const NodeOptions& options);
  ~Node();

  int api_port() const;
  int link_port() const;
  int scanner_port() const;  // 0: external systems have no door
  void stop();

 private:
  class Impl;
  explicit Node(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::central
