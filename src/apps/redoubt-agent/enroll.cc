#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "commands.h"
#include "data_lock.h"
#include "data_paths.h"
#include "host_facts.h"
#include "link/agent/enrolment.h"
#include "link/agent/identity.h"
#include "proxy_file.h"

namespace redoubt::agent {

namespace {

constexpr size_t kTokenBytesMax = 4096;

// Numbers and events of another identity mean nothing to the node.
Status forget_spooled(const std::string& data_directory) {
  for (const std::string& path :
       {spool_path(data_directory), rejected_path(data_directory), account_path(data_directory)}) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return fail(Errc::io, "remove " + path + ": " + error.message());
  }
  return {};
}

}  // namespace

Status enroll(const EnrollOptions& options) {
  TRY_STATUS(base::make_directories(options.data_directory));
  TRY(const base::UniqueFd lock, lock_data(options.data_directory, base::kTakeoverMs));
  const bool enrolled = std::filesystem::exists(link::identity_path(options.data_directory));
  if (enrolled && options.if_enrolled == EnrollOptions::IfEnrolled::refuse) {
    return fail(Errc::already_exists, options.data_directory + " is enrolled already; --force replaces the identity");
  }
  TRY(std::string token, base::read_file(options.token_file, kTokenBytesMax));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.empty()) return fail(Errc::invalid_argument, options.token_file + " holds no token");
  TRY(const std::string proxy, read_proxy(options.proxy_file));
  TRY(const HostFacts facts, read_host_facts());
  TRY(const link::Identity identity, link::enrol({.server = options.server,
                                                  .fingerprint = options.fingerprint,
                                                  .token = token,
                                                  .host_name = facts.name,
                                                  .proxy = proxy}));
  TRY_STATUS(forget_spooled(options.data_directory));
  TRY_STATUS(link::save_identity(identity, options.data_directory));
  std::printf("enrolled as host %s; events go to %s\n", identity.host_id.c_str(), identity.link_address.c_str());
  return {};
}

}  // namespace redoubt::agent
