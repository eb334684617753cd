// What a detection takes from its rule and from its event, for judge.cc and correlation_book.cc.
#pragma once

#include "central/alerts/alert_sink.h"
#include "event/batch.h"

namespace redoubt::central {

// All that the rule says of it.
NewDetection detection_about(const rules::Rule& rule);
// Who acted and where, and the event itself.
void describe_event(const event::Row& row, NewDetection& detection);

}  // namespace redoubt::central
