#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "central/node.h"
#include "central/state_schema.h"
#include "central/users/accounts.h"
#include "central/users/password.h"
#include "link/certificate.h"
#include "store/node_files.h"

namespace redoubt::central {

namespace {

using store::lock_directory;
using store::NodeFiles;

constexpr std::string_view kFirstAccount = "admin";
constexpr size_t kHostNameBytesMax = 256;

bool file_exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

std::vector<std::string> certificate_names(const std::vector<std::string>& extra_names) {
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
  std::array<char, kHostNameBytesMax> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0') names.emplace_back(host.data());
  for (const std::string& name : extra_names) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

Status make_certificates(const NodeFiles& files, const std::vector<std::string>& extra_names) {
  if (!file_exists(files.ca_certificate())) {
    TRY(const link::KeyAndCertificate ca, link::make_ca("Redoubt central node"));
    TRY_STATUS(link::write_key_and_certificate(ca, files.ca_key(), files.ca_certificate()));
  }
  if (file_exists(files.certificate())) return {};
  TRY(const link::KeyAndCertificate ca, link::load_key_and_certificate(files.ca_key(), files.ca_certificate()));
  const std::vector<std::string> names = certificate_names(extra_names);
  TRY(const link::KeyAndCertificate server, link::make_server_certificate(ca, names));
  return link::write_key_and_certificate(server, files.key(), files.certificate());
}

Result<std::string> make_first_account(Accounts& accounts) {
  std::string password = random_password();
  const Status made = accounts.create({.name = std::string(kFirstAccount), .role = Role::administrator}, password);
  if (made) return password;
  if (made.error().code == Errc::already_exists) return std::string();
  return tl::unexpected<Error>(made.error());
}

}  // namespace

Result<InitReport> init_node(const std::string& data_directory, const std::vector<std::string>& extra_names,
                             const store::PostgresOptions& postgres) {
  const NodeFiles files{data_directory};
  TRY_STATUS(base::make_directories(data_directory));
  // Nothing is made beside a running node: then all of it is there, and its lock is not asked for.
  base::UniqueFd lock;
  if (!file_exists(files.certificate()) || (postgres.connection.empty() && !file_exists(files.state()))) {
    TRY(lock, lock_directory(files));
  }
  TRY_STATUS(base::within("certificates", make_certificates(files, extra_names)));
  TRY(const auto state, open_state(files, postgres));
  Accounts accounts(*state);
  InitReport report{.account = std::string(kFirstAccount)};
  TRY(report.password, make_first_account(accounts));
  TRY(const link::KeyAndCertificate server, link::load_key_and_certificate(files.key(), files.certificate()));
  TRY(const link::CertificateInfo certificate, link::read_certificate(server.certificate_pem));
  report.fingerprint = certificate.fingerprint;
  return report;
}

Status set_account_password(const std::string& data_directory, const std::string& account, const std::string& password,
                            const store::PostgresOptions& postgres) {
  const NodeFiles files{data_directory};
  if (!file_exists(postgres.connection.empty() ? files.state() : files.certificate())) {
    return fail(Errc::not_found, "data directory " + data_directory + ": not initialised; run redoubtd init");
  }
  TRY(const auto state, open_state(files, postgres));
  return Accounts(*state).set_password(account, password);
}

}  // namespace redoubt::central
