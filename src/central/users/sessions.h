// Console sessions: an unguessable id in a cookie, a CSRF token beside it, an idle and an absolute end. A session is
// good for the password it was opened with. In memory: a restart of the node asks everyone to log in again. Any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/time.h"
#include "central/users/role.h"

namespace redoubt::central {

constexpr int64_t kSessionIdleUs = 8 * base::kHourUs;
constexpr int64_t kSessionLifeUs = 24 * base::kHourUs;

struct Session {
  std::string id;  // the cookie's value
  std::string user;
  std::string csrf;
  std::string credential;  // the account's when the session began
};

class Sessions {
 public:
  Session begin(const std::string& user, const std::string& credential, base::Time now);
  // The live session of that id, whose idle time starts anew.
  std::optional<Session> find(const std::string& id, base::Time now);
  // Whether find() would find it; does not count as use.
  bool live(const std::string& id, base::Time now);
  void end(const std::string& id);
  // Ends the sessions for which `holds` is false; it is called without a lock and may block.
  void end_unless(const std::function<bool(const Session&)>& holds);

 private:
  struct Entry {
    Session session;
    base::Time begun, last_seen;
  };
  void forget_ended(base::Time now);

  std::mutex mutex_;
  std::map<std::string, Entry> by_hash_;
};

}  // namespace redoubt::central
