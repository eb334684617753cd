// The layout of the node's data directory: what the node, and the tools that work on the directory of one that is
// stopped, find where.
#pragma once

#include <string>

#include "base/file.h"
#include "base/result.h"

namespace redoubt::store {

struct NodeFiles {
  std::string directory;

  std::string ca_certificate() const { return directory + "/ca.pem"; }
  std::string ca_key() const { return directory + "/ca.key"; }
  std::string certificate() const { return directory + "/server.pem"; }
  std::string key() const { return directory + "/server.key"; }
  std::string state() const { return directory + "/state.db"; }
  std::string events() const { return directory + "/events"; }
  // Spool and ledger of a node whose events are in ClickHouse.
  std::string clickhouse() const { return directory + "/clickhouse"; }
  std::string objects() const { return directory + "/objects"; }
  std::string attack() const { return directory + "/attack.json"; }
  std::string ports() const { return directory + "/ports.json"; }
  // There while a restore into the directory is not done; no node starts then.
  std::string unfinished_restore() const { return directory + "/restore.unfinished"; }
  std::string lock() const { return directory + "/lock"; }
};

// Holds the directory for one process; already_exists where another one does. Released with the descriptor.
Result<base::UniqueFd> lock_directory(const NodeFiles& files);
// The same for a tool beside the node: the directory is one of a node, and files that are made in it belong to whom the
// node runs as.
Result<base::UniqueFd> lock_stopped_node(const NodeFiles& files);

}  // namespace redoubt::store
