#include "commands.h"

#include <csignal>
#include <cstdio>

#include "base/file.h"
#include "base/log.h"
#include "gateway/certificate.h"
#include "gateway/folder/folder_check.h"
#include "gateway/folder/folder_gateway.h"
#include "gateway/folder/settings.h"
#include "gateway/scanner_client.h"

namespace redoubt::gateway {

namespace {

constexpr const char* kComponent = "gateway";
constexpr size_t kPemBytesMax = size_t{64} << 10;

// Blocked in every thread before any starts, so that the one below receives them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

Result<std::string> own_fingerprint(const ScannerClientOptions& options) {
  TRY(const std::string pem, base::read_file(options.certificate_file, kPemBytesMax));
  return base::within(options.certificate_file, certificate_fingerprint(pem));
}

}  // namespace

Status run_folder(const std::string& config_path) {
  TRY(folder::Settings settings, folder::load_settings(config_path));
  const sigset_t signals = block_stop_signals();
  TRY(const auto scanner, make_scanner_client(settings.scanner));
  TRY(const std::string fingerprint, own_fingerprint(settings.scanner));
  base::log_info(kComponent, "system " + settings.scanner.system_id + ", certificate " + fingerprint + ", node " +
                                 settings.scanner.host + ":" + settings.scanner.port);
  TRY(const auto gateway, folder::FolderGateway::start(std::move(settings), *scanner));
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  base::log_info(kComponent, "stopping");
  gateway->stop();
  return {};
}

Status check_folder(const std::string& config_path) {
  TRY(const folder::Settings settings, folder::load_settings(config_path));
  TRY_STATUS(folder::check_folders(settings));
  for (const folder::FolderSet& set : settings.folders) {
    std::printf("%s: %s -> %s, quarantine %s, %zu exclusions\n", set.name.c_str(), set.input.c_str(),
                set.output.c_str(), set.quarantine.c_str(), set.exclude.size());
  }
  TRY(const auto scanner, make_scanner_client(settings.scanner));
  TRY(const std::string fingerprint, own_fingerprint(settings.scanner));
  std::printf("system %s, certificate %s\n", settings.scanner.system_id.c_str(), fingerprint.c_str());
  const auto filters = scanner->filters();
  if (!filters && filters.error().code == Errc::unauthenticated) {
    return fail(
        Errc::unauthenticated,
        "the node knows this system now and waits for its administrator to approve it; compare the fingerprint");
  }
  TRY(const Filters found, base::within("the node", filters));
  std::printf("the node takes objects of up to %llu bytes\n", static_cast<unsigned long long>(found.object_bytes_max));
  return {};
}

Status make_certificate(const std::string& directory, const std::string& common_name) {
  TRY(const SystemIdentity identity, write_system_identity(directory, common_name));
  std::printf("system_id   %s\nfingerprint %s\ncert_pem    %s/cert.pem\ncert_key    %s/key.pem\n",
              identity.system_id.c_str(), identity.fingerprint.c_str(), directory.c_str(), directory.c_str());
  return {};
}

}  // namespace redoubt::gateway
