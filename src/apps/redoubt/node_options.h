// How `redoubt up` runs the node. What was said at the first time is kept beside the data, so that a later `up` without
// arguments starts the same node. One thread.
#pragma once

#include <string>
#include <vector>

#include "apps/redoubt/arguments.h"
#include "base/result.h"

namespace redoubt::cli {

struct NodeChoices {
  std::string listen = "127.0.0.1";
  int api_port = 8443;
  int link_port = 8444;
  int scanner_port = 8445;
};

// HOME/up.json, changed and written again where the arguments say something.
Result<NodeChoices> choose(const Arguments& arguments, const std::string& home);

// Writes what is used from now on: ports that were 0 have become real ones.
Status keep_choices(const NodeChoices& choices, const std::string& home);

// An address with its port: "127.0.0.1:8443", "[::1]:8443".
std::string with_port(const std::string& address, int port);
// The address at which this machine reaches what listens there.
std::string reachable(const std::string& listen);

// HOME/redoubtd.yaml, where it exists, is the node's configuration.
std::vector<std::string> init_command(const std::string& programs, const std::string& home, const NodeChoices& choices);
std::vector<std::string> serve_command(const std::string& programs, const std::string& home,
                                       const NodeChoices& choices);

}  // namespace redoubt::cli
