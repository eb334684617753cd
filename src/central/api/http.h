// Requests and responses as handlers see them: plain values, no HTTP library. Handlers run on the node's bounded worker
// threads and may block.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "central/users/role.h"
#include "query/diagnostic.h"

namespace redoubt::central {

enum class Method : uint8_t { get, post, patch, del };

std::string_view name_of(Method method);

struct Request {
  Method method = Method::get;
  std::string path;                          // decoded, without the query
  std::vector<std::string> path_parameters;  // what stood for {…} in the route's pattern, in order
  std::map<std::string, std::string, std::less<>> query;
  std::map<std::string, std::string, std::less<>> headers;  // names in lower case
  std::string body;                                         // empty on streamed uploads
  std::string address;                                      // of the peer, without port
  std::string client_fingerprint;  // SHA-256 of the certificate whose key the peer has, hexadecimal; empty: none
  Actor actor;                     // who asks; routes with Access::anyone: no user
  std::string session_id, csrf;    // of a request that came with a session
  std::function<bool()> gone;      // nobody waits for the answer any more; of routes that watch their client

  // "" where there is none.
  std::string_view query_value(std::string_view name) const;
  std::string_view header(std::string_view lower_case_name) const;
};

// An endless answer, message by message (server-sent events).
class EventStream {
 public:
  virtual ~EventStream() = default;
  // The next bytes to send; nothing: wait for the wake.
  virtual std::optional<std::string> next() = 0;
  // False: the stream ends here. Asked before every message and at every heartbeat.
  virtual bool live() = 0;
  // `wake` is called, from any thread, whenever next() may have something; it does not block.
  virtual void wake_with(std::function<void()> wake) = 0;
};

// Sends the next part of an answer; does not wait until it is sent.
using SendPart = std::function<void(std::string part)>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<EventStream> stream;                   // instead of a body
  std::function<void(const SendPart&)> parts = nullptr;  // instead of a body: makes it, on a worker thread
  std::shared_ptr<const base::UniqueFd> file = nullptr;  // instead of a body: its first file_bytes
  uint64_t file_bytes = 0;
  std::string audit_note;  // what exactly was changed, for the audit log: "off"
};

// Takes a request's body piece by piece, on a worker thread, never two pieces at once. Dropped without finish(): the
// upload was broken off, and nothing stays.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual Status write(std::string_view bytes) = 0;
  virtual Response finish() = 0;
};

// {"error":{"code","message"}} with the HTTP status that belongs to the error's kind.
Response error_response(const Error& error);
Response error_response(const query::Diagnostic& diagnostic, std::string_view source);
nlohmann::ordered_json diagnostic_json(const query::Diagnostic& diagnostic, std::string_view source);

}  // namespace redoubt::central
