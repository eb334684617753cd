// Files that are made of hunts, as requests and responses. Any thread.
#pragma once

#include <memory>
#include <string>

#include "central/api/http.h"
#include "central/hunts/hunt_service.h"
#include "store/events/store_report.h"

namespace redoubt::central {

struct ExportRequest {
  std::string query;
  store::ExportFormat format = store::ExportFormat::csv;
};

// {"query", "format"}
Result<ExportRequest> parse_export(const Request& request);
// The file under a name of its own; the audit log has the query, whatever came of it.
Response export_response(const ExportRequest& asked,
                         const HuntOutcome<std::shared_ptr<const store::Exported>>& exported);

}  // namespace redoubt::central
