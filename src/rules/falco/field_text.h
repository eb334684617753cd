// The value of a Falco field or transformer on one event, as Falco prints it. Any thread.
#pragma once

#include <optional>
#include <string>

#include "event/batch.h"
#include "rules/falco/filter.h"

namespace redoubt::rules::falco {

// Nothing where the event has no such value.
std::optional<std::string> text_of(const Term& term, const event::Row& row);

// "04:23:04.123456000", UTC: how a line of output begins.
std::string time_of_day(const event::Row& row);

}  // namespace redoubt::rules::falco
