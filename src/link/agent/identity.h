// Who this agent is: what enrolment gave it, in one file (0600) that is replaced as a whole.
#pragma once

#include <string>

#include "base/result.h"

namespace redoubt::link {

struct Identity {
  std::string host_id;
  std::string key_pem;
  std::string certificate_pem;
  std::string ca_pem;
  std::string link_address;  // "host:port" of the node's gRPC port
  std::string server_name;   // the name in the node's certificate
};

// DATA/identity.json
std::string identity_path(const std::string& data_directory);
Status save_identity(const Identity& identity, const std::string& data_directory);
// not_found before enrolment.
Result<Identity> load_identity(const std::string& data_directory);

}  // namespace redoubt::link
