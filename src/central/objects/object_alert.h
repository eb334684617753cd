// What an alert says of an object: the strongest word first, engines that agree raise it. Called by the object judge.
#pragma once

#include <string>
#include <vector>

#include "central/alerts/alert_sink.h"
#include "central/objects/object_service.h"

namespace redoubt::central {

// The report has detections.
NewDetection detection_of(const Object& object, const scan::ScanReport& report);
// Newer engines say so of a content that older ones let pass; `received` are its submissions, newest first.
NewDetection rescan_detection(const std::vector<Object>& received, const scan::ScanReport& before,
                              const scan::ScanReport& now);
// The engines could not judge it: nobody knows whether it is clean.
NewDetection unjudged_detection(const Object& object, const scan::ScanReport& report);

}  // namespace redoubt::central
