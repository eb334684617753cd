// The schema of the node's state database, in one place. A released step is never changed: add another.
#pragma once

#include <vector>

#include "store/state/state_db.h"

namespace redoubt::central {

std::vector<store::Migration> state_migrations();

}  // namespace redoubt::central
