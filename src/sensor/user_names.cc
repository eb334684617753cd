#include "sensor/user_names.h"

#include <pwd.h>

#include <array>

#include "sensor/path_text.h"

namespace redoubt::sensor {

namespace {

constexpr size_t kUserNamesMax = 4096;
constexpr int64_t kUserNameLifeNs = 300'000'000'000;
constexpr size_t kPasswdBytes = 16384;

std::string look_up_user(uint32_t uid) {
  std::array<char, kPasswdBytes> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return {};
  return field_text(found->pw_name);
}

}  // namespace

const std::string& UserNames::find(uint32_t uid, int64_t now_ns) {
  if (entries_.size() >= kUserNamesMax) entries_.clear();
  Entry& entry = entries_[uid];
  if (entry.until_ns <= now_ns) entry = {look_up_user(uid), now_ns + kUserNameLifeNs};
  return entry.name;
}

}  // namespace redoubt::sensor
