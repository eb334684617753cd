#include "link/grpc_setup.h"

#include <absl/synchronization/mutex.h>
#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/ssl.h>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/result.h"

namespace redoubt::link {

namespace {

// As options, not as MinProtocol: gRPC sets its own lowest version on every context, and it clears no option.
constexpr std::string_view kTlsPolicy =
    "redoubt = modules\n"
    "[modules]\n"
    "ssl_conf = contexts\n"
    "[contexts]\n"
    "system_default = policy\n"
    "[policy]\n"
    "Protocol = -ALL, TLSv1.3\n";

bool load_tls_policy() {
  // The machine's own configuration first: what it sets besides stays.
  if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr) != 1) return false;
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(kTlsPolicy.data(), static_cast<int>(kTlsPolicy.size())), &BIO_free);
  const std::unique_ptr<CONF, decltype(&NCONF_free)> policy(NCONF_new(nullptr), &NCONF_free);
  long line = 0;
  return text && policy && NCONF_load_bio(policy.get(), text.get(), &line) == 1 &&
         CONF_modules_load(policy.get(), "redoubt", 0) == 1;
}

}  // namespace

void set_up_grpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    CHECK(load_tls_policy());
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  });
}

}  // namespace redoubt::link
