// The gateway's verbs, one function each; main() parses the command line and calls one of them.
#pragma once

#include <string>

#include "base/result.h"

namespace redoubt::gateway {

// Carries files until SIGTERM or SIGINT.
Status run_folder(const std::string& config_path);
// Says what is wrong with configuration, folders, key and certificate, and whether the node takes objects of this
// system.
Status check_folder(const std::string& config_path);
// Makes key, certificate and system id for an external system.
Status make_certificate(const std::string& directory, const std::string& common_name);

}  // namespace redoubt::gateway
