// The command line as values: which command and what was said to it. CLI11 stays in the .cc, driven by the table of
// commands; main() dispatches.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace redoubt::cli {

// What every command ends with; shown by `redoubt --help`.
enum class Exit : int {
  ok = 0,
  failed = 1,    // it was tried and did not work, or the node is degraded
  usage = 2,     // the command line or the query is wrong
  nothing = 3,   // there is no such thing, or nothing was found
  detected = 4,  // scan: something was detected
};

enum class Format : uint8_t { text, json };

struct Arguments;
using Run = Exit (*)(const Arguments&);

struct Arguments {
  Run run = nullptr;
  Format format = Format::text;
  std::string home;  // --home; empty: not said
  // up
  std::string listen;  // empty, below 0: not said
  int api_port = -1;
  int link_port = -1;
  int scanner_port = -1;
  // hunt, alert list, rule set
  std::string query;
  std::string rule_file;  // instead of a query
  std::string since;
  int limit = 100;
  std::string status;
  std::string importance;
  // scan, rule check, attack import, replay
  std::vector<std::string> files;
  int wait_s = 60;
  // replay
  std::string rules_directory;
  std::string log_name;  // PRODUCT[/SERVICE[/CATEGORY]]
  bool count_only = false;
  // alert show|close, host revoke, rule show|enable|disable|set|exclude|include, hunt delete|run
  std::string id;
  std::string comment;
  // rule exclude, hunt save: condition and query stand in `query`, importance in `importance`
  std::string expires;
  std::string interval;
  std::string window;
  // store; since and query as for hunt
  std::string data;    // directory of a stopped node; empty: the node that the profile names
  std::string output;  // file, that of hunt --export too; backup, restore: directory of the backup
  bool copy = false;
  std::string file_format;  // csv, jsonl, parquet
  std::string until;
  // store migrate
  std::string servers;
  std::string account = "default";
  std::string cluster;
  std::string password_file;
  std::string ca_file;
  // login, token create, host invite, rule exclude, hunt save
  std::string url;
  std::string fingerprint;
  std::string user = "admin";
  std::string name;
  std::string valid = "1h";
  int uses = 1;
};

// The arguments, or the code to exit with after help or a message was printed.
std::variant<Arguments, Exit> parse_arguments(int argc, char** argv);

}  // namespace redoubt::cli
