// How external systems name what they speak of: systems, instances, scans. Clients write the names in more than one
// way, and all are taken. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "central/api/http.h"
#include "central/external_systems/scan_book.h"

namespace redoubt::central {

// The system that asks, which the gate has let in.
inline const std::string& asking_system(const Request& request) { return request.path_parameters.front(); }

bool names_scan_id(std::string_view key);
bool names_instance(std::string_view key);

// The instance that the query names; empty: none.
Result<std::string> instance_of_query(const Request& request);
// The scans that path and query name.
Result<ScanName> scan_of_request(const Request& request);

Status check_scan_id(std::string_view id);
Status check_instance(std::string_view instance);

}  // namespace redoubt::central
