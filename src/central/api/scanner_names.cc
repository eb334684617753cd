#include "central/api/scanner_names.h"

#include <algorithm>

namespace redoubt::central {

namespace {

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

bool names_scan_id(std::string_view key) { return key == "scanId" || key == "scanID"; }
bool names_instance(std::string_view key) { return key == "sensorInstanceId" || key == "sensorInstanceID"; }

Status check_scan_id(std::string_view id) {
  if (!id.empty() && id.size() <= kScanIdBytesMax && is_printable_ascii(id)) return {};
  return fail(Errc::invalid_argument, "'scanId': 1 to 256 printable ASCII characters without blanks");
}

Status check_instance(std::string_view instance) {
  if (instance.size() <= kScanInstanceBytesMax && is_printable_ascii(instance)) return {};
  return fail(Errc::invalid_argument, "'sensorInstanceId': up to 128 printable ASCII characters without blanks");
}

Result<std::string> instance_of_query(const Request& request) {
  for (const auto& [key, value] : request.query) {
    if (!names_instance(key)) continue;
    TRY_STATUS(check_instance(value));
    return value;
  }
  return "";
}

Result<ScanName> scan_of_request(const Request& request) {
  ScanName name{.system_id = asking_system(request)};
  TRY(name.instance, instance_of_query(request));
  if (request.path_parameters.size() > 1) {
    name.scan_id = request.path_parameters[1];
    TRY_STATUS(check_scan_id(name.scan_id));
  }
  return name;
}

}  // namespace redoubt::central
