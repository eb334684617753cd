#include "apps/redoubt/profile.h"

#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/redoubt/layout.h"
#include "base/file.h"

namespace redoubt::cli {

namespace {

constexpr size_t kProfileBytesMax = 16'384;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Result<Profile> load_profile(const std::string& path) {
  auto text = base::read_file(path, kProfileBytesMax);
  if (!text) {
    return fail(Errc::not_found,
                "no profile (" + text.error().message + "): run `redoubt up` or `redoubt login` first");
  }
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  const auto member = [&](const char* name) -> std::string {
    return json.is_object() && json.contains(name) && json[name].is_string() ? json[name].get<std::string>() : "";
  };
  Profile profile{member("url"), member("fingerprint"), member("token")};
  if (profile.url.empty() || profile.fingerprint.empty()) {
    return fail(Errc::corrupt, "profile " + path + " lacks url or fingerprint: run `redoubt login` again");
  }
  return profile;
}

Status save_profile(const std::string& path, const Profile& profile) {
  TRY_STATUS(base::make_directories(std::filesystem::path(path).parent_path().string()));
  const nlohmann::json json = {{"url", profile.url}, {"fingerprint", profile.fingerprint}, {"token", profile.token}};
  return base::write_file_atomic(path, json.dump(2) + "\n", base::kPrivateFile);
}

std::string profile_to_write(const std::string& home) {
  if (!home.empty()) return home + "/" + kProfileFile;
  if (const std::string path = environment("REDOUBT_PROFILE"); !path.empty()) return path;
  if (const std::string path = environment("REDOUBT_HOME"); !path.empty()) return path + "/" + kProfileFile;
  return environment("HOME") + "/.config/redoubt/" + kProfileFile;
}

std::string find_profile(const std::string& home) {
  const std::string path = profile_to_write(home);
  if (access(path.c_str(), F_OK) == 0) return path;
  const bool said = !home.empty() || !environment("REDOUBT_PROFILE").empty() || !environment("REDOUBT_HOME").empty();
  return said ? path : find_layout().default_home + "/" + kProfileFile;
}

}  // namespace redoubt::cli
