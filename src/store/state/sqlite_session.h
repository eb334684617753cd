// SOCI's SQLite with statements that stay prepared: a session that comes with the same text again does not parse and
// plan it anew. For the state database, whose program has a few dozen texts; they name their columns, since a `*` would
// be that of before a change of the schema.
#pragma once

namespace soci {
class backend_factory;
}

namespace redoubt::store {

// Sessions of it are SOCI's sqlite3_session_backend. One thread at a time has a session, as SOCI wants it.
const soci::backend_factory& sqlite_sessions();

}  // namespace redoubt::store
