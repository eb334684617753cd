#include "central/api/dispatcher.h"

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

// What a path and method lead to. A path that is known under other methods only has no route.
struct Destination {
  const Route* route = nullptr;
  bool path_known = false;
  std::vector<std::string> parameters;
};

// Literal routes stand before those with parameters, so the first that matches is meant.
Destination destination_of(Method method, const std::vector<std::string>& segments, size_t first) {
  Destination found;
  for (const Route& route : routes()) {
    if (!matches(route.pattern, segments, first, found.parameters)) continue;
    found.path_known = true;
    if (route.method != method) continue;
    found.route = &route;
    return found;
  }
  return found;
}

constexpr size_t kApiSegments = 2;  // "api", "v1"

}  // namespace

const Route* find_route(Method method, std::string_view path, std::vector<std::string>& parameters) {
  const auto target = parse_target(path);
  if (!target) return nullptr;
  Destination found = destination_of(method, target->segments, 0);
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
             .address = head.address};
  const std::vector<std::string>& segments = target.segments;
  if (segments.empty() || segments[0] != "api") {
    if (*method != Method::get) return fail(Errc::unsupported, "only GET is supported here");
    if (head.content_length.value_or(0) > 0) return fail(Errc::too_large, "a GET has no body");
    admitted.refusal = serve_file(services_.facts.web_directory, segments);
    return {};
  }
  const bool ours = segments.size() > kApiSegments && segments[1] == "v1";
  Destination found = ours ? destination_of(*method, segments, kApiSegments) : Destination{};
  admitted.route = found.route;
  request.path_parameters = std::move(found.parameters);
  if (found.path_known && found.route == nullptr) {
    return fail(Errc::unsupported, "this path does not take " + head.method);
  }
  if (admitted.route == nullptr) return fail(Errc::not_found, "no such path in the API");
  TRY_STATUS(admit(services_, *admitted.route, request));
  return open_body(head, admitted);
}

Status Dispatcher::open_body(const RequestHead& head, Admitted& admitted) {
  const Route& route = *admitted.route;
  const bool is_object = route.upload != nullptr && route.body_bytes_max == 0;
  admitted.body_bytes_max = is_object ? services_.facts.object_bytes_max : route.body_bytes_max;
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
