// From a request's head to its answer: finds the route among those of its door, checks size and rights, calls the
// handler, writes the audit log. The server calls it on worker threads, so it may block. Knows no HTTP library.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "central/api/http.h"
#include "central/api/routes.h"

namespace redoubt::central {

// What the server read of a request before its body.
struct RequestHead {
  std::string method;  // "GET"
  std::string target;  // as it was sent, hostile
  std::map<std::string, std::string, std::less<>> headers;
  std::string address;
  std::string client_fingerprint;  // as in Request
  std::optional<uint64_t> content_length;
};

// A request that may bring its body. Its answer is final already where `refusal` is set: the body is not to be read.
struct Admitted {
  const Route* route = nullptr;  // none: a file of the console
  Request request;
  uint64_t body_bytes_max = 0;
  std::unique_ptr<BodySink> sink;  // where it is set the body goes there, not into request.body
  std::optional<Response> refusal;
};

class Dispatcher {
 public:
  // Both outlive it.
  Dispatcher(Services& services, const Door& door) : services_(services), door_(door) {}

  Admitted begin(const RequestHead& head);
  // The body is complete.
  Response finish(Admitted& admitted);
  // The body could not be taken (too large, a sink's error): the answer says why.
  Response refuse(const Admitted& admitted, const Error& error);

 private:
  Status admit_request(const RequestHead& head, Admitted& admitted);
  Status admit_elsewhere(const RequestHead& head, const std::vector<std::string>& segments, Admitted& admitted);
  Status open_body(const RequestHead& head, Admitted& admitted);
  void audit(const Admitted& admitted, const Response& response);

  Services& services_;
  const Door& door_;
};

// For tests: the route of a method and path below the door's prefix, its parameters in `parameters`; nullptr: none.
const Route* find_route(const Door& door, Method method, std::string_view path, std::vector<std::string>& parameters);

}  // namespace redoubt::central
