// The HTTPS server of one door: TLS 1.3, HTTP/1.1, one coroutine a connection on a few I/O threads; handlers run on a
// bounded pool of worker threads. Console and API have one, external systems another. start() returns once it listens;
// stop() (or destruction) ends every connection and joins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "central/api/dispatcher.h"

namespace redoubt::central {

// asked: whoever has a certificate shows it and proves its key; what it says of itself, its dates and who signed it
// mean nothing, its fingerprint is all that is taken from it.
enum class ClientCertificates : uint8_t { not_asked, asked };

struct ApiServerOptions {
  std::string address = "127.0.0.1";  // an IP address
  int port = 8443;                    // 0: any free one, see port()
  std::string certificate_pem;
  std::string key_pem;
  ClientCertificates client_certificates = ClientCertificates::not_asked;
  std::string metric_labels;  // what tells its metrics from those of another door
  unsigned io_threads = 2;
  unsigned worker_threads = 16;
  size_t connections_max = 512;
  size_t connections_per_address_max = 128;  // no one client takes them all
};

class ApiServer {
 public:
  // The dispatcher and metrics outlive the server.
  static Result<std::unique_ptr<ApiServer>> start(const ApiServerOptions& options, Dispatcher& dispatcher,
                                                  base::Metrics& metrics);
  ~ApiServer();

  int port() const;
  void stop();

 private:
  class Impl;
  explicit ApiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::central
