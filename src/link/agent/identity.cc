#include "link/agent/identity.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/file.h"

namespace redoubt::link {

namespace {

constexpr size_t kIdentityBytesMax = size_t{256} << 10;

struct IdentityField {
  const char* name;
  std::string Identity::* member;
};
constexpr std::array kIdentityFields = {
    IdentityField{"host_id", &Identity::host_id},
    IdentityField{"key", &Identity::key_pem},
    IdentityField{"certificate", &Identity::certificate_pem},
    IdentityField{"ca", &Identity::ca_pem},
    IdentityField{"link_address", &Identity::link_address},
    IdentityField{"server_name", &Identity::server_name},
};

}  // namespace

std::string identity_path(const std::string& data_directory) { return data_directory + "/identity.json"; }

Status save_identity(const Identity& identity, const std::string& data_directory) {
  nlohmann::json object;
  for (const auto& [name, member] : kIdentityFields) object[name] = identity.*member;
  constexpr int kIndent = 2;
  const std::string text = object.dump(kIndent, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return base::write_file_atomic(identity_path(data_directory), text, base::kPrivateFile);
}

Result<Identity> load_identity(const std::string& data_directory) {
  const std::string path = identity_path(data_directory);
  TRY(const std::string text, base::read_file(path, kIdentityBytesMax));
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) return fail(Errc::corrupt, path + " is no JSON object; enrol again with --force");
  Identity identity;
  for (const auto& [name, member] : kIdentityFields) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) {
      return fail(Errc::corrupt, path + " has no \"" + name + "\"; enrol again with --force");
    }
    identity.*member = found->get<std::string>();
  }
  return identity;
}

}  // namespace redoubt::link
