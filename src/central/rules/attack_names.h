// The names of ATT&CK's techniques and tactics, from the bundle that an administrator imported; kept as a small table
// in the data directory. Without one there are the tactics' names alone. Any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"

namespace redoubt::central {

class AttackNames {
 public:
  // `path` is that of the table; it need not exist. A damaged one is logged and left out.
  static Result<std::unique_ptr<AttackNames>> open(std::string path);

  // {"imported", "version", "tactics": [{short_name, name}], "techniques": [{id, name, tactics, replaced_by?}]}
  std::string json() const;
  // Replaces the table by that of a STIX bundle; durable on return.
  Status import(std::string_view bundle);

 private:
  explicit AttackNames(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  mutable std::mutex mutex_;
  std::string json_;
};

}  // namespace redoubt::central
