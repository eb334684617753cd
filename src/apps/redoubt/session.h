// From a password to an API token: what `login` and `up` do once. One thread.
#pragma once

#include <string>

#include "apps/redoubt/profile.h"
#include "base/result.h"

namespace redoubt::cli {

struct Account {
  std::string user;
  std::string password;
  std::string token_name;  // how the token is listed
};

// Logs in, makes a token, ends the session. `profile` gives address and fingerprint; its token is not looked at.
Result<Profile> make_token(Profile profile, const Account& account);

}  // namespace redoubt::cli
