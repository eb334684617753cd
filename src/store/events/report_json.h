// What the tools of the store answer as JSON: the same from the node's API and from a directory. Any thread.
#pragma once

#include <string>

#include "store/events/store_report.h"

namespace redoubt::store {

std::string json_of(const StoreReport& report);
std::string json_of(const VerifyReport& report);
std::string json_of(const CompactReport& report);
std::string json_of(const MoveReport& report);

}  // namespace redoubt::store
