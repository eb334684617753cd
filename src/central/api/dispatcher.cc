#include "central/api/dispatcher.h"

#include <algorithm>

#include "central/api/gate.h"
#include "central/api/static_files.h"
#include "central/api/target.h"

namespace redoubt::central {

namespace {

std::optional<Method> method_named(std::string_view name) {
  for (const Method method : {Method::get, Method::post, Method::patch, Method::del}) {
    if (name_of(method) == name) return method;
  }
  return std::nullopt;
}

bool matches(std::string_view pattern, const std::vector<std::string>& segments, size_t first,
             std::vector<std::string>& parameters) {
  parameters.clear();
  size_t at = first;
  pattern.remove_prefix(1);
  while (!pattern.empty()) {
    const size_t slash = std::min(pattern.find('/'), pattern.size());
    const std::string_view wanted = pattern.substr(0, slash);
    pattern.remove_prefix(std::min(slash + 1, pattern.size()));
    if (at >= segments.size()) return false;
    const std::string& segment = segments[at++];
    if (wanted.starts_with('{')) {
      if (segment.empty()) return false;
      parameters.push_back(segment);
    } else if (segment != wanted) {
      return false;
    }
  }
  return at == segments.size();
}

// How many segments the prefix has, where the path begins with it; 0: it does not.
size_t prefix_segments(std::string_view prefix, const std::vector<std::string>& segments) {
  size_t count = 0;
  prefix.remove_prefix(1);
  while (!prefix.empty()) {
    const size_t slash = std::min(prefix.find('/'), prefix.size());
    if (count >= segments.size() || segments[count] != prefix.substr(0, slash)) return 0;
    prefix.remove_prefix(std::min(slash + 1, prefix.size()));
    ++count;
  }
  return count;
}

// What a path and method lead to. A path that is known under other methods only has no route.
struct Destination {
  const Route* route = nullptr;
  bool path_known = false;
  std::vector<std::string> parameters;
};

// Literal routes stand before those with parameters, so the first that matches is meant.
Destination destination_of(std::span<const Route> routes, Method method, const std::vector<std::string>& segments,
                           size_t first) {
  Destination found;
  for (const Route& route : routes) {
    if (!matches(route.pattern, segments, first, found.parameters)) continue;
    found.path_known = true;
    if (route.method != method) continue;
    found.route = &route;
    return found;
  }
  return found;
}

// What a form has around the object in it: boundaries, heads, other fields.
constexpr uint64_t kFormBytes = uint64_t{1} << 20;

uint64_t largest_body(const Route& route, const NodeFacts& facts) {
  switch (route.carries) {
    case Carries::bytes: return route.body_bytes_max;
    case Carries::object: return facts.object_bytes_max;
    case Carries::object_in_form: return facts.object_bytes_max + kFormBytes;
  }
  return 0;
}

}  // namespace

const Route* find_route(const Door& door, Method method, std::string_view path, std::vector<std::string>& parameters) {
  const auto target = parse_target(path);
  if (!target) return nullptr;
  Destination found = destination_of(door.routes, method, target->segments, 0);
  parameters = std::move(found.parameters);
  return found.route;
}

Admitted Dispatcher::begin(const RequestHead& head) {
  Admitted admitted;
  const Status sound = admit_request(head, admitted);
  if (!sound) admitted.refusal = refuse(admitted, sound.error());
  return admitted;
}

Status Dispatcher::admit_request(const RequestHead& head, Admitted& admitted) {
  TRY(Target target, parse_target(head.target));
  const auto method = method_named(head.method);
  if (!method) return fail(Errc::unsupported, "the method is not supported");
  Request& request = admitted.request;
  request = {.method = *method,
             .path = head.target.substr(0, head.target.find('?')),
             .query = std::move(target.query),
             .headers = head.headers,
             .address = head.address,
             .client_fingerprint = head.client_fingerprint};
  const std::vector<std::string>& segments = target.segments;
  const size_t prefix = prefix_segments(door_.prefix, segments);
  if (prefix == 0) return admit_elsewhere(head, segments, admitted);
  Destination found = destination_of(door_.routes, *method, segments, prefix);
  admitted.route = found.route;
  request.path_parameters = std::move(found.parameters);
  if (found.path_known && found.route == nullptr) {
    return fail(Errc::unsupported, "this path does not take " + head.method);
  }
  if (admitted.route == nullptr) return fail(Errc::not_found, "no such path in the API");
  TRY_STATUS(admit(services_, *admitted.route, request));
  return open_body(head, admitted);
}

// What is not below the door's prefix: of the console's door its files, but for what looks like an API.
Status Dispatcher::admit_elsewhere(const RequestHead& head, const std::vector<std::string>& segments,
                                   Admitted& admitted) {
  if (door_.elsewhere == Elsewhere::nothing || (!segments.empty() && segments[0] == "api")) {
    return fail(Errc::not_found, "no such path in the API");
  }
  if (admitted.request.method != Method::get) return fail(Errc::unsupported, "only GET is supported here");
  if (head.content_length.value_or(0) > 0) return fail(Errc::too_large, "a GET has no body");
  admitted.refusal = serve_file(services_.facts.web_directory, segments);
  return {};
}

Status Dispatcher::open_body(const RequestHead& head, Admitted& admitted) {
  const Route& route = *admitted.route;
  admitted.body_bytes_max = largest_body(route, services_.facts);
  if (head.content_length.value_or(0) > admitted.body_bytes_max) {
    return fail(Errc::too_large, "body: " + std::to_string(*head.content_length) + " bytes, the limit is " +
                                     std::to_string(admitted.body_bytes_max));
  }
  if (route.upload == nullptr) return {};
  TRY(admitted.sink, route.upload(services_, admitted.request));
  return {};
}

Response Dispatcher::finish(Admitted& admitted) {
  Response response = admitted.sink ? admitted.sink->finish() : admitted.route->handler(services_, admitted.request);
  audit(admitted, response);
  return response;
}

Response Dispatcher::refuse(const Admitted& admitted, const Error& error) {
  Response response = error_response(error);
  audit(admitted, response);
  return response;
}

void Dispatcher::audit(const Admitted& admitted, const Response& response) {
  if (admitted.route == nullptr || admitted.route->audited == Audited::no) return;
  // What nobody known asked for is not an action of a person or system; logins and enrolments record themselves.
  if (admitted.request.actor.user.empty()) return;
  const Request& request = admitted.request;
  std::string outcome = std::to_string(response.status);
  if (!response.audit_note.empty()) outcome += " " + response.audit_note;
  services_.audit.record(request.actor,
                         std::string(name_of(request.method)) + " " + std::string(admitted.route->pattern),
                         request.path, outcome);
}

}  // namespace redoubt::central
