#include <nlohmann/json.hpp>

#include "apps/redoubt/api_client.h"

namespace redoubt::cli {

namespace {

Errc errc_of(int status) {
  switch (status) {
    case 400: return Errc::invalid_argument;
    case 401: return Errc::unauthenticated;
    case 403: return Errc::permission_denied;
    case 404: return Errc::not_found;
    case 409: return Errc::already_exists;
    case 413: return Errc::too_large;
    case 429: return Errc::exhausted;
    case 503: return Errc::unavailable;
    default: return Errc::internal;
  }
}

std::string message_of(const Answer& answer) {
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  const std::string otherwise = "the node answered with status " + std::to_string(answer.status);
  if (!json.is_object() || !json.contains("error") || !json["error"].is_object()) return otherwise;
  const auto& error = json["error"];
  if (error.contains("diagnostic") && error["diagnostic"].is_object()) {
    const auto& rendered = error["diagnostic"]["rendered"];
    if (rendered.is_string() && !rendered.get_ref<const std::string&>().empty()) return rendered.get<std::string>();
  }
  return error.contains("message") && error["message"].is_string() ? error["message"].get<std::string>() : otherwise;
}

}  // namespace

Result<std::string> call_api(const Profile& profile, const Call& call) {
  TRY(Answer answer, download_api(profile, call));
  return std::move(answer.body);
}

Result<Answer> download_api(const Profile& profile, const Call& call) {
  TRY(Answer answer, send_call(profile, call));
  if (answer.status >= 200 && answer.status < 300) return answer;
  return fail(errc_of(answer.status), message_of(answer));
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

}  // namespace redoubt::cli
