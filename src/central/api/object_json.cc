#include "central/api/object_json.h"

#include <nlohmann/json.hpp>

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr int64_t kMsUs = 1000;

// What unpacking found inside, and where: detections name its entries by their places.
ordered_json inner_objects_json(const std::vector<scan::InnerObject>& objects) {
  ordered_json list = ordered_json::array();
  for (size_t i = 0; i < objects.size(); ++i) {
    const scan::InnerObject& object = objects[i];
    ordered_json json = {{"index", i},
                         {"parent", object.parent},
                         {"name", object.name},
                         {"mime_type", object.mime_type},
                         {"size_bytes", object.size_bytes}};
    if (!object.sha256.empty()) json["sha256"] = object.sha256;
    if (!object.remark.empty()) json["remark"] = object.remark;
    list.push_back(std::move(json));
  }
  return list;
}

ordered_json report_json(const scan::ScanReport& report) {
  ordered_json detections = ordered_json::array();
  for (const scan::Detection& detection : report.detections) {
    detections.push_back({{"engine", detection.engine},
                          {"engine_version", detection.engine_version},
                          {"rule", detection.rule},
                          {"rule_set", detection.rule_set},
                          {"importance", detection.importance},
                          {"description", detection.description},
                          {"object", detection.object}});
  }
  ordered_json json = {{"mime_type", report.mime_type},
                       {"detections", std::move(detections)},
                       {"objects", inner_objects_json(report.objects)},
                       {"not_scanned", report.not_scanned},
                       {"links", report.links},
                       {"engines", report.engines},
                       {"finished", base::format_time(report.finished)},
                       {"duration_ms", report.duration_us / kMsUs}};
  if (!report.error.empty()) json["error"] = report.error;
  return json;
}

}  // namespace

ordered_json stored_object_json(const Object& object) {
  ordered_json json = {{"id", object.id},
                       {"name", object.name},
                       {"sha256", object.sha256},
                       {"size_bytes", object.size_bytes},
                       {"source", name_of(object.source)},
                       {"submitted_by", object.submitted_by},
                       {"submitted", base::format_time(object.submitted)},
                       {"verdict", scan::name_of(object.verdict)}};
  if (object.report) json["report"] = report_json(*object.report);
  if (object.rescanned.us > 0) json["rescanned"] = base::format_time(object.rescanned);
  if (!object.alert_id.empty()) json["alert_id"] = object.alert_id;
  return json;
}

std::string object_text(const Object& object) {
  return stored_object_json(object).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace redoubt::central
