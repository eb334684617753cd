#include "central/users/sessions.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"

namespace redoubt::central {

namespace {

constexpr size_t kSessionsMax = 10'000;
constexpr size_t kSecretBytes = 32;

bool ended(base::Time begun, base::Time last_seen, base::Time now) {
  return now.us - begun.us >= kSessionLifeUs || now.us - last_seen.us >= kSessionIdleUs;
}

}  // namespace

Session Sessions::begin(const std::string& user, const std::string& credential, base::Time now) {
  Session session{.id = base::to_hex(base::random_bytes(kSecretBytes)),
                  .user = user,
                  .csrf = base::to_hex(base::random_bytes(kSecretBytes)),
                  .credential = credential};
  const std::lock_guard lock(mutex_);
  if (by_hash_.size() >= kSessionsMax) forget_ended(now);
  if (by_hash_.size() >= kSessionsMax) {
    by_hash_.erase(std::min_element(by_hash_.begin(), by_hash_.end(), [](const auto& a, const auto& b) {
      return a.second.last_seen < b.second.last_seen;
    }));
  }
  by_hash_[base::sha256_hex(session.id)] = {.session = session, .begun = now, .last_seen = now};
  return session;
}

std::optional<Session> Sessions::find(const std::string& id, base::Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(base::sha256_hex(id));
  if (found == by_hash_.end()) return std::nullopt;
  if (ended(found->second.begun, found->second.last_seen, now)) {
    by_hash_.erase(found);
    return std::nullopt;
  }
  found->second.last_seen = now;
  return found->second.session;
}

bool Sessions::live(const std::string& id, base::Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(base::sha256_hex(id));
  return found != by_hash_.end() && !ended(found->second.begun, found->second.last_seen, now);
}

void Sessions::end(const std::string& id) {
  const std::lock_guard lock(mutex_);
  by_hash_.erase(base::sha256_hex(id));
}

void Sessions::end_unless(const std::function<bool(const Session&)>& holds) {
  std::vector<Session> sessions;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [hash, entry] : by_hash_) sessions.push_back(entry.session);
  }
  for (const Session& session : sessions) {
    if (!holds(session)) end(session.id);
  }
}

void Sessions::forget_ended(base::Time now) {
  std::erase_if(by_hash_, [now](const auto& entry) { return ended(entry.second.begun, entry.second.last_seen, now); });
}

}  // namespace redoubt::central
