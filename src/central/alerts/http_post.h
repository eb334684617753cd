// Posts bodies to one HTTP or HTTPS address, a connection each. Blocks for kPostTimeMs at most (and for the resolver);
// one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace redoubt::central {

constexpr int64_t kPostTimeMs = 5000;  // to connect, and to exchange
constexpr size_t kPostAnswerMax = size_t{64} << 10;

class HttpPost {
 public:
  struct Options {
    std::string url;           // http://host:port/path or https://…, no user name
    std::string ca_file;       // certificates (PEM) that may vouch for the other side; empty: the system's
    std::string content_type;  // "application/json"
  };
  static Result<std::unique_ptr<HttpPost>> make(const Options& options);
  ~HttpPost();

  // The HTTP status. An error: there was none.
  Result<int> post(const std::string& body);

 private:
  class Impl;
  explicit HttpPost(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace redoubt::central
