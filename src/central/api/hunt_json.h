// What a hunt found, as JSON: columns with their types, and rows. Any thread.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "store/events/event_store.h"

namespace redoubt::central {

// {"columns": [{name, field?, type}], "rows": [[…]]}; times as RFC 3339, absent fields as null.
nlohmann::ordered_json rows_json(const store::HuntResult& result);

}  // namespace redoubt::central
