// HTTPS to the node's API, one connection a call. Trusts the certificate whose fingerprint the profile holds and no
// other: no authority, no name; nothing is sent before it was compared. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "apps/redoubt/profile.h"
#include "base/result.h"

namespace redoubt::cli {

struct Call {
  std::string method = "GET";
  std::string target;  // below /api/v1: "/alerts?limit=10"
  std::string body;    // JSON; empty: none
  std::string file;    // path of a file that is the body instead
  std::vector<std::pair<std::string, std::string>> headers;
  int timeout_s = 60;
  std::string output;  // path of a file that the body of a success becomes
};

struct Answer {
  int status = 0;
  std::string body;
  std::string cookie;                                      // NAME=VALUE of the first Set-Cookie
  std::vector<std::pair<std::string, std::string>> notes;  // Redoubt-… headers, names in lower case
};

// Whatever status it has. unavailable, timeout, unauthenticated (another certificate) where there is no answer.
Result<Answer> send_call(const Profile& profile, const Call& call);
// The body of a success; else the error that the node sent, with the diagnostic's text for a query.
Result<std::string> call_api(const Profile& profile, const Call& call);
// The same for a call that has an output.
Result<Answer> download_api(const Profile& profile, const Call& call);

// "a b/c" as a piece of a target: "a%20b%2Fc".
std::string percent_encode(std::string_view text);

}  // namespace redoubt::cli
