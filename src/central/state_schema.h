// The schema of the node's state database, in one place. A released step is never changed: add another.
#pragma once

#include <memory>
#include <vector>

#include "store/node_files.h"
#include "store/state/postgres_state.h"
#include "store/state/state_db.h"

namespace redoubt::central {

std::vector<store::Migration> state_migrations();

// The file of the data directory, or where `postgres` has a connection, that database. A directory that holds a state
// already is refused for the second: nothing is moved, and accounts and alerts would be missing.
Result<std::unique_ptr<store::StateDb>> open_state(const store::NodeFiles& files,
                                                   const store::PostgresOptions& postgres);

}  // namespace redoubt::central
