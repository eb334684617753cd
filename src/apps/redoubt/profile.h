// Where the node is, how to know it and who asks: a small JSON file with mode 0600. Any thread.
#pragma once

#include <string>

#include "base/result.h"

namespace redoubt::cli {

struct Profile {
  std::string url;          // https://HOST:PORT
  std::string fingerprint;  // SHA-256 of the server certificate (DER), 64 hexadecimal digits
  std::string token;        // rdt_…
};

constexpr const char* kProfileFile = "cli.json";

Result<Profile> load_profile(const std::string& path);
Status save_profile(const std::string& path, const Profile& profile);

// --home DIR: DIR/cli.json; else $REDOUBT_PROFILE; else $REDOUBT_HOME/cli.json; else ~/.config/redoubt/cli.json where
// it exists; else that of `redoubt up` without arguments.
std::string find_profile(const std::string& home);
// Where `redoubt login` writes: the same, but for the last step.
std::string profile_to_write(const std::string& home);

}  // namespace redoubt::cli
